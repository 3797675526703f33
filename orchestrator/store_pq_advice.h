// What went wrong with PostgreSQL, in words, and what to do about it.
#pragma once

#include "common/error.h"

#include <libpq-fe.h>

// A connection that could not be made. It was told to be verbose. Returns ERROR_INPUT.
int pq_explain_connecting(const PGconn *conn, struct error *err);
// An answer that is an error; NULL: the connection is over. state: its SQLSTATE, "" where it has
// none. Returns ERROR_INPUT.
int pq_explain(const PGconn *conn, const PGresult *result, char state[6], struct error *err);

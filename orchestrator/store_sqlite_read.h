// What is read of a store in SQLite, and whether it is what was written.
#pragma once

#include "orchestrator/store_back.h"
#include "orchestrator/store_sql.h"

// As the back's read().
int sqlite_read_rows(struct sql *sql, const struct store_query *query, store_row row, void *arg,
                     struct error *err);

// The tables and functions of a store in PostgreSQL: made where there are none, and brought to the
// version of this program, or left at the next.
#pragma once

#include "orchestrator/store_pq.h"

// It is connected. shown: the place, for people.
int postgres_schema_ready(struct pq *pq, const char *shown, struct error *err);

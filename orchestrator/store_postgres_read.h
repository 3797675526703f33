// What is read from a store in PostgreSQL: rows as they come, none of them kept.
#pragma once

#include "orchestrator/store_back.h"
#include "orchestrator/store_pq.h"

// As the back's read(). It is connected. told: a row was, so that the query cannot be asked again.
int postgres_read_rows(struct pq *pq, const struct store_query *query, store_row row, void *arg,
                       bool *told, struct error *err);

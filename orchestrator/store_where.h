// Where a store is to lie, as --state says it: in memory, in a file, or in PostgreSQL. Pure.
#pragma once

#include <stdbool.h>

enum { STORE_SHOWN_MAX = 200 };

bool store_where_is_memory(const char *where);   // none
bool store_where_is_postgres(const char *where); // postgresql://… or postgres://…

// For people: without its passwords, and cut where it is too long.
void store_where_show(const char *where, char shown[STORE_SHOWN_MAX]);

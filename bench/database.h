// A PostgreSQL server of the bench's own, by tests/lab/postgres.sh: in a folder that goes with this
// process, however that ends.
#pragma once

#include "common/error.h"

#include <sys/types.h>

struct database {
    char folder[64], uri[192];
    pid_t pid; // the server's first process
};

// What the server has used, and keeps, until now.
struct database_use {
    double cpu_s;     // of all its processes, those that have ended included
    double wal_bytes; // that were ever written
    double kept_bytes;
};

int database_start(struct database *d, struct error *err);
// So that no shard is given out for 10 s: nodes that start meanwhile have equal shares. Where one
// of them were earlier it would have all, until there is work.
int database_start_again(struct database *d, struct error *err);
void database_stop(struct database *d); // also where it was not started
int database_use(const struct database *d, struct database_use *use, struct error *err);

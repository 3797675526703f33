// What is written to a store in SQLite: one batch, one transaction.
#pragma once

#include "orchestrator/store_kept.h"
#include "orchestrator/store_sql.h"

// A job's row as the batch leaves it.
struct touched {
    struct store_job row;
    bool has_entered; // another state
};

struct sqlite_writer { // zeroed but for sql it is ready
    struct sql *sql;
    struct touched *touched; // by the batch
    size_t touched_count, touched_cap;
    const struct store_event *events[SQL_EVENTS_AT_ONCE]; // of the batch, not added yet
    size_t events_count;
    struct store_held held; // of the last batch
};

void sqlite_writer_deinit(struct sqlite_writer *w);

// Both answer false with a reason of ours in err, or with err as it is where it is SQLite's; the
// transaction is open then. How far the store has come:
bool sqlite_writer_meta(struct sqlite_writer *w, struct store_found *found, struct error *err);
// As the back's write().
bool sqlite_writer_transact(struct sqlite_writer *w, uint64_t beat, long long wall_ms,
                            struct store_op *ops, size_t count, struct error *err);

// What is written to a store in PostgreSQL: one batch, one call of a function there, which is one
// transaction; but the image of a large job goes before it in pieces, each a transaction with a
// beat of its own, so that no call takes long.
#pragma once

#include "orchestrator/store_kept.h"
#include "orchestrator/store_pq.h"

enum { STORE_NODE_ID_MAX = 40 };

// When it was last written is kept by the database's clock, whose node it was that wrote.
#define POSTGRES_NOW "(extract(epoch from clock_timestamp()) * 1000)::bigint"

// What was sent last and has not been answered.
enum postgres_sent { SENT_NOTHING, SENT_PIECE, SENT_BATCH };

struct postgres_jobs { // numbers of last events
    int64_t *jobs, *lasts;
    size_t count, jobs_cap, lasts_cap;
};

struct postgres_writer { // zeroed but for the first three it is ready
    struct pq pq;
    char id[STORE_NODE_ID_MAX]; // of this node
    uint64_t beat;              // of the last write that is known to be kept
    uint64_t ahead;             // of the numbers of batches: so many pieces have gone
    enum postgres_sent sent;
    bool is_known; // how far the database has come; else it is asked before the next write
    bool is_fenced;
    struct error why_fenced;
    struct pq_params params;
    struct store_held held; // of the last batch
    struct postgres_jobs jobs;
};

void postgres_writer_deinit(struct postgres_writer *w);

// As the back's write(), by the database's clock. It is connected.
enum store_status postgres_writer_write(struct postgres_writer *w, uint64_t number,
                                        struct store_op *ops, size_t count, struct error *err);

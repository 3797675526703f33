// What waits to be kept, and who is told: the store's front without its threads. Pure: times are
// arguments, in microseconds of a clock that does not go back; who writes a batch, and when it asks
// again, comes out of store_queue_next().
//
//   asked -> in a batch -> under way -(kept)------> to be told, in the order of asking
//                              ^  |
//                              |  +-(not kept)----> waits, and is under way again: the same ops
//                              +------------------- under the same number
//
// A batch is one transaction. One is under way at a time; what is asked meanwhile gathers in the
// next. It goes no sooner than gather_us after the one before went, and than four times as long as
// that one took (up to 50 ms): a commit costs the same for one op as for a hundred. A create, whose
// image may be large, and whatever drops jobs are batches of their own.
//
// Where the back has fenced this process off (STORE_FENCED) nothing is written any more: what waits
// does so until the queue is closed, and is given up then.
//
// A create that was not kept is refused at once, and so are those behind it: a client waits for
// them. But an answer may have been lost behind a commit, so the batch becomes one that forgets the
// job; it keeps its number and is tried until it is kept like all others. So two batches of
// different contents never come under one number, except for this one, which may. Where several
// nodes share the store the others may have begun the job by then: so its create is tried until it
// is kept, like all else, and the client waits.
#pragma once

#include "orchestrator/store_back.h"

enum {
    STORE_BATCH_MAX = 4096, // ops
    STORE_GATHER_TIMES = 4,
    STORE_GATHER_MAX_US = 50000,
    STORE_RETRY_MS = 100, // doubling
    STORE_RETRY_MAX_MS = 1000,
    STORE_LAST_TRIES = 2, // of a batch when the store is closed
};

struct store_waiter {
    store_done done; // NULL: nobody
    void *arg;
};

struct store_batch {
    uint64_t number;
    struct store_op *ops;
    struct store_waiter *waiters; // of each op
    size_t count, cap, waiters_cap;
    size_t told;  // so many ops, from the first
    bool is_shut; // nothing is added any more
    struct store_batch *next;
};

struct store_batches {
    struct store_batch *first, *last;
};

struct store_queue_config {
    uint64_t gather_us;
    uint64_t alive_us; // the time is kept so often while a job is open; 0: never
    uint64_t beat_us;  // something is written so often, whatever else there is to do; 0: no need to
    uint64_t keep_jobs;
    uint64_t beat;      // of the last batch that was kept
    uint64_t open_jobs; // that are not done
    bool tells_all;     // store_queue_answer(): also what nobody waits for
    bool is_shared;     // by several nodes
};

struct store_queue {
    struct store_queue_config config;
    struct store_batches asked; // the first is under way, where one is
    struct store_batches told;  // what came of them is known
    struct store_batch *spare;
    bool is_under_way;
    bool has_begun; // a batch went before
    bool has_kept;  // a batch of this process
    bool is_fenced; // nothing is tried any more
    bool is_closing;
    bool retains; // one that drops jobs is queued
    uint64_t began_us, kept_us, retry_us;
    uint64_t timed_us;   // the last batch that was kept and had the time
    uint64_t took_us;    // the last batch that was kept
    unsigned failures;   // of the first batch, so far
    unsigned last_tries; // since the queue is closing
    struct error why;    // it was not kept
};

void store_queue_init(struct store_queue *q, const struct store_queue_config *config);
void store_queue_deinit(struct store_queue *q); // what is left is dropped, and nobody told

// As store_create() and store_append(). What cannot be kept is our own mistake.
void store_queue_create(struct store_queue *q, const struct store_job *job, store_done done,
                        void *arg);
void store_queue_append(struct store_queue *q, const struct store_event *event, store_done done,
                        void *arg);
void store_queue_audit(struct store_queue *q, const struct store_audit *audit);
void store_queue_lease(struct store_queue *q, struct store_lease *lease, store_done done,
                       void *arg);
bool store_queue_is_creating(const struct store_queue *q, const char *id);
// As store_retain(); also done by itself when a job is done.
void store_queue_retain(struct store_queue *q);
// Nothing more is asked. What is left is tried, but not without end.
void store_queue_close(struct store_queue *q);

struct store_turn {
    struct store_batch *batch; // to write now; NULL: none
    uint64_t wait_us;          // without one: ask again then, or when more is asked; 0: no need to
    bool has_more;             // without one: something is queued
};

struct store_turn store_queue_next(struct store_queue *q, uint64_t now_us);
// What came of the batch that is under way. err is read unless it is STORE_OK.
void store_queue_written(struct store_queue *q, enum store_status status, const struct error *err,
                         uint64_t now_us);

struct store_answer {
    store_done done; // NULL: nobody waits
    void *arg;
    enum store_status status;
    uint64_t n;
    const struct store_event *event; // that is kept; NULL: it is none. It lives until the next call
};

// The next that somebody waits for, or of all. False: there is none.
bool store_queue_answer(struct store_queue *q, struct store_answer *answer);

// Nothing is left to write or to tell.
bool store_queue_is_empty(const struct store_queue *q);
// Whether what was last tried was kept.
bool store_queue_is_well(const struct store_queue *q);

// Where a store's rows lie: functions that may block. The front (store.h) calls write() and size()
// from one thread, read() from another; each back runs the same contract suite
// (tests/unit/check_store.c).
#pragma once

#include "common/error.h"
#include "orchestrator/lease.h"
#include "orchestrator/shards.h"
#include "orchestrator/store_event.h"

#include <stdbool.h>

enum store_status {
    STORE_OK,          // it is kept: what a client is told of is on disk
    STORE_HELD,        // an intent of a job that does not run: it is not kept
    STORE_CONFLICT,    // of a create: a job with this key is there; n is its number
    STORE_UNREACHABLE, // not kept, and the store says why; it may be well again
    STORE_FENCED, // of a batch: likewise, and it will not be well again for this process, which
                  // another took for dead: nothing that it asks for is kept any more
};

// n: of a create the job's number; of an event its own.
typedef void (*store_done)(void *arg, enum store_status status, uint64_t n);

enum store_op_kind {
    STORE_CREATE, // a job, which is waiting and has no events; it is a batch of its own
    STORE_APPEND, // an event
    STORE_ALIVE,  // nothing but the time
    STORE_RETAIN, // drop the oldest jobs that are done, down to `keep`, a bounded piece of them; it
                  // is a batch of its own
    STORE_FORGET, // drop the job of job.id, if it is there: nobody was told of it; a batch of its
                  // own, and the only one that may come under the number of another
    STORE_AUDIT,  // a line of the audit; of each kind the newest are kept (STORE_AUDIT_MAX)
    STORE_BEAT,   // nothing, not even the time: a back with beat_ms
    STORE_LEASE,  // shards are claimed and given back, a node is declared dead; a batch of its own
};

enum { // so many lines of the audit, of what was looked at and of what was refused before
    STORE_AUDIT_MAX = 100000,
    STORE_REFUSED_MAX = 1000
};

// What a node wants of its lease, and then which shards it has. All of one transaction.
struct store_lease {
    bool is_hungry, is_ready;
    bool gives_all; // all that it has, before it claims any
    bool gives[SHARDS];
    char dead[LEASE_ID_MAX]; // this node is, if its beat is that still; "": nobody
    uint64_t dead_beat;
    uint32_t claim;            // so many of those that are free
    struct shards_held result; // also where the answer was lost before
};

struct store_op {
    enum store_op_kind kind;
    union {
        struct store_job job;     // its image comes from malloc(): a back that keeps it where it is
                                  // takes it over, and leaves NULL
        struct store_event event; // its n is written as well
        struct store_audit audit;
        uint64_t keep;
        struct store_lease *lease; // the caller's, until it is told
    };
    // What came of it, written by the back where the batch was kept.
    enum store_status status;
    uint64_t
        n; // of a create the job's number; of an event its own; of STORE_RETAIN: jobs left over
};

// What was found when the store was opened.
struct store_found {
    bool is_new;
    long long alive_ms;      // when it was last written, by the wall clock then; 0: never
    long long now_ms;        // that clock now. Where several nodes share it, it is the database's
    uint64_t epoch;          // of this start: more than any before, and at least the Unix time
    uint64_t beat;           // the number of the last batch
    char node[LEASE_ID_MAX]; // of this start, where several nodes share the store; "": they do not
};

// Which rows are read; they come in the order said.
enum store_query_kind {
    STORE_READ_JOBS,   // newest first, without image
    STORE_READ_JOB,    // one, with its image: by number, or by id, or by key
    STORE_READ_EVENTS, // of a job, after n, in order
    STORE_READ_AUDIT,  // newest first, or, where `oldest_first` says so, in order
};

// Told of each line of the audit, whose strings live for the call. False: no more of them.
typedef bool (*store_audit_row)(void *arg, const struct store_audit *audit);

struct store_query {
    enum store_query_kind kind;
    const char *id, *key;  // only this one; NULL: it is not asked for
    enum job_state state;  // of STORE_READ_JOBS: only these; 0: all
    bool is_open;          // of STORE_READ_JOBS: only those that are not done
    uint64_t job;          // a number; of STORE_READ_JOBS: only older ones; 0: it is not asked for
    uint64_t after;        // of STORE_READ_EVENTS, and of STORE_READ_AUDIT: behind that number
    store_audit_row audit; // of STORE_READ_AUDIT: told in place of the other callback
    bool oldest_first;
    size_t limit; // 0: all
};

// Of several nodes: those that are not dead, and what is free. Arrays are the caller's to free.
struct store_view {
    struct lease_node *nodes;
    struct store_who { // the same, for people
        char text[100];
        int version;
    } * places;
    size_t count;
    uint16_t *owners; // of each shard: 1 + its node's index; 0: it is free
    uint32_t free_shards;
    uint64_t incarnation, age_ms; // as of struct lease_view
};

// Told of each row, whose strings live for the call: a job or an event, the other is NULL. False:
// no more of them.
typedef bool (*store_row)(void *arg, const struct store_job *job, const struct store_event *event);

struct store_back {
    // Errors say what is wrong with the place and what to do about it; nothing was changed then.
    int (*open)(void **db, const char *where, long long wall_ms, struct store_found *found,
                struct error *err);
    // One transaction, durable when it returns STORE_OK: then status and n of each op are written.
    // Else nothing of it is kept, or its answer was lost, and err says why; the same batch may come
    // again under the same number: where it was kept after all, that is noticed by its number, and
    // answered as it was. Numbers of batches rise by one.
    enum store_status (*write)(void *db, uint64_t beat, long long wall_ms, struct store_op *ops,
                               size_t count, struct error *err);
    // Rows that are not what was written (a kind that there is not, a number missing) are errors,
    // behind the rows that are right.
    int (*read)(void *db, const struct store_query *query, store_row row, void *arg,
                struct error *err);
    // Who shares it; NULL: it is one process's.
    int (*look)(void *db, struct store_view *view, struct error *err);
    // Bytes that its rows take of what may be full; NULL: nobody counts them.
    uint64_t (*size)(void *db);
    void (*close)(void *db); // takes NULL
    bool blocks;             // else it answers at once and needs no thread
    unsigned beat_ms; // it wants a batch so often, or another takes this process for dead; 0: no
};

extern const struct store_back store_memory, store_sqlite, store_postgres;

// Of store_postgres, before it is opened: a standby that may lack what was kept is no reason not
// to.
void store_postgres_allow_async(bool is_allowed);

// As if the process had ended and the next had opened the same memory: what a crash leaves, for
// those who play one.
void store_memory_reopen(void *db, long long wall_ms, struct store_found *found);

// What must outlive the process, and whom to ask before anything is done to a device: a job is kept
// before it acts, a host's intent before its install is sent, its outcome before it is told
// (spec/architecture.md, "The store").
//
// This is the front: a queue and a group commit (store_queue.h) over a back (store_back.h), which a
// thread of its own writes to, and another reads from. All calls and callbacks are on the loop's
// thread. Answers come in the order of the calls, after the commit; those of a back that does not
// block possibly from within.
//
// Where the back cannot be written, events stay in the queue and are tried again until they are
// kept. Jobs that are to be created are refused then, before events that were asked for earlier.
//
// While a job is open, or several nodes share it, the time is kept every STORE_ALIVE_MS, but not
// before the first write of this process: until its owner has decided what becomes of the jobs that
// it found, a restart more changes nothing. A back that wants a beat is written to all the time.
// Where it has fenced this process off (STORE_FENCED) the store is not well again: nothing that is
// asked is kept any more, and whoever waits is answered STORE_UNREACHABLE when the store is closed.
// Of the jobs that are done the oldest beyond keep_jobs are dropped, whenever another is.
#pragma once

#include "orchestrator/store_back.h"

#include <uv.h>

enum { STORE_ALIVE_MS = 5000 };

struct store;
struct store_reader;

struct store_config {
    const char *where;        // "none": memory; postgresql://…; else a file. Borrowed.
    bool allows_async;        // PostgreSQL's standbys may lack what was kept
    uint64_t keep_jobs;       // so many that are done stay
    uint64_t size_max;        // bytes: beyond, store_has_room() says no; 0: no limit
    unsigned commit_delay_ms; // for tests: a disk that takes so much longer
};

// Errors are fatal: they say what is wrong with the place, and nothing was changed.
int store_open(struct store **store, uv_loop_t *loop, const struct store_config *config,
               struct error *err);
const struct store_found *store_found(const struct store *store);
bool store_is_persistent(const struct store *store); // its jobs outlive the process

// Writes what is queued, once more where that fails, ends its threads and calls closed; the store
// is no more then. What could not be kept is answered STORE_UNREACHABLE before. Nobody may ask or
// read any more, and no read may run.
void store_close(struct store *store, void (*closed)(void *arg), void *arg);

// What is handed in is copied, but for the image: it is taken over, and freed with free().
void store_create(struct store *store, const struct store_job *job, store_done done, void *arg);
void store_append(struct store *store, const struct store_event *event,
                  store_done done /* or NULL */, void *arg);

// Nobody waits for it. Copied. Not while the store is not well: it would gather without a bound.
void store_audit(struct store *store, const struct store_audit *audit);

// Whether what was last tried was kept, and what is being tried has not been so for long; else why
// says why not.
bool store_is_well(const struct store *store, const char **why);

// Whether what is kept leaves room for one more job; else err says how much it is and the remedy.
// Nothing is refused here: jobs under way go on. A store in memory always has.
bool store_has_room(const struct store *store, struct error *err);
// Drops the oldest jobs that are done beyond keep_jobs, also where none is done now.
void store_retain(struct store *store);

// --- where several nodes share it (lease.h)

bool store_is_shared(const struct store *store);
// Answered like an event, in its turn. lease is the caller's, and lives until then.
void store_lease(struct store *store, struct store_lease *lease, store_done done, void *arg);
// On the reader's thread.
int store_look(const struct store_reader *reader, struct store_view *view, struct error *err);
// Told of each batch that is kept, on the loop: when it was first sent, by clock_boot_ms().
void store_on_acknowledged(struct store *store, void (*told)(void *arg, uint64_t sent_ms),
                           void *arg);
bool store_is_fenced(const struct store *store); // for good: store_is_well() says why
// This process has asked for the job, and has not been answered.
bool store_is_creating(const struct store *store, const char *id);
// What store_on_kept() tells, in the order of all nodes' events: of a shared store it is told by
// whoever reads them.
void store_heard(struct store *store, const struct store_event *event);

// How long commits took: told of each batch that was kept. For metrics.
void store_on_commit(struct store *store, void (*committed)(void *arg, double seconds), void *arg);

// Told, on the loop, when the store is not well any more, and why; and when it is again: NULL.
void store_on_trouble(struct store *store, void (*told)(void *arg, const char *why), void *arg);

// Told of each event that is kept, in the order of their numbers, after whoever waited for it. Its
// strings are not told.
void store_on_kept(struct store *store, void (*kept)(void *arg, const struct store_event *event),
                   void *arg);

// `work` reads, on the reader's thread: it may touch nothing but what arg owns. `then` is called on
// the loop's, never from within. Reads run one after another, and see what was committed before
// they began. A back that does not block is read on the loop's thread.
typedef void (*store_work)(void *arg, const struct store_reader *reader);
void store_read(struct store *store, store_work work, void (*then)(void *arg), void *arg);
// The same before the loop runs, at once.
void store_read_now(struct store *store, store_work work, void *arg);
int store_rows(const struct store_reader *reader, const struct store_query *query, store_row row,
               void *arg, struct error *err);

// What a store keeps of jobs: a row a job, and append-only events, which are the truth. A host's
// state is its last event. The row counts what the events say, so that a list of jobs reads none of
// them. Pure; who writes it and when is in store.h.
#pragma once

#include "common/error.h"
#include "orchestrator/event.h"

enum { STORE_NO_HOST = UINT32_MAX };

// Numbers are on disk: none is ever given another meaning.
enum store_kind {
    STORE_STARTED = 1,   // the host is in hand
    STORE_INTENT = 2,    // an install of it is about to be sent
    STORE_WITHDRAWN = 3, // it is not: nothing was sent, and the host is pending again
    STORE_OUTCOME = 4,   // what became of it
    STORE_JOB = 5,       // the job itself has changed its state
};

// Likewise.
enum job_state {
    JOB_WAITING = 1, // for other jobs
    JOB_RUNNING = 2,
    JOB_PAUSED = 3,
    JOB_CANCELLING = 4,
    JOB_DONE = 5,
};

enum job_outcome { // of a job that is done, or is to be
    JOB_NO_OUTCOME = 0,
    JOB_COMPLETED = 1,
    JOB_FAILED = 2, // a host failed or was skipped
    JOB_CANCELLED = 3,
    JOB_STOPPED = 4, // by a brake
};

struct store_event { // strings are borrowed; NULL: there is none
    enum store_kind kind;
    uint64_t job;   // its number
    uint64_t n;     // of those read: its number in the job, from 1 and without a gap
    uint64_t epoch; // of the host's shard, where several nodes share a job out; 0: it is not said.
                    // Of STORE_JOB: of the first shard, by whose holder it is said; 0: by a client
    uint64_t ms;    // of STORE_OUTCOME: how long the host was in hand
    long long wall_ms;
    uint32_t host;            // its place in the job's selection; STORE_NO_HOST of STORE_JOB
    uint8_t attempt;          // of STORE_INTENT and what follows: 1 for the first install, or 2
    enum host_state result;   // of STORE_OUTCOME
    enum job_state state;     // of STORE_JOB
    enum job_outcome outcome; // of STORE_JOB that is done, or cancelling: then what it will be
    const char *version;      // that the device last said it runs
    const char *text;         // of STORE_OUTCOME what to say; of STORE_JOB why
};

struct store_job {   // strings are borrowed; NULL: there is none
    uint64_t number; // the store's: in order of arrival
    const char *id;  // a UUID
    const char *key; // Idempotency-Key
    const char *task;
    const char *request; // the body, as JSON text
    const void *image;   // its hosts and groups: job_image.h
    size_t image_len;
    const uint16_t *shards; // of each host; NULL: all are in the first
    uint64_t hosts;
    uint64_t results[HOST_STATES]; // of those that have one
    uint64_t n;                    // its last event's
    enum job_state state;
    enum job_outcome outcome;
    const char *text;                           // why it is in this state
    long long created_ms, started_ms, ended_ms; // wall; 0: not yet
};

// Who wanted to change what, and what they were answered. Strings are borrowed.
struct store_audit {
    uint64_t n; // of those read: the store's, rising
    long long wall_ms;
    bool is_refused;  // before anybody looked at it: these have a bound of their own
    int status;       // HTTP's
    const char *who;  // NULL: nobody was asked who they are, or nobody knows
    const char *from; // an address
    const char *method, *path;
    const char *job; // its ID; NULL: none comes into it
};

// Whether it has what its kind has, in range, and nothing else. ERROR_INPUT says what is wrong. Of
// one that is to be kept that is our own mistake; of one that was read the store is not what was
// written.
int store_event_check(const struct store_event *event, struct error *err);
int store_job_check(const struct store_job *job, struct error *err);

// Whether an event of the job may be kept now: an intent only while it runs.
bool store_job_may_take(const struct store_job *job, const struct store_event *event);
// Where several nodes share the job: whether it may come into that state. They may want to bring it
// into different ones at the same time: what has been cancelled is not resumed by who has not heard
// of it, nor does what is paused run, and a job ends once, as what it was stopped for if it was.
bool store_job_may_enter(enum job_state from, const struct store_event *event);
// The row after the event, which gets its number; text is borrowed from it.
void store_job_take(struct store_job *job, struct store_event *event);

// All jobs of the process. Pure. They are owned here: whoever waits for one only watches it, and
// may stop watching at any time.
#pragma once

#include "orchestrator/job.h"

struct jobs;

struct jobs *jobs_new(void);
void jobs_free(struct jobs *jobs); // with all jobs, whose watchers are not told; takes NULL

void jobs_add(struct jobs *jobs, struct job *job);                   // takes the job over
struct job *jobs_find(const struct jobs *jobs, const char *id);      // NULL: there is none
struct job *jobs_numbered(const struct jobs *jobs, uint64_t number); // the same, by the store's
struct job *jobs_keyed(const struct jobs *jobs, const char *key);    // by the Idempotency-Key
size_t jobs_count(const struct jobs *jobs);                          // that are not done
const struct job *jobs_at(const struct jobs *jobs, size_t i);        // in order of arrival
size_t jobs_in_state(const struct jobs *jobs, enum job_state state);

// Told once: when the job is done, or, in another state, when the process ends before the job. It
// must not call back. arg names the watcher, too. job NULL: of each job, for good.
typedef void (*jobs_watcher)(void *arg, const struct job *job);
void jobs_watch(struct jobs *jobs, const struct job *job, jobs_watcher told, void *arg);
void jobs_unwatch(struct jobs *jobs, const void *arg); // where it watches none, nothing happens

// The job is done: its watchers are told, and it is freed.
void jobs_done(struct jobs *jobs, struct job *job);
// The process ends, and the store has what is left of the jobs.
void jobs_leave(struct jobs *jobs);

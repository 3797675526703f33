// All jobs of the process. Pure. They are owned here: whoever waits for one only watches it, and
// may stop watching at any time.
#pragma once

#include "orchestrator/job.h"

struct jobs;

struct jobs *jobs_new(void);
void jobs_free(struct jobs *jobs); // with all jobs, whose watchers are not told; takes NULL

void jobs_add(struct jobs *jobs, struct job *job);              // takes the job over
struct job *jobs_find(const struct jobs *jobs, const char *id); // NULL: there is none
size_t jobs_count(const struct jobs *jobs);                     // that are not done

// Told once, when the job is done; it must not call back. arg names the watcher, too.
typedef void (*jobs_watcher)(void *arg, const struct job *job);
void jobs_watch(struct jobs *jobs, const struct job *job, jobs_watcher told, void *arg);
void jobs_unwatch(struct jobs *jobs, const void *arg); // where it watches none, nothing happens

// The job is done: its watchers are told, and it is freed.
void jobs_done(struct jobs *jobs, struct job *job);

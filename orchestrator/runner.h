// The live driver of the schedule: starts a connection for each host that the schedule hands out,
// tells the processors, and ends jobs.
#pragma once

#include "orchestrator/event.h"

#include <uv.h>

struct runner;

// config and loop are borrowed.
struct runner *runner_new(uv_loop_t *loop, unsigned workers, const struct session_config *config);
void runner_close(struct runner *runner); // its handle in the loop; no job may be left
void runner_free(struct runner *runner);  // after the loop has ended

void runner_add_processor(struct runner *runner, struct processor processor);

// The job is the caller's; job->done is called once, when its report is complete, possibly from
// within (a job without hosts). It may free the job.
void runner_submit(struct runner *runner, struct job *job);

// A loop full of devices that all answer at once is busy for long: breathe is called every so many
// steps of them, and may serve others. It must not call the runner.
void runner_on_breath(struct runner *runner, void (*breathe)(void *arg), void *arg);

// Starts no more hosts, for good; those in hand finish, all others are skipped.
void runner_drain(struct runner *runner);

size_t runner_jobs(const struct runner *runner); // that are not done
size_t runner_groups_pending(const struct runner *runner);

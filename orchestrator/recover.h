// Takes up what an earlier process has left in the store: its jobs that are not done go on, or are
// paused; hosts in doubt are asked in either case (spec/architecture.md, "Jobs that outlive their
// process").
#pragma once

#include "orchestrator/recover_join.h"
#include "orchestrator/recover_look_up.h"

// Reads the jobs, which are in config.jobs then. Before the loop runs. Errors: the store cannot be
// read, and nothing may begin.
int recovery_new(struct recovery **recovery, const struct recovery_config *config,
                 struct error *err);
void recovery_free(struct recovery *recovery); // takes NULL

// Where the inventory cannot be read, hosts in doubt that had credentials of their own in it are
// not asked: with others they would refuse the login, and be called failed. It is tried again until
// it can be.
//
// Looks the jobs up in today's inventory and gives them to the gate; done is told when all are
// there, possibly from within. After recovery_stop() it is not told.
void recovery_begin(struct recovery *recovery, void (*done)(void *arg), void *arg);
// Once, before recovery_free(), and before the loop ends.
void recovery_stop(struct recovery *recovery); // whoever resumes a job is told by the fetcher's end

// A paused job is to go on: it is looked up again. Told once, never from within; why: it may not,
// and is paused still. The job may be over meanwhile (NULL). arg names who asks.
void recovery_resume(struct recovery *recovery, const struct job *job, recovery_told told,
                     void *arg);
void recovery_forget(struct recovery *recovery, const void *arg);

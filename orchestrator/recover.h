// Takes up what an earlier process has left in the store: its jobs that are not done go on, or are
// paused; hosts in doubt are asked in either case (spec/architecture.md, "Jobs that outlive their
// process").
#pragma once

#include "orchestrator/fetch.h"
#include "orchestrator/gate.h"
#include "orchestrator/store.h"

struct recovery;

struct recovery_config { // what it points to is borrowed
    uv_loop_t *loop;
    struct store *store;
    struct fetcher *fetcher;
    const struct policy *policy;
    struct jobs *jobs;
    struct gate *gate;
    uint64_t resume_within_ms;
};

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

// Where several nodes share the store nothing is taken up at the start: recovery_new() reads
// nothing, and each job that this node has not known is joined. It is read, looked up in today's
// inventory, which is tried until it can be read, put into config.jobs and given to the gate.
// is_first: at the start of this node, which may be the first that runs after a while. Told once,
// never from within: NULL where the job is done, or gone; n is that of its last event that was
// read. None may be asked for after recovery_stop(), and none is told.
typedef void (*recovery_joined)(void *arg, uint64_t number, const struct job *job, uint64_t n);
void recovery_join(struct recovery *recovery, uint64_t number, bool is_first, recovery_joined told,
                   void *arg);
bool recovery_is_idle(const struct recovery *recovery); // nothing of it reads the store
// Why it is not joined yet; NULL: none waits, or nothing is wrong.
const char *recovery_joins_wait(const struct recovery *recovery);

// A paused job is to go on: it is looked up again. Told once, never from within; why: it may not,
// and is paused still. The job may be over meanwhile (NULL). arg names who asks.
typedef void (*recovery_told)(void *arg, const struct job *job, const struct error *why);
void recovery_resume(struct recovery *recovery, const struct job *job, recovery_told told,
                     void *arg);
void recovery_forget(struct recovery *recovery, const void *arg);

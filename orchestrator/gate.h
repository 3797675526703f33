// The gate through which every host of every job goes, and the jobs themselves from their start to
// their end. Pure: the same code runs live (runner.c) and on a virtual clock, with crashes
// (tests/histories).
//
//   next -> in hand -> connect, login, get_version -> peers known up -> intent
//        -> install, verify -> outcome -> told
//
// An intent is kept in the store before the install is sent, the outcome before it is told. A host
// holds its groups and its worker until its outcome is kept and its last connection is over. Peers
// are asked beside the host's own login and get_version, over connections of their own: peers.h
// says whom. A host in doubt, of a job that was begun by a process that is no more, is asked before
// its groups are free to anybody: resume.h.
//
// What is done to the world goes through struct gate_shell, what has become of it comes in through
// gate_stepped() and the store's answers.
#pragma once

#include "orchestrator/gate_shell.h"

struct gate;

// What config and shell point to is borrowed.
struct gate *gate_new(const struct gate_config *config, const struct gate_shell *shell);
// Takes NULL. What is in hand is dropped, its contacts with it, and nothing is told of it; the jobs
// are config.jobs' still.
void gate_free(struct gate *g);

// A job of config.jobs begins, which is told when it is done, possibly from within (a job without
// hosts). It waits until no job before it, and none that has begun, sees what they share
// differently (policy_agree.h).
void gate_submit(struct gate *g, struct job *job);
// One that an earlier process has begun is there again: hosts in doubt are asked. All such jobs are
// given to the gate before any other begins. why: it is paused; NULL: it goes on, once it is told
// to.
void gate_resume(struct gate *g, struct job *job, const char *why);
// Credentials that were withheld from inventories of such jobs are known now: hosts in doubt that
// waited for theirs are asked.
void gate_ask_doubts(struct gate *g);
// A paused job goes on, after all that have come meanwhile; or one that is there again.
void gate_unpause(struct gate *g, struct job *job);

// A client asks for a change of the job. False: the job is in no state for it, and nothing happens.
// Else it has happened, and kept is told when the store has it, possibly from within; the job may
// be no more then.
// Nothing of the job starts, and no intent is kept; hosts before theirs are put back, the others
// come to their end.
bool gate_pause(struct gate *g, struct job *job, gate_kept kept, void *arg);
// The same, for good: what has not begun is skipped, some of it at a time.
bool gate_cancel(struct gate *g, struct job *job, gate_kept kept, void *arg);

// What came of the device's contact. After SESSION_END it has none.
void gate_stepped(struct gate *g, struct device *device, const struct session_update *update);
void gate_start(struct gate *g); // some of the hosts that may start
void gate_retry(struct gate *g); // what was to be done at that time

// No more hosts start, for good; those in hand finish. What has not begun is skipped, or
// (gate_halt) stays as it is, for the next process to take up.
void gate_drain(struct gate *g);
void gate_halt(struct gate *g);
// After either: all connections end at once. A host whose install may have been sent is in doubt,
// and told so: the next process asks it; where there is none, it is failed. The others that are in
// hand count as not begun.
void gate_abort(struct gate *g);

size_t gate_in_hand(const struct gate *g); // hosts
// Those that come to their end by themselves: but for the ones that are in doubt and wait for their
// credentials, or rest in a paused job. One of these that is given up counts until its outcome is
// kept.
size_t gate_under_way(const struct gate *g);
const struct gate_config *gate_configuration(const struct gate *g);
// How long hosts of the job's device types take, as those of earlier jobs did: pace_means().
double *gate_means(const struct gate *g, const struct job *job);
// What the device last told this process that it runs; NULL: not known.
const char *gate_version_of(const struct gate *g, const struct host *host);
// What is known of the device now, whichever job found it out.
struct peers_known gate_known_of(const struct gate *g, const struct host *host);
size_t gate_groups_pending(const struct gate *g);
uint64_t gate_groups_stopped(const struct gate *g);

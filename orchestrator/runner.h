// The live driver of the schedule, and the gate through which every host goes:
//
//   next -> claim -> connect, login, get_version -> peers known up -> intent -> install, verify
//        -> outcome -> told
//
// A claim and an intent are kept in the store before what they announce is done, the outcome before
// it is told to the processors. A host holds its group and its worker until its outcome is kept and
// its last connection is over. Peers are asked beside the host's own login and get_version, over
// connections of their own: peers.h says whom.
#pragma once

#include "orchestrator/event.h"
#include "orchestrator/jobs.h"
#include "orchestrator/peers.h"
#include "orchestrator/policy.h"
#include "orchestrator/session.h"
#include "orchestrator/store.h"

#include <uv.h>

struct runner;

struct runner_config {
    unsigned workers;
    const struct session_config *session;
    struct peers_config peers;
    const struct policy *policy; // by which the jobs were grouped
    const struct processors *processors;
    struct jobs *jobs;   // whose jobs it runs, and which it tells when one is done
    struct store *store; // open as long as the runner
};

// All that config names is borrowed.
struct runner *runner_new(uv_loop_t *loop, const struct runner_config *config);
void runner_close(struct runner *runner); // its handles in the loop; no job may be left
void runner_free(struct runner *runner);  // after the loop has ended; takes NULL

// Runs a job of config.jobs, which is told when it is done, possibly from within (a job without
// hosts). It waits until no job before it sees what they share differently (policy_agree.h).
void runner_submit(struct runner *runner, struct job *job);

// A loop full of devices that all answer at once is busy for long: breathe is called every so many
// steps of them, and may serve others. It must not call the runner.
void runner_on_breath(struct runner *runner, void (*breathe)(void *arg), void *arg);

// Starts no more hosts, for good; those in hand finish, all others are skipped.
void runner_drain(struct runner *runner);

// After runner_drain: ends all connections at once. A host whose install may have been sent is in
// doubt: it is failed, and told so. The others that are in hand count as not begun, and are
// skipped.
void runner_abort(struct runner *runner);

size_t runner_in_hand(const struct runner *runner); // hosts
size_t runner_groups_pending(const struct runner *runner);

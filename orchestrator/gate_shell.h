// What the gate is given, and what it does to the world: gate.h.
#pragma once

#include "orchestrator/credentials.h"
#include "orchestrator/event.h"
#include "orchestrator/jobs.h"
#include "orchestrator/peers.h"
#include "orchestrator/policy.h"
#include "orchestrator/session.h"
#include "orchestrator/shards.h"
#include "orchestrator/store_back.h"

// As of store.h: n is the event's number.
typedef void (*gate_kept)(void *arg, enum store_status status, uint64_t n);

// Whoever drives the gate. A contact is the driver's: what it has with a device, from the first
// connection to the last.
struct gate_shell {
    void *self;
    // Milliseconds of a clock that also runs while the machine sleeps; of the wall clock.
    uint64_t (*now_ms)(void *self);
    long long (*wall_ms)(void *self);
    // A session of the task begins, with the device's login: session.h. These two never call back
    // from within. was: the version that a device in doubt ran before; NULL: not known.
    void *(*connect)(void *self, const struct task *task, const struct task_args *args,
                     struct device *device);
    void *(*connect_in_doubt)(void *self, const struct task *task, const struct task_args *args,
                              struct device *device, const char *was);
    // The session becomes another task's; leave to install is given, or not; a kept session is to
    // log out. These may call gate_stepped() from within.
    void (*take)(void *self, void *contact, const struct task *task, const struct task_args *args);
    void (*answer)(void *self, void *contact, bool granted);
    // Asked right before that leave is given, which is not where it says no; NULL: it never does.
    bool (*may_act)(void *self);
    void (*leave)(void *self, void *contact);
    void (*abort)(void *self, void *contact); // ends it at once: nothing is told of it any more
    void (*abort_all)(void *self);            // the same of all
    // The store's, which answers in order, possibly from within; kept may be NULL.
    void (*append)(void *self, const struct store_event *event, gate_kept kept, void *arg);
    // gate_start() is to be called soon, or not any more; gate_retry() at that time, or
    // (UINT64_MAX) never.
    void (*start_soon)(void *self, bool soon);
    void (*retry_at)(void *self, uint64_t due_ms);
    // Where nodes share the job, and this one has found it to differ from its inventory: it is to
    // be looked up again, and gate_looked_up() told, not from within.
    void (*look_up)(void *self, const struct job *job);
};

struct gate_config {
    unsigned workers;
    unsigned max_jobs;                // that run at the same time; 0: any number
    struct max_failures max_failures; // of jobs whose request says none
    bool refuses_downgrade;           // the same
    struct peers_config peers;
    const struct policy *policy;                // by which the jobs were grouped
    const struct credentials_file *credentials; // may change between two calls; NULL: none
    const struct processors *processors;
    struct jobs *jobs;  // whose jobs it runs, and which it tells when one is done
    bool is_persistent; // the store's jobs outlive the process
    uint64_t epoch;     // of this start, for devices that take epochs; shards have their own
    // So many contacts in a row that found nobody, of so many groups, make a node think that it is
    // cut off from the devices.
    struct {
        unsigned missed, groups;
    } cut_off;
    const struct shards_held *held; // several nodes share the jobs (gate_nodes.h); NULL: this is
                                    // the only one
};

// One node among those that share a store: when it looks, what it hears and tells the gate, which
// shards it takes on and gives up, and that it stops all that it does when its lease is over
// (lease.h, gate_nodes.h). Pure: nodes.c has the timers and the store's threads; the same code runs
// on a virtual clock (tests/histories).
//
// Every NODE_LOOK_MS it looks who is there, which jobs are open, and at their events behind those
// that it knows. Three things go on beside one another, and each knows what it waits for:
//
//   look    begun -> node_looked(): events, jobs that are new -> begun again
//   lease   claim, give, declare dead: one write at a time -> granted shards -> a look that began
//           after that -> taken on
//   time    node_pass(): is the lease over? Then connections close before anything else happens
#pragma once

#include "orchestrator/gate.h"
#include "orchestrator/look.h"

enum {
    NODE_LOOK_MS = 100,
    NODE_TICK_MS = 50,        // node_pass() so often
    NODE_REST_MS = 60 * 1000, // without shards, for one that reached no device
    NODE_JOIN_MS = 5000,      // that it takes to know a job, before the others have its shards
};

struct node;

// What it wants done. The answers never come from within.
struct node_shell {
    void *self;
    uint64_t (*now_ms)(void *self); // of a clock that also runs while the machine sleeps
    // A look is to be read, and given back with node_looked(): the shell's until then.
    void (*look)(void *self, struct look *look);
    // As store_lease() and store_append(); store_is_creating(); store_heard().
    void (*lease)(void *self, struct store_lease *lease, store_done told, void *arg);
    void (*append)(void *self, const struct store_event *event, store_done kept, void *arg);
    bool (*is_creating)(void *self, const char *id);
    void (*heard)(void *self, const struct store_event *event);
    // A job of the store that is new here: it is read, put into config.jobs and given to
    // gate_join(), and node_joined() is told. is_first: at the start of this node.
    void (*join)(void *self, uint64_t number, bool is_first);
    // The process is to be ended at that time, though it may stand still then; UINT64_MAX: never.
    void (*kill_at)(void *self, uint64_t at_ms);
    void (*ready)(void *self);                 // once: all open jobs are there
    void (*say)(void *self, const char *text); // what people are to know of it
};

struct node_config { // what it points to is borrowed
    const char *id;
    struct jobs *jobs;
    struct gate *gate;
    struct shards_held *held; // written here, read by the gate
    unsigned workers;
};

struct node *node_new(const struct node_config *config, const struct node_shell *shell);
void node_free(struct node *n); // takes NULL; nobody is told anything

void node_pass(struct node *n);                           // time passes
void node_looked(struct node *n, struct look *look);      // takes what is in it
void node_acknowledged(struct node *n, uint64_t sent_ms); // the store has kept what was sent then
// The job is in config.jobs, where its events up to that number were applied; is_there: false: it
// is done, or gone, or could not be read.
void node_joined(struct node *n, uint64_t number, bool is_there, uint64_t heard);
void node_die(struct node *n); // another took it for dead: the process must end

// No more shards are claimed; those with nothing in hand go to the others, one after the other.
void node_leave(struct node *n);
// Nothing is looked at any more. Before the store is closed, when node_is_idle().
void node_stop(struct node *n);
bool node_is_idle(const struct node *n);

// Of a job's own change kept is told when all that was kept before it has been heard here, and it
// itself.
void node_append(struct node *n, const struct store_event *event, store_done kept, void *arg);

// Asked right before anything is sent that changes a device.
bool node_may_act(const struct node *n);
// Why nothing may begin here; NULL: it may. why_no_joins: the jobs that are not joined yet wait for
// that; NULL: for nothing that is wrong.
const char *node_why_not(const struct node *n, const char *why_no_joins);

// False: it has lost its lease, and what it takes for so may never have been kept.
bool node_hears(const struct node *n);

const struct store_view *node_shown(const struct node *n);   // by the last look
bool node_shows_open(const struct node *n, uint64_t number); // the job, by the last look
const char *node_id(const struct node *n);

struct node_counts { // for metrics
    uint32_t nodes, shards, free_shards;
    uint64_t taken;   // shards, ever
    uint64_t dead;    // nodes that this one has declared so
    uint64_t lost;    // leases
    uint64_t cut_off; // times that it reached no device, and rested
};
struct node_counts node_count(const struct node *n);

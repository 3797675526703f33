// This node among those that share the store: it looks at the store, tells the gate what others
// have kept, takes shards on and gives them up, and stops all that it does when its lease is over
// (lease.h, gate_nodes.h).
//
// Every LOOK_MS it reads who is there, which jobs are open, and their events behind those that it
// knows. A shard that it has claimed is taken on when all that was kept until then has been heard.
#pragma once

#include "orchestrator/gate.h"
#include "orchestrator/recover.h"
#include "orchestrator/store.h"

struct nodes;

struct nodes_config { // what it points to is borrowed
    uv_loop_t *loop;
    struct store *store;
    struct jobs *jobs;
    struct gate *gate;
    struct shards_held *held; // written here, read by the gate
    unsigned workers;
    // The process must end: this node was taken for dead.
    void (*fenced)(void *arg, const char *why);
    void *fenced_arg;
};

struct nodes *nodes_new(const struct nodes_config *config);
void nodes_free(struct nodes *nodes); // after the loop has ended; takes NULL

// ready is told once, when all open jobs are there.
void nodes_begin(struct nodes *nodes, struct recovery *recovery, void (*ready)(void *arg),
                 void *arg);
// No more shards are claimed; those with nothing in hand go to the others, one after the other.
void nodes_leave(struct nodes *nodes);
// Nothing is read any more. Before the store is closed, when nodes_is_idle().
void nodes_stop(struct nodes *nodes);
bool nodes_is_idle(const struct nodes *nodes);

// As store_append(). Of a job's own change kept is told when all that was kept before it has been
// heard here, and it itself.
void nodes_append(struct nodes *nodes, const struct store_event *event, store_done kept, void *arg);

// Asked right before anything is sent that changes a device.
bool nodes_may_act(const struct nodes *nodes);
// Why nothing may begin here; NULL: it may.
const char *nodes_why_not(const struct nodes *nodes);

// {"nodes": [...]} as JSON text, the caller's to free.
char *nodes_json(const struct nodes *nodes, size_t *len);
// For metrics.
struct nodes_counts {
    uint32_t nodes, shards;
    uint64_t taken; // shards, ever
    uint64_t dead;  // nodes that this one has declared so
    uint64_t lost;  // leases
};
struct nodes_counts nodes_count(const struct nodes *nodes);

// This process as one of the nodes that share the store: node.h on the loop's clock, over the
// store's reader, and with a timer of the kernel that ends the process when its lease is over.
#pragma once

#include "orchestrator/node.h"
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
    void (*say)(void *arg, const char *text); // what people are to know of this node
    void *arg;
};

struct nodes *nodes_new(const struct nodes_config *config);
void nodes_free(struct nodes *nodes); // after the loop has ended; takes NULL

// ready is told once, when all open jobs are there.
void nodes_begin(struct nodes *nodes, struct recovery *recovery, void (*ready)(void *arg),
                 void *arg);
// looked is told behind each look that has shown something, and what it changed.
void nodes_on_look(struct nodes *nodes, void (*looked)(void *arg), void *arg);
void nodes_leave(struct nodes *nodes); // node_leave()
// Nothing is read any more. Before the store is closed, when nodes_is_idle(). is_aborted: what the
// store has not answered yet is not awaited.
void nodes_stop(struct nodes *nodes);
bool nodes_is_idle(const struct nodes *nodes, bool is_aborted);

// As store_append(); of a job's own change: node_append().
void nodes_append(struct nodes *nodes, const struct store_event *event, store_done kept, void *arg);

void nodes_look_up(struct nodes *nodes, const struct job *job); // recovery_look_up()

// Asked right before anything is sent that changes a device.
bool nodes_may_act(const struct nodes *nodes);
// Why nothing may begin here; NULL: it may.
const char *nodes_why_not(const struct nodes *nodes);

// By the last look the job of that number is not done, whether this node has joined it or not.
bool nodes_show_open(const struct nodes *nodes, uint64_t number);

// {"nodes": [...]} as JSON text, the caller's to free.
char *nodes_json(const struct nodes *nodes, size_t *len);
struct node_counts nodes_count(const struct nodes *nodes);

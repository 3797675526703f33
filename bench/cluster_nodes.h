// Several orchestrators over one simulator and one database (spec/nodes.md).
#pragma once

#include "bench/bench.h"
#include "bench/database.h"

struct cluster {
    struct lab lab; // its orchestrator is the first node
    struct lab_config config;
    struct daemon others[BENCH_NODES_MAX - 1];
    unsigned count;
};

// database: NULL, and count is 1; else it is started anew, and each node has its part of the
// network when this returns.
int cluster_start(struct cluster *c, const struct lab_config *config, struct database *database,
                  unsigned count, struct error *err);
int cluster_stop(struct cluster *c, struct error *err);

struct daemon *cluster_node(struct cluster *c, unsigned i);
double cluster_cpu_s(struct cluster *c);                 // of all nodes
struct process_memory cluster_memory(struct cluster *c); // of the largest

// What one node says of another, or of itself, and of all the others.
struct cluster_view {
    char id[64];
    double beat, shards, shards_of_others;
    unsigned others; // that have any
};
enum { CLUSTER_SHARDS = 1024 };
// id NULL: of itself.
int cluster_look(const struct daemon *node, const char *id, struct cluster_view *view,
                 struct error *err);

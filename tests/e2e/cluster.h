// Three orchestrators over one database and one simulated network, for the length of one test.
#pragma once

#include "tests/e2e/harness.h"
#include "tests/lab/postgres.h"

#include <stdbool.h>

enum { NODES = 3, AGAIN_MS = 100 };

struct cluster {
    struct lab lab; // its orchestrator is empty
    struct program nodes[NODES];
    char state[LAB_URI_MAX];
    char path[128]; // of the job
};

double now_s(void);

// network: a network file's text; NULL: ACME's. All nodes have their share of the shards then.
struct cluster cluster_start(const char *latency, const char *network);
void cluster_end(struct cluster *c); // the referee must have seen nothing

void start_node(struct cluster *c, unsigned i);
void start_node_with(struct cluster *c, unsigned i, const char *inventory); // a file
void write_inventory(const struct cluster *c, const char *path);            // the network's
void start_nodes(struct cluster *c); // all; they have their share of the shards then
// One that reaches no device, for it is in a network of its own. inventory: a file. False: this
// process may not make one (it takes root).
bool start_node_apart(struct cluster *c, unsigned i, const char *inventory);
void forget_file(const struct cluster *c, const char *name); // of the lab's folder
void end_node(struct program *node, int signum);
// So many nodes have all shards among them; how long that took.
double await_shared(const char *url, unsigned nodes, double most_s);
long shards_of_all(const char *url, unsigned *nodes); // nodes: that have some

// An upgrade of the whole network, asked for at a node.
void begin_job(struct cluster *c, unsigned node, const char *key);
void newest_job(struct cluster *c, unsigned node);
void control(const struct cluster *c, unsigned node, const char *verb, long status);
void await_changed(const struct cluster *c, unsigned node, long changed);
void await_state(const struct cluster *c, unsigned node, const char *state);
long count_in(const cJSON *job, const char *name);
// Every node that is there says the same of every host, and the devices are as they say.
void assert_all_changed(const struct cluster *c);

// One round of several nodes: people, devices, nodes and their database do what a seed says, then
// all is well again, every job comes to its end, and what the nodes say of it must be true
// (cluster_truth.h). What happens between two acts depends on the machine as well.
#pragma once

#include "tests/torture/cluster.h"

struct cluster_round {
    uint64_t seed;
    unsigned nodes;
    const char *dir; // an empty folder, for all that is written
    struct lab_server *server;
    // What was done.
    unsigned jobs, hosts, kills, stops, cuts, taken; // taken: nodes that others took for dead
};

// An error says what was lost.
int cluster_round_play(struct cluster_round *round, struct error *err);

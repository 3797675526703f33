// A network as the orchestrator sees it, ready to be scheduled: read through the orchestrator's own
// inventory and grouping from the document that the simulator would answer.
#pragma once

#include "orchestrator/group.h"
#include "simulator/network.h"

#include <stdbool.h>

struct plan {
    struct network network;
    struct inventory *inventory; // host i of it is device i of the network
    struct selection selection;  // all of them
    struct grouping grouping;
    uint64_t *hashes; // network_hash() of each device
    bool has_faults;  // the file has faults, or hosts with a port of their own: not played here
};

// path NULL: the ACME network. latency, in place of the file's, may be NULL.
int plan_init(struct plan *plan, const char *path, const struct duration_range *latency,
              struct error *err);
void plan_deinit(struct plan *plan);

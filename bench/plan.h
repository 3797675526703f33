// A network as the orchestrator sees it, ready to be scheduled: read through the orchestrator's own
// inventory and policy from the document that the simulator would answer.
#pragma once

#include "orchestrator/group.h"
#include "simulator/fault.h"
#include "simulator/network_source.h"

#include <stdbool.h>

struct plan {
    struct network network;
    struct fault_list faults;    // of the network file, and behind them plan_add_failures()
    struct inventory *inventory; // host i of it is device i of the network
    struct selection selection;  // all of them
    struct grouping grouping;
    uint64_t *hashes; // network_hash() of each device
    // Those of whom the latencies do not tell all: faults may meet them, an install restarts them,
    // or they are not there. NULL: there are none.
    bool *odd;
    uint32_t odd_count, down_count; // of acmeos
    uint32_t foreign_count;         // of another platform, which nobody works on
    double failure_rate;            // of installs
    uint64_t failure_rule;          // its id
};

// source NULL: the ACME network. latency, in place of the file's, may be NULL.
int plan_init(struct plan *plan, const struct network_source *source,
              const struct duration_range *latency, struct error *err);
void plan_deinit(struct plan *plan);

// A further fault, behind those of the network file: installs fail at that rate.
int plan_add_failures(struct plan *plan, double rate, struct error *err);
// Its JSON, as the simulator takes it.
enum { PLAN_FAILURES_MAX = 128 };
void plan_write_failures(double rate, char json[PLAN_FAILURES_MAX]);

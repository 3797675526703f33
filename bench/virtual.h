// The orchestrator's schedule on a virtual clock: the same schedule.c that runs live, driven by a
// heap of the times at which hosts will be done. Pure.
#pragma once

#include "orchestrator/schedule.h"

#include <stdbool.h>
#include <stdint.h>

struct virtual_host { // what working on a host will amount to
    uint64_t us;
    bool fails;
    bool times_out;   // and fails by that
    bool passed_over; // nobody works on it: skipped at once
};

// host is an index into the inventory.
typedef struct virtual_host (*virtual_draw)(void *arg, uint32_t host);

struct virtual_result {
    uint64_t makespan_us;
    uint64_t busy_us;          // of all hosts together
    uint64_t longest_group_us; // the group whose hosts took longest, as many at once as it allows
    size_t longest_group;      // which of the grouping's constraints; the first of several
    uint32_t completed, failed, skipped;
    uint32_t timed_out; // of the failed
};

// A job of all hosts of the grouping, from its start to its report.
void virtual_run(const struct grouping *grouping, unsigned workers, virtual_draw draw, void *arg,
                 struct virtual_result *result);

// No order of work ends earlier: max(busy / workers, longest group).
double virtual_bound_us(const struct virtual_result *result, unsigned workers);

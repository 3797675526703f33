// One history, played on a virtual clock: the gate with all that is behind it, the store's queue
// over the memory back, sessions that speak to devices line by line, and kills.
#pragma once

#include "tests/histories/plan.h"

#include <stdio.h>

struct verdict {
    bool is_broken; // a promise was not kept, or something never ended
    char why[512];
    uint64_t events, ends, jobs, hosts; // ends: of the orchestrator's processes
};

// story: what happened, line by line; NULL: it is not told.
void world_play(const struct plan *plan, struct verdict *verdict, FILE *story);

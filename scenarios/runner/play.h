// Plays one scenario from its start to its end, with its own pair of programs. Blocking; it is
// called in a process of its own, once.
#pragma once

#include "scenarios/runner/programs.h"
#include "scenarios/runner/scenario.h"

struct play_config {
    const struct scenario *scenario;
    cJSON *values; // of the matrix; borrowed
    uint64_t seed;
    const char *dir;             // empty, for the programs' files and logs; from / on
    const char *const *binaries; // by program_name
};

// The result: {"outcome": "pass" | "fail" | "environment", "text": why, "answers": [reports],
// "jobs" and "hosts": how many were told of at the end, "faults": [{"rule", "fired"}]}, the
// caller's to delete.
cJSON *play(const struct play_config *config);

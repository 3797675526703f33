// One run: a scenario with one combination of its matrix, played once; and what came of it.
#pragma once

#include "common/buf.h"
#include "scenarios/runner/scenario.h"

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct run {
    const struct scenario *scenario;
    cJSON *values;
    uint64_t seed;
    unsigned repetition;
    char *title; // "redundancy/010-one-leaf-fails.yaml: name (device=leaf62.earth)"
    // when it is done
    bool over;
    double seconds;
    cJSON *result; // see play.h
    // while it runs
    pid_t pid;
    int fd;
    struct buf output;
    char dir[400]; // for its programs, from / on
    uint64_t started_us;
};

// "(device=leaf62.earth, effect=error)", as the title ends, or nothing.
void run_add_values(const struct run *run, struct buf *out);
const char *run_outcome(const struct run *run); // "pass", "fail", "environment"; "" where not over
const char *run_text(const struct run *run);

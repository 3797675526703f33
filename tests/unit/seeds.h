// Random runs from other seeds each time; SEED=N in the environment replays one.
#pragma once

#include "common/rng.h"

#include <stdint.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

static inline void run_seeds(uint64_t runs, void (*run)(uint64_t seed)) {
    const char *replay = getenv("SEED");
    if (replay != NULL) {
        run(strtoull(replay, NULL, 10));
        return;
    }
    uint64_t first = rng_mix((uint64_t)time(NULL), (uint64_t)getpid()) >> 16;
    for (uint64_t i = 0; i < runs; i++)
        run(first + i);
}

// Many runs at once: each scenario plays in a process of its own, which the kernel ends with this
// one.
#pragma once

#include "common/error.h"
#include "scenarios/runner/programs.h"
#include "scenarios/runner/run.h"

struct runs_config {
    unsigned jobs;
    const char *keep; // keep the folders of programs in here; NULL: remove them
    const char *binaries[PROGRAM_COUNT];
    unsigned timeout_s; // of one run
    bool fail_fast;     // start no more after a failure
};

// Told of each run when it is over, and, with run NULL, some times a second meanwhile.
typedef void (*runs_progress)(void *arg, const struct run *run, size_t running);

// Plays all. Returns when all are over, or, after SIGINT or SIGTERM, when those that run are ended:
// runs that are not over then have no result. Negative: this process could not do its part.
int runs_play(struct run *list, size_t count, const struct runs_config *config,
              runs_progress progress, void *arg, struct error *err);

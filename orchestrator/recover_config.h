// What recovery is given.
#pragma once

#include "orchestrator/fetch.h"
#include "orchestrator/gate.h"
#include "orchestrator/store.h"

struct recovery;

struct recovery_config { // what it points to is borrowed
    uv_loop_t *loop;
    struct store *store;
    struct fetcher *fetcher;
    const struct policy *policy;
    struct jobs *jobs;
    struct gate *gate;
    uint64_t resume_within_ms;
};

typedef void (*recovery_told)(void *arg, const struct job *job, const struct error *why);

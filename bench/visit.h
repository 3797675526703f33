// A visit of the orchestrator to a device, on a virtual clock: the session that runs live
// (orchestrator/session.c) against the console that answers it live (simulator/console.c). So there
// is no second opinion of what a fault or a restart amounts to. Pure.
#pragma once

#include "orchestrator/session.h"
#include "simulator/world.h"

#include <stdbool.h>
#include <stdint.h>

struct visitor { // zero it but for what is borrowed
    struct world *world;
    const struct session_config *config; // real time, as all that the world's time scale makes
    const struct task *task;
    const struct task_args *args;
    uint64_t now_us;              // of the world; it goes on from visit to visit
    struct session_update update; // the memory of all visits
};

struct visit_result {
    uint64_t us; // real time
    bool fails;
    bool times_out; // and fails by that
};

void visitor_deinit(struct visitor *visitor);

// Connecting takes no time. One that is told at a port of its own refuses every connection. host is
// that device as the orchestrator knows it.
struct visit_result visit(struct visitor *visitor, const struct host *host, uint32_t device);

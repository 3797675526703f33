// A visit of the orchestrator to a device, on a virtual clock: the session that runs live
// (orchestrator/session.c) against the console that answers it live (simulator/console.c). So there
// is no second opinion of what a fault or a restart amounts to. Pure.
//
// Visits to different devices may go on at the same time. Whoever has several tells each what is
// due in the order of the clock, which is the world's, too: real time, as all that the world's time
// scale makes.
#pragma once

#include "bench/contact.h"
#include "orchestrator/session.h"
#include "simulator/world.h"

struct visitor { // zero it but for what is borrowed
    struct world *world;
    const struct session_config *config;
    const struct task_args *args;
    struct session_update update; // the memory of all visits
    struct abandoned *abandoned;  // installs that run on though nobody listens
};

// No visit may be left. Installs that were left behind run no further: before world_reset(), too.
void visitor_forget(struct visitor *visitor);
void visitor_deinit(struct visitor *visitor);

struct visit;

// Connecting takes no time. One that is told at a port of its own refuses every connection. host is
// that device as the orchestrator knows it.
struct visit *visit_begin(struct visitor *visitor, const struct host *host, uint32_t device,
                          enum contact_task task, uint64_t now_us, struct contact_update *update);
void visit_tell(struct visit *s, enum contact_input input, uint64_t now_us,
                struct contact_update *update);
void visit_free(struct visit *s, uint64_t now_us); // over or not; takes NULL

// GET /events/: the journal, and the wait for what comes next.
#pragma once

#include "common/http.h"
#include "simulator/world.h"

enum { ADMIN_WAIT_MAX_S = 60 }; // longest wait for an event

struct admin_waiter;

struct admin_events {
    const struct world *world;
    uv_check_t check; // looks for new events once a turn of the loop, while somebody waits
    struct admin_waiter *waiters;
    size_t handles_open; // the check, and the waiters' timers until these are closed
    void (*closed)(void *arg);
    void *closed_arg;
};

// The world must outlive it.
void admin_events_init(struct admin_events *e, uv_loop_t *loop, const struct world *world);
void admin_events_get(struct admin_events *e, struct http_request *r);
// Answers who waits, lets nobody wait any more, and calls closed.
void admin_events_close(struct admin_events *e, void (*closed)(void *arg), void *arg);

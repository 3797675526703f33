// The admin API (spec/simulator.yaml): what there is, what happened, and the faults to come.
#pragma once

#include "common/http.h"
#include "simulator/listing.h"
#include "simulator/server.h"

enum { ADMIN_WAIT_MAX_S = 60 }; // longest wait for an event

struct admin_waiter;

struct admin {
    struct http_server *http;
    struct server *server;
    struct world *world;
    struct listing_addresses addresses;
    struct http_routes routes;
    uv_check_t check; // looks for new events once a turn of the loop, while somebody waits
    struct admin_waiter *waiters;
    size_t waiters_open; // with their timers, until these are closed
    bool closing, http_closed, check_closed;
    void (*done)(void *arg);
    void *done_arg;
};

// addresses: where the server listens, borrowed. Everything given must outlive the admin API.
int admin_start(struct admin *a, uv_loop_t *loop, const union address *listen,
                struct server *server, const struct listing_addresses *addresses,
                struct error *err);
// Answers who waits, closes and calls done.
void admin_close(struct admin *a, void (*done)(void *arg), void *arg);

// --- within the API's own modules

void admin_metrics(void *app, struct http_request *r);
void admin_events(void *app, struct http_request *r);
void admin_answer_text(struct http_request *r, int status, struct buf *json); // takes the buffer
void admin_end_waiters(struct admin *a);
void admin_watch(struct admin *a, uv_loop_t *loop); // sets up the check
void admin_try_done(struct admin *a);

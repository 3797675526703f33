// The admin API (spec/simulator.yaml): what there is, what happened, and the faults to come.
#pragma once

#include "common/http.h"
#include "simulator/admin_events.h"
#include "simulator/listing.h"
#include "simulator/server.h"

struct admin {
    struct http_server *http;
    struct server *server;
    struct world *world;
    struct listing_addresses addresses;
    struct http_routes routes;
    struct admin_events events;
    bool closing;
    unsigned parts_open; // of http and events
    void (*done)(void *arg);
    void *done_arg;
};

// hosts: what the API is called beside localhost. addresses: where the server listens. All are
// borrowed: everything given must outlive the admin API.
int admin_start(struct admin *a, uv_loop_t *loop, const union address *listen,
                const struct http_hosts *hosts, struct server *server,
                const struct listing_addresses *addresses, struct error *err);
// Answers who waits, closes and calls done.
void admin_close(struct admin *a, void (*done)(void *arg), void *arg);

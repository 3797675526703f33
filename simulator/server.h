// The devices' listeners and all connections of theirs.
#pragma once

#include "common/address.h"
#include "common/error.h"
#include "simulator/connection.h"
#include "simulator/device_ca.h"
#include "simulator/world.h"

#include <uv.h>

enum { SERVER_ADDRESSES_MAX = 1024, SERVER_BACKLOG = 4096 };

struct server_listener;

struct server {
    uv_loop_t *loop;
    struct connections connections;
    struct server_listener *listeners;
    unsigned listeners_len, listeners_open;
    struct device_ca *ca; // where the devices speak TLS, borrowed; or NULL
    void (*done)(void *arg);
    void *done_arg;
};

// Listens on as many addresses, from first upward, all on one port; port 0 takes a free one. The
// world must outlive the server, and so must the CA, with which the devices speak TLS; NULL: plain
// text. Negative where it cannot listen.
int server_start(struct server *s, uv_loop_t *loop, struct world *world, struct device_ca *ca,
                 const union address *first, unsigned addresses, struct error *err);
const union address *server_address(const struct server *s, unsigned index);

// Resets all connections and forgets what runs on them.
void server_forget_all(struct server *s);

// Forgets all connections, closes the listeners and calls done.
void server_close(struct server *s, void (*done)(void *arg), void *arg);

uint64_t server_now_us(const struct server *s); // the world's time

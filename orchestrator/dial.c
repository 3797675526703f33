// The happy path of a name: LOOKING_UP -> CONNECTING -> ENDED. A numeric address begins at
// CONNECTING. An address that refuses, or is silent for its share of the time, makes room for the
// next, on a handle of its own. A failure that is known at once is told a turn of the loop later
// (FAILED), so that nobody is called back from within dial_start.
//
// The attempt is freed by the last of its callbacks: its timer's end, and its look-up's, which
// cannot be stopped once a thread works on it.
#include "orchestrator/dial.h"

#include "common/mem.h"

#include <assert.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

enum dial_state { DIAL_LOOKING_UP, DIAL_CONNECTING, DIAL_FAILED, DIAL_ENDED };

struct dial {
    uv_loop_t *loop;
    enum dial_state state;
    dial_done done;
    void *arg;
    uint64_t due_ms; // when the time is up
    const char *why; // of DIAL_FAILED
    uv_timer_t timer;
    uv_getaddrinfo_t lookup;
    struct addrinfo *found, *next; // addresses of a name; those still to be tried
    uv_tcp_t *tcp;                 // of the address that is being tried
    unsigned callbacks;            // still to come: of the timer's closing, of the look-up
};

struct attempt { // an address; it outlives the dial where that was cancelled
    uv_tcp_t tcp;
    uv_connect_t request;
};

static void on_hung_up(uv_handle_t *handle) {
    free((struct attempt *)handle); // tcp is its first member
}

void dial_hang_up(uv_tcp_t *tcp) {
    if (tcp != NULL) uv_close((uv_handle_t *)tcp, on_hung_up);
}

void dial_drop(uv_tcp_t *tcp) {
    if (uv_tcp_close_reset(tcp, on_hung_up) != 0) uv_close((uv_handle_t *)tcp, on_hung_up);
}

// --- ending

static void free_when_quiet(struct dial *d) {
    if (--d->callbacks > 0) return;
    uv_freeaddrinfo(d->found);
    free(d);
}

static void on_timer_closed(uv_handle_t *timer) {
    free_when_quiet(timer->data);
}

static void end(struct dial *d) {
    assert(d->state != DIAL_ENDED);
    if (d->state == DIAL_LOOKING_UP) uv_cancel((uv_req_t *)&d->lookup);
    d->state = DIAL_ENDED;
    uv_close((uv_handle_t *)&d->timer, on_timer_closed);
}

void dial_cancel(struct dial *d) {
    if (d == NULL) return;
    dial_hang_up(d->tcp);
    d->tcp = NULL;
    end(d);
}

static void succeed(struct dial *d) {
    uv_tcp_t *tcp = d->tcp;
    d->tcp = NULL;
    end(d);
    d->done(d->arg, tcp, NULL);
}

static void on_timer(uv_timer_t *timer);

static void fail(struct dial *d, const char *why) {
    d->state = DIAL_FAILED;
    d->why = why;
    uv_timer_start(&d->timer, on_timer, 0, 0);
}

// --- addresses

static void connect_next(struct dial *d);

static void on_connected(uv_connect_t *request, int status) {
    struct dial *d = request->data;
    if (status == UV_ECANCELED) return; // it was given up: d may be gone
    if (status == 0) {
        succeed(d);
        return;
    }
    dial_hang_up(d->tcp);
    d->tcp = NULL;
    if (d->next != NULL)
        connect_next(d);
    else
        fail(d, uv_strerror(status));
}

// False: it is known at once that the address is not to be had.
static bool connect_to(struct dial *d, const struct sockaddr *address, const char **why) {
    struct attempt *attempt = mem_zalloc(sizeof *attempt);
    uv_tcp_init(d->loop, &attempt->tcp);
    attempt->request.data = d;
    int rc = uv_tcp_connect(&attempt->request, &attempt->tcp, address, on_connected);
    if (rc == 0) {
        d->tcp = &attempt->tcp;
        return true;
    }
    *why = uv_strerror(rc);
    dial_hang_up(&attempt->tcp);
    return false;
}

// The time that is left, in equal shares for the addresses that are left.
static void give_a_share(struct dial *d) {
    uint64_t now = uv_now(d->loop), shares = 1;
    for (const struct addrinfo *a = d->next; a != NULL; a = a->ai_next)
        shares++;
    uv_timer_start(&d->timer, on_timer, d->due_ms > now ? (d->due_ms - now) / shares : 0, 0);
}

static void connect_next(struct dial *d) {
    const char *why = NULL;
    d->state = DIAL_CONNECTING;
    while (d->next != NULL) {
        const struct addrinfo *address = d->next;
        d->next = address->ai_next;
        if (!connect_to(d, address->ai_addr, &why)) continue;
        if (d->next != NULL)
            give_a_share(d);
        else
            uv_timer_stop(&d->timer);
        return;
    }
    fail(d, why);
}

static void on_timer(uv_timer_t *timer) {
    struct dial *d = timer->data;
    if (d->state == DIAL_FAILED) {
        end(d);
        d->done(d->arg, NULL, d->why);
        return;
    }
    dial_hang_up(d->tcp); // silent
    d->tcp = NULL;
    connect_next(d);
}

// --- look-up

static void on_looked_up(uv_getaddrinfo_t *request, int status, struct addrinfo *found) {
    struct dial *d = request->data;
    d->found = found;
    if (d->state == DIAL_LOOKING_UP) {
        d->next = found;
        if (status == 0)
            connect_next(d);
        else
            fail(d, uv_strerror(status));
    }
    free_when_quiet(d);
}

static void look_up(struct dial *d, const char *name, uint16_t port) {
    char service[8];
    snprintf(service, sizeof service, "%u", port);
    struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    d->state = DIAL_LOOKING_UP;
    d->lookup.data = d;
    int rc = uv_getaddrinfo(d->loop, &d->lookup, on_looked_up, name, service, &hints);
    if (rc != 0)
        fail(d, uv_strerror(rc));
    else
        d->callbacks++;
}

struct dial *dial_start(uv_loop_t *loop, const char *address, uint16_t port, uint64_t timeout_ms,
                        dial_done done, void *arg) {
    struct dial *d = mem_zalloc(sizeof *d);
    *d = (struct dial){.loop = loop,
                       .state = DIAL_CONNECTING,
                       .done = done,
                       .arg = arg,
                       .due_ms = uv_now(loop) + timeout_ms};
    uv_timer_init(loop, &d->timer);
    d->timer.data = d;
    d->callbacks = 1;
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
    } numeric;
    const char *why;
    if (uv_ip4_addr(address, port, &numeric.v4) != 0 &&
        uv_ip6_addr(address, port, &numeric.v6) != 0)
        look_up(d, address, port);
    else if (!connect_to(d, &numeric.any, &why))
        fail(d, why);
    return d;
}

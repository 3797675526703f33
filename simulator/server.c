// All devices listen on one port, of one address or of several that follow each other; which
// address a client uses makes no difference. Several are for speed: who opens thousands of
// connections a second to one address makes its kernel look long for a free port on its own side.
//
// The server listens on all addresses or on none. It is done when the last listener and the last
// connection are closed, in whatever order they are.
#include "simulator/server.h"

#include "common/mem.h"
#include "common/program.h"

#include <arpa/inet.h>
#include <stdlib.h>

enum { PORT_TRIES = 20 };

struct server_listener {
    uv_tcp_t tcp;
    union address address;
};

uint64_t server_now_us(const struct server *s) {
    return connections_now_us(&s->connections);
}

const union address *server_address(const struct server *s, unsigned index) {
    return &s->listeners[index].address;
}

void server_forget_all(struct server *s) {
    connections_forget(&s->connections);
}

static void on_connection(uv_stream_t *listener, int status) {
    struct server *s = listener->data;
    if (status == 0) connection_accept(&s->connections, listener);
}

// --- listening

// Done, once what was begun by server_close() is over.
static void finish_closing(struct server *s) {
    if (s->done == NULL || s->listeners_open > 0 || s->connections.count > 0) return;
    free(s->listeners);
    s->listeners = NULL;
    s->done(s->done_arg);
}

static void on_connection_closed(void *arg) {
    finish_closing(arg);
}

static void on_listener_closed(uv_handle_t *handle) {
    struct server *s = handle->data;
    s->listeners_open--;
    finish_closing(s);
}

// The address that many above first. Only IPv4 has more than one.
static union address address_above(const union address *first, unsigned count) {
    union address a = *first;
    if (count > 0) a.v4.sin_addr.s_addr = htonl(ntohl(first->v4.sin_addr.s_addr) + count);
    return a;
}

static int listen_on(struct server *s, struct server_listener *l) {
    union address *a = &l->address;
    int len = sizeof a->storage;
    uv_tcp_init(s->loop, &l->tcp);
    l->tcp.data = s;
    s->listeners_open++;
    int rc = uv_tcp_bind(&l->tcp, &a->any, 0);
    if (rc == 0) rc = uv_listen((uv_stream_t *)&l->tcp, SERVER_BACKLOG, on_connection);
    if (rc == 0) rc = uv_tcp_getsockname(&l->tcp, &a->any, &len);
    return rc;
}

static void close_listeners(struct server *s) {
    for (unsigned i = 0; i < s->listeners_len; i++)
        uv_close((uv_handle_t *)&s->listeners[i].tcp, on_listener_closed);
    s->listeners_len = 0;
}

// All of them, or none. *failed is the address at fault.
static int listen_on_all(struct server *s, const union address *first, unsigned addresses,
                         union address *failed) {
    s->listeners = mem_array(addresses, sizeof *s->listeners);
    for (unsigned i = 0; i < addresses; i++) {
        struct server_listener *l = &s->listeners[i];
        l->address = address_above(first, i);
        if (i > 0) address_set_port(&l->address, address_port(&s->listeners[0].address));
        s->listeners_len++;
        int rc = listen_on(s, l);
        if (rc == 0) continue;
        *failed = l->address;
        close_listeners(s);
        while (s->listeners_open > 0)
            uv_run(s->loop, UV_RUN_NOWAIT);
        free(s->listeners);
        s->listeners = NULL;
        return rc;
    }
    return 0;
}

// The certificate is for the address that the client has reached. Where the server listens on all
// that there are, the inventory says 0.0.0.0: it is for that, too.
static struct tls_identity *identify(void *arg, const uv_tcp_t *tcp) {
    const struct server *s = arg;
    union address local;
    int len = sizeof local.storage;
    char reached[ADDRESS_TEXT_MAX], listed[ADDRESS_TEXT_MAX];
    const char *names[] = {reached, listed, "localhost", NULL};
    struct tls_identity *identity = NULL;
    struct error err;
    if (s->listeners == NULL || uv_tcp_getsockname(tcp, &local.any, &len) != 0) return NULL;
    address_format_host(&local, reached);
    address_format_host(&s->listeners[0].address, listed);
    if (device_ca_identity(s->ca, names, &identity, &err) != 0)
        program_say("simulator: %s", err.text);
    return identity;
}

int server_start(struct server *s, uv_loop_t *loop, struct world *world, struct device_ca *ca,
                 const union address *first, unsigned addresses, struct error *err) {
    *s = (struct server){.loop = loop,
                         .ca = ca,
                         .connections = {.world = world,
                                         .start_ns = uv_hrtime(),
                                         .closed = on_connection_closed,
                                         .identify = ca == NULL ? NULL : identify,
                                         .arg = s}};
    if (addresses > 1 && first->any.sa_family != AF_INET)
        return error_set(err, "more than one address needs an IPv4 address to begin with");
    union address failed;
    int rc, tries = address_port(first) == 0 ? PORT_TRIES : 1;
    do // a port that is free on the first address may be taken on another
        rc = listen_on_all(s, first, addresses, &failed);
    while (rc == UV_EADDRINUSE && --tries > 0);
    if (rc == 0) {
        turnstile_init(&s->connections.handshakes, loop);
        return 0;
    }
    char text[ADDRESS_TEXT_MAX];
    address_format(&failed, text);
    return error_system(err, rc, "cannot listen on %s", text);
}

void server_close(struct server *s, void (*done)(void *arg), void *arg) {
    s->done = done;
    s->done_arg = arg;
    server_forget_all(s);
    turnstile_close(&s->connections.handshakes);
    close_listeners(s);
    finish_closing(s);
}

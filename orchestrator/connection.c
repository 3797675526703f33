// Callbacks below only translate: what happened goes into session_step, what it wants is done. The
// TCP handle comes and goes with each attempt to connect; the timer lives as long as the session.
#include "orchestrator/connection.h"

#include "common/line.h"
#include "common/mem.h"
#include "common/rpc.h"

#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PROBE_S = 10 };

struct connection {
    const struct connection_context *context;
    void *arg;
    struct session session;
    uv_tcp_t tcp;
    uv_timer_t timer;
    uv_connect_t connect;
    uv_getaddrinfo_t lookup;
    struct addrinfo *addresses, *next_address; // of a name; those still to be tried
    struct line_reader reader;
    uint64_t timer_due_ms;     // 0: not running
    const char *start_failure; // a failure to connect that was known at once, told a turn later
    bool tcp_open, timer_open, looking_up, ended;
    bool retries; // when the handle is closed, with next_address
    bool probed;  // TCP asks whether the device is still there
    bool late;    // the deadline has passed: what has come meanwhile is read first
};

struct pending_write { // what the socket would not take at once
    uv_write_t request;
    size_t len;
    char data[];
};

static void open_connection(struct connection *c);
static void connect_next(struct connection *c);

// --- ending

static void free_when_quiet(struct connection *c) {
    if (!c->ended || c->tcp_open || c->timer_open || c->looking_up) return;
    line_reader_deinit(&c->reader);
    session_deinit(&c->session);
    free(c);
}

static void on_tcp_closed(uv_handle_t *handle) {
    struct connection *c = handle->data;
    c->tcp_open = false;
    if (c->retries)
        connect_next(c);
    else
        free_when_quiet(c);
}

static void on_timer_closed(uv_handle_t *handle) {
    struct connection *c = handle->data;
    c->timer_open = false;
    free_when_quiet(c);
}

static void close_tcp(struct connection *c) {
    if (c->looking_up) uv_cancel((uv_req_t *)&c->lookup);
    uv_freeaddrinfo(c->addresses);
    c->addresses = c->next_address = NULL;
    c->retries = false;
    if (c->tcp_open && !uv_is_closing((uv_handle_t *)&c->tcp))
        uv_close((uv_handle_t *)&c->tcp, on_tcp_closed);
}

// --- the session's wishes

static void on_timer(uv_timer_t *timer);

// A deadline mostly moves away: a timer that runs earlier is left to find that out when it fires.
static void arm(struct connection *c) {
    uint64_t due = c->session.deadline_ms;
    if (c->timer_due_ms != 0 && c->timer_due_ms <= due) return;
    uint64_t now = uv_now(c->context->loop);
    uv_timer_start(&c->timer, on_timer, due > now ? due - now : 0, 0);
    c->timer_due_ms = due;
}

static void on_written(uv_write_t *request, int status) {
    (void)status; // reading tells of a broken connection
    free(request->data);
}

static void send_bytes(struct connection *c, const struct buf *bytes) {
    uv_buf_t whole = uv_buf_init(bytes->data, (unsigned)bytes->len);
    int sent = uv_try_write((uv_stream_t *)&c->tcp, &whole, 1);
    if (sent == (int)bytes->len) return;
    if (sent < 0 && sent != UV_EAGAIN) return; // as above
    size_t done = sent < 0 ? 0 : (size_t)sent;
    struct pending_write *w = mem_alloc(sizeof *w + bytes->len - done);
    w->len = bytes->len - done;
    w->request.data = w;
    memcpy(w->data, bytes->data + done, w->len);
    uv_buf_t rest = uv_buf_init(w->data, (unsigned)w->len);
    if (uv_write(&w->request, (uv_stream_t *)&c->tcp, &rest, 1, on_written) != 0) free(w);
}

// A device that restarts need not say so: its power is gone, or its network is down first. Without
// a probe the connection would seem alive until the install timeout.
static void probe_while_it_restarts(struct connection *c) {
    int fd, seconds = PROBE_S;
    if (c->probed || c->session.install_deadline_ms == 0) return;
    c->probed = true;
    uv_tcp_keepalive(&c->tcp, 1, PROBE_S);
    if (uv_fileno((uv_handle_t *)&c->tcp, &fd) == 0)
        setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &seconds, sizeof seconds);
}

static void step(struct connection *c, enum session_input_kind kind, const char *text, size_t len) {
    struct buf *send = c->context->send_buffer;
    c->late = false;
    struct session_input input = {.kind = kind, .text = text, .len = len};
    enum session_want want = session_step(&c->session, &input, uv_now(c->context->loop), send);
    switch (want) {
    case SESSION_CONNECT:
        open_connection(c);
        break;
    case SESSION_SEND:
        send_bytes(c, send);
        probe_while_it_restarts(c);
        break;
    case SESSION_PAUSE:
        close_tcp(c);
        break;
    case SESSION_END:
        c->ended = true;
        close_tcp(c);
        uv_close((uv_handle_t *)&c->timer, on_timer_closed);
        break;
    }
    buf_clear(send);
    if (!c->ended) arm(c);
    c->context->stepped(c->arg, &c->session);
}

static void on_timer(uv_timer_t *timer) {
    struct connection *c = timer->data;
    c->timer_due_ms = 0;
    if (c->start_failure != NULL) {
        const char *failure = c->start_failure;
        c->start_failure = NULL;
        step(c, SESSION_LOST, failure, 0);
    } else if (uv_now(c->context->loop) < c->session.deadline_ms) {
        arm(c);
    } else if (!c->late) { // the loop may have stood still, with the answer in the socket
        c->late = true;
        uv_timer_start(&c->timer, on_timer, 1, 0);
        c->timer_due_ms = 1; // earlier than any deadline
    } else {
        step(c, SESSION_DEADLINE, NULL, c->reader.part.len);
    }
}

// --- reading

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buf) {
    (void)suggested;
    struct connection *c = handle->data;
    *buf = uv_buf_init(c->context->read_buffer.data, (unsigned)c->context->read_buffer.size);
}

static const char *loss_text(const struct connection *c, ssize_t status) {
    if (status == UV_EOF)
        return c->reader.part.len > 0 ? "connection closed by the device in mid-answer"
                                      : "connection closed by the device";
    if (status == UV_ECONNRESET || status == UV_EPIPE) return "connection reset by the device";
    return uv_strerror((int)status);
}

static void on_read(uv_stream_t *stream, ssize_t nread, const uv_buf_t *buf) {
    struct connection *c = stream->data;
    if (nread == 0) return;
    if (nread < 0) {
        uv_read_stop(stream);
        step(c, SESSION_LOST, loss_text(c, nread), 0);
        return;
    }
    const char *line = NULL;
    size_t len = 0;
    line_reader_feed(&c->reader, buf->base, (size_t)nread);
    while (!uv_is_closing((uv_handle_t *)stream)) {
        enum line_status status = line_reader_next(&c->reader, &line, &len);
        if (status == LINE_NONE) break;
        step(c, status == LINE_READY ? SESSION_LINE : SESSION_LINE_TOO_LONG, line, len);
    }
}

// --- connecting

static void fail_to_connect(struct connection *c, const char *why) {
    c->start_failure = why;
    uv_timer_start(&c->timer, on_timer, 0, 0);
    c->timer_due_ms = 1; // earlier than any deadline
}

// A name may stand for several addresses, of which a device need not listen on the first: localhost
// is ::1 on many machines. True: the next one is tried, on a handle of its own.
static bool try_next(struct connection *c) {
    if (c->next_address == NULL) return false;
    c->retries = true;
    uv_close((uv_handle_t *)&c->tcp, on_tcp_closed);
    return true;
}

static void on_connected(uv_connect_t *request, int status) {
    struct connection *c = request->data;
    if (status == UV_ECANCELED) return; // we closed it
    if (status != 0) {
        if (!try_next(c)) step(c, SESSION_LOST, uv_strerror(status), 0);
        return;
    }
    uv_tcp_nodelay(&c->tcp, 1);
    uv_read_start((uv_stream_t *)&c->tcp, on_alloc, on_read);
    step(c, SESSION_CONNECTED, NULL, 0);
}

static void connect_to(struct connection *c, const struct sockaddr *address) {
    c->connect.data = c;
    int rc = uv_tcp_connect(&c->connect, &c->tcp, address, on_connected);
    if (rc != 0 && !try_next(c)) fail_to_connect(c, uv_strerror(rc));
}

static void open_tcp(struct connection *c) {
    c->probed = false;
    uv_tcp_init(c->context->loop, &c->tcp);
    c->tcp.data = c;
    c->tcp_open = true;
}

static void connect_next(struct connection *c) {
    const struct addrinfo *address = c->next_address;
    c->retries = false;
    c->next_address = address->ai_next;
    if (!c->tcp_open) open_tcp(c);
    connect_to(c, address->ai_addr);
}

static void on_looked_up(uv_getaddrinfo_t *request, int status, struct addrinfo *found) {
    struct connection *c = request->data;
    c->looking_up = false;
    if (c->ended) {
        free_when_quiet(c);
    } else if (c->session.state == SESSION_CONNECTING && !uv_is_closing((uv_handle_t *)&c->tcp)) {
        if (status == 0) {
            c->addresses = c->next_address = found;
            connect_next(c);
            return;
        }
        fail_to_connect(c, uv_strerror(status));
    }
    uv_freeaddrinfo(found);
}

static void look_up(struct connection *c) {
    char port[8];
    snprintf(port, sizeof port, "%u", c->session.host->port);
    struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    c->lookup.data = c;
    int rc = uv_getaddrinfo(c->context->loop, &c->lookup, on_looked_up, c->session.host->address,
                            port, &hints);
    if (rc != 0)
        fail_to_connect(c, uv_strerror(rc));
    else
        c->looking_up = true;
}

static void open_connection(struct connection *c) {
    const struct host *host = c->session.host;
    if (c->tcp_open || c->looking_up) { // the last attempt is not quite gone: count this as failed
        fail_to_connect(c, uv_strerror(UV_EBUSY));
        return;
    }
    line_reader_deinit(&c->reader);
    line_reader_init(&c->reader, RPC_LINE_MAX, RPC_DROP_MAX);
    open_tcp(c);
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
    } address;
    if (uv_ip4_addr(host->address, host->port, &address.v4) == 0 ||
        uv_ip6_addr(host->address, host->port, &address.v6) == 0)
        connect_to(c, &address.any);
    else
        look_up(c);
}

void connection_start(const struct connection_context *context, const struct task *task,
                      const struct task_args *args, const struct host *host, void *arg) {
    struct connection *c = mem_zalloc(sizeof *c);
    c->context = context;
    c->arg = arg;
    uv_timer_init(context->loop, &c->timer);
    c->timer.data = c;
    c->timer_open = true;
    session_init(&c->session, context->config, task, args, host, uv_now(context->loop));
    arm(c);
    open_connection(c);
}

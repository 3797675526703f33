// Callbacks below only translate: what happened goes into session_step, what it wants is done. The
// connection is in one of five states,
//
//   DIALLING -> OPEN -> ENDED, and OPEN or DIALLING -> APART -> DIALLING while a device restarts
//
// with SECURING between DIALLING and OPEN where the device speaks TLS: to the session that is one
// more part of connecting. What TLS has to send is gathered, and goes as one write: the last words
// of the handshake with the login. A handshake is long work, and waits for its turn (turnstile.h).
//
// The deadline is in one of three states (see on_timer). The TCP handle and the TLS come and go
// with each attempt; the timer lives as long as the session, and its closing frees all.
#include "orchestrator/connection.h"

#include "common/line.h"
#include "common/mem.h"
#include "common/rng.h"
#include "common/rpc.h"
#include "orchestrator/dial.h"

#include <assert.h>
#include <netinet/tcp.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

enum { PROBE_S = 10, LAST_LOOK_MS = 1, OWN_WAIT_MS = 100, FIRST_ID_MASK = 0x3fffffff };

enum connection_state {
    CONNECTION_DIALLING,
    CONNECTION_SECURING, // the TLS handshake
    CONNECTION_OPEN,
    CONNECTION_APART, // none is wanted before the deadline
    CONNECTION_ENDED, // the timer is being closed
};

enum timer_state {
    TIMER_STOPPED,
    TIMER_RUNNING,   // it fires at due_ms, which is no later than the deadline
    TIMER_LAST_LOOK, // the deadline has passed: what has come meanwhile is read first
};

struct connection {
    struct connection *next, *previous; // of the context
    struct connection_context *context;
    void *arg;
    struct session session;
    enum connection_state state;
    struct dial *dial;           // while DIALLING
    uv_tcp_t *tcp;               // while SECURING or OPEN
    struct tls *tls;             // the same, of a device that speaks TLS
    struct turnstile_entry turn; // of its handshake
    struct line_reader reader;
    uv_timer_t timer;
    enum timer_state timer_state;
    uint64_t due_ms, deadline_ms;
    uint64_t waits_since_ms; // for its turn in the handshakes of this process; 0: it does not
};

struct pending_write { // what the socket would not take at once
    uv_write_t request;
    size_t len;
    char data[];
};

static void dial(struct connection *c);

// --- states

static bool may_follow(enum connection_state from, enum connection_state to) {
    switch (to) {
    case CONNECTION_DIALLING:
        return from == CONNECTION_APART;
    case CONNECTION_SECURING:
        return from == CONNECTION_DIALLING;
    case CONNECTION_OPEN:
        return from == CONNECTION_DIALLING || from == CONNECTION_SECURING;
    case CONNECTION_APART:
    case CONNECTION_ENDED:
        return from != CONNECTION_ENDED;
    }
    return false;
}

static void enter(struct connection *c, enum connection_state state) {
    assert(may_follow(c->state, state));
    c->state = state;
}

static struct connection *connection_of(struct turnstile_entry *turn) {
    return (struct connection *)(void *)((char *)turn - offsetof(struct connection, turn));
}

static void send_secured(struct connection *c);

// A device that has calls to answer yet would take a closed connection for one that listens.
static void hang_up(struct connection *c) {
    dial_cancel(c->dial);
    turnstile_leave(&c->context->handshakes, &c->turn);
    c->waits_since_ms = 0;
    if (c->tls != NULL && !session_is_owed(&c->session)) {
        tls_close(c->tls);
        send_secured(c);
    }
    if (c->tcp != NULL && session_is_owed(&c->session))
        dial_drop(c->tcp);
    else
        dial_hang_up(c->tcp);
    tls_free(c->tls);
    c->dial = NULL;
    c->tcp = NULL;
    c->tls = NULL;
}

static void on_timer_closed(uv_handle_t *timer) {
    struct connection *c = timer->data;
    line_reader_deinit(&c->reader);
    session_deinit(&c->session);
    free(c);
}

// --- the deadline

static void on_timer(uv_timer_t *timer);

static void start_timer(struct connection *c, uint64_t due_ms, enum timer_state state) {
    uint64_t now = uv_now(c->context->loop);
    uv_timer_start(&c->timer, on_timer, due_ms > now ? due_ms - now : 0, 0);
    c->due_ms = due_ms;
    c->timer_state = state;
}

// A deadline mostly moves away: a timer that runs earlier is left to find that out when it fires.
static void set_deadline(struct connection *c, uint64_t deadline_ms) {
    c->deadline_ms = deadline_ms;
    bool is_early = c->timer_state == TIMER_RUNNING && c->due_ms <= deadline_ms;
    if (!is_early && deadline_ms != UINT64_MAX) start_timer(c, deadline_ms, TIMER_RUNNING);
}

// --- what the session wants

static void on_written(uv_write_t *request, int status) {
    (void)status; // reading tells of a broken connection
    free(request->data);
}

static void send_plain(struct connection *c, const struct buf *bytes) {
    uv_buf_t whole = uv_buf_init(bytes->data, (unsigned)bytes->len);
    int sent = uv_try_write((uv_stream_t *)c->tcp, &whole, 1);
    if (sent == (int)bytes->len) return;
    if (sent < 0 && sent != UV_EAGAIN) return; // as above
    size_t done = sent < 0 ? 0 : (size_t)sent;
    struct pending_write *w = mem_alloc(sizeof *w + bytes->len - done);
    w->len = bytes->len - done;
    w->request.data = w;
    memcpy(w->data, bytes->data + done, w->len);
    uv_buf_t rest = uv_buf_init(w->data, (unsigned)w->len);
    if (uv_write(&w->request, (uv_stream_t *)c->tcp, &rest, 1, on_written) != 0) free(w);
}

static void send_secured(struct connection *c) {
    struct buf *out = tls_out(c->tls);
    if (out->len > 0) send_plain(c, out);
    buf_clear(out);
}

static void send_bytes(struct connection *c, const struct buf *bytes) {
    if (c->tls == NULL) {
        send_plain(c, bytes);
        return;
    }
    tls_write(c->tls, bytes->data, bytes->len);
    send_secured(c);
}

// A device that restarts need not say so: its power is gone, or its network is down first. Without
// a probe the connection would seem alive until the install timeout.
static void probe(struct connection *c) {
    int fd, seconds = PROBE_S;
    uv_tcp_keepalive(c->tcp, 1, PROBE_S);
    if (uv_fileno((uv_handle_t *)c->tcp, &fd) == 0)
        setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &seconds, sizeof seconds);
}

static void end(struct connection *c) {
    enter(c, CONNECTION_ENDED);
    if (c->previous != NULL)
        c->previous->next = c->next;
    else
        c->context->first = c->next;
    if (c->next != NULL) c->next->previous = c->previous;
    hang_up(c);
    uv_close((uv_handle_t *)&c->timer, on_timer_closed);
}

void connection_abort(struct connection *c) {
    end(c);
}

void connection_abort_all(struct connection_context *context) {
    while (context->first != NULL)
        end(context->first);
}

static void carry_out(struct connection *c, const struct session_update *update) {
    switch (update->want) {
    case SESSION_CONNECT:
        enter(c, CONNECTION_DIALLING);
        set_deadline(c, update->deadline_ms);
        dial(c);
        return;
    case SESSION_SEND:
        if (update->send.len > 0) send_bytes(c, &update->send);
        if (update->may_vanish) probe(c);
        break;
    case SESSION_ASK:
    case SESSION_KEEP:
        break;
    case SESSION_PAUSE:
        enter(c, CONNECTION_APART);
        hang_up(c);
        break;
    case SESSION_END:
        end(c);
        return;
    }
    set_deadline(c, update->deadline_ms);
}

// The last thing that any callback does: what is told may step the session again, or end it.
static void step(struct connection *c, enum session_input_kind kind, const char *text, size_t len) {
    struct session_update *update = &c->context->update;
    struct session_input input = {
        .kind = kind, .text = text, .len = len, .more = kind == SESSION_LINE && c->reader.left > 0};
    if (c->timer_state == TIMER_LAST_LOOK) c->timer_state = TIMER_STOPPED;
    session_step(&c->session, &input, uv_now(c->context->loop), update);
    carry_out(c, update);
    c->context->stepped(c->arg, update);
}

void connection_answer(struct connection *c, bool granted) {
    step(c, granted ? SESSION_GRANTED : SESSION_REFUSED, NULL, 0);
}

void connection_take(struct connection *c, const struct task *task, const struct task_args *args) {
    session_take(&c->session, task, args);
    if (c->session.state == SESSION_KEPT) step(c, SESSION_TAKEN, NULL, 0);
}

void connection_leave(struct connection *c) {
    step(c, SESSION_LEAVE, NULL, 0);
}

static void on_timer(uv_timer_t *timer) {
    struct connection *c = timer->data;
    enum timer_state fired = c->timer_state;
    c->timer_state = TIMER_STOPPED;
    if (uv_now(c->context->loop) < c->deadline_ms)
        set_deadline(c, c->deadline_ms);
    else if (c->turn.waits) // that is not the device's doing: it gets as much time in addition
        start_timer(c, uv_now(c->context->loop) + OWN_WAIT_MS, TIMER_RUNNING);
    else if (fired == TIMER_RUNNING) // the loop may have stood still, with the answer in the socket
        start_timer(c, uv_now(c->context->loop) + LAST_LOOK_MS, TIMER_LAST_LOOK);
    else if (c->state == CONNECTION_SECURING)
        step(c, SESSION_LOST, "tls: no answer to the handshake in time: does the device speak TLS?",
             0);
    else
        step(c, SESSION_DEADLINE, NULL, c->reader.part.len);
}

// --- reading

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buf) {
    (void)suggested;
    struct connection *c = handle->data;
    *buf = uv_buf_init(c->context->read_buffer.data, (unsigned)c->context->read_buffer.size);
}

// libuv calls it an end where a reset came right behind data.
static bool was_reset(const struct connection *c) {
    int fd, error = 0;
    socklen_t len = sizeof error;
    return uv_fileno((const uv_handle_t *)c->tcp, &fd) == 0 &&
           getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) == 0 && error == ECONNRESET;
}

static const char *loss_text(const struct connection *c, ssize_t status) {
    if (status == UV_EOF && was_reset(c)) status = UV_ECONNRESET;
    if (c->state == CONNECTION_SECURING)
        return status == UV_EOF ? "tls: connection closed by the device in the handshake"
                                : "tls: connection lost in the handshake";
    if (status == UV_EOF)
        return c->reader.part.len > 0 ? "connection closed by the device in mid-answer"
                                      : "connection closed by the device";
    if (status == UV_ECONNRESET || status == UV_EPIPE) return "connection reset by the device";
    return uv_strerror((int)status);
}

static void lose(struct connection *c, uv_stream_t *stream, const char *why) {
    uv_read_stop(stream);
    step(c, SESSION_LOST, why, 0);
}

static void take_bytes(struct connection *c, uv_stream_t *stream, const char *bytes, size_t count) {
    const char *line = NULL;
    size_t len = 0;
    line_reader_feed(&c->reader, bytes, count);
    while (!uv_is_closing((uv_handle_t *)stream)) {
        enum line_status status = line_reader_next(&c->reader, &line, &len);
        if (status == LINE_NONE) break;
        step(c, status == LINE_READY ? SESSION_LINE : SESSION_LINE_TOO_LONG, line, len);
    }
}

// False: nothing more is to be taken.
static bool take_secured(struct connection *c, uv_stream_t *stream) {
    const char *bytes = NULL;
    size_t len = 0;
    switch (tls_next(c->tls, &bytes, &len)) {
    case TLS_NONE:
        send_secured(c);
        return false;
    case TLS_SECURED:
        enter(c, CONNECTION_OPEN);
        step(c, SESSION_CONNECTED, NULL, 0);
        return true;
    case TLS_DATA:
        take_bytes(c, stream, bytes, len);
        return true;
    case TLS_CLOSED:
        lose(c, stream, loss_text(c, UV_EOF));
        return false;
    case TLS_FAILED:
        send_secured(c); // it is told why, too
        lose(c, stream, tls_failure(c->tls));
        return false;
    }
    return false;
}

static void take_all(struct connection *c) {
    uv_stream_t *stream = (uv_stream_t *)c->tcp;
    while (!uv_is_closing((uv_handle_t *)stream) && take_secured(c, stream))
        ;
}

static void wait_for_turn(struct connection *c) {
    turnstile_pass(&c->context->handshakes, &c->turn);
    if (c->turn.waits && c->waits_since_ms == 0) c->waits_since_ms = uv_now(c->context->loop);
}

// A handshake may have to wait for its turn.
static void take_fed(struct connection *c) {
    if (c->state != CONNECTION_SECURING) {
        take_all(c);
        return;
    }
    wait_for_turn(c);
    if (c->turn.waits) tls_keep(c->tls);
}

static void on_read(uv_stream_t *stream, ssize_t nread, const uv_buf_t *buf) {
    struct connection *c = stream->data;
    if (nread == 0) return;
    if (nread < 0) {
        if (turnstile_leave(&c->context->handshakes, &c->turn)) take_all(c);
        if (!uv_is_closing((uv_handle_t *)stream)) lose(c, stream, loss_text(c, nread));
    } else if (c->tls != NULL) {
        tls_feed(c->tls, buf->base, (size_t)nread);
        take_fed(c);
    } else if (tls_is_alert(buf->base, (size_t)nread)) {
        lose(c, stream, "the device speaks TLS, and the inventory does not say tls: true");
    } else {
        take_bytes(c, stream, buf->base, (size_t)nread);
    }
}

// --- connecting

// Those of the option, or those of the system.
static struct tls_trust *trust_of(struct connection_context *context, struct error *err) {
    if (context->trust != NULL) return context->trust;
    if (context->system == NULL) tls_trust_load(&context->system, NULL, NULL, err);
    return context->system;
}

static void secure(struct connection *c) {
    const struct host *host = c->session.host;
    struct error err;
    struct tls_trust *trust = trust_of(c->context, &err);
    if (trust == NULL) {
        error_from(&err, "tls");
        step(c, SESSION_LOST, err.text, 0);
        return;
    }
    c->tls = tls_connect(trust, host->name, host->address);
    send_secured(c);
    uv_read_start((uv_stream_t *)c->tcp, on_alloc, on_read);
}

static void on_turn(struct turnstile_entry *entry) {
    struct connection *c = connection_of(entry);
    if (c->waits_since_ms != 0 && c->deadline_ms != UINT64_MAX)
        set_deadline(c, c->deadline_ms + uv_now(c->context->loop) - c->waits_since_ms);
    c->waits_since_ms = 0;
    if (c->tls == NULL)
        secure(c);
    else
        take_all(c);
}

static void init_reader(struct connection *c) {
    line_reader_init(&c->reader, session_line_max(c->context->config), RPC_DROP_MAX);
}

static void on_dialled(void *arg, uv_tcp_t *tcp, const char *why) {
    struct connection *c = arg;
    c->dial = NULL;
    if (tcp == NULL) {
        step(c, SESSION_LOST, why, 0);
        return;
    }
    c->tcp = tcp;
    tcp->data = c;
    line_reader_deinit(&c->reader);
    init_reader(c);
    uv_tcp_nodelay(tcp, 1);
    if (c->session.host->tls) {
        enter(c, CONNECTION_SECURING);
        wait_for_turn(c);
        return;
    }
    enter(c, CONNECTION_OPEN);
    uv_read_start((uv_stream_t *)tcp, on_alloc, on_read);
    step(c, SESSION_CONNECTED, NULL, 0);
}

static void dial(struct connection *c) {
    const struct host *host = c->session.host;
    uint64_t now_ms = uv_now(c->context->loop);
    c->dial = dial_start(c->context->loop, host->address, host->port,
                         c->deadline_ms > now_ms ? c->deadline_ms - now_ms : 0, on_dialled, c);
}

void connection_context_open(struct connection_context *context) {
    turnstile_init(&context->handshakes, context->loop);
}

void connection_context_close(struct connection_context *context) {
    turnstile_close(&context->handshakes);
}

static struct connection *connection_new(struct connection_context *context, void *arg) {
    struct connection *c = mem_zalloc(sizeof *c);
    c->context = context;
    c->arg = arg;
    c->turn.go = on_turn;
    c->next = context->first;
    if (c->next != NULL) c->next->previous = c;
    context->first = c;
    uv_timer_init(context->loop, &c->timer);
    c->timer.data = c;
    init_reader(c);
    return c;
}

static uint32_t first_id(struct connection_context *context) {
    return (uint32_t)rng_mix(context->secret, ++context->connections) & FIRST_ID_MASK;
}

static void begin(struct connection *c) {
    set_deadline(c, session_connect_deadline_ms(&c->session, uv_now(c->context->loop)));
    dial(c);
}

struct connection *connection_start(struct connection_context *context, const struct task *task,
                                    const struct task_args *args, const struct host *host,
                                    struct session_login login, void *arg) {
    struct connection *c = connection_new(context, arg);
    session_init(&c->session, context->config, task, args, host, first_id(context));
    session_log_in_with(&c->session, login);
    begin(c);
    return c;
}

struct connection *connection_start_in_doubt(struct connection_context *context,
                                             const struct task *task, const struct task_args *args,
                                             const struct host *host, struct session_login login,
                                             const char *was, void *arg) {
    struct connection *c = connection_new(context, arg);
    session_init_in_doubt(&c->session, context->config, task, args, host, first_id(context), was,
                          uv_now(context->loop));
    session_log_in_with(&c->session, login);
    begin(c);
    return c;
}

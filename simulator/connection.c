// A connection waits twice for every request: until the call's time is up, and until its answer is
// written. Whatever the client sends meanwhile is kept, up to a limit beyond which it is not read.
// So requests are answered in their order, and the client's haste costs nobody else anything.
//
//     idle -> calling -> writing -> idle    a request; one that is wrong is answered at once:
//     idle -> writing                       it is never calling
//     writing -> draining -> closed         the last answer: logout, or a fault that closes
//     any of them -> closed                 the client has gone, or the device went away
//
// Why it drains: a socket that is closed with bytes unread sends a reset, and that overtakes the
// answer. A connection that is closed may live on without its socket, for an install does; its
// timer still fires. The memory goes when both handles are closed.
//
// Where the devices speak TLS, it stands between the wire and all this: take_wire() to
// take_bytes(), and write_now() to write_wire().
#include "simulator/connection.h"

#include "common/mem.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    PENDING_MAX = 256 * 1024, // bytes; beyond, reading stops
    DRAIN_MAX = 64 << 20,     // bytes
    DRAIN_US = 2 * 1000 * 1000,
    LATE_MAX_US = 100 * 1000
};

struct write {
    uv_write_t request;
    struct connection *connection;
    bool is_reply; // and not a word of TLS's own
    struct buf data;
};

static void on_read(uv_stream_t *stream, ssize_t len, const uv_buf_t *buf);
static void go_on(struct connection *c);
static void send_secured(struct connection *c);
static void on_turn(struct turnstile_entry *turn);
static void begin_call(struct connection *c, const char *line, size_t len);
static void wait_for(struct connection *c, uint64_t us);
static void send_reply(struct connection *c);
static void write_piece(struct connection *c);
static void drain(struct connection *c);
static void end(struct connection *c, bool reset);
static void on_closed(uv_handle_t *handle);

// The one door.
static void turn(struct connection *c, enum connection_state state) {
    static const bool possible[CONNECTION_STATE_COUNT][CONNECTION_STATE_COUNT] = {
        [CONNECTION_IDLE] =
            {[CONNECTION_CALLING] = true, [CONNECTION_WRITING] = true, [CONNECTION_CLOSED] = true},
        [CONNECTION_CALLING] = {[CONNECTION_WRITING] = true, [CONNECTION_CLOSED] = true},
        [CONNECTION_WRITING] =
            {[CONNECTION_IDLE] = true, [CONNECTION_DRAINING] = true, [CONNECTION_CLOSED] = true},
        [CONNECTION_DRAINING] = {[CONNECTION_CLOSED] = true},
    };
    assert(possible[c->state][state]);
    c->state = state;
}

static bool is_over(const struct connection *c) {
    return c->state == CONNECTION_CLOSED || c->state == CONNECTION_DRAINING;
}

uint64_t connections_now_us(const struct connections *all) {
    return (uv_hrtime() - all->start_ns) / 1000;
}

static uint64_t now_us(const struct connection *c) {
    return connections_now_us(c->all);
}

static struct connection *connection_of(struct console *s) {
    return (struct connection *)(void *)((char *)s - offsetof(struct connection, console));
}

// --- the beginning

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buf) {
    (void)suggested;
    const struct connection *c = handle->data;
    *buf = uv_buf_init(c->all->read_buffer, sizeof c->all->read_buffer);
}

static void add(struct connections *all, struct connection *c) {
    c->all = all;
    c->next = all->first;
    if (c->next != NULL) c->next->previous = c;
    all->first = c;
    all->count++;
}

void connection_accept(struct connections *all, uv_stream_t *listener) {
    struct connection *c = mem_zalloc(sizeof *c);
    console_init(&c->console, all->world);
    line_reader_init(&c->reader, RPC_LINE_MAX, RPC_DROP_MAX);
    uv_tcp_init(listener->loop, &c->tcp);
    uv_timer_init(listener->loop, &c->timer);
    c->handles_open = 2;
    c->turn.go = on_turn;
    c->tcp.data = c->timer.data = c;
    add(all, c);
    int rc = uv_accept(listener, (uv_stream_t *)&c->tcp);
    if (rc == 0) rc = uv_tcp_nodelay(&c->tcp, 1);
    if (rc == 0 && all->identify == NULL)
        rc = uv_read_start((uv_stream_t *)&c->tcp, on_alloc, on_read);
    if (rc != 0)
        end(c, false);
    else if (all->identify != NULL)
        turnstile_pass(&all->handshakes, &c->turn);
}

// --- reading

// Begins requests out of data until one has to be waited for. How much was used up.
static size_t take_lines(struct connection *c, const char *data, size_t len) {
    line_reader_feed(&c->reader, data, len);
    c->is_taking = true;
    while (c->state == CONNECTION_IDLE) {
        const char *line;
        size_t line_len;
        enum line_status status = line_reader_next(&c->reader, &line, &line_len);
        if (status == LINE_NONE) break;
        if (status == LINE_READY) {
            begin_call(c, line, line_len);
        } else {
            c->reply = console_line_too_long(&c->console);
            send_reply(c);
        }
    }
    c->is_taking = false;
    return len - c->reader.left;
}

static void take_bytes(struct connection *c, const char *data, size_t len) {
    if (c->state == CONNECTION_DRAINING) {
        c->drained += len;
        if (c->drained > DRAIN_MAX) end(c, false);
        return;
    }
    size_t used = 0;
    if (c->state == CONNECTION_IDLE && c->pending.len == 0) used = take_lines(c, data, len);
    if (used < len) buf_add(&c->pending, data + used, len - used);
    go_on(c);
    if (is_over(c)) return;
    if (c->pending.len - c->pending_at > PENDING_MAX) {
        c->input = CONNECTION_PAUSED;
        uv_read_stop((uv_stream_t *)&c->tcp);
    }
}

static void take_end(struct connection *c) {
    turnstile_leave(&c->all->handshakes, &c->turn); // it has left before
    c->input = CONNECTION_EOF;
    go_on(c);
}

// False: nothing more is to be taken.
static bool take_secured(struct connection *c) {
    const char *data = NULL;
    size_t len = 0;
    switch (tls_next(c->tls, &data, &len)) {
    case TLS_NONE:
        send_secured(c);
        return false;
    case TLS_SECURED:
        return true;
    case TLS_DATA:
        take_bytes(c, data, len);
        return !is_over(c);
    case TLS_CLOSED:
        take_end(c);
        return false;
    case TLS_FAILED:
        send_secured(c);
        if (c->state != CONNECTION_CLOSED) end(c, false);
        return false;
    }
    return false;
}

// A rival's call may have it read on, in the midst of its own: what comes is taken in its turn.
static void take_all(struct connection *c) {
    if (c->is_deciphering) {
        tls_keep(c->tls);
        return;
    }
    c->is_deciphering = true;
    while (take_secured(c))
        ;
    c->is_deciphering = false;
}

static void begin_tls(struct connection *c) {
    struct tls_identity *identity = c->all->identify(c->all->arg, &c->tcp);
    if (identity == NULL || uv_read_start((uv_stream_t *)&c->tcp, on_alloc, on_read) != 0)
        end(c, false);
    else
        c->tls = tls_accept(identity);
}

static void on_turn(struct turnstile_entry *turn) {
    struct connection *c =
        (struct connection *)(void *)((char *)turn - offsetof(struct connection, turn));
    if (c->tls == NULL)
        begin_tls(c);
    else
        take_all(c);
}

static void take_wire(struct connection *c, const char *data, size_t len) {
    if (c->tls == NULL || c->state == CONNECTION_DRAINING) {
        take_bytes(c, data, len);
        return;
    }
    tls_feed(c->tls, data, len);
    if (tls_is_secured(c->tls))
        take_all(c);
    else
        turnstile_pass(&c->all->handshakes, &c->turn);
    if (c->turn.waits) tls_keep(c->tls);
}

static void on_read(uv_stream_t *stream, ssize_t len, const uv_buf_t *buf) {
    struct connection *c = stream->data;
    if (c->state == CONNECTION_CLOSED) return;
    if (len > 0) {
        take_wire(c, buf->base, (size_t)len);
    } else if (len == UV_EOF && c->state != CONNECTION_DRAINING) {
        take_end(c);
    } else if (len < 0) {
        end(c, false);
    }
}

// Begins what was read before, once the connection is idle. How much of it is left.
static size_t take_pending(struct connection *c) {
    size_t left = c->pending.len - c->pending_at;
    if (c->state == CONNECTION_IDLE && left > 0) {
        c->pending_at += take_lines(c, c->pending.data + c->pending_at, left);
        left = c->pending.len - c->pending_at;
    }
    if (left == 0) {
        buf_deinit(&c->pending);
        c->pending_at = 0;
    } else if (c->pending_at > left) {
        buf_drop(&c->pending, c->pending_at);
        c->pending_at = 0;
    }
    return left;
}

// Its client has ended its side: is that the end of its doing?
static void take_leave(struct connection *c) {
    const bool changes = c->is_taking ? console_asks_to_install(c->reader.data, c->reader.left)
                                      : console_asks_to_install(c->pending.data + c->pending_at,
                                                                c->pending.len - c->pending_at);
    if (!changes) console_reads_on(&c->console, now_us(c));
}

// To be called after whatever may have made the connection idle.
static void go_on(struct connection *c) {
    size_t left = take_pending(c);
    if (is_over(c)) return;
    if (c->input == CONNECTION_PAUSED && left < PENDING_MAX / 4) {
        c->input = CONNECTION_READS;
        uv_read_start((uv_stream_t *)&c->tcp, on_alloc, on_read);
    }
    if (c->input != CONNECTION_EOF) return;
    if (left > 0) {
        take_leave(c);
        return;
    }
    console_no_more_requests(&c->console, now_us(c));
    if (c->state == CONNECTION_IDLE) end(c, false);
}

// --- calls

// What it has sent, and its end.
static void read_to_the_end(struct connection *c, int fd) {
    char data[4096]; // the shared buffer may be in use
    while (c->input == CONNECTION_READS && !is_over(c)) {
        const ssize_t len = read(fd, data, sizeof data);
        if (len > 0) {
            take_wire(c, data, (size_t)len);
        } else if (len == 0) {
            take_end(c);
        } else {
            if (errno != EAGAIN && errno != EINTR) end(c, false);
            return;
        }
    }
}

// Its client may have gone, though nobody has read that yet: the end of a process that is killed
// and the logins of the next one may be seen in one turn of the loop, in any order.
static void look_at(struct connection *c) {
    int fd;
    if (uv_fileno((uv_handle_t *)&c->tcp, &fd) != 0) return;
    struct pollfd look = {.fd = fd, .events = POLLRDHUP};
    if (poll(&look, 1, 0) > 0) read_to_the_end(c, fd);
}

static void look_at_rivals(struct connection *c) {
    struct console *rival = console_rival(&c->console, NULL);
    while (rival != NULL) {
        struct console *next =
            console_rival(&c->console, rival); // this one may be none in a moment
        look_at(connection_of(rival));
        rival = next;
    }
}

// All that its client has sent was read, but not yet that there will be no more.
static bool is_at_end(const struct connection *c) {
    int fd;
    char byte;
    return uv_fileno((const uv_handle_t *)&c->tcp, &fd) == 0 && recv(fd, &byte, 1, MSG_PEEK) == 0;
}

static void finish_call(struct connection *c) {
    if (c->state == CONNECTION_CALLING) look_at_rivals(c);
    if (c->state == CONNECTION_CALLING && console_rival(&c->console, NULL) != NULL && is_at_end(c))
        take_leave(c);
    if (c->console.call.state == CONSOLE_CALL_IDLE) return; // one of them took the device away
    c->reply = console_finish(&c->console, now_us(c));
    for (struct console *s; (s = console_condemned(c->all->world)) != NULL;)
        end(connection_of(s), true);
    if (c->state != CONNECTION_CLOSED) {
        send_reply(c);
        return;
    }
    buf_deinit(&c->reply.out); // an install whose client had gone
    uv_close((uv_handle_t *)&c->timer, on_closed);
}

static void begin_call(struct connection *c, const char *line, size_t len) {
    struct console_begun begun = console_begin(&c->console, now_us(c), line, len);
    if (!begun.runs) {
        c->reply = begun.reply;
        send_reply(c);
        return;
    }
    turn(c, CONNECTION_CALLING);
    if (begun.wait_us == 0)
        finish_call(c);
    else
        wait_for(c, begun.wait_us);
}

// --- the timer: due times in microseconds on a clock of milliseconds

static void on_timer(uv_timer_t *timer) {
    struct connection *c = timer->data;
    uint64_t now = now_us(c);
    if (now > c->due_us) c->late_us += now - c->due_us;
    if (c->late_us > LATE_MAX_US) c->late_us = LATE_MAX_US;
    switch (c->state) {
    case CONNECTION_CALLING:
    case CONNECTION_CLOSED:
        finish_call(c);
        break;
    case CONNECTION_WRITING:
        write_piece(c);
        break;
    case CONNECTION_DRAINING:
        c->all->world->connections_kept++;
        end(c, false);
        break;
    default:
        assert(false);
    }
    go_on(c);
}

// What the last wait was too long the next is shorter, so that a client that makes many calls sees
// the latency that was asked for. The loop's milliseconds are rounded up: no answer comes early.
static void wait_for(struct connection *c, uint64_t us) {
    uint64_t caught_up = us < c->late_us ? us : c->late_us;
    c->late_us -= caught_up;
    c->due_us = now_us(c) + us - caught_up;
    uint64_t due_ms = (c->all->start_ns + c->due_us * 1000 + 999999) / 1000000;
    uint64_t now_ms = uv_now(c->timer.loop);
    uv_timer_start(&c->timer, on_timer, due_ms > now_ms ? due_ms - now_ms : 0, 0);
}

// --- writing

// The reply, or a piece of a slow one, is written.
static void piece_written(struct connection *c) {
    if (c->reply_at < c->reply.out.len) {
        wait_for(c, c->piece_us);
        return;
    }
    buf_deinit(&c->reply.out);
    switch (c->reply.end) {
    case CONSOLE_STAYS:
        turn(c, CONNECTION_IDLE);
        break;
    case CONSOLE_CLOSES:
        drain(c);
        break;
    case CONSOLE_RESETS:
        end(c, true);
        break;
    }
}

static void on_written(uv_write_t *request, int status) {
    struct write *w = request->data;
    struct connection *c = w->connection;
    const bool is_reply = w->is_reply;
    buf_deinit(&w->data);
    free(w);
    if (c->state != CONNECTION_WRITING || !is_reply) return;
    if (status != 0) {
        end(c, false);
        return;
    }
    piece_written(c);
    go_on(c);
}

// True: it is all written. False: on_written() will be told, or the connection has ended.
static bool write_wire(struct connection *c, char *data, size_t len, bool is_reply) {
    uv_buf_t piece = uv_buf_init(data, (unsigned)len);
    int n = len == 0 ? 0 : uv_try_write((uv_stream_t *)&c->tcp, &piece, 1);
    if (n < 0 && n != UV_EAGAIN) {
        end(c, false);
        return false;
    }
    size_t done = n < 0 ? 0 : (size_t)n;
    if (done == len) return true;
    struct write *w = mem_zalloc(sizeof *w);
    w->connection = c;
    w->is_reply = is_reply;
    w->request.data = w;
    buf_add(&w->data, data + done, len - done);
    piece = uv_buf_init(w->data.data, (unsigned)w->data.len);
    if (uv_write(&w->request, (uv_stream_t *)&c->tcp, &piece, 1, on_written) == 0) return false;
    buf_deinit(&w->data);
    free(w);
    end(c, false);
    return false;
}

// What TLS says of itself: of the handshake, or an alert.
static void send_secured(struct connection *c) {
    struct buf *out = tls_out(c->tls);
    if (c->state != CONNECTION_CLOSED && out->len > 0) write_wire(c, out->data, out->len, false);
    buf_clear(out);
}

static bool write_now(struct connection *c, char *data, size_t len) {
    if (c->tls == NULL) return write_wire(c, data, len, true);
    struct buf *out = tls_out(c->tls);
    tls_write(c->tls, data, len);
    const bool is_written = write_wire(c, out->data, out->len, true);
    buf_clear(out);
    return is_written;
}

static void write_piece(struct connection *c) {
    const size_t left = c->reply.out.len - c->reply_at;
    const size_t len = console_reply_piece(&c->reply, left, &c->piece_us);
    char *data = c->reply.out.data + c->reply_at;
    c->reply_at += len;
    if (write_now(c, data, len)) piece_written(c);
}

static void send_reply(struct connection *c) {
    turn(c, CONNECTION_WRITING);
    c->reply_at = 0;
    if (c->reply.out.len > 0)
        write_piece(c);
    else
        piece_written(c);
}

// --- the end

// All is said: tells the client so, and drops what it still sends.
static void drain(struct connection *c) {
    console_drop(&c->console, now_us(c));
    if (c->tls != NULL) {
        tls_close(c->tls);
        send_secured(c);
        if (c->state == CONNECTION_CLOSED) return;
    }
    if (c->input == CONNECTION_EOF ||
        uv_shutdown(&c->shutdown, (uv_stream_t *)&c->tcp, NULL) != 0) {
        end(c, false);
        return;
    }
    turn(c, CONNECTION_DRAINING);
    if (c->input == CONNECTION_PAUSED) uv_read_start((uv_stream_t *)&c->tcp, on_alloc, on_read);
    wait_for(c, DRAIN_US);
}

static void close_socket(struct connection *c, bool reset) {
    turn(c, CONNECTION_CLOSED);
    turnstile_leave(&c->all->handshakes, &c->turn);
    // A reset is refused while a shutdown is under way: then it is an ordinary close.
    if (!reset || uv_tcp_close_reset(&c->tcp, on_closed) != 0)
        uv_close((uv_handle_t *)&c->tcp, on_closed);
}

// The connection is over. An install runs on without it, so the timer may have to stay.
static void end(struct connection *c, bool reset) {
    if (c->state == CONNECTION_CLOSED) return;
    bool runs_on = console_drop(&c->console, now_us(c));
    close_socket(c, reset);
    if (!runs_on) uv_close((uv_handle_t *)&c->timer, on_closed);
}

static void forget(struct connection *c) {
    console_forget(&c->console, now_us(c));
    if (c->state != CONNECTION_CLOSED) close_socket(c, true);
    if (!uv_is_closing((uv_handle_t *)&c->timer)) uv_close((uv_handle_t *)&c->timer, on_closed);
}

void connections_forget(struct connections *all) {
    for (struct connection *c = all->first; c != NULL; c = c->next)
        forget(c);
}

static void take_out(struct connections *all, struct connection *c) {
    if (c->previous != NULL)
        c->previous->next = c->next;
    else
        all->first = c->next;
    if (c->next != NULL) c->next->previous = c->previous;
    all->count--;
}

static void on_closed(uv_handle_t *handle) {
    struct connection *c = handle->data;
    struct connections *all = c->all;
    if (--c->handles_open > 0) return;
    take_out(all, c);
    line_reader_deinit(&c->reader);
    buf_deinit(&c->pending);
    buf_deinit(&c->reply.out);
    tls_free(c->tls);
    free(c);
    all->closed(all->arg);
}

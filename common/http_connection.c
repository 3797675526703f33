// A connection, from its acceptance until it is closed:
//
//      accept -> FRESH -> IDLE -> READING -> ANSWERING -> IDLE ...
//                     \-> REFUSED
//
// With TLS the first message of the handshake takes the place of that head.
//
// libmicrohttpd gets a connection when the head of its first request is whole and right. So it is
// we who answer what it would answer with a page of its own, and a client that sends its head a
// byte at a time costs nothing but a descriptor. What is there is looked at and left in the socket,
// which is told to be readable again when there is more (SO_RCVLOWAT).
//
// Three rules keep room for whoever asks whether the service lives. A new connection is always
// accepted: at the limit, the one longest without a whole request is closed for it. Whole requests,
// which are never closed, leave a few connections to others. And one client's address may have so
// many connections: what it opens beyond ends one of its own, or is closed itself, so that nobody
// is put out by one that opens many.
//
// A timer looks at all connections each second: at deadlines, and for clients that have left while
// their answer is awaited (MHD does not look at a suspended connection).
#include "common/buf.h"
#include "common/http_head.h"
#include "common/http_internal.h"
#include "common/mem.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    BACKLOG = 4096,
    ACCEPTED_AT_ONCE = 64,  // before others have their turn
    HANDSHAKES_AT_ONCE = 4, // the same
    LOOK_MS = 1000,
};

static void unlink_connection(struct http_connection *c) {
    struct http_server *s = c->server;
    *c->link = c->next;
    if (c->next != NULL)
        c->next->link = c->link;
    else
        s->end = c->link;
}

static void append(struct http_connection *c) {
    struct http_server *s = c->server;
    c->next = NULL;
    c->link = s->end;
    *s->end = c;
    s->end = &c->next;
}

static void on_poll_closed(uv_handle_t *handle) {
    struct http_server *s = handle->data;
    free(handle);
    s->handle_closed(s);
}

static void stop_poll(struct http_connection *c) {
    if (c->poll == NULL) return;
    uv_poll_stop(c->poll);
    c->poll->data = c->server;
    uv_close((uv_handle_t *)c->poll, on_poll_closed);
    c->poll = NULL;
}

static void leave_ours(struct http_connection *c) {
    c->server->ours--;
    stop_poll(c);
}

void http_secured(struct http_connection *c) {
    c->server->securing -= c->is_securing;
    c->is_securing = false;
}

static void free_connection(struct http_connection *c) {
    struct http_server *s = c->server;
    if ((size_t)c->fd < s->by_fd_cap && s->by_fd[c->fd] == c) s->by_fd[c->fd] = NULL;
    buf_deinit(&c->held);
    http_secured(c);
    if (c->progress != HTTP_ENDING) s->connections--;
    unlink_connection(c);
    free(c);
    http_start_accepting(s);
}

static void close_ours(struct http_connection *c) {
    leave_ours(c);
    close(c->fd);
    free_connection(c);
}

// MHD finds it ended, and says so.
static void end(struct http_connection *c) {
    if (c->progress == HTTP_FRESH || c->progress == HTTP_REFUSED) {
        close_ours(c);
        return;
    }
    c->progress = HTTP_ENDING;
    c->server->connections--;
    shutdown(c->fd, SHUT_RDWR);
    c->server->kick(c->server);
}

void http_progress(struct http_connection *c, enum http_progress progress, uint64_t patience_ms) {
    struct http_server *s = c->server;
    if (c->progress == HTTP_ENDING) return;
    if (c->progress == HTTP_ANSWERING && progress == HTTP_IDLE) {
        unlink_connection(c);
        append(c);
    }
    c->progress = progress;
    c->due_ms = uv_now(s->loop) + patience_ms;
}

// --- the first head

// What is left unread when a socket is closed resets the connection, and the client may lose the
// answer: so it is read, until the client closes.
static void discard(struct http_connection *c) {
    char sink[4096];
    ssize_t n;
    do
        n = recvfrom(c->fd, sink, sizeof sink, MSG_DONTWAIT, NULL, NULL);
    while (n > 0 || (n < 0 && errno == EINTR));
    if (n == 0 || errno != EAGAIN) close_ours(c);
}

// The socket is readable once it has so many bytes.
static void wake_at(const struct http_connection *c, int bytes) {
    setsockopt(c->fd, SOL_SOCKET, SO_RCVLOWAT, &bytes, sizeof bytes);
}

static void watch(struct http_connection *c);

const struct http_refusal http_cut = {400, "the client has ended the request in its midst"};

void http_write_refusal(struct buf *out, const struct http_refusal *refusal) {
    char *body = http_problem_json(refusal->status, "", refusal->detail);
    buf_addf(out,
             "HTTP/1.1 %d %s\r\nContent-Type: application/problem+json\r\nConnection: close\r\n"
             "Content-Length: %zu\r\n\r\n%s",
             refusal->status, http_status_text(refusal->status), strlen(body), body);
    free(body);
}

static void refuse(struct http_connection *c, const struct http_refusal *refusal) {
    struct buf answer = {0};
    http_write_refusal(&answer, refusal);
    wake_at(c, 1);
    c->progress = HTTP_REFUSED;
    c->due_ms = uv_now(c->server->loop) + HTTP_LINGER_MS;
    // The first bytes that this socket sends: there is room for them.
    ssize_t sent = send(c->fd, answer.data, answer.len, MSG_DONTWAIT | MSG_NOSIGNAL);
    buf_deinit(&answer);
    shutdown(c->fd, SHUT_WR);
    if (sent < 0)
        close_ours(c);
    else
        watch(c);
}

// A handshake takes the loop's time, a millisecond perhaps: of those that are due, few have it
// before others have their turn.
static bool must_wait(const struct http_connection *c) {
    return c->server->tls != NULL && c->server->handshakes >= HANDSHAKES_AT_ONCE;
}

static void note_fd(struct http_connection *c) {
    struct http_server *s = c->server;
    const size_t before = s->by_fd_cap;
    s->by_fd = mem_grow(s->by_fd, &s->by_fd_cap, (size_t)c->fd + 1, sizeof *s->by_fd);
    for (size_t i = before; i < s->by_fd_cap; i++)
        s->by_fd[i] = NULL;
    s->by_fd[c->fd] = c;
}

struct http_connection *http_connection_of(const struct http_server *s, int fd) {
    return fd >= 0 && (size_t)fd < s->by_fd_cap ? s->by_fd[fd] : NULL;
}

static void hand_over(struct http_connection *c) {
    struct http_server *s = c->server;
    c->is_securing = s->tls != NULL;
    s->securing += c->is_securing;
    s->handshakes++;
    wake_at(c, 1);
    leave_ours(c);
    c->progress = HTTP_IDLE;
    c->due_ms = uv_now(s->loop) + s->limits.head_ms;
    union address peer = {0};
    socklen_t len = sizeof peer;
    s->handing_over = c;
    note_fd(c);
    if (getpeername(c->fd, &peer.any, &len) != 0) { // it is reset
        close(c->fd);
        free_connection(c);
    } else if (MHD_add_connection(s->daemon, c->fd, &peer.any, len) != MHD_YES &&
               s->handing_over != NULL) {
        free_connection(c); // MHD has closed it
    }
    s->handing_over = NULL;
    s->kick(s);
}

// gone: nothing more comes.
static void read_head(struct http_connection *c, bool gone) {
    char bytes[HTTP_HEAD_MAX + 1];
    const struct http_limits *limits = &c->server->limits;
    const bool is_tls = c->server->tls != NULL;
    const size_t room = is_tls ? sizeof bytes : (size_t)limits->head + 1;
    ssize_t n = recvfrom(c->fd, bytes, room, MSG_PEEK | MSG_DONTWAIT, NULL, NULL);
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
        if (c->poll == NULL) watch(c);
        return;
    }
    if (n <= 0) {
        close_ours(c);
        return;
    }
    struct http_refusal refusal;
    c->seen = (size_t)n;
    switch (is_tls ? http_hello_read(bytes, (size_t)n, &refusal)
                   : http_head_read(bytes, (size_t)n, limits, NULL, &refusal)) {
    case HTTP_HEAD_WHOLE:
        if (!must_wait(c))
            hand_over(c);
        else if (c->poll == NULL)
            watch(c);
        return;
    case HTTP_HEAD_WRONG:
        refuse(c, &refusal);
        return;
    case HTTP_HEAD_PARTIAL:
        break;
    }
    if (gone && is_tls) {
        close_ours(c);
        return;
    }
    if (gone) {
        refuse(c, &http_cut);
        return;
    }
    wake_at(c, (int)n + 1);
    if (c->poll == NULL) watch(c);
}

static void on_ours(uv_poll_t *poll, int status, int events) {
    struct http_connection *c = poll->data;
    bool gone = status != 0 || (events & UV_DISCONNECT) != 0;
    if (c->progress == HTTP_REFUSED)
        discard(c);
    else
        read_head(c, gone);
}

static void watch(struct http_connection *c) {
    struct http_server *s = c->server;
    if (c->poll != NULL) return;
    c->poll = mem_zalloc(sizeof *c->poll);
    if (uv_poll_init(s->loop, c->poll, c->fd) != 0) {
        free(c->poll);
        c->poll = NULL;
        close_ours(c);
        return;
    }
    s->handles_open++;
    c->poll->data = c;
    uv_poll_start(c->poll, UV_READABLE | UV_DISCONNECT, on_ours);
}

// --- accepting

static bool may_end(const struct http_connection *c) {
    return c->progress != HTTP_ANSWERING && c->progress != HTTP_ENDING;
}

// NULL: every connection has a whole request.
static struct http_connection *longest_without_request(const struct http_server *s) {
    struct http_connection *c = s->first;
    while (c != NULL && !may_end(c))
        c = c->next;
    return c;
}

// Whether one more of this address may be. *out: of those that it has, the one that ends for it,
// where they are as many as may be; else NULL.
static bool may_have_more(const struct http_server *s, const struct http_peer *peer,
                          struct http_connection **out) {
    struct http_connection *longest = NULL;
    uint64_t count = 0;
    *out = NULL;
    if (peer->is_local && !s->limits.counts_loopback) return true;
    for (struct http_connection *c = s->first; c != NULL; c = c->next) {
        if (!http_peer_is(&c->peer, peer) || c->progress == HTTP_ENDING) continue;
        count++;
        if (longest == NULL && may_end(c)) longest = c;
    }
    if (count < s->limits.per_address) return true;
    *out = longest;
    return longest != NULL;
}

static void on_acceptable(uv_poll_t *poll, int status, int events);

void http_start_accepting(struct http_server *s) {
    if (s->listen_fd >= 0 && !uv_is_active((uv_handle_t *)&s->accept))
        uv_poll_start(&s->accept, UV_READABLE, on_acceptable);
}

static void on_look(uv_timer_t *timer);

static void start_looking(struct http_server *s) {
    if (!uv_is_active((uv_handle_t *)&s->look)) uv_timer_start(&s->look, on_look, LOOK_MS, LOOK_MS);
}

static void take(struct http_server *s, int fd, const union address *from) {
    struct http_connection *c = mem_zalloc(sizeof *c);
    *c = (struct http_connection){.server = s,
                                  .fd = fd,
                                  .progress = HTTP_FRESH,
                                  .peer = http_peer_of(from),
                                  .due_ms = uv_now(s->loop) + s->limits.head_ms};
    address_format_host(from, c->from);
    append(c);
    s->connections++;
    s->ours++;
    const int one = 1; // a handshake is several small writes
    if (s->tls != NULL) setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    start_looking(s);
    read_head(c, false);
}

// Where there is no room it takes the place of another: of its own address where that has as many
// as it may, else of the last, the one that has been without a whole request for the longest.
static void take_in(struct http_server *s, int fd, const union address *from,
                    struct http_connection *last) {
    const struct http_peer peer = http_peer_of(from);
    struct http_connection *out;
    if (!may_have_more(s, &peer, &out)) {
        close(fd);
        return;
    }
    if (out == NULL && s->connections >= s->limits.connections) out = last;
    if (out != NULL) end(out);
    take(s, fd, from);
}

// Without a descriptor for one more, the listener would be readable without an end: it rests until
// a connection has ended, or until the next look.
static void pause_accepting(struct http_server *s) {
    uv_poll_stop(&s->accept);
    start_looking(s);
}

static void accept_some(struct http_server *s) {
    for (int i = 0; i < ACCEPTED_AT_ONCE; i++) {
        struct http_connection *last = longest_without_request(s);
        if (s->connections >= s->limits.connections && last == NULL) {
            pause_accepting(s);
            return;
        }
        union address from = {0};
        socklen_t len = sizeof from;
        int fd = accept4(s->listen_fd, &from.any, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd >= 0) {
            take_in(s, fd, &from, last);
        } else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
            pause_accepting(s);
            if (last != NULL) end(last);
            return;
        } else if (errno != EINTR && errno != ECONNABORTED) {
            return;
        }
    }
}

static void on_acceptable(uv_poll_t *poll, int status, int events) {
    (void)status;
    (void)events;
    accept_some(poll->data);
}

void http_accept_due(struct http_server *s) {
    if (s->listen_fd >= 0) accept_some(s);
    for (struct http_connection *c = s->first, *next; c != NULL && s->ours > 0; c = next) {
        next = c->next;
        if (c->progress == HTTP_FRESH && c->seen == 0) read_head(c, false); // mostly all at once
    }
}

// --- looking after them

// 1 where the client has reset the connection, 2 where nothing more comes from it, which may also
// be half of a conversation. 0: neither.
static int has_left(const struct http_connection *c) {
    char byte;
    ssize_t n = recvfrom(c->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT, NULL, NULL);
    if (n > 0 || (n < 0 && (errno == EAGAIN || errno == EINTR))) return 0;
    return n < 0 ? 1 : 2;
}

static void look_for_client(struct http_connection *c) {
    struct http_request *r = c->request;
    if (r == NULL || !r->suspended || r->left == NULL) return;
    int left = has_left(c);
    r->silent = left == 0 ? 0 : r->silent + 1;
    if (left != 1 && r->silent * LOOK_MS < HTTP_SILENT_MS) return;
    http_left tell = r->left;
    r->left = NULL;
    tell(r->left_arg);
}

// A half-closed connection on which nothing more is to come: libmicrohttpd 0.9.75 overlooks an end
// of stream that comes together with the last bytes.
static bool has_ended(const struct http_connection *c) {
    return (c->progress == HTTP_IDLE || c->progress == HTTP_READING) && has_left(c) != 0;
}

static void look_at(struct http_connection *c) {
    static const struct http_refusal too_late = {408, "the request did not come to its end"};
    bool late = uv_now(c->server->loop) >= c->due_ms;
    if (c->progress == HTTP_ENDING) return;
    if (c->progress == HTTP_ANSWERING)
        look_for_client(c);
    else if (late && c->progress == HTTP_FRESH && c->seen > 0 && c->server->tls == NULL)
        refuse(c, &too_late);
    else if (late || has_ended(c))
        end(c);
}

static void on_look(uv_timer_t *timer) {
    struct http_server *s = timer->data;
    for (struct http_connection *c = s->first, *next; c != NULL; c = next) {
        next = c->next;
        look_at(c);
    }
    http_start_accepting(s);
    if (s->first == NULL) uv_timer_stop(timer);
}

void http_on_connection(void *server, struct MHD_Connection *connection, void **context,
                        enum MHD_ConnectionNotificationCode code) {
    struct http_server *s = server;
    (void)connection;
    if (code == MHD_CONNECTION_NOTIFY_STARTED) {
        *context = s->handing_over;
        s->handing_over = NULL;
    } else if (*context != NULL) {
        free_connection(*context);
        *context = NULL;
    }
}

// --- start and stop

static int open_listener(union address *address, struct error *err) {
    char text[ADDRESS_TEXT_MAX];
    address_format(address, text);
    socklen_t len = address->any.sa_family == AF_INET6 ? sizeof address->v6 : sizeof address->v4;
    int one = 1, fd = socket(address->any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) return error_system(err, -errno, "%s", text);
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one) != 0 ||
        bind(fd, &address->any, len) != 0 || listen(fd, BACKLOG) != 0 ||
        getsockname(fd, &address->any, &len) != 0) {
        int rc = error_system(err, -errno, "%s", text);
        close(fd);
        return rc;
    }
    return fd;
}

int http_listen(struct http_server *s, struct error *err) {
    int fd = open_listener(&s->address, err);
    if (fd < 0) return fd;
    s->listen_fd = fd;
    s->end = &s->first;
    return 0;
}

void http_stop_listening(struct http_server *s) {
    accept_some(s); // those that were in time get their answer
    uv_poll_stop(&s->accept);
    close(s->listen_fd);
    s->listen_fd = -1;
    for (struct http_connection *c = s->first, *next; c != NULL; c = next) {
        next = c->next;
        if (c->progress == HTTP_FRESH && c->seen == 0) close_ours(c);
    }
}

void http_close_ours(struct http_server *s) {
    for (struct http_connection *c = s->first, *next; c != NULL; c = next) {
        next = c->next;
        if (c->progress == HTTP_FRESH || c->progress == HTTP_REFUSED) close_ours(c);
    }
}

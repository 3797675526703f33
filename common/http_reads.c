// What libmicrohttpd reads. Its parser stands right behind its socket, has no place for a look at
// the bytes before it, takes what RFC 9112 says to refuse, and answers the rest with pages of its
// own. So its recv() and gnutls_record_recv() are these here: the linker prefers a function of the
// program to one of a library. All others who call them, and whoever does outside of MHD_run(), get
// what they ask for.
//
// Bytes go on as http_pass.h says. What may not go on yet stays in the socket; over TLS it is kept
// here, for it cannot be left there.
#include "common/http_internal.h"

#include <errno.h>
#include <gnutls/gnutls.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

static _Thread_local struct http_server *reading; // whose MHD_run() is under way; NULL: nobody's

void http_reads(struct http_server *s) {
    reading = s;
}

// --- what is wrong

// All requests before it are answered, or libmicrohttpd would not read.
static void refuse(struct http_connection *c, const struct http_refusal *refusal) {
    struct buf answer = {0};
    http_write_refusal(&answer, refusal);
    if (c->session == NULL) {
        send(c->fd, answer.data, answer.len, MSG_DONTWAIT | MSG_NOSIGNAL);
    } else {
        gnutls_record_send(c->session, answer.data, answer.len);
        gnutls_bye(c->session, GNUTLS_SHUT_WR);
    }
    buf_deinit(&answer);
    shutdown(c->fd, SHUT_WR);
    c->is_refused = true;
    http_progress(c, HTTP_READING, HTTP_LINGER_MS);
}

// What of these bytes may go on. A head that is here in part is to be whole in time.
static void look(struct http_connection *c, const char *bytes, size_t len) {
    struct http_refusal refusal = {0};
    c->ahead = http_pass(&c->pass, bytes, len, &c->server->limits, &refusal);
    if (c->ahead > 0) return;
    if (refusal.status != 0)
        refuse(c, &refusal);
    else if (c->progress == HTTP_IDLE)
        http_progress(c, HTTP_READING, c->server->limits.head_ms);
}

static size_t least(size_t room, uint64_t ahead) {
    return ahead < room ? (size_t)ahead : room;
}

// --- plain

static ssize_t drain(const struct http_connection *c) {
    char sink[4096];
    ssize_t n;
    do
        n = recvfrom(c->fd, sink, sizeof sink, MSG_DONTWAIT, NULL, NULL);
    while (n > 0);
    return n;
}

// libmicrohttpd takes less than it has room for as the last there is, and waits to be told of more
// (EPOLLET). Linux tells of what is there whenever this is set (since 4.18).
static void tell_again(const struct http_connection *c) {
    const int one = 1;
    setsockopt(c->fd, SOL_SOCKET, SO_RCVLOWAT, &one, sizeof one);
}

static bool is_shut(int fd) {
    struct pollfd p = {.fd = fd, .events = POLLRDHUP};
    return poll(&p, 1, 0) == 1 && (p.revents & POLLRDHUP) != 0;
}

static ssize_t read_plain(struct http_connection *c, void *data, size_t room, int flags) {
    if (c->ahead == 0 && !c->is_refused) {
        char bytes[HTTP_HEAD_MAX + 1];
        const ssize_t n = recvfrom(c->fd, bytes, sizeof bytes, MSG_PEEK | MSG_DONTWAIT, NULL, NULL);
        if (n <= 0) return n;
        look(c, bytes, (size_t)n);
        if (c->ahead == 0 && !c->is_refused && is_shut(c->fd)) refuse(c, &http_cut);
    }
    if (c->is_refused) return drain(c);
    if (c->ahead == 0) {
        errno = EAGAIN;
        return -1;
    }
    const ssize_t n = recvfrom(c->fd, data, least(room, c->ahead), flags, NULL, NULL);
    if (n > 0) c->ahead -= (uint64_t)n;
    if (n > 0 && c->ahead == 0) tell_again(c);
    return n;
}

ssize_t recv(int fd, void *buf, size_t n, int flags) {
    struct http_connection *c = reading == NULL ? NULL : http_connection_of(reading, fd);
    return c == NULL || reading->tls != NULL ? recvfrom(fd, buf, n, flags, NULL, NULL)
                                             : read_plain(c, buf, n, flags);
}

// --- TLS

static ssize_t receive(gnutls_session_t session, void *data, size_t room) {
    unsigned char number[8];
    return gnutls_record_recv_seq(session, data, room, number);
}

static ssize_t drain_session(gnutls_session_t session) {
    char sink[4096];
    ssize_t n;
    do
        n = receive(session, sink, sizeof sink);
    while (n > 0);
    return n;
}

static ssize_t take_held(struct http_connection *c, void *data, size_t room) {
    const size_t len = least(least(room, c->ahead), c->held.len);
    memcpy(data, c->held.data, len);
    c->held.len -= len;
    memmove(c->held.data, c->held.data + len, c->held.len);
    c->ahead -= len;
    return (ssize_t)len;
}

static ssize_t read_session(struct http_connection *c, void *data, size_t room) {
    while (!c->is_refused) {
        if (c->ahead == 0 && c->held.len > 0) look(c, c->held.data, c->held.len);
        if (c->is_refused) break;
        if (c->ahead > 0 && c->held.len > 0) return take_held(c, data, room);
        char bytes[HTTP_HEAD_MAX];
        const ssize_t n = receive(c->session, bytes, sizeof bytes);
        if (n <= 0) return n;
        buf_add(&c->held, bytes, (size_t)n);
    }
    return drain_session(c->session);
}

ssize_t gnutls_record_recv(gnutls_session_t session, void *data, size_t data_size) {
    struct http_connection *c =
        reading == NULL ? NULL : http_connection_of(reading, gnutls_transport_get_int(session));
    if (c == NULL) return receive(session, data, data_size);
    c->session = session;
    return read_session(c, data, data_size);
}

// The loop's side: libmicrohttpd reads, parses and writes; libuv says when. The daemon keeps an
// epoll descriptor of its own, which is readable when MHD_run has work; a timer covers what
// MHD_get_timeout announces, and the turn that MHD needs after a suspended connection is resumed.
//
// Everything happens in run(): streams get their next pieces, then MHD has its turn. What is asked
// for meanwhile (a kick) happens in the loop's next turn, so that nobody holds it up.
#include "common/http_internal.h"

#include "common/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

enum { BACKLOG = 4096 };

static void on_timer(uv_timer_t *timer);
static void on_soon(uv_idle_t *soon);

static void kick(struct http_server *s) {
    s->kicked = true;
    if (!s->running) uv_idle_start(&s->soon, on_soon);
}

static void on_handle_closed(uv_handle_t *handle) {
    struct http_server *s = handle->data;
    if (--s->handles_open > 0) return;
    http_closed done = s->done;
    void *arg = s->done_arg;
    free(s);
    done(arg);
}

static void stop(struct http_server *s) {
    s->stopped = true;
    uv_poll_stop(&s->poll); // before the daemon closes the descriptor
    MHD_stop_daemon(s->daemon);
    uv_close((uv_handle_t *)&s->poll, on_handle_closed);
    uv_close((uv_handle_t *)&s->timer, on_handle_closed);
    uv_close((uv_handle_t *)&s->soon, on_handle_closed);
    uv_close((uv_handle_t *)&s->grace, on_handle_closed);
}

static void run(struct http_server *s) {
    if (s->stopped) return;
    s->running = true;
    s->kicked = false;
    http_stream_pieces(s);
    MHD_run(s->daemon);
    s->running = false;
    if (s->closing && (s->requests == 0 || (s->force_close && s->suspended == 0))) {
        stop(s);
        return;
    }
    MHD_UNSIGNED_LONG_LONG ms = 0;
    bool timed = MHD_get_timeout(s->daemon, &ms) == MHD_YES;
    uv_timer_stop(&s->timer);
    if (s->kicked || (timed && ms == 0))
        uv_idle_start(&s->soon, on_soon);
    else if (timed)
        uv_timer_start(&s->timer, on_timer, ms, 0);
}

static void on_soon(uv_idle_t *soon) {
    uv_idle_stop(soon);
    run(soon->data);
}

static void on_timer(uv_timer_t *timer) {
    run(timer->data);
}

static void on_readable(uv_poll_t *poll, int status, int events) {
    (void)status;
    (void)events;
    run(poll->data);
}

void http_poll(struct http_server *s) {
    struct pollfd readable = {.fd = s->epoll_fd, .events = POLLIN};
    if (!s->running && (s->kicked || poll(&readable, 1, 0) == 1)) run(s);
}

// MHD tells of every client that hangs up; nobody needs to read that.
static void ignore_message(void *arg, const char *format, va_list args) {
    (void)arg;
    (void)format;
    (void)args;
}

// --- start and stop

static int listen_on(union address *address, struct error *err) {
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

int http_start(struct http_server **server, uv_loop_t *loop, const union address *listen,
               const struct http_routes *routes, void *app, struct error *err) {
    struct http_server *s = mem_zalloc(sizeof *s);
    s->routes = routes;
    s->app = app;
    s->address = *listen;
    s->last = &s->due;
    s->kick = kick;
    int fd = listen_on(&s->address, err);
    if (fd < 0) {
        free(s);
        return fd;
    }
    unsigned flags = MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG;
    if (s->address.any.sa_family == AF_INET6) flags |= MHD_USE_IPv6;
    s->daemon = MHD_start_daemon(
        flags, 0, NULL, NULL, http_on_access, s, MHD_OPTION_EXTERNAL_LOGGER, ignore_message, NULL,
        MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_URI_LOG_CALLBACK, http_on_request_line, s,
        MHD_OPTION_NOTIFY_COMPLETED, http_on_completed, s, MHD_OPTION_CONNECTION_LIMIT,
        (unsigned)HTTP_CONNECTIONS_MAX, MHD_OPTION_CONNECTION_TIMEOUT,
        (unsigned)HTTP_IDLE_TIMEOUT_S, MHD_OPTION_END);
    if (s->daemon == NULL) {
        close(fd);
        free(s);
        return error_system(err, -EIO, "libmicrohttpd would not start");
    }
    const union MHD_DaemonInfo *info = MHD_get_daemon_info(s->daemon, MHD_DAEMON_INFO_EPOLL_FD);
    s->epoll_fd = info->epoll_fd;
    uv_poll_init(loop, &s->poll, s->epoll_fd);
    uv_timer_init(loop, &s->timer);
    uv_timer_init(loop, &s->grace);
    uv_idle_init(loop, &s->soon);
    s->poll.data = s->timer.data = s->grace.data = s->soon.data = s;
    s->handles_open = 4;
    uv_poll_start(&s->poll, UV_READABLE, on_readable);
    kick(s);
    *server = s;
    return 0;
}

const union address *http_address(const struct http_server *server) {
    return &server->address;
}

// A client that takes a long answer slowly has more than one grace; one that dribbles its request
// has not.
static void on_grace_over(uv_timer_t *timer) {
    struct http_server *s = timer->data;
    if (s->answered > 0 && ++s->graces < HTTP_CLOSE_GRACES) {
        uv_timer_start(timer, on_grace_over, HTTP_CLOSE_GRACE_MS, 0);
        return;
    }
    s->force_close = true;
    kick(s);
}

void http_close(struct http_server *s, http_closed done, void *arg) {
    s->done = done;
    s->done_arg = arg;
    s->closing = true;
    http_stream_end_waiting(s);
    int fd = MHD_quiesce_daemon(s->daemon);
    if (fd >= 0) close(fd);
    uv_timer_start(&s->grace, on_grace_over, HTTP_CLOSE_GRACE_MS, 0);
    kick(s);
}

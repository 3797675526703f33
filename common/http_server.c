// The loop's side: libmicrohttpd reads, parses and writes; libuv says when. The daemon keeps an
// epoll descriptor of its own, which is readable when MHD_run has work; a timer covers what
// MHD_get_timeout announces, and the turn that MHD needs after a suspended connection is resumed.
//
// Everything happens in run(): streams get their next pieces, then MHD has its turn. What is asked
// for meanwhile (a kick) happens in the loop's next turn, so that nobody holds it up.
#include "common/http_internal.h"

#include "common/count.h"
#include "common/http_tls.h"
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

static void handle_closed(struct http_server *s) {
    if (--s->handles_open > 0) return;
    http_closed done = s->done;
    void *arg = s->done_arg;
    http_tls_free(s->tls);
    free(s->by_fd);
    free(s);
    done(arg);
}

static void on_handle_closed(uv_handle_t *handle) {
    handle_closed(handle->data);
}

static void stop(struct http_server *s) {
    s->stopped = true;
    uv_poll_stop(&s->poll); // before the daemon closes the descriptor
    http_close_ours(s);
    MHD_stop_daemon(s->daemon);
    uv_close((uv_handle_t *)&s->accept, on_handle_closed);
    uv_close((uv_handle_t *)&s->look, on_handle_closed);
    uv_close((uv_handle_t *)&s->poll, on_handle_closed);
    uv_close((uv_handle_t *)&s->timer, on_handle_closed);
    uv_close((uv_handle_t *)&s->soon, on_handle_closed);
    uv_close((uv_handle_t *)&s->grace, on_handle_closed);
}

// libmicrohttpd 0.9.75 takes a connection in the midst of its handshake for ready, and would run
// again and again until its client goes on. That it has done so is seen at the epoll descriptor;
// and whatever else is ready has a tenth of the time.
static MHD_UNSIGNED_LONG_LONG pause_ms(uint64_t took_ns) {
    enum { NS_A_MS = 1000000, SHARE = 10, LONGEST_MS = 50 };
    const uint64_t ms = 2 + took_ns * (SHARE - 1) / NS_A_MS;
    return ms < LONGEST_MS ? ms : LONGEST_MS;
}

static void run(struct http_server *s) {
    if (s->stopped) return;
    s->running = true;
    s->kicked = false;
    s->handshakes = 0;
    http_stream_pieces(s);
    http_tls_serving(s->tls);
    const uint64_t begun_ns = uv_hrtime();
    http_reads(s);
    MHD_run(s->daemon);
    http_reads(NULL);
    const uint64_t took_ns = uv_hrtime() - begun_ns;
    s->running = false;
    bool idle = s->requests == 0 && s->ours == 0;
    if (s->closing && (idle || (s->force_close && s->suspended == 0))) {
        stop(s);
        return;
    }
    MHD_UNSIGNED_LONG_LONG ms = 0;
    bool timed = MHD_get_timeout(s->daemon, &ms) == MHD_YES;
    uv_timer_stop(&s->timer);
    if (timed && ms == 0 && s->securing > 0) ms = pause_ms(took_ns);
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
    if (!s->running) http_accept_due(s);
    if (!s->running && (s->kicked || poll(&readable, 1, 0) == 1)) run(s);
}

// MHD tells of every client that hangs up; nobody needs to read that.
static void ignore_message(void *arg, const char *format, va_list args) {
    (void)arg;
    (void)format;
    (void)args;
}

// --- start and stop

static struct MHD_Daemon *start_daemon(struct http_server *s) {
    unsigned flags =
        MHD_USE_EPOLL | MHD_USE_NO_LISTEN_SOCKET | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG;
    struct MHD_OptionItem tls[] = {
        {MHD_OPTION_HTTPS_CERT_CALLBACK, 0, (void *)(intptr_t)http_tls_certificate},
        {MHD_OPTION_HTTPS_PRIORITIES, 0, http_tls_priorities},
        {MHD_OPTION_END, 0, NULL},
    };
    if (s->tls != NULL) flags |= MHD_USE_TLS;
    return MHD_start_daemon(
        flags, 0, NULL, NULL, http_on_access, s, MHD_OPTION_EXTERNAL_LOGGER, ignore_message, NULL,
        MHD_OPTION_URI_LOG_CALLBACK, http_on_request_line, s, MHD_OPTION_NOTIFY_COMPLETED,
        http_on_completed, s, MHD_OPTION_NOTIFY_CONNECTION, http_on_connection, s,
        MHD_OPTION_CONNECTION_LIMIT, (unsigned)(2 * s->limits.connections), // some are ending
        MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)((s->limits.idle_ms + 999) / 1000),
        MHD_OPTION_ARRAY, s->tls == NULL ? tls + COUNT(tls) - 1 : tls, MHD_OPTION_END);
}

int http_start(struct http_server **server, uv_loop_t *loop, const struct http_config *config,
               struct error *err) {
    struct http_server *s = mem_zalloc(sizeof *s);
    s->routes = config->routes;
    s->limits = http_limits_or_default(config->limits);
    s->app = config->app;
    s->address = config->listen;
    s->tls = config->tls;
    s->last = &s->due;
    s->kick = kick;
    s->handle_closed = handle_closed;
    s->loop = loop;
    int rc = http_listen(s, err);
    if (rc != 0) {
        free(s);
        return rc;
    }
    s->daemon = start_daemon(s);
    if (s->daemon == NULL) {
        close(s->listen_fd);
        free(s);
        return error_system(err, -EIO, "libmicrohttpd would not start");
    }
    const union MHD_DaemonInfo *info = MHD_get_daemon_info(s->daemon, MHD_DAEMON_INFO_EPOLL_FD);
    s->epoll_fd = info->epoll_fd;
    uv_poll_init(loop, &s->poll, s->epoll_fd);
    uv_timer_init(loop, &s->timer);
    uv_timer_init(loop, &s->grace);
    uv_idle_init(loop, &s->soon);
    uv_timer_init(loop, &s->look);
    uv_poll_init(loop, &s->accept, s->listen_fd);
    s->poll.data = s->timer.data = s->grace.data = s->soon.data = s->look.data = s->accept.data = s;
    s->handles_open = 6;
    uv_poll_start(&s->poll, UV_READABLE, on_readable);
    http_start_accepting(s);
    kick(s);
    *server = s;
    return 0;
}

void http_set_tls(struct http_server *s, struct http_tls *tls) {
    s->tls = http_tls_before(tls, s->tls);
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
    http_stop_listening(s);
    uv_timer_start(&s->grace, on_grace_over, HTTP_CLOSE_GRACE_MS, 0);
    kick(s);
}

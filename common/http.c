// libmicrohttpd reads, parses and writes; libuv says when. The daemon keeps an epoll descriptor of
// its own, which is readable when MHD_run has work; a timer covers what MHD_get_timeout announces
// and the turn that MHD needs after a suspended connection is resumed.
//
// A request lives from the moment its request line is read until MHD says that it is completed. Its
// handler may answer at once, or later: then the connection is suspended meanwhile.
#include "common/http.h"

#include "common/buf.h"
#include "common/json.h"
#include "common/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <microhttpd.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { BACKLOG = 4096 };

struct http_server {
    struct MHD_Daemon *daemon;
    const struct http_routes *routes;
    void *app;
    union address address;
    int epoll_fd; // the daemon's
    uv_poll_t poll;
    uv_timer_t timer;   // when MHD wants to run next
    uv_idle_t soon;     // where that is at once: a timer of 0 ms would run before all other input
    uv_timer_t grace;   // while closing
    unsigned requests;  // read at least in part, and not completed
    unsigned suspended; // of them, those that await their answer: MHD must not be stopped
    unsigned answered;  // of them, those whose answer is being delivered
    unsigned graces;    // that have passed while closing
    unsigned handles_open;
    bool running; // inside of MHD_run
    bool kicked;  // MHD_run is due again
    bool closing, force_close, stopped;
    http_closed done;
    void *done_arg;
};

struct http_request {
    struct http_server *server;
    struct MHD_Connection *connection;
    char *uri; // as on the request line, with its query
    char *origin;
    struct http_match match;
    struct buf body;
    struct buf accept; // the Accept headers, once a handler has asked for them
    bool varies;       // by them
    size_t body_seen;  // bytes, kept or dropped
    bool begun, dispatched, suspended, queued;
    struct MHD_Response *response;
    int status;
};

// --- the loop

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

// --- answers

static void add_header(struct http_request *r, const char *name, const char *value) {
    MHD_add_response_header(r->response, name, value);
}

static void respond(struct http_request *r, int status, const char *content_type, char *body,
                    size_t len) {
    r->status = status;
    r->response = MHD_create_response_from_buffer(len, body, MHD_RESPMEM_MUST_FREE);
    if (r->response == NULL) abort(); // it only allocates
    if (content_type != NULL) add_header(r, MHD_HTTP_HEADER_CONTENT_TYPE, content_type);
    add_header(r, MHD_HTTP_HEADER_VARY, r->varies ? "Origin, Accept" : "Origin");
    if (r->match.origin_allowed) add_header(r, "Access-Control-Allow-Origin", r->origin);
}

// Hands the answer over: MHD calls access_handler again, which queues it.
static void resume(struct http_request *r) {
    if (!r->suspended) return;
    r->suspended = false;
    r->server->suspended--;
    MHD_resume_connection(r->connection);
    kick(r->server);
}

void http_answer(struct http_request *r, int status, const char *content_type, char *body,
                 size_t len) {
    respond(r, status, content_type, body, len);
    resume(r);
}

void http_answer_json(struct http_request *r, int status, cJSON *json) {
    struct buf body = {.data = cJSON_PrintUnformatted(json)};
    cJSON_Delete(json);
    body.len = strlen(body.data);
    body.cap = body.len + 1;
    buf_adds(&body, "\n"); // so that a shell prompt does not stick to it
    size_t len = body.len;
    http_answer(r, status, "application/json", buf_take(&body), len);
}

void http_answer_empty(struct http_request *r, int status) {
    http_answer(r, status, NULL, mem_strdup(""), 0);
}

static void problem(struct http_request *r, int status, const char *field, const char *detail) {
    char *body = http_problem_json(status, field, detail);
    respond(r, status, "application/problem+json", body, strlen(body));
}

void http_answer_problem(struct http_request *r, int status, const char *field, const char *format,
                         ...) {
    char detail[1024];
    va_list args;
    va_start(args, format);
    vsnprintf(detail, sizeof detail, format, args);
    va_end(args);
    problem(r, status, field, detail);
    resume(r);
}

// --- requests

const char *http_path(const struct http_request *r) {
    return r->match.route->path;
}

const char *http_param(const struct http_request *r) {
    return r->match.param;
}

const char *http_query(const struct http_request *r, const char *name) {
    return MHD_lookup_connection_value(r->connection, MHD_GET_ARGUMENT_KIND, name);
}

const char *http_header(const struct http_request *r, const char *name) {
    return MHD_lookup_connection_value(r->connection, MHD_HEADER_KIND, name);
}

static enum MHD_Result add_accept(void *arg, enum MHD_ValueKind kind, const char *name,
                                  const char *value) {
    struct buf *accept = arg;
    (void)kind;
    if (value == NULL || strcasecmp(name, "Accept") != 0) return MHD_YES;
    if (accept->len > 0) buf_adds(accept, ", ");
    buf_adds(accept, value);
    return MHD_YES;
}

const char *http_accept(struct http_request *r) {
    r->varies = true;
    buf_clear(&r->accept);
    MHD_get_connection_values(r->connection, MHD_HEADER_KIND, add_accept, &r->accept);
    return r->accept.len == 0 ? NULL : r->accept.data;
}

const char *http_body(const struct http_request *r, size_t *len) {
    *len = r->body.len;
    return r->body.len == 0 ? "" : r->body.data;
}

cJSON *http_json_body(struct http_request *r) {
    const char *type = http_header(r, "Content-Type");
    if ((type != NULL || r->body.len > 0) && (type == NULL || !http_is_json(type))) {
        http_answer_problem(r, 415, NULL,
                            "the body must be sent with Content-Type: application/json, not %.100s",
                            type == NULL ? "without one" : type);
        return NULL;
    }
    cJSON *json = NULL;
    struct error err;
    if (json_parse(r->body.len == 0 ? "" : r->body.data, r->body.len, &json, &err) != 0)
        http_answer_problem(r, 400, NULL, "the body: %s", err.text);
    return json;
}

static void answer_not_found(struct http_request *r, const char *path) {
    char detail[400];
    const char *near = http_nearest_path(r->server->routes, path);
    snprintf(detail, sizeof detail, "there is nothing at %.200s%s%s%s", path,
             near == NULL ? "" : "; did you mean ", near == NULL ? "" : near,
             near == NULL ? "" : "?");
    problem(r, 404, NULL, detail);
}

static void answer_add_slash(struct http_request *r) {
    struct buf location = {0};
    size_t path_len = strcspn(r->uri, "?");
    buf_add(&location, r->uri, path_len);
    buf_adds(&location, "/");
    buf_adds(&location, r->uri + path_len);
    respond(r, 308, NULL, mem_strdup(""), 0);
    add_header(r, MHD_HTTP_HEADER_LOCATION, location.data);
    buf_deinit(&location);
}

static void answer_preflight(struct http_request *r) {
    respond(r, 204, NULL, mem_strdup(""), 0);
    add_header(r, MHD_HTTP_HEADER_ALLOW, r->match.allow);
    if (!r->match.origin_allowed) return;
    add_header(r, "Access-Control-Allow-Methods", r->match.allow);
    add_header(r, "Access-Control-Allow-Headers", "Content-Type");
}

static void dispatch(struct http_request *r, const char *method, const char *path) {
    char detail[256];
    switch (r->match.verdict) {
    case HTTP_NOT_FOUND:
        answer_not_found(r, path);
        return;
    case HTTP_ADD_SLASH:
        answer_add_slash(r);
        return;
    case HTTP_WRONG_METHOD:
        snprintf(detail, sizeof detail, "%.40s is not allowed at %.100s; allowed: %s", method, path,
                 r->match.allow);
        problem(r, 405, NULL, detail);
        add_header(r, MHD_HTTP_HEADER_ALLOW, r->match.allow);
        return;
    case HTTP_FOREIGN_ORIGIN:
        snprintf(detail, sizeof detail, "pages of %.100s may not change anything here", r->origin);
        problem(r, 403, NULL, detail);
        return;
    case HTTP_PREFLIGHT:
        answer_preflight(r);
        return;
    case HTTP_ROUTED:
        break;
    }
    if (r->body_seen > HTTP_BODY_MAX) {
        snprintf(detail, sizeof detail, "the body may have %d bytes at most", HTTP_BODY_MAX);
        problem(r, 413, NULL, detail);
        return;
    }
    r->match.route->handle(r->server->app, r);
}

static enum MHD_Result queue(struct http_request *r) {
    r->queued = true;
    r->server->answered++;
    enum MHD_Result rc = MHD_queue_response(r->connection, (unsigned)r->status, r->response);
    MHD_destroy_response(r->response);
    r->response = NULL;
    return rc;
}

static void begin(struct http_request *r, struct MHD_Connection *connection, const char *method,
                  const char *path) {
    r->begun = true;
    r->connection = connection;
    const char *origin = http_header(r, "Origin");
    if (origin != NULL) r->origin = mem_strdup(origin);
    http_match(r->server->routes, method, path, r->origin, &r->match);
}

static enum MHD_Result take_body(struct http_request *r, const char *data, size_t *len) {
    r->body_seen += *len;
    if (r->body_seen > HTTP_DROP_MAX) return MHD_NO;
    if (r->body_seen <= HTTP_BODY_MAX)
        buf_add(&r->body, data, *len);
    else
        buf_deinit(&r->body);
    *len = 0;
    return MHD_YES;
}

static enum MHD_Result access_handler(void *app, struct MHD_Connection *connection,
                                      const char *path, const char *method, const char *version,
                                      const char *data, size_t *len, void **context) {
    (void)app;
    (void)version;
    struct http_request *r = *context;
    if (!r->begun) {
        begin(r, connection, method, path);
        return MHD_YES;
    }
    if (*len > 0) return take_body(r, data, len);
    if (!r->dispatched) {
        r->dispatched = true;
        dispatch(r, method, path);
    }
    if (r->response != NULL) return queue(r);
    r->suspended = true;
    r->server->suspended++;
    MHD_suspend_connection(connection);
    return MHD_YES;
}

static void *on_request_line(void *server, const char *uri, struct MHD_Connection *connection) {
    (void)connection;
    struct http_request *r = mem_zalloc(sizeof *r);
    r->server = server;
    r->server->requests++;
    r->uri = mem_strdup(uri);
    return r;
}

static void on_completed(void *server, struct MHD_Connection *connection, void **context,
                         enum MHD_RequestTerminationCode why) {
    (void)connection;
    (void)why;
    struct http_request *r = *context;
    struct http_server *s = server;
    if (r == NULL) return;
    *context = NULL;
    if (r->response != NULL) MHD_destroy_response(r->response);
    if (r->queued) s->answered--;
    buf_deinit(&r->body);
    free(r->origin);
    free(r->uri);
    buf_deinit(&r->accept);
    free(r);
    s->requests--;
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
    int fd = listen_on(&s->address, err);
    if (fd < 0) {
        free(s);
        return fd;
    }
    unsigned flags = MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG;
    if (s->address.any.sa_family == AF_INET6) flags |= MHD_USE_IPv6;
    s->daemon = MHD_start_daemon(
        flags, 0, NULL, NULL, access_handler, s, MHD_OPTION_EXTERNAL_LOGGER, ignore_message, NULL,
        MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_URI_LOG_CALLBACK, on_request_line, s,
        MHD_OPTION_NOTIFY_COMPLETED, on_completed, s, MHD_OPTION_CONNECTION_LIMIT,
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
    int fd = MHD_quiesce_daemon(s->daemon);
    if (fd >= 0) close(fd);
    uv_timer_start(&s->grace, on_grace_over, HTTP_CLOSE_GRACE_MS, 0);
    kick(s);
}

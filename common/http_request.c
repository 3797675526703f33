// One request, from its line to its answer. It lives from the moment its request line is read until
// MHD says that it is completed:
//
//      begin -> take_body... -> dispatch -> the route's handler -> answer -> queue -> completed
//
// The handler may answer at once, or later: then the connection is suspended until it does. A body
// that is too long is read all the same and dropped, for a client that is still sending does not
// read the refusal. What is refused and why is http_route.h's to say.
#include "common/http_internal.h"

#include "common/http_head.h"
#include "common/http_host.h"
#include "common/json.h"
#include "common/mem.h"
#include "common/secret.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

enum {
    QUERY_MAX = 16, // parameters of which none may come twice
};

// --- answers

static void add_header(struct http_request *r, const char *name, const char *value) {
    MHD_add_response_header(r->response, name, value);
}

void http_respond(struct http_request *r, int status, const char *content_type,
                  struct MHD_Response *response) {
    r->status = status;
    r->response = response;
    if (r->changes && r->server->routes->changed != NULL)
        r->server->routes->changed(r->server->app, r, status);
    r->changes = false;
    add_header(r, "X-Content-Type-Options", "nosniff");
    add_header(r, "Cross-Origin-Resource-Policy", "same-origin"); // to what asks without CORS
    if (content_type != NULL) add_header(r, MHD_HTTP_HEADER_CONTENT_TYPE, content_type);
    add_header(r, MHD_HTTP_HEADER_VARY, r->varies ? "Origin, Accept" : "Origin");
    if (r->match.origin_allowed) {
        add_header(r, "Access-Control-Allow-Origin", r->origin);
        add_header(r, "Access-Control-Expose-Headers", "Location, Preference-Applied, Retry-After");
    }
    for (size_t at = 0; at < r->added.len;) {
        const char *name = r->added.data + at, *value = name + strlen(name) + 1;
        add_header(r, name, value);
        at += strlen(name) + strlen(value) + 2;
    }
}

void http_answer_header(struct http_request *r, const char *name, const char *value) {
    buf_add(&r->added, name, strlen(name) + 1);
    buf_add(&r->added, value, strlen(value) + 1);
}

static void respond(struct http_request *r, int status, const char *content_type, char *body,
                    size_t len) {
    struct MHD_Response *response =
        MHD_create_response_from_buffer(len, body, MHD_RESPMEM_MUST_FREE);
    if (response == NULL) abort(); // it only allocates
    http_respond(r, status, content_type, response);
}

void http_suspend(struct http_request *r) {
    r->suspended = true;
    r->server->suspended++;
    MHD_suspend_connection(r->connection);
}

// MHD goes on where it was: it calls http_on_access() again, which queues the answer, or asks the
// stream to deliver.
void http_resume(struct http_request *r) {
    if (!r->suspended) return;
    r->suspended = false;
    r->server->suspended--;
    MHD_resume_connection(r->connection);
    r->server->kick(r->server);
}

void http_answer(struct http_request *r, int status, const char *content_type, char *body,
                 size_t len) {
    respond(r, status, content_type, body, len);
    http_resume(r);
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

void http_answer_error(struct http_request *r, int status, const struct error *err) {
    problem(r, status, err->field, err->text);
    http_resume(r);
}

void http_answer_problem(struct http_request *r, int status, const char *format, ...) {
    char detail[1024];
    va_list args;
    va_start(args, format);
    vsnprintf(detail, sizeof detail, format, args);
    va_end(args);
    problem(r, status, "", detail);
    http_resume(r);
}

// --- requests

const void *http_arg(const struct http_request *r) {
    return r->match.route->arg;
}

const char *http_param(const struct http_request *r) {
    return r->match.param;
}

const char *http_query(const struct http_request *r, const char *name) {
    return MHD_lookup_connection_value(r->connection, MHD_GET_ARGUMENT_KIND, name);
}

bool http_has_query(const struct http_request *r, const char *name) {
    const char *value;
    size_t len;
    return MHD_lookup_connection_value_n(r->connection, MHD_GET_ARGUMENT_KIND, name, strlen(name),
                                         &value, &len) == MHD_YES;
}

const char *http_who(const struct http_request *r) {
    return r->who;
}

const char *http_from(const struct http_request *r) {
    return r->on->from;
}

const char *http_target(const struct http_request *r) {
    return r->uri;
}

const char *http_method(const struct http_request *r) {
    return r->method;
}

bool http_is_known(const struct http_request *r) {
    return r->server->routes->guard == NULL || r->who != NULL;
}

bool http_was_handled(const struct http_request *r) {
    return r->handled;
}

const char *http_answered_header(const struct http_request *r, const char *name) {
    for (size_t at = 0; at < r->added.len;) {
        const char *there = r->added.data + at, *value = there + strlen(there) + 1;
        if (strcasecmp(there, name) == 0) return value;
        at += strlen(there) + strlen(value) + 2;
    }
    return NULL;
}

void http_told(struct http_request *r) {
    r->changes = false;
}

bool http_is_trusted(const struct http_request *r) {
    return http_origin_is_trusted(r->server->routes, r->origin);
}

void http_on_left(struct http_request *r, http_left left, void *arg) {
    r->left = left;
    r->left_arg = arg;
}

const char *http_header(const struct http_request *r, const char *name) {
    return MHD_lookup_connection_value(r->connection, MHD_HEADER_KIND, name);
}

struct header_list {
    const char *name;
    struct buf *out;
};

static enum MHD_Result add_to_list(void *arg, enum MHD_ValueKind kind, const char *name,
                                   const char *value) {
    const struct header_list *list = arg;
    (void)kind;
    if (value == NULL || strcasecmp(name, list->name) != 0) return MHD_YES;
    if (list->out->len > 0) buf_adds(list->out, ", ");
    buf_adds(list->out, value);
    return MHD_YES;
}

static void join_headers(const struct http_request *r, const char *name, struct buf *out) {
    struct header_list list = {name, out};
    MHD_get_connection_values(r->connection, MHD_HEADER_KIND, add_to_list, &list);
}

const char *http_accept(struct http_request *r) {
    r->varies = true;
    buf_clear(&r->accept);
    join_headers(r, "Accept", &r->accept);
    return r->accept.len == 0 ? NULL : r->accept.data;
}

char *http_header_list(const struct http_request *r, const char *name) {
    struct buf list = {0};
    if (http_header(r, name) == NULL) return NULL;
    join_headers(r, name, &list);
    return buf_take(&list);
}

const char *http_body(const struct http_request *r, size_t *len) {
    *len = r->body.len;
    return r->body.len == 0 ? "" : r->body.data;
}

cJSON *http_json_body(struct http_request *r) {
    const char *type = http_header(r, "Content-Type");
    char *coding = http_header_list(r, "Content-Encoding");
    const bool is_coded = coding != NULL && strcasecmp(coding, "identity") != 0;
    if (is_coded)
        http_answer_problem(r, 415, "the body must be sent as it is, not with %.100s as its coding",
                            coding);
    free(coding);
    if (is_coded) return NULL;
    if ((type != NULL || r->body.len > 0) && (type == NULL || !http_is_json(type))) {
        http_answer_problem(r, 415,
                            "the body must be sent with Content-Type: application/json, not %.100s",
                            type == NULL ? "without one" : type);
        return NULL;
    }
    cJSON *json = NULL;
    struct error err;
    if (json_parse(r->body.len == 0 ? "" : r->body.data, r->body.len, &json, &err) != 0) {
        error_from(&err, "the body");
        http_answer_error(r, 400, &err);
    }
    return json;
}

static void answer_not_found(struct http_request *r, const char *path) {
    char detail[400];
    const char *near = http_nearest_path(r->server->routes, path);
    snprintf(detail, sizeof detail, "there is nothing at %.200s%s%s%s", path,
             near == NULL ? "" : "; did you mean ", near == NULL ? "" : near,
             near == NULL ? "" : "?");
    problem(r, 404, "", detail);
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

static void answer_foreign(struct http_request *r) {
    const char *host, *header = http_header(r, "Host");
    size_t len;
    char detail[400];
    http_target_path(r->uri, &host, &len);
    if (host == NULL) len = strlen(host = header == NULL ? "" : header);
    if (len == 0) len = strlen(host = "an empty one");
    snprintf(detail, sizeof detail,
             "%.*s is no name of this service; if it is one, start it with --host-name and this "
             "name",
             len < 200 ? (int)len : 200, host);
    problem(r, 421, "Host", detail);
}

static void answer_busy(struct http_request *r, const char *detail) {
    problem(r, 503, "", detail);
    add_header(r, MHD_HTTP_HEADER_RETRY_AFTER, "1");
}

static void answer_preflight(struct http_request *r) {
    respond(r, 204, NULL, mem_strdup(""), 0);
    add_header(r, MHD_HTTP_HEADER_ALLOW, r->match.allow);
    if (!r->match.origin_allowed) return;
    add_header(r, "Access-Control-Allow-Methods", r->match.allow);
    add_header(r, "Access-Control-Allow-Headers",
               "Authorization, Content-Type, Idempotency-Key, Last-Event-ID, Prefer");
}

// RFC 6750, section 3: what the client can do about it is in the challenge.
static void answer_not_admitted(struct http_request *r) {
    static const struct {
        int status;
        const char *attributes, *detail;
    } answers[] = {
        [HTTP_NO_TOKEN] = {401, "", "say who asks: Authorization: Bearer TOKEN"},
        [HTTP_MALFORMED] = {400, ", error=\"invalid_request\"",
                            "expected one header Authorization: Bearer TOKEN"},
        [HTTP_WRONG_TOKEN] =
            {401, ", error=\"invalid_token\"",
             "nobody has this token: orchestrator token makes one, and SIGHUP has the "
             "service read it"},
        [HTTP_FORBIDDEN] = {403, ", error=\"insufficient_scope\", scope=\"operate\"",
                            "this token is for reading alone: ask for one with the role operate"},
    };
    struct buf challenge = {0};
    buf_addf(&challenge, "Bearer realm=\"%s\"%s", r->server->routes->guard->realm,
             answers[r->admission].attributes);
    problem(r, answers[r->admission].status, "Authorization", answers[r->admission].detail);
    add_header(r, MHD_HTTP_HEADER_WWW_AUTHENTICATE, challenge.data);
    buf_deinit(&challenge);
}

// What is wrong with the query, where anything is: a handler must not see half of what was meant.
struct query_check {
    const struct http_route *route;
    const char *seen[QUERY_MAX];
    size_t count;
    char name[100], detail[HTTP_QUERY_DETAIL_MAX];
    bool wrong;
};

static enum MHD_Result check_parameter(void *arg, enum MHD_ValueKind kind, const char *name,
                                       size_t name_len, const char *value, size_t value_len) {
    struct query_check *q = arg;
    (void)kind;
    q->wrong = true;
    snprintf(q->name, sizeof q->name, "%s", name);
    if (strlen(name) != name_len || (value != NULL && strlen(value) != value_len)) {
        snprintf(q->detail, sizeof q->detail, "%s: a NUL (%%00) is no part of a query", q->name);
        return MHD_NO;
    }
    if (!http_takes_query(q->route, name, q->detail)) return MHD_NO;
    for (size_t i = 0; i < q->count; i++)
        if (strcmp(q->seen[i], name) == 0) {
            snprintf(q->detail, sizeof q->detail, "%s: given twice", q->name);
            return MHD_NO;
        }
    if (q->count < QUERY_MAX) q->seen[q->count++] = name;
    q->wrong = false;
    return MHD_YES;
}

// False: the request is answered.
static bool query_is_right(struct http_request *r) {
    struct query_check q = {.route = r->match.route};
    if (q.route->query == http_any_query) return true;
    MHD_get_connection_values_n(r->connection, MHD_GET_ARGUMENT_KIND, check_parameter, &q);
    if (q.wrong) problem(r, 400, q.name, q.detail);
    return !q.wrong;
}

// The guard is asked before the body comes: that of one who is not admitted is not kept.
static enum http_admission ask_guard(struct http_request *r) {
    const struct http_guard *guard = r->server->routes->guard;
    if (guard == NULL || r->match.verdict != HTTP_ROUTED) return HTTP_ADMITTED;
    const char *who = NULL;
    char *authorization = http_header_list(r, MHD_HTTP_HEADER_AUTHORIZATION);
    enum http_admission admission =
        guard->admit(guard->arg, authorization, r->match.route->method != HTTP_GET, &who);
    free(r->who);
    r->who = who == NULL ? NULL : mem_strdup(who);
    if (r->match.route->open) admission = HTTP_ADMITTED; // whoever it is
    if (authorization != NULL) secret_free(authorization);
    return admission;
}

static void dispatch(struct http_request *r, const char *method, const char *path) {
    const struct http_limits *limits = &r->server->limits;
    char detail[256];
    const char *nul = strstr(r->uri, "%00");
    if (nul != NULL && (size_t)(nul - r->uri) < strcspn(r->uri, "?")) {
        problem(r, 400, "", "the path has a NUL (%00), at which it would be cut");
        return;
    }
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
        problem(r, 405, "", detail);
        add_header(r, MHD_HTTP_HEADER_ALLOW, r->match.allow);
        return;
    case HTTP_FOREIGN_ORIGIN:
        snprintf(detail, sizeof detail, "pages of %.100s may not change anything here", r->origin);
        problem(r, 403, "", detail);
        return;
    case HTTP_FOREIGN_SITE:
        problem(r, 403, "Sec-Fetch-Site", "pages of other sites may not change anything here");
        return;
    case HTTP_PREFLIGHT:
        answer_preflight(r);
        return;
    case HTTP_ROUTED:
        break;
    }
    if (r->admission == HTTP_ADMITTED) r->admission = ask_guard(r); // while the body came it may
    if (r->admission != HTTP_ADMITTED) {                            // have changed
        answer_not_admitted(r);
        return;
    }
    if (r->body_seen > limits->body) {
        snprintf(detail, sizeof detail, "the body may have %" PRIu64 " bytes at most",
                 limits->body);
        problem(r, 413, "", detail);
        return;
    }
    if (r->crowded) {
        answer_busy(r, "the bodies of other requests take all the room there is for them");
        return;
    }
    if (!query_is_right(r)) return;
    if (r->foreign) {
        answer_foreign(r);
        return;
    }
    if (!r->match.route->vital) {
        if (r->server->answering >= limits->answering) {
            answer_busy(r, "too many requests await their answer");
            return;
        }
        r->counted = true;
        r->server->answering++;
    }
    r->handled = true;
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

static bool is_foreign(const struct http_request *r) {
    const struct http_routes *routes = r->server->routes;
    const char *host, *header = http_header(r, "Host");
    size_t len;
    http_target_path(r->uri, &host, &len);
    if (host == NULL && header == NULL) return false; // HTTP/1.0
    if (host == NULL) len = strlen(host = header);
    char address[ADDRESS_TEXT_MAX];
    address_format_host(&r->server->address, address);
    if (http_host_is_ours(host, len, address, routes->hosts)) return false;
    union address local = {0};
    socklen_t local_len = sizeof local;
    if (getsockname(r->on->fd, &local.any, &local_len) != 0) return true;
    address_format_host(&local, address);
    return !http_host_is_ours(host, len, address, NULL);
}

static bool is_changing(const char *method) {
    return strcmp(method, "GET") != 0 && strcmp(method, "HEAD") != 0 &&
           strcmp(method, "OPTIONS") != 0;
}

static void begin(struct http_request *r, struct MHD_Connection *connection, const char *method,
                  const char *path) {
    r->begun = true;
    http_progress(r->on, HTTP_READING, r->server->limits.body_ms);
    r->connection = connection;
    r->head = strcmp(method, "HEAD") == 0;
    const char *origin = http_header(r, "Origin");
    if (origin != NULL) r->origin = mem_strdup(origin);
    const struct http_ask ask = {.method = method,
                                 .path = path,
                                 .origin = r->origin,
                                 .fetch_site = http_header(r, "Sec-Fetch-Site")};
    http_match(r->server->routes, &ask, &r->match);
    r->method = mem_strdup(method);
    r->changes = is_changing(method);
    r->admission = ask_guard(r);
    r->foreign = is_foreign(r);
}

// Bytes that this body holds count for all bodies.
static void drop_body(struct http_request *r) {
    r->server->bodies -= r->body.cap;
    buf_deinit(&r->body);
}

static void keep_body(struct http_request *r, const char *data, size_t len) {
    struct http_server *s = r->server;
    s->bodies -= r->body.cap;
    buf_add(&r->body, data, len);
    s->bodies += r->body.cap;
    r->crowded = s->bodies > s->limits.bodies;
}

static enum MHD_Result take_body(struct http_request *r, const char *data, size_t *len) {
    r->body_seen += *len;
    if (r->body_seen > HTTP_DROP_MAX) return MHD_NO;
    const uint64_t max = r->server->limits.body;
    if (r->body_seen <= max && !r->crowded && r->admission == HTTP_ADMITTED)
        keep_body(r, data, *len);
    if (r->body_seen > max || r->crowded) drop_body(r);
    r->on->due_ms += *len; // 1000 ms for 1000 bytes
    *len = 0;
    return MHD_YES;
}

enum MHD_Result http_on_access(void *server, struct MHD_Connection *connection, const char *path,
                               const char *method, const char *version, const char *data,
                               size_t *len, void **context) {
    (void)server;
    (void)version;
    struct http_request *r = *context;
    const char *host;
    size_t host_len;
    path = http_target_path(path, &host, &host_len);
    if (!r->begun) {
        begin(r, connection, method, path);
        return MHD_YES;
    }
    if (*len > 0) return take_body(r, data, len);
    if (!r->dispatched) {
        r->dispatched = true;
        http_progress(r->on, HTTP_ANSWERING, 0);
        dispatch(r, method, path);
    }
    if (r->response != NULL) return queue(r);
    http_suspend(r);
    return MHD_YES;
}

void *http_on_request_line(void *server, const char *uri, struct MHD_Connection *connection) {
    struct http_request *r = mem_zalloc(sizeof *r);
    r->server = server;
    r->server->requests++;
    r->uri = mem_strdup(uri);
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    r->on = info->socket_context;
    r->on->request = r;
    r->on->begun++;
    assert(r->on->begun <= r->on->pass.heads); // all that it reads goes through http_reads.c
    http_secured(r->on);
    http_progress(r->on, HTTP_READING, r->server->limits.head_ms);
    return r;
}

void http_on_completed(void *server, struct MHD_Connection *connection, void **context,
                       enum MHD_RequestTerminationCode why) {
    (void)connection;
    (void)why;
    struct http_request *r = *context;
    struct http_server *s = server;
    if (r == NULL) return;
    *context = NULL;
    if (r->response != NULL) MHD_destroy_response(r->response);
    if (r->queued) s->answered--;
    if (r->stream != NULL) r->stream_free(r->stream);
    if (r->counted) s->answering--;
    r->on->request = NULL;
    // Until the next request begins.
    http_progress(r->on, HTTP_IDLE, s->limits.idle_ms + s->limits.head_ms);
    buf_deinit(&r->accept);
    buf_deinit(&r->added);
    drop_body(r);
    free(r->who);
    free(r->method);
    free(r->origin);
    free(r->uri);
    free(r);
    s->requests--;
}

// An HTTP/1.1 server, with or without TLS, inside a libuv loop: libmicrohttpd's epoll descriptor
// under uv_poll, no thread. What it decides is in http_route.h, http_head.h, http_framing.h,
// http_pass.h and http_host.h; this is the shell: http_server.c has the loop, http_connection.c
// accepts and sees to deadlines, http_reads.c has what libmicrohttpd reads, http_request.c the way
// from a request line to its answer. Answers in pieces are http_stream.h's.
#pragma once

#include "common/address.h"
#include "common/error.h"
#include "common/http_limits.h"
#include "common/http_route.h"

#include <cjson/cJSON.h>
#include <uv.h>

struct http_server;
struct http_tls; // http_tls.h

struct http_config {      // what it points to must live as long as the server
    union address listen; // a port of 0 takes a free one
    const struct http_routes *routes;
    void *app;                        // which every handler gets
    struct http_tls *tls;             // serves https; taken over. NULL: http
    const struct http_limits *limits; // copied; NULL: the defaults
};

// Starts to listen. Fatal errors: negative; then tls is still the caller's.
int http_start(struct http_server **server, uv_loop_t *loop, const struct http_config *config,
               struct error *err);
// Connections that come from now on see this certificate; taken over. Of a server that has one.
void http_set_tls(struct http_server *server, struct http_tls *tls);
const union address *http_address(const struct http_server *server); // with the real port

// Serves what is due now, and does not wait: for a loop that is busy with other work for long.
void http_poll(struct http_server *server);

// Stops to listen, waits until every answer is delivered, frees the server and calls done. Every
// request must have been answered, or be answered soon; a stream that waits is ended.
typedef void (*http_closed)(void *arg);
void http_close(struct http_server *server, http_closed done, void *arg);

// --- within a handler: the request. Strings live until it is answered.

const void *http_arg(const struct http_request *r);                     // its route's arg
const char *http_param(const struct http_request *r);                   // the {parameter}
const char *http_query(const struct http_request *r, const char *name); // decoded; NULL: absent
bool http_has_query(const struct http_request *r, const char *name);    // with a value or without
const char *http_header(const struct http_request *r, const char *name);
// All Accept headers as one (RFC 9110: they are a list), or NULL; the answer then says that it
// varies by them.
const char *http_accept(struct http_request *r);
// All headers of this name as one list, the caller's to free; NULL: there is none.
char *http_header_list(const struct http_request *r, const char *name);
const char *http_body(const struct http_request *r, size_t *len);
const char *http_method(const struct http_request *r);
const char *http_target(const struct http_request *r); // the path and query as they came
const char *http_who(const struct http_request *r);    // who asks; NULL: there is no guard
const char *http_from(const struct http_request *r);   // where it comes from, without the port
// Whether it comes from no web page, or from one that may change something.
bool http_is_trusted(const struct http_request *r);
// Whether who asks may know of the network: there is no guard, or it knows who that is. Of open
// routes.
bool http_is_known(const struct http_request *r);
bool http_was_handled(const struct http_request *r); // a handler has had it
// A header that http_answer_header() has given its answer; NULL: it has not.
const char *http_answered_header(const struct http_request *r, const char *name);
// Its answer is not told to http_routes.changed any more.
void http_told(struct http_request *r);

// Calls left, once, if the client has gone before it got the answer. An answer must be given all
// the same, soon: it frees the connection.
typedef void (*http_left)(void *arg);
void http_on_left(struct http_request *r, http_left left, void *arg);

// The body as JSON, the caller's to delete. NULL: it was refused, and the request is answered.
cJSON *http_json_body(struct http_request *r);

// --- the answer: exactly one, within the handler or any time later, from the loop's thread.

// A header that the answer will have beside those that all have: Location, Retry-After. Called
// before it, as often as is needed; a value that no header can hold is left out.
void http_answer_header(struct http_request *r, const char *name, const char *value);
void http_answer(struct http_request *r, int status, const char *content_type, char *body,
                 size_t len);                                           // body is freed for you
void http_answer_json(struct http_request *r, int status, cJSON *json); // json is deleted for you
void http_answer_empty(struct http_request *r, int status);
// A problem (RFC 9457) in words, or of an error, whose field it names.
void http_answer_problem(struct http_request *r, int status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void http_answer_error(struct http_request *r, int status, const struct error *err);

// The decisions of an HTTP server, without its sockets: which route a request takes, what it may be
// answered with otherwise, and which web pages may make it (CORS).
#pragma once

#include "common/http_host.h"

#include <stdbool.h>
#include <stddef.h>

enum { HTTP_GET = 1, HTTP_POST = 2, HTTP_DELETE = 4, HTTP_OPTIONS = 8 }; // HEAD counts as GET

struct http_request;
typedef void (*http_handler)(void *app, struct http_request *request);

struct http_route {
    unsigned method;
    const char *path; // may hold one parameter: "/devices/{host}/"
    http_handler handle;
    bool any_origin;          // what any web page may read; it never lets one change something
    const void *arg;          // the handler's, who reads it with http_arg(); NULL: it needs none
    const char *const *query; // the parameters that it takes, NULL-terminated; NULL: none
    bool vital;               // answered however many other requests wait: does the service live?
};

extern const char *const http_any_query[]; // of a route whose callers may add their own

struct http_routes {
    const struct http_route *list;
    size_t count;
    const char *const *origins; // allowed beside localhost and 127.0.0.1: "https://noc.example"
    size_t origins_count;
    const struct http_hosts *hosts; // what the service is called beside localhost and its address
};

enum http_verdict {
    HTTP_ROUTED,
    HTTP_NOT_FOUND,
    HTTP_ADD_SLASH,      // 308 to the same path with a slash
    HTTP_WRONG_METHOD,   // 405; allow says which are right
    HTTP_FOREIGN_ORIGIN, // 403: a page of another origin wants to change something
    HTTP_PREFLIGHT,      // an OPTIONS request: 204; allow says which methods there are
};

enum { HTTP_ALLOW_MAX = 64, HTTP_PARAM_MAX = 256 };

struct http_match {
    enum http_verdict verdict;
    const struct http_route *route; // of HTTP_ROUTED
    bool origin_allowed;            // the answer carries Access-Control-Allow-Origin
    char allow[HTTP_ALLOW_MAX];     // "GET, HEAD, OPTIONS"
    char param[HTTP_PARAM_MAX];     // what stood for the {parameter}
};

// method as on the request line, path decoded and without its query, origin the header or NULL.
void http_match(const struct http_routes *routes, const char *method, const char *path,
                const char *origin, struct http_match *match);

// http or https, on localhost or 127.0.0.1, any port.
bool http_origin_is_local(const char *origin);

// "application/json", with or without parameters.
bool http_is_json(const char *content_type);

// The path of the route nearest to one that does not exist, or NULL.
const char *http_nearest_path(const struct http_routes *routes, const char *path);

// A parameter of the query that a route takes. Else detail says which it takes.
enum { HTTP_QUERY_DETAIL_MAX = 400 };
bool http_takes_query(const struct http_route *route, const char *name,
                      char detail[HTTP_QUERY_DETAIL_MAX]);

const char *http_status_text(int status);

// RFC 9457. field is "" where the fault is in none. The answer is the caller's to free.
char *http_problem_json(int status, const char *field, const char *detail);

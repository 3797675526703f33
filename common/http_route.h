// The decisions of an HTTP server, without its sockets: which route a request takes, what it may be
// answered with otherwise, and which web pages may make it (CORS, Fetch Metadata).
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
    bool open;                // answered whoever asks: it says nothing of the network
};

extern const char *const http_any_query[]; // of a route whose callers may add their own

// Whether who asks may do so (RFC 6750).
enum http_admission {
    HTTP_ADMITTED,
    HTTP_NO_TOKEN,    // 401: it does not say who asks
    HTTP_MALFORMED,   // 400: what it says of that cannot be read
    HTTP_WRONG_TOKEN, // 401: nobody has that token
    HTTP_FORBIDDEN,   // 403: who has it may not do this
};

struct http_guard {
    // authorization: the header, NULL: there is none. changes: the request is no GET. *who: the
    // name of who asks, where that is known; it is copied.
    enum http_admission (*admit)(const void *arg, const char *authorization, bool changes,
                                 const char **who);
    const void *arg;
    const char *realm; // for the challenge: "orchestrator"
};

struct http_routes {
    const struct http_route *list;
    size_t count;
    const char *const *origins; // allowed beside localhost and 127.0.0.1: "https://noc.example"
    size_t origins_count;
    const struct http_hosts *hosts; // what the service is called beside localhost and its address
    const struct http_guard *guard; // NULL: whoever reaches the server may do all
    // Told of the answer to each request that would have changed something, right before it is
    // given; NULL: nobody. Not for one for which the handler has called http_told().
    void (*changed)(void *app, struct http_request *request, int status);
};

enum http_verdict {
    HTTP_ROUTED,
    HTTP_NOT_FOUND,
    HTTP_ADD_SLASH,      // 308 to the same path with a slash
    HTTP_WRONG_METHOD,   // 405; allow says which are right
    HTTP_FOREIGN_ORIGIN, // 403: a page of another origin wants to change something
    HTTP_FOREIGN_SITE,   // 403: the same, of a browser that does not say which origin
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

struct http_ask {
    const char *method;     // as on the request line
    const char *path;       // decoded, without its query
    const char *origin;     // the header Origin, or NULL
    const char *fetch_site; // the header Sec-Fetch-Site, or NULL
};

void http_match(const struct http_routes *routes, const struct http_ask *ask,
                struct http_match *match);

// Whether a web page of this origin may change something. NULL, which is no page: yes.
bool http_origin_is_trusted(const struct http_routes *routes, const char *origin);

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

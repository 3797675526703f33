// What an HTTP server takes at most. Pure.
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum {                         // unless struct http_limits says otherwise
    HTTP_HEAD_MAX = 16 * 1024, // bytes of the request line and the headers
    HTTP_TARGET_MAX = 8000,    // of the path and the query (RFC 9112 asks for as many)
    HTTP_HEADERS_MAX = 100,
    HTTP_BODY_MAX = 1 << 20,          // bytes; a longer body is read, dropped and answered 413
    HTTP_BODIES_MAX = 32 << 20,       // bytes of all bodies together; a further one is answered 503
    HTTP_CONNECTIONS_MAX = 1024,      // a further one ends that longest without a whole request
    HTTP_PER_ADDRESS_MAX = 64,        // the same among those of one client's address
    HTTP_ANSWERING_MAX = 1000,        // whole requests; a further one is answered 503, if not vital
    HTTP_IDLE_TIMEOUT_S = 60,         // of a connection that sends nothing and awaits nothing
    HTTP_HEAD_TIMEOUT_MS = 10 * 1000, // until the head of a request is whole
    HTTP_BODY_TIMEOUT_MS = 60 * 1000, // ... and its body: a second more with every KiB
};

enum { // more of these than libmicrohttpd has memory for would get no answer, or one in HTML
    HTTP_PARAMETERS_MAX = 32, // of a query
    HTTP_COOKIES_MAX = 32,
    HTTP_COOKIES_BYTES_MAX = 4096,
};

enum {
    HTTP_DROP_MAX = 64 << 20,       // bytes of a body too long that are read; beyond, it is closed
    HTTP_ANSWERING_ASIDE = 24,      // so many connections have no whole request, at least
    HTTP_SILENT_MS = 5 * 1000,      // a client that has shut its side for so long has gone
    HTTP_CLOSE_GRACE_MS = 5 * 1000, // how long closing waits for a client that says nothing
    HTTP_CLOSE_GRACES = 12          // ... and as many times as long for one that takes its answer
};

struct http_limits { // 0: what is said above
    uint64_t connections, per_address, answering;
    uint64_t head, target, headers;
    uint64_t body, bodies;
    uint64_t head_ms, body_ms, idle_ms;
    bool counts_loopback; // for tests: clients on this machine are counted by their address, too
};

// Puts what is not said in place of each 0; of NULL, of all.
struct http_limits http_limits_or_default(const struct http_limits *limits);

#include "common/http_limits.h"

#include <stddef.h>

static void set(uint64_t *limit, uint64_t standard) {
    if (*limit == 0) *limit = standard;
}

struct http_limits http_limits_or_default(const struct http_limits *limits) {
    struct http_limits l = {0};
    if (limits != NULL) l = *limits;
    set(&l.connections, HTTP_CONNECTIONS_MAX);
    set(&l.per_address, HTTP_PER_ADDRESS_MAX);
    set(&l.answering, HTTP_ANSWERING_MAX);
    set(&l.head, HTTP_HEAD_MAX);
    set(&l.target, HTTP_TARGET_MAX);
    set(&l.headers, HTTP_HEADERS_MAX);
    set(&l.body, HTTP_BODY_MAX);
    set(&l.bodies, HTTP_BODIES_MAX);
    set(&l.head_ms, HTTP_HEAD_TIMEOUT_MS);
    set(&l.body_ms, HTTP_BODY_TIMEOUT_MS);
    set(&l.idle_ms, HTTP_IDLE_TIMEOUT_S * 1000ULL);
    const uint64_t others =
        l.connections > HTTP_ANSWERING_ASIDE ? l.connections - HTTP_ANSWERING_ASIDE : 1;
    if (l.answering > others) l.answering = others;
    return l;
}

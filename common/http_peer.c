#include "common/http_peer.h"

#include <string.h>

enum { NETWORK = 8, V4_AT = 12 }; // bytes

static struct http_peer of_v4(const void *bytes) {
    struct http_peer peer = {.bytes = {[10] = 0xff, [11] = 0xff}};
    memcpy(peer.bytes + V4_AT, bytes, 4);
    peer.is_local = peer.bytes[V4_AT] == 127;
    return peer;
}

struct http_peer http_peer_of(const union address *address) {
    if (address->any.sa_family == AF_INET) return of_v4(&address->v4.sin_addr);
    const struct in6_addr *v6 = &address->v6.sin6_addr;
    if (IN6_IS_ADDR_V4MAPPED(v6)) return of_v4(v6->s6_addr + V4_AT);
    struct http_peer peer = {.is_local = IN6_IS_ADDR_LOOPBACK(v6)};
    memcpy(peer.bytes, v6->s6_addr, NETWORK);
    return peer;
}

bool http_peer_is(const struct http_peer *peer, const struct http_peer *other) {
    return memcmp(peer->bytes, other->bytes, sizeof peer->bytes) == 0;
}

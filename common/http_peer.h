// Whom a connection comes from, for a limit to what one client may take. Of IPv6 that is a network
// of 64 bits, for a client has all addresses of one; an IPv4 address that comes in as IPv6 is an
// IPv4 address. Pure.
#pragma once

#include "common/address.h"

#include <stdbool.h>

struct http_peer {
    unsigned char bytes[16];
    bool is_local; // loopback: this machine itself
};

struct http_peer http_peer_of(const union address *address);
bool http_peer_is(const struct http_peer *peer, const struct http_peer *other);

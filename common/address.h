// Listening and device addresses: "127.0.0.1:5000", "[::1]:5000", "localhost:0".
#pragma once

#include "common/error.h"

#include <netinet/in.h>
#include <stdbool.h>
#include <sys/socket.h>

union address {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
    struct sockaddr_storage storage;
};

// HOST:PORT; a host name is looked up, which may block.
int address_parse(const char *text, union address *a, struct error *err);
unsigned address_port(const union address *a);
void address_set_port(union address *a, unsigned port);
// "127.0.0.1:5000" or "[::1]:5000".
enum { ADDRESS_TEXT_MAX = 64 };
void address_format(const union address *a, char text[ADDRESS_TEXT_MAX]);
// Only the host: "127.0.0.1" or "::1".
void address_format_host(const union address *a, char text[ADDRESS_TEXT_MAX]);
// Whether only this machine can reach it: 127.0.0.0/8 (mapped into IPv6, too), ::1.
bool address_is_loopback(const union address *a);

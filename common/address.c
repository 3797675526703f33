#include "common/address.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int address_parse(const char *text, union address *a, struct error *err) {
    char host[256];
    const char *colon = strrchr(text, ':');
    size_t host_len = colon == NULL ? 0 : (size_t)(colon - text);
    if (host_len == 0 || host_len >= sizeof host)
        return error_set(err, "'%.100s': expected HOST:PORT, such as 127.0.0.1:5000", text);
    const char *digits = colon + 1;
    size_t count = strspn(digits, "0123456789");
    if (count == 0 || count > 5 || digits[count] != '\0' || atoi(digits) > 65535)
        return error_set(err, "'%.100s': the port must be a number from 0 to 65535", text);

    bool bracketed = text[0] == '[' && colon[-1] == ']' && host_len > 2;
    const char *start = text;
    if (bracketed) {
        start++;
        host_len -= 2;
    }
    memcpy(host, start, host_len);
    host[host_len] = '\0';
    if (!bracketed && strchr(host, ':') != NULL)
        return error_set(err, "'%.100s': write an IPv6 address in brackets: [::1]:5000", text);

    struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM}, *found = NULL;
    int rc = getaddrinfo(host, digits, &hints, &found);
    if (rc != 0) return error_set(err, "'%.100s': %s", text, gai_strerror(rc));
    memset(a, 0, sizeof *a);
    memcpy(a, found->ai_addr, found->ai_addrlen);
    freeaddrinfo(found);
    return 0;
}

unsigned address_port(const union address *a) {
    return ntohs(a->any.sa_family == AF_INET6 ? a->v6.sin6_port : a->v4.sin_port);
}

void address_set_port(union address *a, unsigned port) {
    if (a->any.sa_family == AF_INET6)
        a->v6.sin6_port = htons((uint16_t)port);
    else
        a->v4.sin_port = htons((uint16_t)port);
}

void address_format_host(const union address *a, char text[ADDRESS_TEXT_MAX]) {
    const void *host = &a->v4.sin_addr;
    if (a->any.sa_family == AF_INET6) host = &a->v6.sin6_addr;
    if (inet_ntop(a->any.sa_family, host, text, ADDRESS_TEXT_MAX) == NULL)
        snprintf(text, ADDRESS_TEXT_MAX, "?");
}

void address_format(const union address *a, char text[ADDRESS_TEXT_MAX]) {
    char host[ADDRESS_TEXT_MAX];
    address_format_host(a, host);
    if (a->any.sa_family == AF_INET6)
        snprintf(text, ADDRESS_TEXT_MAX, "[%.46s]:%u", host, address_port(a));
    else
        snprintf(text, ADDRESS_TEXT_MAX, "%.46s:%u", host, address_port(a));
}

bool address_is_loopback(const union address *a) {
    enum { LOOPBACK_NET = 127, V4_AT = 12 };
    if (a->any.sa_family == AF_INET) return ntohl(a->v4.sin_addr.s_addr) >> 24 == LOOPBACK_NET;
    const struct in6_addr *v6 = &a->v6.sin6_addr;
    return IN6_IS_ADDR_LOOPBACK(v6) ||
           (IN6_IS_ADDR_V4MAPPED(v6) && v6->s6_addr[V4_AT] == LOOPBACK_NET);
}

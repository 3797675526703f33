#include "common/http_host.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

enum { HOST_MAX = 256 }; // bytes, as of a DNS name

// An IPv4 client of an IPv6 socket.
static const char *without_mapping(const char *address) {
    static const char mapped[] = "::ffff:";
    size_t len = sizeof mapped - 1;
    return strncasecmp(address, mapped, len) == 0 && strchr(address, '.') != NULL ? address + len
                                                                                  : address;
}

static bool is_same(const char *a, const char *b) {
    struct in6_addr first, second;
    a = without_mapping(a);
    b = without_mapping(b);
    if (inet_pton(AF_INET6, a, &first) == 1 && inet_pton(AF_INET6, b, &second) == 1)
        return memcmp(&first, &second, sizeof first) == 0;
    return strcasecmp(a, b) == 0;
}

// The name alone, without port, brackets, and the dot of the root. False: there is none.
static bool cut_name(const char *host, size_t len, char name[HOST_MAX]) {
    const char *port;
    if (len > 0 && host[0] == '[') {
        port = memchr(host, ']', len);
        if (port == NULL) return false;
        snprintf(name, HOST_MAX, "%.*s", (int)(port - host - 1), host + 1);
        port++;
    } else {
        port = memchr(host, ':', len);
        if (port == NULL) port = host + len;
        if (port - host >= HOST_MAX) return false;
        snprintf(name, HOST_MAX, "%.*s", (int)(port - host), host);
        size_t end = strlen(name);
        if (end > 1 && name[end - 1] == '.') name[end - 1] = '\0';
    }
    const char *end = host + len;
    if (port < end && *port++ != ':') return false;
    while (port < end && *port >= '0' && *port <= '9')
        port++;
    return name[0] != '\0' && port == end;
}

bool http_host_is_ours(const char *host, size_t len, const char *address,
                       const struct http_hosts *hosts) {
    char name[HOST_MAX];
    if (!cut_name(host, len, name)) return false;
    if (strcasecmp(name, "localhost") == 0 || is_same(name, address)) return true;
    for (size_t i = 0; hosts != NULL && i < hosts->count; i++)
        if (is_same(name, hosts->names[i])) return true;
    return false;
}

static bool is_name(const char *name) {
    static const char allowed[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._";
    struct in6_addr address;
    size_t len = strlen(name);
    if (inet_pton(AF_INET6, name, &address) == 1) return true;
    return len > 0 && len < HOST_MAX && strspn(name, allowed) == len;
}

int http_hosts_add(struct http_hosts *hosts, const char *name, struct error *err) {
    if (!is_name(name))
        return error_set(err, "'%.100s': expected a name without a port, such as upgrades.example",
                         name);
    if (hosts->count == HTTP_HOSTS_MAX) return error_set(err, "%d names at most", HTTP_HOSTS_MAX);
    hosts->names[hosts->count++] = name;
    return 0;
}

// Whether a request's Host is a name of this service. A web page whose own name was made to lead
// here (DNS rebinding) sends another, and would else be taken for one of ours. Pure.
#pragma once

#include "common/error.h"

#include <stdbool.h>
#include <stddef.h>

enum { HTTP_HOSTS_MAX = 64 };

struct http_hosts { // names, borrowed; zeroed there are none
    const char *names[HTTP_HOSTS_MAX];
    size_t count;
};

// A DNS name or an address, without a port.
int http_hosts_add(struct http_hosts *hosts, const char *name, struct error *err);

// host as in the header or the request's target: "name", "name:5000", "127.0.0.1:5000", "[::1]".
// address: the one at which the request came in. hosts: what else it is called; NULL: nothing.
bool http_host_is_ours(const char *host, size_t len, const char *address,
                       const struct http_hosts *hosts);

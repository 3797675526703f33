// Whether the headers of a request leave no doubt where it ends and to whom it goes: RFC 9112 tells
// a server to refuse the rest, for another reader of the same bytes may see another request. Pure.
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct http_framing { // zeroed: no header was seen yet
    unsigned lengths, codings, hosts;
    const char *wrong; // what is wrong with one of them; NULL: nothing
};

// Takes one header as it came; name and value may hold anything.
void http_framing_take(struct http_framing *f, const char *name, size_t name_len, const char *value,
                       size_t value_len);

// What is wrong with all of them together; NULL: nothing. needs_host: the request is of HTTP/1.1.
const char *http_framing_wrong(const struct http_framing *f, bool needs_host);

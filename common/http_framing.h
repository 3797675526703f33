// Whether the headers of a request leave no doubt where it ends and to whom it goes: RFC 9112 tells
// a server to refuse the rest, for another reader of the same bytes may see another request. Pure.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct http_framing { // zeroed: no header was seen yet
    unsigned lengths, codings, hosts;
    uint64_t length; // what the last Content-Length says
    size_t cookies, cookies_bytes;
    const char *wrong; // what is wrong with one of them; NULL: nothing
};

// Takes one header as it came; the value is free of line ends and NUL.
void http_framing_take(struct http_framing *f, const char *name, size_t name_len, const char *value,
                       size_t value_len);

// What is wrong with all of them together, in a request of HTTP/1.1 or 1.0; NULL: nothing.
const char *http_framing_wrong(const struct http_framing *f, bool is_1_1);

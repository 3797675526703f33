// The head of a request as raw bytes, before libmicrohttpd sees them: whether it is whole, and what
// is wrong with it that libmicrohttpd would answer with a page of its own, or would not see (a
// NUL). What its headers mean together is http_framing.h's. Pure.
#pragma once

#include "common/http_limits.h"

#include <stddef.h>

enum http_head { HTTP_HEAD_PARTIAL, HTTP_HEAD_WHOLE, HTTP_HEAD_WRONG };

struct http_refusal {
    int status;
    char detail[120];
};

struct http_end {    // of a request
    size_t head;     // bytes, with the empty line
    uint64_t length; // of its body, where that is not chunked
    bool is_chunked;
};

// end is set where the head is whole, and may be NULL; refusal where it is wrong. bytes may go on
// behind the head. No limit is 0.
enum http_head http_head_read(const char *bytes, size_t len, const struct http_limits *limits,
                              struct http_end *end, struct http_refusal *refusal);

// The same of the first message of a TLS client (RFC 8446, section 4.1.2), whose work it asks for
// begins once it is whole. Wrong: it speaks HTTP, or nothing that is known.
enum http_head http_hello_read(const char *bytes, size_t len, struct http_refusal *refusal);

// Where the path of a request's target begins, which may be in absolute form ("http://host/path");
// host and host_len: the authority of that, or NULL and 0.
const char *http_target_path(const char *target, const char **host, size_t *host_len);

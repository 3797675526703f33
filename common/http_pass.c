#include "common/http_pass.h"

#include <stdio.h>

enum { SIZE_DIGITS_MAX = 12, LINE_END = 2 };

static uint64_t refuse(struct http_refusal *refusal, int status, const char *detail) {
    refusal->status = status;
    snprintf(refusal->detail, sizeof refusal->detail, "%s", detail);
    return 0;
}

static int digit_of(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

// 0: it is not there as a whole, or wrong.
static uint64_t pass_line_end(struct http_pass *p, enum http_part next, const char *bytes,
                              size_t len, const char *wrong, struct http_refusal *refusal) {
    if (bytes[0] != '\r' || (len > 1 && bytes[1] != '\n')) return refuse(refusal, 400, wrong);
    if (len < LINE_END) return 0;
    p->part = next;
    return LINE_END;
}

static uint64_t pass_size(struct http_pass *p, const char *bytes, size_t len,
                          struct http_refusal *refusal) {
    uint64_t size = 0;
    size_t digits = 0;
    while (digits < len && digit_of(bytes[digits]) >= 0) {
        size = size * 16 + (uint64_t)digit_of(bytes[digits++]);
        if (digits > SIZE_DIGITS_MAX)
            return refuse(refusal, 413, "a chunk of the body is too long");
    }
    if (digits == len) return 0;
    if (digits == 0)
        return refuse(refusal, 400, "the size of a chunk of the body is no hexadecimal number");
    const uint64_t end =
        pass_line_end(p, size == 0 ? HTTP_PART_LAST : HTTP_PART_CHUNK_END, bytes + digits,
                      len - digits, "behind the size of a chunk no line ends", refusal);
    return end == 0 ? 0 : digits + end + size;
}

static uint64_t pass_head(struct http_pass *p, const char *bytes, size_t len,
                          const struct http_limits *limits, struct http_refusal *refusal) {
    struct http_end end;
    if (http_head_read(bytes, len, limits, &end, refusal) != HTTP_HEAD_WHOLE) return 0;
    p->heads++;
    if (end.is_chunked) p->part = HTTP_PART_SIZE;
    return end.head + end.length;
}

static uint64_t pass_part(struct http_pass *p, const char *bytes, size_t len,
                          const struct http_limits *limits, struct http_refusal *refusal) {
    switch (p->part) {
    case HTTP_PART_HEAD:
        return pass_head(p, bytes, len, limits, refusal);
    case HTTP_PART_SIZE:
        return pass_size(p, bytes, len, refusal);
    case HTTP_PART_CHUNK_END:
        return pass_line_end(p, HTTP_PART_SIZE, bytes, len, "a chunk is longer than its size",
                             refusal);
    case HTTP_PART_LAST:
        return pass_line_end(p, HTTP_PART_HEAD, bytes, len, "a trailer is not taken here", refusal);
    }
    return 0;
}

uint64_t http_pass(struct http_pass *p, const char *bytes, size_t len,
                   const struct http_limits *limits, struct http_refusal *refusal) {
    uint64_t passed = 0, part = 1;
    while (part > 0 && passed < len) {
        part = pass_part(p, bytes + passed, len - passed, limits, refusal);
        passed += part;
    }
    return passed;
}

#include "common/http_head.h"

#include "common/http_framing.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

enum { LENGTH_DIGITS_MAX = 18 };

__attribute__((format(printf, 3, 4))) static enum http_head
wrong(struct http_refusal *refusal, int status, const char *format, ...) {
    va_list args;
    refusal->status = status;
    va_start(args, format);
    vsnprintf(refusal->detail, sizeof refusal->detail, format, args);
    va_end(args);
    return HTTP_HEAD_WRONG;
}

static size_t count_of(const char *s, size_t len, char c) {
    size_t count = 0;
    for (size_t i = 0; i < len; i++)
        count += s[i] == c;
    return count;
}

// Between method, target and version stands one space each.
static enum http_head read_request_line(const char *line, size_t len, uint64_t target_max,
                                        struct http_refusal *refusal) {
    const char *end = line + len;
    const char *target = memchr(line, ' ', len);
    if (target == NULL || target == line)
        return wrong(refusal, 400, "the request line is not: METHOD PATH HTTP/1.1");
    target++;
    const char *version = memchr(target, ' ', (size_t)(end - target));
    if (version == NULL || version == target)
        return wrong(refusal, 400, "the request line is not: METHOD PATH HTTP/1.1");
    if ((uint64_t)(version - target) > target_max)
        return wrong(refusal, 414, "the path and the query may have %" PRIu64 " bytes at most",
                     target_max);
    version++;
    if (end - version != 8 || memcmp(version, "HTTP/", 5) != 0)
        return wrong(refusal, 400, "the request line is not: METHOD PATH HTTP/1.1");
    if (memcmp(version, "HTTP/1.", 7) != 0)
        return wrong(refusal, 505, "HTTP/1.1 and HTTP/1.0 are spoken here");
    if (version[7] < '0' || version[7] > '9')
        return wrong(refusal, 400, "the request line is not: METHOD PATH HTTP/1.1");
    for (const char *c = line; c < target - 1; c++)
        if (*c < 'A' || *c > 'Z')
            return wrong(refusal, 400, "the method has a character that no method here has");
    for (const char *c = target; c < version - 1; c++)
        if (*c > 0 && (*c < ' ' || *c == 0x7f))
            return wrong(refusal, 400, "the path has a control character");
    if (count_of(target, (size_t)(version - 1 - target), '&') >= HTTP_PARAMETERS_MAX)
        return wrong(refusal, 414, "the query may have %d parameters at most", HTTP_PARAMETERS_MAX);
    return HTTP_HEAD_WHOLE;
}

// Longer than any body may be; libmicrohttpd 0.9.75 answers one beyond 64 bits twice.
static bool is_huge(const char *name, size_t name_len, const char *value, size_t value_len) {
    static const char length[] = "Content-Length";
    size_t digits = 0;
    if (name_len != sizeof length - 1 || strncasecmp(name, length, name_len) != 0) return false;
    while (value_len > 0 && (*value == ' ' || *value == '\t' || *value == '0'))
        value++, value_len--;
    while (digits < value_len && value[digits] >= '0' && value[digits] <= '9')
        digits++;
    return digits > LENGTH_DIGITS_MAX;
}

static enum http_head read_header(const char *line, size_t len, uint64_t body_max,
                                  struct http_framing *framing, struct http_refusal *refusal) {
    const char *colon = memchr(line, ':', len);
    if (line[0] == ' ' || line[0] == '\t')
        return wrong(refusal, 400, "a header goes on in a second line");
    if (colon == NULL) return wrong(refusal, 400, "a header has no colon");
    if (is_huge(line, (size_t)(colon - line), colon + 1, (size_t)(line + len - colon - 1)))
        return wrong(refusal, 413, "the body may have %" PRIu64 " bytes at most", body_max);
    const char *value = colon + 1, *end = line + len;
    while (value < end && (*value == ' ' || *value == '\t'))
        value++;
    http_framing_take(framing, line, (size_t)(colon - line), value, (size_t)(end - value));
    if (framing->wrong != NULL) return wrong(refusal, 400, "%s", framing->wrong);
    if (framing->cookies > HTTP_COOKIES_MAX || framing->cookies_bytes > HTTP_COOKIES_BYTES_MAX)
        return wrong(refusal, 431, "%d cookies at most, and %d bytes of them", HTTP_COOKIES_MAX,
                     HTTP_COOKIES_BYTES_MAX);
    return HTTP_HEAD_WHOLE;
}

// All headers are there.
static enum http_head read_end(const struct http_framing *framing, bool is_1_1, size_t head,
                               struct http_end *end, struct http_refusal *refusal) {
    const char *doubt = http_framing_wrong(framing, is_1_1);
    if (doubt != NULL) return wrong(refusal, 400, "%s", doubt);
    if (end != NULL)
        *end = (struct http_end){
            .head = head, .length = framing->length, .is_chunked = framing->codings > 0};
    return HTTP_HEAD_WHOLE;
}

enum http_head http_head_read(const char *bytes, size_t len, const struct http_limits *limits,
                              struct http_end *end_of, struct http_refusal *refusal) {
    struct http_framing framing = {0};
    bool is_1_1 = false;
    size_t at = 0, lines = 0;
    while (at + 1 < len && bytes[at] == '\r' && bytes[at + 1] == '\n')
        at += 2; // empty lines before a request are none of it
    for (;;) {
        const char *line = bytes + at;
        const char *end = memchr(line, '\n', len - at);
        size_t line_len = end == NULL ? len - at : (size_t)(end - line);
        if (memchr(line, '\0', line_len) != NULL)
            return wrong(refusal, 400, "there is a NUL in the request's head");
        if (at + line_len >= limits->head || lines > limits->headers + 1)
            return lines == 0 ? wrong(refusal, 414, "the request line is too long")
                              : wrong(refusal, 431,
                                      "%" PRIu64 " headers at most, and %" PRIu64 " bytes of them",
                                      limits->headers, limits->head);
        if (end == NULL) return HTTP_HEAD_PARTIAL;
        if (line_len > 0 && line[line_len - 1] == '\r') line_len--;
        if (memchr(line, '\r', line_len) != NULL)
            return wrong(refusal, 400, "there is a bare CR in the request's head");
        if (line_len == 0 && lines > 0)
            return read_end(&framing, is_1_1, (size_t)(end - bytes) + 1, end_of, refusal);
        enum http_head read = lines == 0
                                  ? read_request_line(line, line_len, limits->target, refusal)
                                  : read_header(line, line_len, limits->body, &framing, refusal);
        if (read == HTTP_HEAD_WRONG) return read;
        if (lines == 0) is_1_1 = line[line_len - 1] != '0';
        lines++;
        at = (size_t)(end - bytes) + 1;
    }
}

const char *http_target_path(const char *target, const char **host, size_t *host_len) {
    *host = NULL;
    *host_len = 0;
    size_t scheme = strncasecmp(target, "http://", 7) == 0    ? 7
                    : strncasecmp(target, "https://", 8) == 0 ? 8
                                                              : 0;
    if (scheme == 0) return target;
    *host = target + scheme;
    *host_len = strcspn(*host, "/?");
    const char *path = *host + *host_len;
    return *path == '/' ? path : "/";
}

// --- TLS

enum http_head http_hello_read(const char *bytes, size_t len, struct http_refusal *refusal) {
    enum { HANDSHAKE = 22, MAJOR = 3, HEADER = 5, ENOUGH = 8192 };
    const unsigned char *b = (const unsigned char *)bytes;
    if (len > 0 && b[0] != HANDSHAKE) {
        *refusal = (struct http_refusal){400, "this port speaks https: ask for https://"};
        return HTTP_HEAD_WRONG;
    }
    if (len > 1 && b[1] != MAJOR) {
        *refusal = (struct http_refusal){400, "this is no TLS"};
        return HTTP_HEAD_WRONG;
    }
    if (len < HEADER) return HTTP_HEAD_PARTIAL;
    size_t record = (size_t)b[3] << 8 | b[4];
    return len - HEADER >= record || len > ENOUGH ? HTTP_HEAD_WHOLE : HTTP_HEAD_PARTIAL;
}

#include "common/http_framing.h"

#include <string.h>
#include <strings.h>

static bool is(const char *name, size_t len, const char *header) {
    return len == strlen(header) && strncasecmp(name, header, len) == 0;
}

// A name is a token: no space, no control character, none of the separators.
static bool is_token(const char *s, size_t len) {
    for (size_t i = 0; i < len; i++)
        if (s[i] <= ' ' || s[i] >= 0x7f || strchr("\"(),/:;<=>?@[\\]{}", s[i]) != NULL)
            return false;
    return len > 0;
}

static bool read_digits(const char *s, size_t len, uint64_t *number) {
    *number = 0;
    for (size_t i = 0; i < len; i++) {
        if (s[i] < '0' || s[i] > '9') return false;
        *number = *number * 10 + (uint64_t)(s[i] - '0');
    }
    return len > 0;
}

// The characters of a URI's host and port (RFC 3986, section 3.2).
static bool is_authority(const char *s, size_t len) {
    for (size_t i = 0; i < len; i++)
        if (s[i] <= ' ' || s[i] >= 0x7f || strchr("\"#/<>?@\\^`{|}", s[i]) != NULL) return false;
    return true;
}

void http_framing_take(struct http_framing *f, const char *name, size_t name_len, const char *value,
                       size_t value_len) {
    if (!is_token(name, name_len))
        f->wrong = "a header's name has a space or a character that no name may have";
    if (is(name, name_len, "Content-Length")) {
        f->lengths++;
        if (!read_digits(value, value_len, &f->length)) f->wrong = "Content-Length is not a number";
    } else if (is(name, name_len, "Transfer-Encoding")) {
        f->codings++;
        if (!is(value, value_len, "chunked")) f->wrong = "Transfer-Encoding is not chunked";
    } else if (is(name, name_len, "Host")) {
        f->hosts++;
        if (!is_authority(value, value_len)) f->wrong = "Host is no name or address with a port";
    } else if (is(name, name_len, "Cookie")) {
        f->cookies_bytes += value_len;
        f->cookies++;
        for (size_t i = 0; i < value_len; i++)
            f->cookies += value[i] == ';';
    }
}

const char *http_framing_wrong(const struct http_framing *f, bool is_1_1) {
    if (f->wrong != NULL) return f->wrong;
    if (f->lengths > 1) return "there are several Content-Length headers";
    if (f->codings > 1) return "there are several Transfer-Encoding headers";
    if (f->lengths > 0 && f->codings > 0)
        return "there are both Content-Length and Transfer-Encoding";
    if (f->hosts > 1) return "there are several Host headers";
    if (is_1_1 && f->hosts == 0) return "there is no Host header";
    if (!is_1_1 && f->codings > 0) return "there is a Transfer-Encoding in HTTP/1.0";
    return NULL;
}

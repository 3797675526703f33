#include "common/buf.h"

#include "common/mem.h"
#include "common/utf8.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void buf_deinit(struct buf *b) {
    free(b->data);
    *b = (struct buf){0};
}

void buf_clear(struct buf *b) {
    b->len = 0;
    if (b->data != NULL) b->data[0] = '\0';
}

void buf_reserve(struct buf *b, size_t more) {
    size_t need = b->len + more + 1;
    if (need <= b->cap) return;
    size_t cap = b->cap < 64 ? 64 : b->cap;
    while (cap < need)
        cap += cap / 2 + 1;
    b->data = mem_resize(b->data, cap, 1);
    b->cap = cap;
}

void buf_add(struct buf *b, const void *data, size_t len) {
    buf_reserve(b, len);
    if (len > 0) memcpy(b->data + b->len, data, len);
    b->len += len;
    b->data[b->len] = '\0';
}

void buf_adds(struct buf *b, const char *s) {
    buf_add(b, s, strlen(s));
}

void buf_addf(struct buf *b, const char *format, ...) {
    for (int pass = 0; pass < 2; pass++) {
        size_t room = b->cap - b->len;
        va_list args;
        va_start(args, format);
        int len = vsnprintf(b->data == NULL ? NULL : b->data + b->len, room, format, args);
        va_end(args);
        if (len < 0) return;
        if ((size_t)len < room) {
            b->len += (size_t)len;
            return;
        }
        buf_reserve(b, (size_t)len);
    }
}

void buf_add_uint(struct buf *b, uint64_t n) {
    char digits[20], *first = digits + sizeof digits;
    do
        *--first = (char)('0' + n % 10);
    while ((n /= 10) > 0);
    buf_add(b, first, (size_t)(digits + sizeof digits - first));
}

// How much of s, which ends in a NUL, JSON can hold as it is: what ends a line for a reader of
// plain text (DEL, C1, U+2028, U+2029) it could hold, and a terminal not.
static size_t plain_len(const unsigned char *s) {
    enum { LONGEST = 4 };
    if (s[0] < 0x7f) return s[0] >= 0x20 && s[0] != '"' && s[0] != '\\';
    size_t len = utf8_len(s, LONGEST); // it stops at the NUL
    bool c1 = len == 2 && s[0] == 0xc2 && s[1] < 0xa0;
    bool separator = len == 3 && s[0] == 0xe2 && s[1] == 0x80 && (s[2] == 0xa8 || s[2] == 0xa9);
    return s[0] == 0x7f || c1 || separator ? 0 : len;
}

// What it cannot: escaped, or U+FFFD where it is not UTF-8. Gives its length.
static size_t add_escaped(struct buf *b, const unsigned char *s) {
    size_t len = utf8_len(s, 4);
    if (s[0] == '"' || s[0] == '\\')
        buf_addf(b, "\\%c", s[0]);
    else if (s[0] == '\n')
        buf_adds(b, "\\n");
    else if (len == 0)
        buf_adds(b, "\\ufffd");
    else
        buf_addf(b, "\\u%04x", len == 1 ? s[0] : len == 2 ? s[1] : s[2] - 0xa8 + 0x2028);
    return len == 0 ? 1 : len;
}

void buf_add_json(struct buf *b, const char *s) {
    const unsigned char *at = (const unsigned char *)s, *plain = at;
    buf_add(b, "\"", 1);
    for (;;) {
        size_t len = plain_len(at);
        at += len;
        if (len > 0) continue;
        buf_add(b, plain, (size_t)(at - plain));
        if (*at == '\0') break;
        at += add_escaped(b, at);
        plain = at;
    }
    buf_add(b, "\"", 1);
}

void buf_drop(struct buf *b, size_t len) {
    if (len == 0) return;
    b->len -= len;
    memmove(b->data, b->data + len, b->len);
    b->data[b->len] = '\0';
}

char *buf_take(struct buf *b) {
    buf_reserve(b, 0);
    b->data[b->len] = '\0';
    char *s = b->data;
    *b = (struct buf){0};
    return s;
}

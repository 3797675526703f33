// A growing string. Zero-initialised it is empty and ready; data is NUL-terminated once not empty.
#pragma once

#include <stddef.h>
#include <stdint.h>

struct buf {
    char *data;
    size_t len;
    size_t cap;
};

void buf_deinit(struct buf *b);
void buf_clear(struct buf *b); // empty, memory kept
void buf_reserve(struct buf *b, size_t more);
void buf_add(struct buf *b, const void *data, size_t len);
void buf_adds(struct buf *b, const char *s);
void buf_addf(struct buf *b, const char *format, ...) __attribute__((format(printf, 2, 3)));
void buf_add_uint(struct buf *b, uint64_t n); // in decimal
void buf_add_json(struct buf *b,
                  const char *s);         // s as a JSON string, quotes included; always UTF-8
void buf_drop(struct buf *b, size_t len); // removes the first len bytes
char *buf_take(struct buf *b);            // the string, now the caller's to free; b is empty

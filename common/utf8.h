// UTF-8, one sequence at a time.
#pragma once

#include <stddef.h>

// Length of the sequence that starts at s, or 0 where there is none (RFC 3629: no overlong forms,
// no surrogates, nothing above U+10FFFF). left > 0.
static inline size_t utf8_len(const unsigned char *s, size_t left) {
    if (s[0] < 0x80) return 1;
    size_t len = s[0] >= 0xf0 ? 4 : s[0] >= 0xe0 ? 3 : 2;
    if (s[0] < 0xc2 || s[0] > 0xf4 || len > left) return 0;
    for (size_t i = 1; i < len; i++)
        if ((s[i] & 0xc0) != 0x80) return 0;
    if (s[0] == 0xe0 && s[1] < 0xa0) return 0;
    if (s[0] == 0xed && s[1] > 0x9f) return 0;
    if (s[0] == 0xf0 && s[1] < 0x90) return 0;
    if (s[0] == 0xf4 && s[1] > 0x8f) return 0;
    return len;
}

// How much of text, at most max bytes, can be kept without a part of a character at its end: where
// to cut. Bytes that are not UTF-8 at all are kept.
static inline size_t utf8_fit(const char *text, size_t len, size_t max) {
    if (len > max) len = max;
    size_t tail = 0; // bytes that continue a character
    while (tail < 3 && tail < len && ((unsigned char)text[len - tail - 1] & 0xc0) == 0x80)
        tail++;
    if (tail == len) return len;
    unsigned char first = (unsigned char)text[len - tail - 1];
    size_t whole = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : first >= 0xc0 ? 2 : 1;
    return whole > tail + 1 ? len - tail - 1 : len;
}

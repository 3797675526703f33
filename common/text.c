#include "common/text.h"

#include "common/utf8.h"

#include <stdbool.h>
#include <string.h>

// How many bytes belong to a character of which the rest is missing, or 0.
static size_t cut_short(const unsigned char *s, size_t left) {
    if (s[0] < 0xc2 || s[0] > 0xf4) return 0;
    size_t whole = s[0] >= 0xf0 ? 4 : s[0] >= 0xe0 ? 3 : 2, len = 1;
    while (len < left && len < whole && (s[len] & 0xc0) == 0x80)
        len++;
    return len < whole ? len : 0;
}

// Ends a line for somebody, or moves a terminal.
static bool is_control(const unsigned char *s, size_t len) {
    if (len == 1) return s[0] < 0x20 || s[0] == 0x7f;
    if (len == 2) return s[0] == 0xc2 && s[1] < 0xa0;
    return len == 3 && s[0] == 0xe2 && s[1] == 0x80 && (s[2] == 0xa8 || s[2] == 0xa9);
}

enum controls { NONE_STAY, LINES_STAY, ALL_STAY };

static bool stays(unsigned char c, enum controls controls) {
    return controls == ALL_STAY || (controls == LINES_STAY && (c == '\n' || c == '\t'));
}

static void clean(char *text, enum controls controls) {
    while (*text >= ' ' && *text <= '~') // nearly always all of it
        text++;
    const unsigned char *from = (const unsigned char *)text;
    char *to = text;
    for (size_t left = strlen(text), len; left > 0; from += len, left -= len) {
        len = utf8_len(from, left);
        if (len > 0 && (stays(*from, controls) || !is_control(from, len))) {
            memmove(to, from, len);
            to += len;
            continue;
        }
        size_t part = len > 0 ? 0 : cut_short(from, left);
        if (part < left || part == 0) *to++ = '?';
        if (len == 0) len = part > 0 ? part : 1;
    }
    *to = '\0';
}

void text_line(char *s) {
    clean(s, NONE_STAY);
}

void text_lines(char *s) {
    clean(s, LINES_STAY);
}

void text_utf8(char *s) {
    clean(s, ALL_STAY);
}

size_t text_cut(const char *s, size_t len, size_t max) {
    if (len <= max) return len;
    while (max > 0 && ((unsigned char)s[max] & 0xc0) == 0x80)
        max--;
    return max;
}

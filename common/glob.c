#include "common/glob.h"

#include <fnmatch.h>
#include <stddef.h>
#include <string.h>

enum { BRACKET_MAX = 255 }; // bytes of [...]; a longer one matches nothing

bool glob_is(const char *text) {
    return strpbrk(text, "*?[\\") != NULL;
}

// Length of the [...] that starts at s, or 0 where it has no end and means itself.
static size_t bracket_len(const char *s) {
    size_t at = 1;
    if (s[at] == '!' || s[at] == '^') at++;
    if (s[at] == ']') at++;
    while (s[at] != ']') {
        if (s[at] == '\\' && s[at + 1] != '\0') at++;
        if (s[at] == '[' && s[at + 1] != '\0' && strchr(":.=", s[at + 1]) != NULL) {
            const char end[] = {s[at + 1], ']', '\0'};
            const char *closed = strstr(s + at + 2, end);
            if (closed != NULL) at = (size_t)(closed - s) + 1;
        }
        if (s[at] == '\0') return 0;
        at++;
    }
    return at + 1;
}

static bool in_bracket(const char *pattern, size_t len, char c) {
    char bracket[BRACKET_MAX + 1], text[2] = {c, '\0'};
    if (len > BRACKET_MAX) return false;
    memcpy(bracket, pattern, len);
    bracket[len] = '\0';
    return fnmatch(bracket, text, 0) == 0;
}

// What stands for one byte at the start of the pattern takes *len bytes of it; does c fit?
static bool takes(const char *pattern, char c, size_t *len) {
    *len = 1;
    if (c == '\0' || *pattern == '\0') return false;
    if (*pattern == '?') return true;
    if (*pattern == '[' && (*len = bracket_len(pattern)) > 0) return in_bracket(pattern, *len, c);
    *len = 1;
    if (*pattern != '\\') return *pattern == c;
    *len = 2;
    return pattern[1] == c; // a backslash at the end matches nothing
}

// What a star took last grows until the rest fits. An earlier star need not grow: the last one
// would take what it gives up.
bool glob_matches(const char *pattern, const char *text) {
    const char *after_star = NULL, *resume = NULL;
    while (*pattern != '\0' || *text != '\0') {
        size_t len;
        if (*pattern == '*') {
            after_star = ++pattern;
            resume = text;
        } else if (takes(pattern, *text, &len)) {
            pattern += len;
            text++;
        } else if (after_star != NULL && *resume != '\0') {
            pattern = after_star;
            text = ++resume;
        } else {
            return false;
        }
    }
    return true;
}

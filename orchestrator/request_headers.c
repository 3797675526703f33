#include "orchestrator/request_headers.h"

#include <stddef.h>
#include <string.h>

// --- Prefer: a list of preferences, each a word, or word=value, then parameters after semicolons

static const char *skip_blanks(const char *s) {
    return s + strspn(s, " \t");
}

// To after the quoted string that begins here.
static const char *skip_quoted(const char *s) {
    for (s++; *s != '\0' && *s != '"'; s++)
        if (*s == '\\' && s[1] != '\0') s++;
    return *s == '"' ? s + 1 : s;
}

// To the comma that ends this preference, or to the end of the list.
static const char *skip_preference(const char *s) {
    while (*s != '\0' && *s != ',')
        s = *s == '"' ? skip_quoted(s) : s + 1;
    return s;
}

// An empty value says no more than none; any other is none that respond-async has.
static bool is_async(const char *s) {
    static const char word[] = "respond-async";
    if (strncasecmp(s, word, sizeof word - 1) != 0) return false;
    s = skip_blanks(s + sizeof word - 1);
    if (*s == '=') {
        s = skip_blanks(s + 1);
        if (strncmp(s, "\"\"", 2) == 0) s = skip_blanks(s + 2);
    }
    return *s == '\0' || *s == ',' || *s == ';';
}

bool request_prefers_async(const char *prefer) {
    for (const char *s = prefer; s != NULL && *s != '\0';) {
        s = skip_blanks(s);
        if (is_async(s)) return true;
        s = skip_preference(s);
        if (*s == ',') s++;
    }
    return false;
}

// --- Idempotency-Key

static int wrong(const char *field, const char *why, struct error *err) {
    error_set(err, "%s", why);
    error_in(err, "%s", field);
    return ERROR_INPUT;
}

int request_key(const char *text, const char *field, char key[REQUEST_KEY_MAX + 1],
                struct error *err) {
    char found[REQUEST_KEY_MAX + 1];
    size_t len = 0;
    const char *s = skip_blanks(text), *end = s + strlen(s);
    while (end > s && (end[-1] == ' ' || end[-1] == '\t'))
        end--;
    const bool is_quoted = *s == '"';
    for (s += is_quoted; s < end && !(is_quoted && *s == '"'); s++) {
        if (is_quoted && *s == '\\' && (s[1] == '"' || s[1] == '\\')) s++;
        if (*s <= ' ' || *s > '~')
            return wrong(field, "it holds something else than visible ASCII characters", err);
        if (len == REQUEST_KEY_MAX) return wrong(field, "it is longer than 255 characters", err);
        found[len++] = *s;
    }
    if (is_quoted && s == end) return wrong(field, "its closing quote is missing", err);
    if (s + is_quoted < end) return wrong(field, "something follows its closing quote", err);
    if (len == 0) return wrong(field, "it is empty", err);
    memcpy(key, found, len);
    key[len] = '\0';
    return 0;
}

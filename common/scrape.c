#include "common/scrape.h"

#include <stdlib.h>
#include <string.h>

// Length of the first label of a="1",b="2"} up to the comma, the brace or the end.
static size_t label_len(const char *labels) {
    bool quoted = false;
    size_t len = 0;
    while (labels[len] != '\0' && labels[len] != '\n') {
        char c = labels[len];
        if (!quoted && (c == ',' || c == '}')) break;
        if (quoted && c == '\\' && labels[len + 1] != '\0' && labels[len + 1] != '\n') len++;
        if (c == '"') quoted = !quoted;
        len++;
    }
    return len;
}

// The label behind one, or NULL.
static const char *next_label(const char *label, size_t len) {
    return label[len] == ',' ? label + len + 1 : NULL;
}

static bool has_label(const char *labels, const char *label, size_t len) {
    while (labels != NULL) {
        size_t this_len = label_len(labels);
        if (this_len == len && memcmp(labels, label, len) == 0) return true;
        labels = next_label(labels, this_len);
    }
    return false;
}

// Whether a sample has all labels that are wanted. NULL: it has none; none is wanted.
static bool labels_fit(const char *wanted, const char *labels) {
    while (wanted != NULL) {
        size_t len = label_len(wanted);
        if (len > 0 && !has_label(labels, wanted, len)) return false;
        wanted = next_label(wanted, len);
    }
    return true;
}

// A sample's value, behind its name and labels, in its line: 0 where there is none.
static double value_of(const char *sample) {
    const char *at = sample + strcspn(sample, "{ ");
    if (*at == '{') {
        do {
            at++;
            at += label_len(at);
        } while (*at == ',');
        if (*at == '}') at++;
    }
    at += strspn(at, " \t");
    return *at == '\n' ? 0 : strtod(at, NULL);
}

bool scrape_sum(const char *scrape, const char *selector, double *sum) {
    size_t name_len = strcspn(selector, "{");
    const char *wanted = selector[name_len] == '{' ? selector + name_len + 1 : NULL;
    bool found = false;
    *sum = 0;
    for (const char *line = scrape; line != NULL && *line != '\0';) {
        const char *next = strchr(line, '\n');
        char end = strncmp(line, selector, name_len) == 0 ? line[name_len] : '\0';
        const char *labels = end == '{' ? line + name_len + 1 : NULL;
        const bool is_sample = *line != '#' && (end == '{' || end == ' ');
        if (is_sample && labels_fit(wanted, labels)) {
            found = true;
            *sum += value_of(line);
        }
        line = next == NULL ? NULL : next + 1;
    }
    return found;
}

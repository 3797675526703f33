#include "common/prom.h"

#include "common/mem.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const type_names[] = {"counter", "gauge", "histogram"};

const char *prom_content_type(enum prom_format format) {
    return format == PROM_OPENMETRICS ? "application/openmetrics-text; version=1.0.0; charset=utf-8"
                                      : "text/plain; version=0.0.4; charset=utf-8";
}

// How an Accept header finds a form: by the range that names it most closely, whatever the order.
enum closeness {
    BY_NOTHING,
    BY_ANY,
    BY_TYPE,
    BY_NAME,
    BY_VERSION
}; // */*, text/*, text/plain, ;version=

struct preference {
    enum closeness by;
    double quality;
};

static void prefer(struct preference *p, enum closeness by, double quality) {
    if (by > p->by || (by == p->by && quality > p->quality)) *p = (struct preference){by, quality};
}

struct span {
    const char *at;
    size_t len;
};

static bool is(struct span s, const char *word) {
    return s.len == strlen(word) && strncasecmp(s.at, word, s.len) == 0;
}

static bool blank(char c) {
    return c == ' ' || c == '\t';
}

static struct span trimmed(const char *at, size_t len) {
    for (; len > 0 && blank(*at); len--)
        at++;
    while (len > 0 && blank(at[len - 1]))
        len--;
    return (struct span){at, len};
}

// Takes what comes before the next separator, which does not count within quotes.
static struct span take(struct span *rest, char separator) {
    size_t len = 0;
    bool quoted = false;
    for (; len < rest->len && (quoted || rest->at[len] != separator); len++)
        if (rest->at[len] == '"') quoted = !quoted;
    struct span taken = trimmed(rest->at, len);
    size_t used = len < rest->len ? len + 1 : len;
    *rest = (struct span){rest->at + used, rest->len - used};
    return taken;
}

// A weight (RFC 9110): a number from 0 to 1. Anything else is worth nothing.
static double weight(struct span s) {
    char text[32];
    if (s.len == 0 || s.len >= sizeof text || strspn(s.at, "0123456789.") < s.len) return 0;
    memcpy(text, s.at, s.len);
    text[s.len] = '\0';
    double quality = strtod(text, NULL);
    return quality <= 1 ? quality : 0;
}

static enum closeness with_version(struct span version, const char *ours) {
    if (version.at == NULL) return BY_NAME;
    if (version.len >= 2 && version.at[0] == '"')
        version = (struct span){version.at + 1, version.len - 2};
    return is(version, ours) ? BY_VERSION : BY_NOTHING;
}

static void weigh(struct span range, struct preference *openmetrics, struct preference *text) {
    struct span type = take(&range, ';'), version = {0};
    double quality = 1;
    while (range.len > 0) {
        struct span value = take(&range, ';'), name = take(&value, '=');
        value = trimmed(value.at, value.len);
        if (is(name, "q")) quality = weight(value);
        if (is(name, "version")) version = value;
    }
    if (is(type, "*/*")) {
        prefer(openmetrics, BY_ANY, quality);
        prefer(text, BY_ANY, quality);
    } else if (is(type, "application/*")) {
        prefer(openmetrics, BY_TYPE, quality);
    } else if (is(type, "text/*")) {
        prefer(text, BY_TYPE, quality);
    } else if (is(type, "application/openmetrics-text")) {
        prefer(openmetrics, with_version(version, "1.0.0"), quality);
    } else if (is(type, "text/plain")) {
        prefer(text, with_version(version, "0.0.4"), quality);
    }
}

enum prom_format prom_negotiate(const char *accept) {
    struct preference openmetrics = {0}, text = {0};
    struct span rest = {accept, accept == NULL ? 0 : strlen(accept)};
    while (rest.len > 0)
        weigh(take(&rest, ','), &openmetrics, &text);
    // A wildcard alone prefers nothing: the plain form, which everything reads.
    bool named = openmetrics.by >= BY_NAME && openmetrics.quality > 0;
    return named && openmetrics.quality >= text.quality ? PROM_OPENMETRICS : PROM_TEXT;
}

void prom_family(struct prom_writer *w, const char *name, enum prom_type type, const char *help) {
    const char *suffix = type == PROM_COUNTER && w->format == PROM_TEXT ? "_total" : "";
    buf_addf(w->out, "# HELP %s%s %s\n", name, suffix, help);
    buf_addf(w->out, "# TYPE %s%s %s\n", name, suffix, type_names[type]);
}

// As Python's client prints it: 3.0, 0.005, +Inf.
static void write_value(struct buf *out, double value) {
    if (isnan(value)) {
        buf_adds(out, "NaN");
    } else if (isinf(value)) {
        buf_adds(out, value > 0 ? "+Inf" : "-Inf");
    } else if (value == floor(value) && fabs(value) < 1e15) { // printf would take most of a scrape
        if (value < 0) buf_adds(out, "-");
        buf_add_uint(out, (uint64_t)fabs(value));
        buf_adds(out, ".0");
    } else {
        char text[32];
        for (int digits = 15; digits <= 17; digits++) { // the shortest that reads back the same
            snprintf(text, sizeof text, "%.*g", digits, value);
            if (strtod(text, NULL) == value) break;
        }
        buf_adds(out, text);
    }
}

void prom_sample(struct prom_writer *w, const char *name, const char *labels, double value) {
    buf_adds(w->out, name);
    if (labels != NULL) {
        buf_adds(w->out, "{");
        buf_adds(w->out, labels);
        buf_adds(w->out, "}");
    }
    buf_adds(w->out, " ");
    write_value(w->out, value);
    buf_adds(w->out, "\n");
}

void prom_end(struct prom_writer *w) {
    if (w->format == PROM_OPENMETRICS) buf_adds(w->out, "# EOF\n");
}

void prom_label(struct buf *labels, const char *name, const char *value) {
    if (labels->len > 0) buf_adds(labels, ",");
    buf_adds(labels, name);
    buf_adds(labels, "=\"");
    for (;;) {
        size_t plain = strcspn(value, "\n\"\\");
        buf_add(labels, value, plain);
        value += plain;
        if (*value == '\0') break;
        buf_add(labels, "\\", 1);
        buf_add(labels, *value == '\n' ? "n" : value, 1);
        value++;
    }
    buf_adds(labels, "\"");
}

void prom_histogram_init(struct prom_histogram *h, const double *bounds, size_t count) {
    *h = (struct prom_histogram){.bounds = bounds, .count = count};
    h->buckets = mem_array(count + 1, sizeof *h->buckets);
}

void prom_histogram_deinit(struct prom_histogram *h) {
    free(h->buckets);
    *h = (struct prom_histogram){0};
}

void prom_observe(struct prom_histogram *h, double value) {
    size_t i = 0;
    while (i < h->count && value > h->bounds[i])
        i++;
    h->buckets[i]++;
    h->sum += value;
}

void prom_histogram_write(struct prom_writer *w, const char *name, const struct prom_histogram *h) {
    uint64_t below = 0;
    struct buf labels = {0};
    char sample[128];
    snprintf(sample, sizeof sample, "%s_bucket", name);
    for (size_t i = 0; i <= h->count; i++) {
        below += h->buckets[i];
        buf_clear(&labels);
        buf_adds(&labels, "le=\"");
        write_value(&labels, i < h->count ? h->bounds[i] : INFINITY);
        buf_adds(&labels, "\"");
        prom_sample(w, sample, labels.data, (double)below);
    }
    buf_deinit(&labels);
    snprintf(sample, sizeof sample, "%s_sum", name);
    prom_sample(w, sample, NULL, h->sum);
    snprintf(sample, sizeof sample, "%s_count", name);
    prom_sample(w, sample, NULL, (double)below);
}

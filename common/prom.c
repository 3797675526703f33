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

struct media_range {
    double quality;
    int openmetrics; // how specifically it names the form: 3 by name, 2 text/*, 1 */*, 0 not
    int text;
};

// One element of an Accept header, its parameters included.
static struct media_range parse_range(const char *s, size_t len) {
    struct media_range range = {.quality = 1};
    char element[128];
    if (len >= sizeof element) return range;
    memcpy(element, s, len);
    element[len] = '\0';
    char *save = NULL;
    const char *type = strtok_r(element, "; \t", &save);
    if (type == NULL) return range;
    const char *version = NULL, *parameter;
    while ((parameter = strtok_r(NULL, "; \t", &save)) != NULL) {
        if (strncasecmp(parameter, "q=", 2) == 0) range.quality = strtod(parameter + 2, NULL);
        if (strncasecmp(parameter, "version=", 8) == 0) version = parameter + 8;
    }
    if (strcasecmp(type, "application/openmetrics-text") == 0)
        range.openmetrics = version == NULL || strstr(version, "1.0.0") != NULL ? 3 : 0;
    else if (strcasecmp(type, "application/*") == 0)
        range.openmetrics = 2;
    else if (strcasecmp(type, "text/plain") == 0)
        range.text = 3;
    else if (strcasecmp(type, "text/*") == 0)
        range.text = 2;
    else if (strcmp(type, "*/*") == 0)
        range.openmetrics = range.text = 1;
    return range;
}

enum prom_format prom_negotiate(const char *accept) {
    if (accept == NULL) return PROM_TEXT;
    double openmetrics = 0, text = 0;
    int openmetrics_by = 0, text_by = 0;
    while (*accept != '\0') {
        size_t len = strcspn(accept, ",");
        struct media_range range = parse_range(accept, len);
        if (range.openmetrics > openmetrics_by) {
            openmetrics_by = range.openmetrics;
            openmetrics = range.quality;
        }
        if (range.text > text_by) {
            text_by = range.text;
            text = range.quality;
        }
        accept += len;
        if (*accept == ',') accept++;
    }
    // A wildcard alone prefers nothing: the plain form, which everything reads.
    bool named = openmetrics_by == 3 && openmetrics > 0;
    return named && openmetrics >= text ? PROM_OPENMETRICS : PROM_TEXT;
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

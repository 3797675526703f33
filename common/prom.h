// Prometheus' two text forms. A family is its HELP and TYPE lines, then its samples.
#pragma once

#include "common/buf.h"

#include <stddef.h>
#include <stdint.h>

enum prom_format {
    PROM_TEXT,        // text/plain; version=0.0.4
    PROM_OPENMETRICS, // application/openmetrics-text; version=1.0.0
};

enum prom_type { PROM_COUNTER, PROM_GAUGE, PROM_HISTOGRAM };

struct prom_writer {
    struct buf *out;
    enum prom_format format;
};

// The form that an Accept header prefers (RFC 9110, "Proactive Negotiation"); NULL: text.
enum prom_format prom_negotiate(const char *accept);
const char *prom_content_type(enum prom_format format);

// name is the family's name without the _total of a counter, in both forms.
void prom_family(struct prom_writer *w, const char *name, enum prom_type type, const char *help);
// A sample "name{labels} value"; name as it is printed, labels as text or NULL.
void prom_sample(struct prom_writer *w, const char *name, const char *labels, double value);
void prom_end(struct prom_writer *w); // "# EOF" where the form wants it

// Appends `name="value"` with the value escaped, after a comma where labels is not empty.
void prom_label(struct buf *labels, const char *name, const char *value);

struct prom_histogram {
    const double *bounds; // upper, ascending, without +Inf
    size_t count;
    uint64_t *buckets; // count + 1, not cumulative
    double sum;
};

void prom_histogram_init(struct prom_histogram *h, const double *bounds, size_t count);
void prom_histogram_deinit(struct prom_histogram *h);
void prom_observe(struct prom_histogram *h, double value);
void prom_histogram_write(struct prom_writer *w, const char *name, const struct prom_histogram *h);

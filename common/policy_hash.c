#include "common/policy_hash.h"

#include "common/mem.h"
#include "common/rng.h"

#include <stdlib.h>
#include <string.h>

static int by_text(const void *a, const void *b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

// A value that is given twice says no more than once.
static void write_values(const struct term *term, struct buf *out) {
    char **sorted = mem_array(term->count, sizeof *sorted);
    memcpy(sorted, term->values, term->count * sizeof *sorted);
    qsort(sorted, term->count, sizeof *sorted, by_text);
    buf_adds(out, "[");
    for (size_t i = 0; i < term->count; i++) {
        if (i > 0 && strcmp(sorted[i], sorted[i - 1]) == 0) continue;
        if (i > 0) buf_adds(out, ", ");
        buf_add_json(out, sorted[i]);
    }
    buf_adds(out, "]");
    free(sorted);
}

struct named_term {
    const char *name; // of its attribute: the first member, for by_text()
    const struct term *term;
};

static void write_terms(const struct policy *p, const char *word, const struct terms *terms,
                        struct buf *out) {
    if (terms->count == 0) return;
    struct named_term *sorted = mem_array(terms->count, sizeof *sorted);
    for (size_t i = 0; i < terms->count; i++) {
        const struct term *term = &terms->list[i];
        sorted[i] = (struct named_term){p->names.list[term->attribute], term};
    }
    qsort(sorted, terms->count, sizeof *sorted, by_text);
    buf_addf(out, " %s {", word);
    for (size_t i = 0; i < terms->count; i++) {
        if (i > 0) buf_adds(out, ", ");
        buf_add_json(out, sorted[i].name);
        buf_adds(out, ": ");
        write_values(sorted[i].term, out);
    }
    buf_adds(out, "}");
    free(sorted);
}

static void write_rule(const struct policy *p, const struct policy_rule *rule, struct buf *out) {
    buf_adds(out, rule->redundancy ? "redundancy " : "throttle ");
    buf_add_json(out, rule->group);
    buf_addf(out, " %u", (unsigned)rule->limit);
    write_terms(p, "match", &rule->match, out);
    write_terms(p, "unless", &rule->unless, out);
    write_terms(p, "first", &rule->first, out);
    buf_adds(out, "\n");
}

void policy_write_canonical(const struct policy *p, struct buf *out) {
    for (size_t i = 0; i < p->count; i++)
        write_rule(p, &p->rules[i], out);
    buf_addf(out, "ungrouped %s\n", p->ungrouped_allowed ? "allow" : "refuse");
}

uint64_t policy_hash(const struct policy *p) {
    struct buf text = {0};
    policy_write_canonical(p, &text);
    const uint64_t hash = rng_hash(text.data);
    buf_deinit(&text);
    return hash;
}

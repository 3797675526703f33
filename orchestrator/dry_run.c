#include "orchestrator/dry_run.h"

#include "common/acmeos.h"
#include "common/duration.h"
#include "common/mem.h"

#include <stdlib.h>
#include <string.h>

struct place { // of a host in the order of its group
    uint32_t host;
    uint8_t rank; // canaries, then those that go first, then the others
};

static const char *name_of(const struct job *job, uint32_t host) {
    return job->inventory->hosts[host].name;
}

static bool is_worked_on(const struct job *job, uint32_t host) {
    return job->inventory->hosts[host].platform == 0;
}

static int by_rank(const void *x, const void *y) {
    const struct place *a = x, *b = y;
    if (a->rank != b->rank) return a->rank < b->rank ? -1 : 1;
    return (a->host > b->host) - (a->host < b->host);
}

static bool goes_first(const struct grouping *g, const struct cohort *cohort, uint32_t number) {
    const uint32_t *needs = cohort_needs(g, cohort);
    for (uint32_t i = 0; i < cohort->needs_count; i++)
        if (needs[i] == (number | NEED_FIRST)) return true;
    return false;
}

// Its selected hosts, in the order in which they begin where nothing holds one of them back.
static struct place *order_of(const struct job *job, const struct constraint *group,
                              size_t *count) {
    const struct grouping *g = &job->grouping;
    const uint32_t *cohorts = constraint_cohorts(g, group);
    const uint32_t number = (uint32_t)(group - g->constraints);
    struct place *places = mem_array(group->members, sizeof *places);
    *count = 0;
    for (uint32_t c = 0; c < group->cohorts_count; c++) {
        const struct cohort *cohort = &g->cohorts[cohorts[c]];
        const uint8_t rank = goes_first(g, cohort, number) ? 1 : 2;
        for (uint32_t i = 0; i < cohort->count; i++) {
            const uint32_t host = g->order[cohort->first + i];
            if (is_worked_on(job, host))
                places[(*count)++] =
                    (struct place){host, job_host(job, host)->is_canary ? 0 : rank};
        }
    }
    qsort(places, *count, sizeof *places, by_rank);
    return places;
}

// ", " before all but the first.
static void separate(struct buf *out, const char **comma) {
    buf_adds(out, *comma);
    *comma = ", ";
}

// One of hosts that nobody works on is none.
static void write_group(struct buf *out, const struct job *job, const struct constraint *group,
                        const char **before) {
    size_t count;
    struct place *places = order_of(job, group, &count);
    const char *comma = "";
    if (count == 0) {
        free(places);
        return;
    }
    separate(out, before);
    buf_adds(out, "{\"name\": ");
    buf_add_json(out, group->name);
    buf_addf(out, ", \"max_unavailable\": %u, \"hosts\": [", group->limit);
    for (size_t i = 0; i < count; i++) {
        separate(out, &comma);
        buf_add_json(out, name_of(job, places[i].host));
    }
    buf_adds(out, "]}");
    free(places);
}

static void write_groups(struct buf *out, const struct job *job) {
    const struct grouping *g = &job->grouping;
    const char *comma = "";
    buf_adds(out, ", \"groups\": [");
    for (size_t i = 0; i < g->count; i++) {
        if (!g->constraints[i].redundancy || g->constraints[i].cohorts_count == 0) continue;
        write_group(out, job, &g->constraints[i], &comma);
    }
    buf_adds(out, "], \"throttles\": [");
    comma = "";
    for (size_t i = 0; i < g->count; i++) {
        if (g->constraints[i].redundancy || g->constraints[i].cohorts_count == 0) continue;
        separate(out, &comma);
        buf_adds(out, "{\"name\": ");
        buf_add_json(out, g->constraints[i].name);
        buf_addf(out, ", \"at_once\": %u}", g->constraints[i].limit);
    }
    buf_adds(out, "]");
}

static void write_canaries(struct buf *out, const struct job *job) {
    const char *comma = "";
    buf_adds(out, ", \"canaries\": [");
    for (size_t i = 0; i < job->selection.count; i++) {
        if (!job->hosts[i].is_canary) continue;
        separate(out, &comma);
        buf_add_json(out, name_of(job, job->selection.hosts[i]));
    }
    buf_adds(out, "]");
}

static void write_skipped(struct buf *out, const struct job *job) {
    const char *comma = "";
    buf_adds(out, ", \"skipped\": {");
    for (size_t i = 0; i < job->selection.count; i++) {
        const struct host *host = &job->inventory->hosts[job->selection.hosts[i]];
        if (host->platform == 0) continue;
        struct buf why = {0};
        buf_addf(&why, "platform %s", inventory_platform(job->inventory, host));
        separate(out, &comma);
        buf_add_json(out, host->name);
        buf_adds(out, ": ");
        buf_add_json(out, why.data);
        buf_deinit(&why);
    }
    buf_adds(out, "}");
}

static void write_window(struct buf *out, const struct foretold *f, unsigned workers) {
    char duration[DURATION_TEXT_MAX];
    duration_format((f->window_ms + 500) / 1000 * 1000000, duration);
    if (f->is_known)
        buf_addf(out, ", \"duration\": \"%s\"", duration);
    else
        buf_adds(out, ", \"duration\": null");
    buf_adds(out, ", \"limited_by\": ");
    if (f->longest == NULL) {
        buf_addf(out, "{\"workers\": %u}", workers);
        return;
    }
    buf_addf(out, "{\"%s\": ", f->longest->redundancy ? "group" : "throttle");
    buf_add_json(out, f->longest->name);
    buf_addf(out, ", \"%s\": %u}", f->longest->redundancy ? "max_unavailable" : "at_once",
             f->longest->limit);
}

void dry_run_count(struct dry_run_known *known, const char *version, const char *wanted) {
    const bool is_newer = version != NULL && acmeos_version_newer(version, wanted);
    if (is_newer) known->newer++;
    if (version == NULL)
        known->unknown++;
    else if (strcmp(version, wanted) == 0)
        known->as_wanted++;
    else if (!is_newer || !known->refuses_newer)
        known->to_change++;
}

void dry_run_write(struct buf *out, const struct job *job, unsigned workers,
                   const struct dry_run_known *known, const struct foretold *foretold) {
    buf_addf(out, "{\"dry_run\": true, \"hosts\": %zu", job->selection.count);
    buf_addf(out, ", \"to_change\": %zu, \"as_wanted\": %zu, \"newer\": %zu, \"unknown\": %zu",
             known->to_change, known->as_wanted, known->newer, known->unknown);
    write_window(out, foretold, workers);
    write_canaries(out, job);
    write_skipped(out, job);
    write_groups(out, job);
    buf_adds(out, "}");
}

#include "orchestrator/job_timeline.h"

#include "common/json.h"
#include "common/mem.h"
#include "common/timeline_axis.h"
#include "common/timestamp.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { US_PER_MS = 1000 };

// --- what answers have, or null

static const char *text_of(const cJSON *object, const char *key) {
    return cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, key));
}

static int moment_of(const cJSON *object, const char *key, long long *wall_ms, struct error *err) {
    const char *text = text_of(object, key);
    *wall_ms = 0;
    if (text == NULL || timestamp_parse(text, wall_ms)) return 0;
    error_set(err, "'%.40s' is no moment", text);
    error_in(err, "%s", key);
    return ERROR_INPUT;
}

// --- the job

static const char *keep(struct job_timeline *t, const char *text) {
    return text == NULL ? NULL : texts_keep(&t->texts, text);
}

int job_timeline_begin(struct job_timeline *t, const cJSON *job, struct error *err) {
    const cJSON *counts;
    const char *id, *task, *state;
    long long ended_ms = 0;
    *t = (struct job_timeline){0};
    int rc = json_string(job, "id", &id, err);
    if (rc == 0) rc = json_string(job, "task", &task, err);
    if (rc == 0) rc = json_string(job, "state", &state, err);
    if (rc == 0) rc = moment_of(job, "started", &t->started_ms, err);
    if (rc == 0) rc = moment_of(job, "ended", &ended_ms, err);
    if (rc == 0) rc = json_object(job, "counts", &counts, err);
    if (rc == 0) rc = json_uint(counts, "hosts", 0, UINT32_MAX, &t->expected, err);
    if (rc != 0) return rc;
    if (t->expected > TIMELINE_HOSTS_MAX)
        return error_set(err, "a timeline shows %d hosts at most, and job %.40s has %llu",
                         TIMELINE_HOSTS_MAX, id, (unsigned long long)t->expected);
    t->id = keep(t, id);
    t->task = keep(t, task);
    t->state = keep(t, state);
    t->version = keep(t, text_of(job, "version"));
    t->is_done = ended_ms != 0;
    if (t->started_ms != 0 && ended_ms > t->started_ms)
        t->makespan_us = (uint64_t)(ended_ms - t->started_ms) * US_PER_MS;
    return 0;
}

// --- its hosts

static bool end_of(const char *state, enum timeline_end *end) {
#define X(name, word)                                                                              \
    if (strcmp(state, word) == 0) {                                                                \
        *end = TIMELINE_##name;                                                                    \
        return true;                                                                               \
    }
#include "orchestrator/host_states.def"
#undef X
    return false;
}

// A clock that was set back is no reason to refuse the rest.
static uint64_t since_start(const struct job_timeline *t, long long wall_ms) {
    return wall_ms > t->started_ms ? (uint64_t)(wall_ms - t->started_ms) * US_PER_MS : 0;
}

static int read_times(const struct job_timeline *t, const cJSON *row, struct timeline_host *host,
                      struct error *err) {
    long long started_ms;
    uint64_t duration_ms = 0;
    const cJSON *duration = cJSON_GetObjectItemCaseSensitive(row, "duration_ms");
    int rc = moment_of(row, "started", &started_ms, err);
    if (rc == 0 && !cJSON_IsNull(duration))
        rc = json_uint_opt(row, "duration_ms", 0, UINT32_MAX, &duration_ms, err);
    if (rc != 0) return rc;
    host->start_us = started_ms == 0 ? TIMELINE_NEVER : since_start(t, started_ms);
    host->end_us = started_ms == 0 ? 0 : host->start_us + duration_ms * US_PER_MS;
    return 0;
}

static int read_host(struct job_timeline *t, const cJSON *row, struct timeline_host *host,
                     struct error *err) {
    const char *name, *state;
    const cJSON *groups = cJSON_GetObjectItemCaseSensitive(row, "groups");
    const char *site = text_of(row, "site"), *error = text_of(row, "error"),
               *group = cJSON_GetStringValue(cJSON_GetArrayItem(groups, 0));
    int rc = json_string(row, "name", &name, err);
    if (rc == 0) rc = json_string(row, "state", &state, err);
    if (rc == 0) rc = read_times(t, row, host, err);
    if (rc != 0) return rc;
    if (!end_of(state, &host->end)) return error_set(err, "there is no state '%.40s'", state);
    host->name = keep(t, name);
    host->site = site == NULL ? NULL : texts_share(&t->texts, site);
    host->group = group == NULL ? NULL : texts_share(&t->texts, group);
    host->reason = keep(t, error != NULL ? error : text_of(row, "skipped_because"));
    host->foretold_start_us = host->foretold_end_us = TIMELINE_NEVER;
    return 0;
}

int job_timeline_add(struct job_timeline *t, const cJSON *page, bool *more, struct error *err) {
    const cJSON *rows = cJSON_GetObjectItemCaseSensitive(page, "hosts"), *row;
    const size_t before = t->count;
    if (!cJSON_IsArray(rows)) return error_set(err, "hosts: expected an array");
    cJSON_ArrayForEach(row, rows) {
        if (t->count == t->expected)
            return error_set(err, "there are more hosts than the %llu of the job",
                             (unsigned long long)t->expected);
        t->hosts = mem_grow(t->hosts, &t->cap, t->count + 1, sizeof *t->hosts);
        int rc = read_host(t, row, &t->hosts[t->count], err);
        if (rc != 0) {
            error_in(err, "hosts[%zu]", t->count - before);
            return rc;
        }
        t->last = t->hosts[t->count++].name;
    }
    *more = t->count < t->expected;
    if (*more && t->count == before)
        return error_set(err, "there are %zu hosts, and the job has %llu", t->count,
                         (unsigned long long)t->expected);
    return 0;
}

// --- the picture

// Of a job that goes on, the last that is known of it; those in hand are so until then.
static void find_end(struct job_timeline *t) {
    for (size_t i = 0; i < t->count; i++)
        if (t->hosts[i].start_us != TIMELINE_NEVER && t->hosts[i].end_us > t->makespan_us)
            t->makespan_us = t->hosts[i].end_us;
    for (size_t i = 0; i < t->count; i++)
        if (t->hosts[i].end == TIMELINE_IN_HAND && t->hosts[i].start_us != TIMELINE_NEVER)
            t->hosts[i].end_us = t->makespan_us;
}

struct timeline job_timeline_drawn(struct job_timeline *t) {
    char took[TIMELINE_LABEL_MAX], started[TIMESTAMP_MAX];
    find_end(t);
    timeline_clock(t->makespan_us, took);
    timestamp_format(t->started_ms, started);
    snprintf(t->title, sizeof t->title, "%s%s%s: %zu hosts, %s%s", t->task,
             t->version == NULL ? "" : " ", t->version == NULL ? "" : t->version, t->count, took,
             t->is_done ? "" : " so far");
    snprintf(t->subtitle, sizeof t->subtitle, "job %s, %s%s", t->id,
             t->started_ms == 0 ? t->state : "started at ", t->started_ms == 0 ? "" : started);
    return (struct timeline){.title = t->title,
                             .subtitle = t->subtitle,
                             .hosts = t->hosts,
                             .count = t->count,
                             .end_us = t->makespan_us};
}

void job_timeline_deinit(struct job_timeline *t) {
    free(t->hosts);
    texts_deinit(&t->texts);
    *t = (struct job_timeline){0};
}

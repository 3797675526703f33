#include "bench/controlled.h"

#include "bench/networks.h"
#include "bench/stats.h"
#include "common/client.h"
#include "common/clock.h"
#include "common/count.h"
#include "common/json.h"
#include "common/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    DEVICES = 1000000,
    TINY = 2000,
    WORKERS = 1000,
    PAUSES = 5,
    LOOKS = 100, // at a time, of each kind
    LOOKS_TINY = 5,
    PATIENCE_S = 1800,
};

enum ask { LIST, JOB, PAGE, STATE, PAUSE, CANCEL, RESUME, ASKS };
static const char *const names[ASKS] = {
    [LIST] = "GET /jobs/",
    [JOB] = "GET /jobs/{id}/",
    [PAGE] = "GET /jobs/{id}/hosts/?after=",
    [STATE] = "GET /jobs/{id}/hosts/?state=changed",
    [PAUSE] = "POST /jobs/{id}/pause/",
    [CANCEL] = "POST /jobs/{id}/cancel/",
    [RESUME] = "POST /jobs/{id}/resume/",
};

struct samples {
    double *ms;
    size_t count, cap;
};

struct run {
    struct lab lab;
    char id[LAB_JOB_ID_MAX];
    char after[256]; // the last host of the page before
    unsigned looks;
    struct samples samples[ASKS];
};

static void note(struct samples *s, double ms) {
    s->ms = mem_grow(s->ms, &s->cap, s->count + 1, sizeof *s->ms);
    s->ms[s->count++] = ms;
}

// --- requests

static int request(struct run *r, enum ask ask, const char *method, const char *path, long status,
                   cJSON **out, struct error *err) {
    char url[512];
    struct reply reply;
    snprintf(url, sizeof url, "%s%s", r->lab.orchestrator.url, path);
    const struct client_request asked = {.method = method, .url = url, .timeout_s = PATIENCE_S};
    const double started = clock_monotonic_s();
    int rc = client_send(&asked, &reply, err);
    if (rc != 0) return rc;
    note(&r->samples[ask], (clock_monotonic_s() - started) * 1e3);
    if (reply.status != status)
        rc = error_set(err, "%s %s: %ld: %.200s", method, path, reply.status, reply.body);
    if (rc == 0 && out != NULL) rc = json_parse(reply.body, reply.body_len, out, err);
    reply_deinit(&reply);
    return rc;
}

static int control(struct run *r, enum ask ask, const char *verb, struct error *err) {
    char path[128];
    snprintf(path, sizeof path, "/jobs/%s/%s/", r->id, verb);
    return request(r, ask, "POST", path, 202, NULL, err);
}

// The next page, or the first again.
static int look_at_page(struct run *r, struct error *err) {
    char path[400];
    cJSON *page = NULL;
    snprintf(path, sizeof path, "/jobs/%s/hosts/?limit=100%s%s", r->id,
             r->after[0] == '\0' ? "" : "&after=", r->after);
    int rc = request(r, PAGE, "GET", path, 200, &page, err);
    const cJSON *hosts = cJSON_GetObjectItemCaseSensitive(page, "hosts");
    const cJSON *last = cJSON_GetArrayItem(hosts, cJSON_GetArraySize(hosts) - 1);
    const char *name = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(last, "name"));
    snprintf(r->after, sizeof r->after, "%s", name == NULL ? "" : name);
    cJSON_Delete(page);
    return rc;
}

static int look(struct run *r, struct error *err) {
    char job[128], state[160];
    snprintf(job, sizeof job, "/jobs/%s/", r->id);
    snprintf(state, sizeof state, "/jobs/%s/hosts/?state=changed&limit=100", r->id);
    int rc = 0;
    for (unsigned i = 0; rc == 0 && i < r->looks; i++) {
        rc = request(r, LIST, "GET", "/jobs/", 200, NULL, err);
        if (rc == 0) rc = request(r, JOB, "GET", job, 200, NULL, err);
        if (rc == 0) rc = look_at_page(r, err);
        if (rc == 0) rc = request(r, STATE, "GET", state, 200, NULL, err);
    }
    return rc;
}

static int await_end(struct run *r, struct error *err) {
    char path[128];
    const double started = clock_monotonic_s();
    snprintf(path, sizeof path, "/jobs/%s/", r->id);
    for (;;) {
        cJSON *job = NULL;
        int rc = look(r, err);
        if (rc == 0) rc = request(r, JOB, "GET", path, 200, &job, err);
        const char *state = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(job, "state"));
        const bool is_done = state != NULL && strcmp(state, "done") == 0;
        cJSON_Delete(job);
        if (rc != 0 || is_done) return rc;
        if (clock_monotonic_s() > started + PATIENCE_S)
            return error_set(err, "the job that was cancelled is not done after %d s", PATIENCE_S);
    }
}

// --- the job

static int play(struct run *r, struct error *err) {
    int rc = lab_begin_job(&r->lab, "5.3.1", r->id, err);
    if (rc == 0) rc = look(r, err);
    for (int i = 0; rc == 0 && i < PAUSES; i++) {
        rc = control(r, PAUSE, "pause", err);
        if (rc == 0) rc = look(r, err);
        if (rc == 0) rc = control(r, RESUME, "resume", err);
        if (rc == 0) rc = look(r, err);
    }
    if (rc == 0) rc = control(r, CANCEL, "cancel", err);
    return rc == 0 ? await_end(r, err) : rc;
}

// --- what it came to

static void add_row(struct table *table, const char *name, struct samples *s) {
    stats_sort(s->ms, s->count);
    table_row(table, name, (double)s->count, stats_quantile(s->ms, s->count, 0.5),
              stats_quantile(s->ms, s->count, 0.99), s->ms[s->count - 1]);
}

static void tell(struct run *r, struct bench_result *result, unsigned devices) {
    static const struct table_column columns[] = {
        {"request", TABLE_TEXT}, {"samples", 0}, {"50 % ms", 2}, {"99 % ms", 2}, {"worst ms", 2}};
    struct samples all = {0};
    struct table *table = bench_table(result, "A job that is looked at, paused and cancelled",
                                      columns, COUNT(columns));
    for (int ask = 0; ask < ASKS; ask++) {
        for (size_t i = 0; ask != RESUME && i < r->samples[ask].count; i++)
            note(&all, r->samples[ask].ms[i]);
        add_row(table, names[ask], &r->samples[ask]);
    }
    stats_sort(all.ms, all.count);
    bench_goal(result,
               (struct bench_goal){"a million hosts: any answer about their job while it "
                                   "runs, 99th percentile",
                                   " ms", 20, stats_quantile(all.ms, all.count, 0.99), false});
    bench_note(result,
               "The job that is looked at has %u hosts and runs at 10ms..2s with %d workers, in a "
               "store. resume/ reads the inventory and compares it, and counts for no goal.",
               devices, WORKERS);
    free(all.ms);
}

int controlled_measure(const struct bench_config *config, struct bench_result *result,
                       struct error *err) {
    const unsigned devices = config->tiny ? TINY : DEVICES;
    char network[SCRATCH_PATH_MAX];
    struct run r = {.looks = config->tiny ? LOOKS_TINY : LOOKS};
    struct error second;
    bench_progress(config, 0, 0, "a job of %u hosts that is looked at", devices);
    int rc = networks_make(devices, "10ms..2s", network, err);
    if (rc != 0) return rc;
    const struct lab_config lab_config = {.network = network,
                                          .time_scale = 1,
                                          .addresses = config->addresses,
                                          .seed = config->seed,
                                          .workers =
                                              config->workers == 0 ? WORKERS : config->workers,
                                          .keeps = true};
    rc = lab_start(&r.lab, &lab_config, err);
    if (rc == 0) {
        rc = play(&r, err);
        int stopped = lab_stop(&r.lab, rc == 0 ? err : &second);
        if (rc == 0) rc = stopped;
    }
    if (rc == 0) tell(&r, result, devices);
    for (int ask = 0; ask < ASKS; ask++)
        free(r.samples[ask].ms);
    return rc;
}

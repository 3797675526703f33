// The step `job`: follows a job by what /jobs/ tells of it. That is exact: what is told is kept, so
// a host that is told to be changed stays changed after a kill; and where a fault holds a device
// back, its host stays in the state that is waited for until the step after this one.
#include "common/clock.h"
#include "scenarios/runner/expect.h"
#include "scenarios/runner/step.h"
#include "scenarios/runner/told.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

enum { PATIENCE_US = 30 * 1000 * 1000, INTERVAL_NS = 5 * 1000 * 1000 };

static const cJSON *get(const cJSON *object, const char *key) {
    return cJSON_GetObjectItemCaseSensitive(object, key);
}

struct wait { // for one state
    const char *id, *host, *state;
    double count;
    char seen[64];
};

static void look_at_job(struct stage *s, struct wait *w, struct error *err) {
    cJSON *job = NULL;
    char path[128];
    snprintf(path, sizeof path, "/jobs/%.60s/", w->id);
    if (stage_get_json(s, PROGRAM_ORCHESTRATOR, path, &job, err) == 0)
        snprintf(w->seen, sizeof w->seen, "%s", step_text(job, "state", "no state"));
    cJSON_Delete(job);
}

static bool host_fits(const struct wait *w, const cJSON *row) {
    if (!expect_fits(w->host, step_text(row, "name", ""))) return false;
    if (strcmp(w->state, "in_doubt") == 0) return cJSON_IsTrue(get(row, "in_doubt"));
    return strcmp(w->state, step_text(row, "state", "")) == 0;
}

static bool look_at_hosts(struct stage *s, struct wait *w, struct error *err) {
    cJSON *rows = NULL;
    const cJSON *row;
    double fit = 0;
    if (told_read_hosts(s, w->id, &rows, err) == 0)
        cJSON_ArrayForEach(row, rows) fit += host_fits(w, row) ? 1 : 0;
    cJSON_Delete(rows);
    snprintf(w->seen, sizeof w->seen, "%.0f such hosts", fit);
    return fit >= w->count;
}

// Whether it has come about. An error: it cannot be asked.
static bool look(struct stage *s, struct wait *w, struct error *err) {
    if (w->host != NULL) return look_at_hosts(s, w, err);
    look_at_job(s, w, err);
    return strcmp(w->seen, w->state) == 0;
}

static void play(struct stage *s, const cJSON *job, struct buf *differences) {
    const cJSON *count = get(job, "count");
    const struct timespec pause = {.tv_nsec = INTERVAL_NS};
    struct wait w = {.id = step_text(job, "id", ""),
                     .host = step_text(job, "host", NULL),
                     .state = step_text(job, "state", "done"),
                     .count = count == NULL ? 1 : count->valuedouble};
    uint64_t until = clock_monotonic_us() + step_duration(job, "timeout", PATIENCE_US, differences);
    for (;;) {
        struct error err = {0};
        if (look(s, &w, &err)) break;
        if (err.text[0] != '\0') {
            expect_differ(differences, "%s", err.text);
            return;
        }
        if (clock_monotonic_us() >= until) {
            expect_differ(differences, "expected %s, saw %s until the timeout", w.state, w.seen);
            return;
        }
        nanosleep(&pause, NULL);
    }
    if (w.host == NULL && strcmp(w.state, "done") == 0) told_check(s, false, differences);
}

const struct step_kind step_job = {
    .name = "job",
    .help = "Waits until a job, or hosts of it, are in a state, as GET /jobs/ tells",
    .example = " {id: 9b2e6f0c-5d1a-4c3b-8e7f-0a1b2c3d4e5f, host: leaf62.earth, state: changed}\n",
    .play = play,
};

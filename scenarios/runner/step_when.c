// The step `when`: waits for an event of the network, so that no scenario needs to sleep. All
// events since the start count: one that came before the step was reached is not missed. With
// `within` those from now on do, and time alone may end it.
#include "common/clock.h"
#include "scenarios/runner/expect.h"
#include "scenarios/runner/step.h"

#include <stdio.h>
#include <string.h>

enum { PATIENCE_US = 30 * 1000 * 1000, TURN_MS = 1000 };

static const cJSON *get(const cJSON *object, const char *key) {
    return cJSON_GetObjectItemCaseSensitive(object, key);
}

static bool event_fits(const cJSON *when, const cJSON *event) {
    return strcmp(get(event, "operation")->valuestring, get(when, "operation")->valuestring) == 0 &&
           strcmp(get(event, "phase")->valuestring, step_text(when, "phase", "begun")) == 0 &&
           expect_fits(step_text(when, "host", "*"), get(event, "host")->valuestring);
}

// The number of the last call that there was until now.
static int read_last(struct stage *s, double *last, struct error *err) {
    cJSON *events = NULL;
    int rc = stage_get_json(s, PROGRAM_SIMULATOR, "/events/", &events, err);
    if (rc == 0 && events->child != NULL) *last = get(events->child->prev, "n")->valuedouble;
    cJSON_Delete(events);
    return rc;
}

// Counts those that have come after *after, which grows; it returns when there are more, or after
// wait_ms.
static int count_more(struct stage *s, const cJSON *when, uint64_t wait_ms, double *after,
                      double *seen, struct error *err) {
    char path[128];
    cJSON *events = NULL;
    const cJSON *event;
    snprintf(path, sizeof path, "/events/?after=%.0f&wait=%llums", *after,
             (unsigned long long)wait_ms);
    int rc = stage_get_json(s, PROGRAM_SIMULATOR, path, &events, err);
    cJSON_ArrayForEach(event, events) {
        *after = get(event, "n")->valuedouble;
        if (event_fits(when, event)) ++*seen;
    }
    cJSON_Delete(events);
    return rc;
}

static uint64_t least(uint64_t a, uint64_t b) {
    return a < b ? a : b;
}

static void play(struct stage *s, const cJSON *when, struct buf *differences) {
    const cJSON *count = get(when, "count");
    const bool may_fail = get(when, "within") != NULL;
    double wanted = count == NULL ? 1 : count->valuedouble, seen = 0, after = 0;
    struct error err;
    uint64_t until = clock_monotonic_us() +
                     step_duration(when, may_fail ? "within" : "timeout", PATIENCE_US, differences);
    int rc = may_fail ? read_last(s, &after, &err) : 0;
    for (uint64_t now; rc == 0 && seen < wanted && (now = clock_monotonic_us()) < until;)
        rc = count_more(s, when, least((until - now) / 1000 + 1, TURN_MS), &after, &seen, &err);
    if (rc != 0)
        expect_differ(differences, "%s", err.text);
    else if (seen < wanted && !may_fail)
        expect_differ(differences, "%s %s: expected %.0f events, saw %.0f until the timeout",
                      get(when, "operation")->valuestring, step_text(when, "phase", "begun"),
                      wanted, seen);
}

const struct step_kind step_when = {
    .name = "when",
    .help = "Waits for a call on a device of the network; calls before this step count too",
    .example = " {operation: install_os_version, phase: begun, host: leaf62.earth, timeout: 30s}\n",
    .play = play,
};

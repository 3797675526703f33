// The step `when`: waits for an event of the network, so that no scenario needs to sleep. All
// events since the start count: one that came before the step was reached is not missed.
#include "common/clock.h"
#include "scenarios/runner/expect.h"
#include "scenarios/runner/step.h"

#include <stdio.h>
#include <string.h>

enum { PATIENCE_US = 30 * 1000 * 1000 };

static const cJSON *get(const cJSON *object, const char *key) {
    return cJSON_GetObjectItemCaseSensitive(object, key);
}

static bool event_fits(const cJSON *when, const cJSON *event) {
    return strcmp(get(event, "operation")->valuestring, get(when, "operation")->valuestring) == 0 &&
           strcmp(get(event, "phase")->valuestring, step_text(when, "phase", "begun")) == 0 &&
           expect_fits(step_text(when, "host", "*"), get(event, "host")->valuestring);
}

static void play(struct stage *s, const cJSON *when, struct buf *differences) {
    const cJSON *count = get(when, "count"), *event;
    double wanted = count == NULL ? 1 : count->valuedouble, seen = 0, after = 0;
    uint64_t until =
        clock_monotonic_us() + step_duration(when, "timeout", PATIENCE_US, differences);
    while (clock_monotonic_us() < until) {
        char path[128];
        cJSON *events = NULL;
        struct error err;
        snprintf(path, sizeof path, "/events/?after=%.0f&wait=1s", after);
        if (stage_get_json(s, PROGRAM_SIMULATOR, path, &events, &err) != 0) {
            expect_differ(differences, "%s", err.text);
            return;
        }
        cJSON_ArrayForEach(event, events) {
            after = get(event, "n")->valuedouble;
            if (event_fits(when, event)) seen++;
        }
        cJSON_Delete(events);
        if (seen >= wanted) return;
    }
    expect_differ(differences, "%s %s: expected %.0f events, saw %.0f until the timeout",
                  get(when, "operation")->valuestring, step_text(when, "phase", "begun"), wanted,
                  seen);
}

const struct step_kind step_when = {
    .name = "when",
    .help = "Waits for a call on a device of the network; calls before this step count too",
    .example = " {operation: install_os_version, phase: begun, host: leaf62.earth, timeout: 30s}\n",
    .play = play,
};

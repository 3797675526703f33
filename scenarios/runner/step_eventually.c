// The step `eventually`: for what comes about without an event of the network to wait for. Its
// steps are tried, and tried again, until all of them pass or the time is up; then the last try is
// told.
#include "common/clock.h"
#include "common/duration.h"
#include "scenarios/runner/expect.h"
#include "scenarios/runner/step.h"

#include <time.h>

enum { PATIENCE_US = 30 * 1000 * 1000, INTERVAL_US = 50 * 1000 };

static const cJSON *get(const cJSON *object, const char *key) {
    return cJSON_GetObjectItemCaseSensitive(object, key);
}

// Its timeout and interval with their ${...} replaced: its steps do that each time they run.
static cJSON *times_of(struct stage *s, const cJSON *eventually, struct buf *differences) {
    cJSON *times = cJSON_Duplicate(eventually, true), *expanded = NULL;
    struct error err;
    cJSON_DeleteItemFromObjectCaseSensitive(times, "steps");
    if (stage_expand(s, times, &expanded, &err) != 0) expect_differ(differences, "%s", err.text);
    cJSON_Delete(times);
    return expanded;
}

static void play(struct stage *s, const cJSON *eventually, struct buf *differences) {
    cJSON *times = times_of(s, eventually, differences);
    uint64_t timeout_us = step_duration(times, "timeout", PATIENCE_US, differences);
    uint64_t interval_us = step_duration(times, "interval", INTERVAL_US, differences);
    cJSON_Delete(times);
    uint64_t until = clock_monotonic_us() + timeout_us;
    struct timespec pause = {.tv_sec = (time_t)(interval_us / 1000000),
                             .tv_nsec = (long)(interval_us % 1000000) * 1000};
    struct buf failure = {0};
    while (s->play_all(s, get(eventually, "steps"), "steps", &failure) != 0) {
        if (clock_monotonic_us() >= until) {
            char text[DURATION_TEXT_MAX];
            duration_format(timeout_us, text);
            expect_differ(differences, "did not pass within %s; the last try:", text);
            buf_adds(differences, failure.data);
            break;
        }
        buf_clear(&failure);
        nanosleep(&pause, NULL);
    }
    buf_deinit(&failure);
}

const struct step_kind step_eventually = {
    .name = "eventually",
    .help = "Repeats steps until they pass",
    .example = "\n"
               "      timeout: 30s\n"
               "      steps: [request: {path: /readyz}]\n",
    .expands_later = true,
    .play = play,
};

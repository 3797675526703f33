#include "scenarios/runner/steps.h"

#include "common/clock.h"
#include "common/duration.h"
#include "common/mem.h"
#include "common/text.h"
#include "scenarios/runner/expect.h"
#include "scenarios/runner/step.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { PATIENCE_US = 30 * 1000 * 1000, INTERVAL_US = 50 * 1000 };

static const cJSON *get(const cJSON *object, const char *key) {
    return cJSON_GetObjectItemCaseSensitive(object, key);
}

// The schema has seen to it that it is a duration; what ${...} made of it has to be checked here.
static uint64_t duration_or(const cJSON *object, const char *key, uint64_t otherwise,
                            struct buf *differences) {
    struct error err;
    uint64_t us = otherwise;
    const cJSON *value = get(object, key);
    if (value == NULL) return otherwise;
    if (!cJSON_IsString(value)) return 0; // a plain 0
    if (duration_parse(value->valuestring, &us, &err) != 0)
        expect_differ(differences, "%s: %s", key, err.text);
    return us;
}

// --- waiting

static bool event_fits(const cJSON *when, const cJSON *event) {
    return strcmp(get(event, "operation")->valuestring, get(when, "operation")->valuestring) == 0 &&
           strcmp(get(event, "phase")->valuestring, step_text(when, "phase", "begun")) == 0 &&
           expect_fits(step_text(when, "host", "*"), get(event, "host")->valuestring);
}

void step_when(struct stage *s, const cJSON *when, struct buf *differences) {
    const cJSON *count = get(when, "count"), *event;
    double wanted = count == NULL ? 1 : count->valuedouble, seen = 0, after = 0;
    uint64_t until = clock_monotonic_us() + duration_or(when, "timeout", PATIENCE_US, differences);
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
    expect_differ(differences, "%s %s came %.0f times, not %.0f",
                  get(when, "operation")->valuestring, step_text(when, "phase", "begun"), seen,
                  wanted);
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

void step_eventually(struct stage *s, const cJSON *eventually, struct buf *differences) {
    cJSON *times = times_of(s, eventually, differences);
    uint64_t timeout_us = duration_or(times, "timeout", PATIENCE_US, differences);
    uint64_t interval_us = duration_or(times, "interval", INTERVAL_US, differences);
    cJSON_Delete(times);
    uint64_t until = clock_monotonic_us() + timeout_us;
    struct timespec pause = {.tv_sec = (time_t)(interval_us / 1000000),
                             .tv_nsec = (long)(interval_us % 1000000) * 1000};
    struct buf failure = {0};
    while (steps_run(s, get(eventually, "steps"), "steps", &failure) != 0) {
        if (clock_monotonic_us() >= until) {
            char text[DURATION_TEXT_MAX];
            duration_format(timeout_us, text);
            expect_differ(differences, "not within %s; at last:", text);
            buf_adds(differences, failure.data);
            break;
        }
        buf_clear(&failure);
        nanosleep(&pause, NULL);
    }
    buf_deinit(&failure);
}

// --- running them

static const struct {
    const char *name;
    step_run *run;
    bool expands_later; // its own steps expand their strings when they come to run
} kinds[] = {
    {"request", step_request, false},
    {"metrics", step_metrics, false},
    {"devices", step_devices, false},
    {"audit", step_audit, false},
    {"log", step_log, false},
    {"faults", step_faults, false},
    {"remove_faults", step_remove_faults, false},
    {"when", step_when, false},
    {"signal", step_signal, false},
    {"parallel", step_parallel, true},
    {"eventually", step_eventually, true},
};

static void run_step(struct stage *s, const cJSON *arg, struct buf *differences) {
    size_t i = 0;
    while (strcmp(kinds[i].name, arg->string) != 0) // the schema knows no others
        i++;
    cJSON *expanded = NULL;
    struct error err;
    if (kinds[i].expands_later)
        kinds[i].run(s, arg, differences);
    else if (stage_expand(s, arg, &expanded, &err) != 0)
        expect_differ(differences, "%s", err.text);
    else
        kinds[i].run(s, expanded, differences);
    cJSON_Delete(expanded);
}

enum { ASKED_SHOWN = 300 }; // bytes of a step that failed

int steps_run(struct stage *s, const cJSON *steps, const char *where, struct buf *failure) {
    const cJSON *step;
    size_t index = 0;
    cJSON_ArrayForEach(step, steps) {
        struct buf differences = {0};
        run_step(s, step->child, &differences);
        if (differences.len > 0) {
            char *asked = cJSON_PrintUnformatted(step->child);
            size_t len = strlen(asked), shown = text_cut(asked, len, ASKED_SHOWN);
            buf_addf(failure, "%s[%zu].%s %.*s%s\n%s", where, index, step->child->string,
                     (int)shown, asked, shown < len ? "..." : "", differences.data);
            cJSON_free(asked);
            buf_deinit(&differences);
            return ERROR_INPUT;
        }
        index++;
    }
    return 0;
}

int steps_check(struct stage *s, const cJSON *check, const char *where, bool strict,
                struct buf *failure) {
    bool both = programs_running(&s->programs, PROGRAM_SIMULATOR) &&
                programs_running(&s->programs, PROGRAM_ORCHESTRATOR);
    if (!both && !strict) return 0;
    struct buf differences = {0};
    run_step(s, check->child, &differences);
    bool failed = differences.len > 0;
    // A program that just went away cannot be asked; the check at the end will be strict.
    if (failed && !strict && strstr(differences.data, "no answer") != NULL) failed = false;
    if (failed) buf_addf(failure, "%s.%s\n%s", where, check->child->string, differences.data);
    buf_deinit(&differences);
    return failed ? ERROR_INPUT : 0;
}

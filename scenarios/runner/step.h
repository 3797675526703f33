// The kinds of steps. Each does one thing, and appends to differences what was not as expected.
#pragma once

#include "common/buf.h"
#include "scenarios/runner/stage.h"

#include <string.h>

typedef void step_run(struct stage *s, const cJSON *arg, struct buf *differences);

step_run step_request;                                                // step_request.c
step_run step_metrics, step_devices, step_audit, step_log;            // step_checks.c
step_run step_faults, step_remove_faults, step_signal, step_parallel; // step_programs.c
step_run step_when, step_eventually;                                  // steps.c

// A string field, or what stands for it where it is absent.
static inline const char *step_text(const cJSON *object, const char *key, const char *otherwise) {
    const cJSON *value = cJSON_GetObjectItemCaseSensitive(object, key);
    return cJSON_IsString(value) ? value->valuestring : otherwise;
}

// A field that names a program; the orchestrator where it is absent.
static inline enum program_name step_program(const cJSON *object, const char *key) {
    const char *name = step_text(object, key, program_names[PROGRAM_ORCHESTRATOR]);
    return strcmp(name, program_names[PROGRAM_SIMULATOR]) == 0 ? PROGRAM_SIMULATOR
                                                               : PROGRAM_ORCHESTRATOR;
}

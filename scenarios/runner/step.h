// A kind of step. Each has a file of its own, step_NAME.c, that says what it does, in code and in
// words; steps.h has the list of all.
#pragma once

#include "common/buf.h"
#include "scenarios/runner/stage.h"

#include <stdint.h>

struct step_kind {
    const char *name;    // its key in a scenario
    const char *help;    // one sentence; spec/scenario.schema.json describes it by the same
    const char *example; // what stands behind "- name:", each line with its LF
    bool checks;         // it only looks, so it may stand in `always`, too
    bool of_network;     // it asks the simulator alone
    bool expands_later;  // it holds steps, whose ${...} are replaced when they come to be played
    // Appends to differences, a line each, what was not as expected. arg has its ${...} replaced.
    void (*play)(struct stage *s, const cJSON *arg, struct buf *differences);
};

// --- for the kinds

// A string field, or what stands for it where it is absent.
const char *step_text(const cJSON *object, const char *key, const char *otherwise);
// A field that names a program; the orchestrator where it is absent.
enum program_name step_program(const cJSON *object, const char *key);
// A duration in microseconds, or what stands for it where it is absent.
uint64_t step_duration(const cJSON *object, const char *key, uint64_t otherwise_us,
                       struct buf *differences);

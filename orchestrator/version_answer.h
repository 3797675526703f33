// What a device says of its version: the answer of get_version, and of install_os_version likewise
// (spec/acmeos.md).
#pragma once

#include "orchestrator/task.h"

struct version_answer { // strings are borrowed from the answer
    const char *version;
    const char *installing; // NULL: no install runs on the device
};

// The parts and the whole must agree: a device that contradicts itself is not understood. out is
// written on success only; what the device runs is noted, unless notes is NULL.
int version_answer_read(const cJSON *result, struct task_notes *notes, struct version_answer *out,
                        struct error *err);
// An install that runs is an error, too; what the device runs meanwhile is noted.
int version_answer_read_idle(const cJSON *result, struct task_notes *notes,
                             struct version_answer *out, struct error *err);

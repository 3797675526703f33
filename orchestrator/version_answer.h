// What a device says of its version: the answer of get_version, and of install_os_version likewise
// (spec/acmeos.md).
#pragma once

#include "common/error.h"

#include <cjson/cJSON.h>

struct version_answer { // strings are borrowed from the answer
    const char *version;
    const char *installing; // NULL: no install runs on the device
};

// The parts and the whole must agree: a device that contradicts itself is not understood. out is
// written on success only.
int version_answer_read(const cJSON *result, struct version_answer *out, struct error *err);
// An install that runs is an error, too.
int version_answer_read_idle(const cJSON *result, struct version_answer *out, struct error *err);

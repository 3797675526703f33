// What is wrong with a file: its errors, each with its place, so that all are told at once.
#pragma once

#include "common/error.h"

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>

enum { FINDINGS_MAX = 10 }; // that are kept; what is found beyond is only counted

struct findings { // zero it first; nothing has to be freed
    struct error list[FINDINGS_MAX];
    size_t count, more;
};

void findings_add(struct findings *f, const struct error *err);
// Puts the place of a field before those from number since on: error_in().
void findings_in(struct findings *f, size_t since, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
// Whether one of those that are kept is about this value, or about what it holds.
bool findings_within(const struct findings *f, const cJSON *value);

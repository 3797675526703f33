// The scenarios below some paths, and the runs that they amount to.
#pragma once

#include "scenarios/runner/run.h"

#include <stdio.h>

struct suite_filter {
    const char *tags; // NULL: all
    const char *text; // in the path or the name; NULL: all
    uint64_t seed;
    bool seed_given;
};

struct suite {
    struct scenario *scenarios; // in the order of their paths
    size_t scenarios_count;
    struct run *runs;
    size_t runs_count;
};

// Loads every .yaml file below the paths: files, whatever their names end in, or folders. An
// invalid file is reported on errors, a line for each error, and makes the result ERROR_INPUT.
// Deinit it in either case.
int suite_load(struct suite *suite, const char *const *paths, size_t count,
               const struct suite_filter *filter, unsigned repeat, FILE *errors);
void suite_deinit(struct suite *suite);

// scenario run | list | check | new | steps: what each does once its command line is read.
#pragma once

#include "common/buf.h"
#include "scenarios/runner/runs.h"
#include "scenarios/runner/suite.h"

#include <stdbool.h>
#include <stddef.h>

enum { EXIT_PASS, EXIT_FAIL, EXIT_INVALID, EXIT_ENVIRONMENT, EXIT_USAGE };

struct command_line { // all strings are borrowed, from argv or from here
    struct suite_filter filter;
    struct runs_config runs;
    const char *junit, *json;
    bool tap, verbose, until_fail;
    unsigned repeat;
    const char **paths; // files and folders of scenarios; of `new` the name
    size_t paths_count, paths_cap;
    struct buf replay; // "build/scenario run", for who wants to replay a run
    char binaries[PROGRAM_COUNT][512];
};

// Each is the `run` of a struct options: command_line is a struct command_line. The exit code.
int command_run(void *command_line);
int command_list(void *command_line);
int command_check(void *command_line);
int command_new(void *command_line);
int command_steps(void *command_line);

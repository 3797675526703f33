// The options of the program scenario.
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
    const char **paths;
    size_t paths_count;
    bool paths_given;  // else it is the default
    struct buf replay; // the command without its paths, for who wants to replay a run
    char binaries[PROGRAM_COUNT][512];
};

extern const char command_line_usage[];

// argv[0] is the command: "run". False: exit_code is what to end with, and all is said that is to
// be said. program is how the program was called, for lines that replay a run.
bool command_line_parse(struct command_line *c, const char *program, int argc, char **argv,
                        int *exit_code);
void command_line_deinit(struct command_line *c);

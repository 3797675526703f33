// Command lines from one table: parsing (getopt_long), --help and --version all come from it.
#pragma once

#include "common/error.h"

#include <stdbool.h>
#include <stddef.h>

enum { OPTIONS_EXIT_USAGE = 2 };

struct option_spec {
    const char *name; // without the dashes
    const char *arg;  // what stands for the value in --help; NULL: a flag, set() gets value NULL
    const char *help; // one line, ending in the default
    int (*set)(void *config, const char *value, struct error *err);
};

struct options {
    const char *program;
    const char *summary; // one sentence for --help
    const struct option_spec *specs;
    size_t count;
};

// True: go on. False: end the program with *exit_code (after --help, --version or an error, which
// is printed). Arguments that are not options are an error.
bool options_parse(const struct options *o, void *config, int argc, char **argv, int *exit_code);

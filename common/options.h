// Command lines from one table: parsing (getopt_long), --help and --version all come from it.
#pragma once

#include "common/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { OPTIONS_EXIT_USAGE = 2 };

struct option_spec {
    const char *name; // without the dashes
    const char *arg;  // what stands for the value in --help; NULL: a flag, set() gets value NULL
    const char *help; // one line, ending in the default
    // Called once for each time that the option is given, in that order.
    int (*set)(void *config, const char *value, struct error *err);
};

struct option_commands;

// The options of a program, or of one of its commands. One named version takes the place of that
// which prints the program's.
struct options {
    const char *program;
    const char *summary; // one sentence for --help
    const struct option_spec *specs;
    size_t count;
    // What follows may be left out.
    const char *command;   // "run"; NULL: the program has no commands
    const char *arguments; // that are not options, as --help names them: "[PATH]..."
    int (*argument)(void *config, const char *value, struct error *err); // NULL: there are none
    size_t arguments_min;
    int exit_usage;           // exit code of a wrong command line; 0: OPTIONS_EXIT_USAGE
    int (*run)(void *config); // for the caller of options_parse_command()
    const struct option_commands *commands; // that the program has beside its options
};

bool options_has(const struct options *o, const char *name); // one of that name

// True: go on. False: end the program with *exit_code (after --help, --version or an error, which
// is printed).
bool options_parse(const struct options *o, void *config, int argc, char **argv, int *exit_code);

// A program with commands: PROGRAM COMMAND [OPTION]...
struct option_commands {
    const char *program;
    const char *summary;
    const struct options *list;
    size_t count;
    const char *notes; // lines at the end of --help; may be NULL
    int exit_usage;    // as that of struct options
};

// The command that argv[1] names, its options parsed. NULL: end the program with *exit_code.
const struct options *options_parse_command(const struct option_commands *commands, void *config,
                                            int argc, char **argv, int *exit_code);

// For set(): a whole number, or the error "'x': expected a number from low to high".
int options_number(const char *value, uint64_t low, uint64_t high, uint64_t *out,
                   struct error *err);

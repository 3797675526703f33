// The terminal client: commands for the jobs of a service that runs.
#pragma once

#include "common/options.h"

extern const struct option_commands cli_commands;

// argv[1] is the name of a command, or meant to be one. program: orchestrator's own options.
// Returns what main() is to return.
int cli_main(const struct options *program, int argc, char **argv);

// What a scenario gives its programs to begin with, each as a file or written in it: the network,
// its inventory, and policies.
#pragma once

#include "common/yml.h"
#include "scenarios/runner/findings.h"

#include <stdbool.h>

// Adds what the loaders of the programs say of them, and of the policy together with the network.
// Parts that f finds wrong already, or that hold ${...}, are left out, and so is what stands in
// files unless with_files. path: the scenario's, beside which files are looked for.
void setup_check(const struct yml *scenario, const char *path, bool with_files, struct findings *f);

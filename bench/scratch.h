// The folder of temporary files of a bench: programs' logs, networks. It goes with the bench,
// however that ends: the work is done by a child process, and the parent is left to tidy up.
#pragma once

#include "common/error.h"

enum { SCRATCH_PATH_MAX = 128 };

// Runs work in a child that the kernel ends with this process. The child's exit code; 128 + N where
// signal N ended it. SIGINT and SIGTERM are passed on.
int scratch_run(int (*work)(void *arg), void *arg);

// A new empty file, in the child: its name ends in suffix.
int scratch_file(const char *suffix, char path[SCRATCH_PATH_MAX], struct error *err);
// A new empty folder, likewise.
int scratch_folder(char path[SCRATCH_PATH_MAX], struct error *err);

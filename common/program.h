// What every program does first and last: it takes nothing for granted of what it was started with.
#pragma once

#include "common/error.h"

// First thing in main(). Descriptors 0, 1 and 2 are there: one that was closed becomes /dev/null,
// the wrong way round, so that its use is an error, and no socket can take its number. Signals that
// a parent had blocked, or ignored where we rely on them, come as usual. SIGPIPE, SIGXFSZ, SIGUSR1
// and SIGUSR2 are ignored. Includes mem_init().
void program_init(void);

// Prints the line that says that the program is ready, to stdout, LF added. An error: it could not
// be written, so that whoever waits for it would wait for ever.
int program_ready(struct error *err, const char *format, ...) __attribute__((format(printf, 2, 3)));

// A line on stderr, LF added, of a program that is at work. It never waits: a pipe or a terminal
// that takes nothing loses it.
void program_say(const char *format, ...) __attribute__((format(printf, 1, 2)));

// What main() returns: the code, or EXIT_FAILURE in place of success where stdout could not be
// written, which is said on stderr.
int program_end(const char *name, int exit_code);

// A program that serves HTTP until it is told to end, as a child process: it is ready when its
// first line names its URL, and it ends by itself, with an exit code.
#pragma once

#include "common/process.h"

struct daemon {
    const char *name;
    struct process process; // pid 0: not running
    char ready[512];        // its first line
    char url[64];           // the URL in it: "http://127.0.0.1:5000"
};

struct daemon_command {
    const char *name; // for messages: "orchestrator"; borrowed for the daemon's life
    struct process_command process;
    unsigned patience_s; // for the first line
};

// On an error nothing runs: "orchestrator did not start: " and what it wrote to its stderr_path,
// else why.
int daemon_start(struct daemon *d, const struct daemon_command *command, struct error *err);

// Waits for its end, after a signal where signum is not 0. An error where it takes longer than
// patience_s (it is killed then), where a signal ended it, or where its exit code is another.
int daemon_end(struct daemon *d, int signum, int code, unsigned patience_s, struct error *err);

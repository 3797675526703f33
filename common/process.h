// Child processes: started, understood by their first line, measured, ended by their own pid.
#pragma once

#include "common/error.h"

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct process {
    pid_t pid; // 0: not running
    int out;   // its stdout; -1: closed
};

struct process_command {
    const char *const *argv; // argv[0] is the path of the program; NULL ends it
    const char *stderr_path; // appended to; NULL: this process' stderr; /dev/stdout: its stdout
    const char *dir; // where it runs, which argv[0] is relative to; NULL: where this one does
    const char *const
        *environment; // "NAME=value", beside this process' own; NULL ends it, or is none
};

// The kernel kills the child when the thread that started it ends,
// however it ends, so a killed parent leaves no child behind. Ctrl-C and a hangup of the terminal
// are for the parent to answer: the child has a process group of its own and, unless it handles
// SIGINT itself, ignores it. All other signals are as usual for it, whatever this process ignores.
// Of what this process has open it has its stdio alone.
int process_start(struct process *p, const struct process_command *command, struct error *err);

// The next line of its stdout, without the LF. Fails where none comes in time or the stream ends.
int process_read_line(struct process *p, unsigned patience_s, char *line, size_t size,
                      struct error *err);

// The path of a program in the folder of this process' own.
void process_beside(const char *name, char path[512]);

int process_signal(const struct process *p, int signum, struct error *err);

struct process_end {
    int status;   // as waitpid() gives it
    double cpu_s; // user and system, of its whole life
};

// Waits for its end; one that takes longer is killed, and that is an error. Signals it first where
// signum is not 0. What it has left behind in its process group is killed. end may be NULL.
int process_end(struct process *p, int signum, unsigned patience_s, struct process_end *end,
                struct error *err);

// What it has used until now.
double process_cpu_s(const struct process *p); // user and system, all threads
struct process_memory {
    uint64_t resident, peak; // bytes
};
struct process_memory process_memory(const struct process *p);

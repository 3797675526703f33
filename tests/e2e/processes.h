// The processes that a program started, and their end.
#pragma once

#include <stddef.h>
#include <sys/types.h>

enum { PROCESSES_MAX = 64 };

struct processes {
    size_t count;
    pid_t pids[PROCESSES_MAX];
    int fds[PROCESSES_MAX]; // of pidfd_open(): a pid that is used again is not mistaken for it
};

// Children, grandchildren and so on, by /proc.
void processes_below(pid_t pid, struct processes *found);
// The test fails where one of them is alive after a generous patience.
void processes_await_end(struct processes *p);

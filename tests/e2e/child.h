// The terminal client as a child of the test, which reads on while it runs and other things go
// wrong.
#pragma once

#include "common/buf.h"

#include <stdbool.h>
#include <sys/types.h>

struct child {
    pid_t pid;
    int out; // what it writes comes here
    struct buf got;
};

struct child child_start(const char *const *args); // of build/orchestrator
struct child child_start_at_terminal(unsigned short columns, const char *const *args);
bool child_read(struct child *c); // false: it has ended
void child_await(struct child *c, const char *text);
// What it wrote is in output, cut to size.
void child_end(struct child *c, int code, char *output, size_t size);

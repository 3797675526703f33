// What machine.so does, in the file that MACHINE names: another process changes it at any moment.
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct machine {
    int64_t clock_ms;    // so much the wall clock is ahead, or behind
    bool has_no_threads; // none is made any more
    bool has_no_proc;    // nothing below /proc is there
};

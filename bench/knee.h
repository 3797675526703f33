// What a plot of the window against workers says of its knee: what limits on either side of it.
// Pure.
#pragma once

#include "common/buf.h"

struct knee {
    double workers;           // where it is
    const char *left, *right; // what limits with fewer workers, and with more: "the workers"
    double height;            // of the texts, in the plot: from 0 to 1
};

// Appends gnuplot's commands: a line at the knee, and the texts beside it, in quotes of their own.
void knee_write(struct buf *script, const struct knee *knee);

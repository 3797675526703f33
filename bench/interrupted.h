// A job that is killed half-way: what it costs to keep one, and to take it up.
#pragma once

#include "bench/bench.h"

// Adds its table, and a note.
int interrupted_measure(const struct bench_config *config, struct bench_result *result,
                        struct error *err);

// A large job that is looked at, paused and cancelled while it runs: how fast that is answered.
#pragma once

#include "bench/bench.h"

// Adds its table, a goal, and a note.
int controlled_measure(const struct bench_config *config, struct bench_result *result,
                       struct error *err);

// How long the others take to have all that a dead node had.
#pragma once

#include "bench/bench.h"

// state: of a database.
int takeover_measure(const struct bench_config *config, const char *state,
                     struct bench_result *result, struct error *err);

// How long the others take to have all that a dead node had.
#pragma once

#include "bench/bench.h"
#include "bench/database.h"

int takeover_measure(const struct bench_config *config, struct database *database,
                     struct bench_result *result, struct error *err);

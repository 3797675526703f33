// The part of `bench concurrency` that compares orders between redundancy groups.
#pragma once

#include "bench/bench.h"

// Adds its table to the result.
int order_table(const struct bench_config *config, struct bench_result *result, struct error *err);

// A forecast held against a live run of the same seed: the window, what became of the hosts, and
// when each of them began and ended.
#pragma once

#include "bench/bench.h"
#include "bench/model.h"

// median_s: the window as all seeds foretell it. The model has the live run's scale afterwards.
int verify_forecast(const struct bench_config *config, struct model *model, unsigned workers,
                    double median_s, struct bench_result *result, struct error *err);

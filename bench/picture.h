// The timelines that a forecast writes, to the file that the command line names.
#pragma once

#include "bench/bench.h"
#include "bench/model.h"
#include "common/timeline.h"

// The run of that seed, which is the median of so many.
int picture_foretold(const struct bench_config *config, struct model *model, unsigned workers,
                     uint64_t seed, size_t runs, struct error *err);
// A live run of the configuration's seed, over its forecast.
int picture_live(const struct bench_config *config, unsigned workers,
                 const struct timeline_host *hosts, size_t count, uint64_t end_us,
                 struct error *err);

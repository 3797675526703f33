// The live run that a forecast is held against.
#pragma once

#include "bench/bench.h"
#include "bench/model.h"
#include "orchestrator/job_timeline.h"

// An upgrade of the network of the configuration, with its faults and its policy, by an
// orchestrator with the model's version, credentials, timeouts and settings of peers. timeline:
// what it told of its hosts then; NULL: nobody asks. It is zeroed first; deinit it after success
// and after errors.
int live_run(const struct bench_config *config, const struct model *model, unsigned workers,
             struct lab_run *run, struct job_timeline *timeline, struct error *err);

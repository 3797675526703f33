// The live run that a forecast is held against.
#pragma once

#include "bench/bench.h"
#include "bench/model.h"
#include "orchestrator/job_timeline.h"

// What the lab's orchestrator tells of the hosts of its last job. timeline is zeroed first; deinit
// it after success and after errors.
int live_timeline(const struct lab *lab, struct job_timeline *timeline, struct error *err);

// An upgrade of the network of the configuration, with its faults and its policy, by an
// orchestrator with the model's version, credentials, timeouts and settings of peers. timeline: as
// above; NULL: nobody asks.
int live_run(const struct bench_config *config, const struct model *model, unsigned workers,
             struct lab_run *run, struct job_timeline *timeline, struct error *err);

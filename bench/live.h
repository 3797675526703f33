// The live run that a forecast is held against.
#pragma once

#include "bench/bench.h"
#include "orchestrator/session.h"

// An upgrade of the network of the configuration, with its faults and its policy, by an
// orchestrator with that session's credentials and timeouts: these are real time.
int live_run(const struct bench_config *config, const struct session_config *session,
             const char *version, unsigned workers, struct lab_run *run, struct error *err);

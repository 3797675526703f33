// Whether what an orchestrator says of a job that is over is true.
#pragma once

#include "common/buf.h"
#include "common/error.h"

struct truth {
    size_t hosts, changed, unchanged, failed, skipped;
    struct buf why; // a line for each that failed or was skipped; the caller's to deinit
};

// Looks the job up at the API, host by host, and the devices at the simulator's admin API. An error
// says what is not as it must be:
//
// - the job is done, and each of its hosts has exactly one outcome: the same one in its counts, in
//   its hosts and in its report;
// - a device whose host is changed or unchanged runs the version, one that failed or was skipped
//   does not;
// - the referee saw no violation.
int truth_check(const char *api, const char *admin, const char *id, const char *version,
                struct truth *truth, struct error *err);

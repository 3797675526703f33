// How long the devices of a run will take, and which will fail: as the simulator draws it for a
// seed, or from the histogram of a real run.
#pragma once

#include "bench/plan.h"
#include "bench/virtual.h"
#include "simulator/world.h"

enum { MODEL_BUCKETS_MAX = 64 };

struct model_histogram {                // of the durations of hosts
    double bounds_s[MODEL_BUCKETS_MAX]; // upper, ascending
    double counts[MODEL_BUCKETS_MAX];   // of each bucket, not cumulative
    size_t len;
};

struct model_timeouts { // of the orchestrator; connecting takes no time here
    uint64_t call_us, install_us;
};

struct model {
    const struct plan *plan;
    const char *version;                     // that is installed
    double failure_rate;                     // of installs
    const struct model_histogram *histogram; // NULL: the network's latencies
    struct model_timeouts timeouts;          // the orchestrator's defaults, unless they are set
    double slowness[NETWORK_TYPES_MAX];      // by device type: a factor, 1 unless it is set
    struct world world;                      // for what the devices are born with
};

// plan, version and histogram are borrowed.
void model_init(struct model *model, const struct plan *plan, const char *version,
                double failure_rate, const struct model_histogram *histogram);
void model_deinit(struct model *model);
void model_seed(struct model *model, uint64_t seed);

// A virtual_draw; arg is a struct model. Without a histogram it is, to the microsecond, what a
// simulator of that seed takes for an upgrade of that device at time scale 1, where the
// orchestrator has those timeouts; and the devices that fail are those that do not answer in time,
// and those that its first fault rule, an `error` on install_os_version of that probability, takes
// hold of. The durations of a histogram have the timeouts of their run in them already.
struct virtual_host model_draw(void *arg, uint32_t host);

// Reads orchestrator_host_duration_seconds out of what /metrics/ answered, in the text form.
int model_histogram_parse(const char *scrape, struct model_histogram *histogram, struct error *err);

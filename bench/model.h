// How long the devices of a run will take, and which will fail: as the simulator draws it for a
// seed, or from the histogram of a real run. Of most devices the latencies tell all, and are
// enough; the odd ones are visited (visit.h), at fifty times the cost.
#pragma once

#include "bench/plan.h"
#include "bench/virtual.h"
#include "bench/visit.h"

enum { MODEL_BUCKETS_MAX = 64 };

struct model_histogram {                // of the durations of hosts
    double bounds_s[MODEL_BUCKETS_MAX]; // upper, ascending
    double counts[MODEL_BUCKETS_MAX];   // of each bucket, not cumulative
    size_t len;
};

struct model {
    const struct plan *plan;
    const char *version;                     // that is installed
    const struct model_histogram *histogram; // NULL: the network's latencies
    struct session_config session;           // the orchestrator's defaults, unless they are set
    double slowness[NETWORK_TYPES_MAX];      // by device type: a factor, 1 unless it is set
    struct world world; // for what the devices are born with, and whatever is odd about them
    struct visitor visitor;
    struct task_args args;
    struct model_visit { // what a visit to an odd device of this seed has come to
        bool known;
        struct virtual_host host;
    } * visits;
};

// plan, version and histogram are borrowed; one model of a plan at a time.
void model_init(struct model *model, const struct plan *plan, const char *version,
                const struct model_histogram *histogram);
void model_deinit(struct model *model);
void model_seed(struct model *model, uint64_t seed);
// As a live run at that scale: the simulator shortens its delays and the timeouts given are
// shortened alike, but the orchestrator's pauses are as long as ever. What is drawn is simulated
// time all the same.
void model_scale(struct model *model, double time_scale);

// A virtual_draw; arg is a struct model. Without a histogram it is, to the microsecond, what an
// orchestrator with those timeouts takes for an upgrade of that device in a simulator of that seed,
// and what becomes of it, faults and restarts included. A histogram tells the durations alone, with
// the timeouts, faults and restarts of its run in them; installs fail at the plan's failure rate.
struct virtual_host model_draw(void *arg, uint32_t host);

// Reads orchestrator_host_duration_seconds out of what /metrics/ answered, in the text form.
int model_histogram_parse(const char *scrape, struct model_histogram *histogram, struct error *err);

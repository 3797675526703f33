// How long the devices of a run will take, and which will fail: as the simulator draws it for a
// seed, or from the histogram of a real run. Of most devices the latencies tell all, and are
// enough (contact.h); the odd ones are visited (visit.h), at fifty times the cost.
#pragma once

#include "bench/plan.h"
#include "bench/visit.h"
#include "orchestrator/virtual.h"

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
    struct peers_config peers;               // likewise; asks 0: as many as workers
    double slowness[NETWORK_TYPES_MAX];      // by device type: a factor, 1 unless it is set
    struct world world; // for what the devices are born with, and whatever is odd about them
    bool world_is_used; // since its seed
    struct visitor visitor;
    struct task_args args;
    struct contact_devices devices;
    struct contact *contacts; // with all devices, of which the latencies tell all, and
    struct visit **visits;    // with the odd ones
};

// plan, version and histogram are borrowed; one model of a plan at a time.
void model_init(struct model *model, const struct plan *plan, const char *version,
                const struct model_histogram *histogram);
void model_deinit(struct model *model);
void model_seed(struct model *model, uint64_t seed);
// As a live run at that scale: the simulator shortens its delays and the timeouts given are
// shortened alike, but the orchestrator's pauses are as long as ever. What runs is real time.
void model_scale(struct model *model, double time_scale);

// A run over the plan's network. Without a histogram each contact takes, to the microsecond, what
// an orchestrator with those timeouts takes for it in a simulator of that seed, and comes to the
// same, faults and restarts included. A histogram tells how long the hosts are in hand alone, with
// timeouts, faults, restarts and asks of its run in them: nobody is asked, and installs fail at the
// plan's failure rate.
void model_run(struct model *model, unsigned workers, struct virtual_result *result);
// The same run, and what becomes of each host of the plan's inventory.
void model_run_hosts(struct model *model, unsigned workers, struct virtual_host *hosts,
                     struct virtual_result *result);

// The devices of that run.
struct virtual_devices model_devices(struct model *model);
// How long that device's own upgrade takes, as the first thing that is done to it.
uint64_t model_upgrade_us(struct model *model, uint32_t host);

// Reads orchestrator_host_duration_seconds out of what /metrics/ answered, in the text form.
int model_histogram_parse(const char *scrape, struct model_histogram *histogram, struct error *err);

// A foretold run as the bars of a timeline, and how far a real run's bars are off from them. Pure.
#pragma once

#include "bench/model.h"
#include "common/timeline.h"

// The hosts of the plan's inventory, in its order, as that run of them came out; the caller's to
// free. Texts are borrowed from the plan.
struct timeline_host *bars_foretold(const struct plan *plan, const struct virtual_host *hosts);

struct bars_distance {   // as shares of the length of the real run
    double *off;         // of each start and each end, ascending; to free
    size_t count;        // of these
    double most;         // 0 where there is none
    const char *host;    // whose; NULL: nobody's
    size_t hosts;        // that began in both runs
    size_t hosts_off;    // of which start or end is off by more than the share that was asked for
    size_t hosts_unlike; // that came to another end, or began in one of the runs only
};

// Writes into each host of the real run what was foretold for it, by name, and measures how far it
// is off. off_share: what counts as off.
void bars_lay_over(struct timeline_host *real, size_t count, uint64_t end_us,
                   const struct timeline_host *foretold, size_t foretold_count, double off_share,
                   struct bars_distance *distance);

// The times of all hosts by that factor: of a run whose delays were shortened as those of the
// network.
void bars_stretch(struct timeline_host *hosts, size_t count, double factor);

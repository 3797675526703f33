// How long a job will take: its schedule played on a virtual clock (virtual.h), each host taking as
// long as the hosts of its type have taken (pace.h). Pure; of a large job long work.
#pragma once

#include "orchestrator/virtual.h"

struct foretelling { // what it points to is borrowed
    const struct inventory *inventory;
    const struct grouping *grouping;
    const double *means_ms; // by device type: pace_means()
    // By host of the inventory; NULL: none is.
    const bool *are_canaries;  // they go first, and alone
    const bool *are_as_wanted; // they take no time
    unsigned workers;
    struct peers_config peers; // asks 0: as many as workers
};

struct foretold {
    bool is_known; // of one host's type at least; the others count as their mean
    uint64_t window_ms;
    // What decides: the one that takes longest, of the canaries or of the others, whichever of the
    // two take longer; NULL: the workers.
    const struct constraint *longest;
};

void foretell(const struct foretelling *f, struct foretold *out);

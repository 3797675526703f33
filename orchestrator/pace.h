// How long the hosts of each device type have taken, learnt from the jobs of this process, so that
// the groups of the next job can start in the order of the time that they need. Pure.
//
// Types are told apart in whole multiples of the quickest: where all take about as long nothing is
// weighed, and the order is that of the hosts' number, whatever the last milliseconds were.
#pragma once

#include "common/strmap.h"
#include "orchestrator/group.h"

enum {
    PACE_HOSTS_MIN = 5,     // of a type, before it is weighed
    PACE_MEMORY = 1000,     // hosts; an older one counts for less
    PACE_WEIGHT_MAX = 1000, // a type that takes longer still is weighed like this
};

struct pace {            // zeroed it has learnt nothing
    struct strmap types; // "upgrade_os leaf"
};

void pace_deinit(struct pace *pace);

// A host was changed by the task; those that failed or had nothing to do say nothing of the time
// that one takes.
void pace_learn(struct pace *pace, const char *task, const char *dev_type, uint64_t ms);

// Of each device type of the inventory, in milliseconds; 0: not known yet. The caller's to free.
double *pace_means(const struct pace *pace, const char *task, const struct inventory *inventory);

// Sets the weight of every constraint: where its hosts are of several types, their mean.
void pace_weigh(const struct pace *pace, const char *task, const struct inventory *inventory,
                struct grouping *grouping);

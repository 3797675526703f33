// The hosts of one job on their way: they begin, are over, skipped, or put back. Pure; with
// offers.h and lock.h all that schedule.c knows of constraints.
#pragma once

#include "orchestrator/offers.h"

// All hosts wait. grouping is borrowed.
void lanes_init(struct lanes *lanes, struct locks *locks, const struct grouping *grouping,
                lanes_skip skip, void *owner);
void lanes_deinit(struct lanes *lanes); // nothing may be left or in hand

// The next host of the lane that offers_next() named begins, and has its places from now on.
uint32_t lane_start(struct lane *lane);
// The host gives its places back. It is over, failed or not, or else is pending again, as if it had
// not begun; where its job (is_stopped) or its group is stopped, skipped.
void lane_done(struct lane *lane, uint32_t host, bool failed);
void lane_put_back(struct lane *lane, uint32_t host, bool is_stopped);

void lanes_skip_all(struct lanes *lanes); // that have not begun, for no host's cause

// The constraint is held from outside, or released.
void lanes_hold(struct locks *locks, const char *key);
void lanes_release(struct locks *locks, const char *key);

// The key of its smallest redundancy group: what stands for its hosts, where one has to.
const char *lane_group(const struct lane *lane);

// The hosts of one job on their way: they begin, are over, skipped, or put back. Pure; with
// offers.h and lock.h all that schedule.c knows of constraints.
#pragma once

#include "orchestrator/offers.h"
#include "orchestrator/past.h"

// All hosts wait, or those of which past says so; where it is NULL it says so of all. Those in
// doubt are in hand, whether there is a place for them or not, and what is left of a group that
// stopped is skipped. grouping is borrowed.
void lanes_init(struct lanes *lanes, struct locks *locks, const struct grouping *grouping,
                past_of past, void *arg, lanes_skip skip, void *owner);
void lanes_deinit(struct lanes *lanes); // nothing may be left or in hand

// The next of the hosts in doubt that has not been told yet; NULL: all have.
struct lane *lanes_next_in_doubt(struct lanes *lanes, uint32_t *host);

// The next host of the lane that offers_next() named begins, and has its places from now on.
uint32_t lane_start(struct lane *lane);
// The host gives its places back. It is over, failed or not, or else is pending again, as if it had
// not begun; where its job (is_stopped) or its group is stopped, skipped.
void lane_done(struct lane *lane, uint32_t host, bool failed);
void lane_put_back(struct lane *lane, uint32_t host, bool is_stopped);

// A host that has begun keeps its places for nobody knows how long; and no longer so, for it is to
// give them back now.
void lane_rest(struct lane *lane);
void lane_wake(struct lane *lane);

// So many hosts that have not begun, for no host's cause; from the first call on none of them
// begins. True: some are left.
bool lanes_skip_some(struct lanes *lanes, size_t count);

// From now on none of its hosts may go, and it takes no turns; what is in hand keeps its places.
// Until it comes to the end of all the queues where it has hosts left.
void lanes_pause(struct lanes *lanes);
void lanes_unpause(struct lanes *lanes);
// What has not begun is forgotten, and nobody is told. Nothing may be in hand, but for hosts in
// doubt that were not told yet: they are forgotten, too.
void lanes_abandon(struct lanes *lanes);

// Of a job whose hosts several processes share out among them by cohorts, all that share a
// constraint at once. Those that come must be over here, so far, and past says of each of their
// hosts what has become of it; as with lanes_init(). What has not begun of those that leave is over
// here from now on, and nobody is told; nothing of them may be in hand.
void lanes_take_on(struct lanes *lanes, const uint32_t *cohorts, size_t count, past_of past,
                   void *arg);
void lanes_give_up(struct lanes *lanes, const uint32_t *cohorts, size_t count);

// The constraint is held from outside, or released.
void lanes_hold(struct locks *locks, const char *key);
void lanes_release(struct locks *locks, const char *key);

// The key of its smallest redundancy group: what stands for its hosts, where one has to.
const char *lane_group(const struct lane *lane);

// The hosts of one job on their way: which of them may go, and which of those goes next. Pure; what
// schedule.c knows of constraints is here and in lock.h.
//
// A lane is a cohort of the job. For each of its constraints it needs a place, of all or of none.
#pragma once

#include "orchestrator/lock.h"

enum lane_state {
    LANE_PARKED, // waits for one of its constraints: for its turn there, a place, or a first host
    LANE_READY,  // its next host may go, and all its constraints are offered to it
    LANE_EMPTY,  // none of its hosts is left to begin
};

struct lane {
    struct lanes *of;
    const struct cohort *cohort;
    struct share *parked;        // where it waits; NULL: nowhere
    struct lane *ahead, *behind; // of those that were passed over, while is_held
    uint32_t begun;              // hosts of the cohort that have, or are skipped
    uint32_t tag;                // of its entry in a heap: others are old
    uint32_t in_hand;            // hosts
    enum lane_state state;
    bool is_held;
};

enum { LANES_NO_HOST = UINT32_MAX };

// Told of every host that is skipped; cause is the host whose failure stopped its group, or none.
typedef void (*lanes_skip)(void *owner, uint32_t host, uint32_t cause);

struct lanes { // of a job
    struct locks *locks;
    const struct grouping *grouping;
    const uint32_t *order; // the grouping's, or
    uint32_t *own_order;   // a copy in which hosts that were put back are in their place
    struct lane *list;     // one for each cohort, in the same order
    struct share *shares;  // one for each constraint, in the same order
    struct heap ready;     // lanes whose next host may go, by the time left
    size_t left;           // hosts neither done nor skipped
    lanes_skip skip;
    void *owner;
};

// All hosts wait. grouping is borrowed.
void lanes_init(struct lanes *lanes, struct locks *locks, const struct grouping *grouping,
                lanes_skip skip, void *owner);
void lanes_deinit(struct lanes *lanes); // nothing may be left or in hand

// The lane whose host goes next, as if no other job were there; NULL: none may go now.
struct lane *lanes_next(struct lanes *lanes);
// Its next host begins, and has its places from now on. The lane must be what lanes_next() said.
uint32_t lane_start(struct lane *lane);
// The host gives its places back. It is over, failed or not, or else is pending again, as if it had
// not begun; where its job or its group is stopped, skipped.
void lane_done(struct lane *lane, uint32_t host, bool failed);
void lane_put_back(struct lane *lane, uint32_t host, bool is_stopped);

void lanes_skip_all(struct lanes *lanes); // that have not begun, for no host's cause

// The constraint is held from outside, or released.
void lanes_hold(struct locks *locks, const char *key);
void lanes_release(struct locks *locks, const char *key);

const char *lane_group(const struct lane *lane);  // the key of its smallest redundancy group
uint32_t lane_next_host(const struct lane *lane); // which it must have

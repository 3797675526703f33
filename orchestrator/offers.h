// Lanes: the hosts of a job under the same constraints, of which only the next one matters. Here it
// is found which of them may go, over all jobs, and which goes next in its job. Pure; what happens
// to hosts is in lanes.h, whose jobs these are.
#pragma once

#include "orchestrator/lock.h"

enum lane_state {
    LANE_PARKED, // waits at one of its constraints: for its turn there, a place, or a first host
    LANE_READY,  // its next host may go, and all its constraints are offered to it
    LANE_PAUSED, // its job hands out nothing: it waits nowhere
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

// Told of every host that is skipped; cause is the host whose failure stopped its group, or none.
enum { LANES_NO_HOST = UINT32_MAX };
typedef void (*lanes_skip)(void *owner, uint32_t host, uint32_t cause);

struct doubt { // a host in doubt, in hand from the start
    struct lane *lane;
    uint32_t host;
};

struct lanes { // of a job
    struct locks *locks;
    const struct grouping *grouping;
    const uint32_t *order; // the grouping's, or
    uint32_t *own_order;   // a copy in which hosts that were put back are in their place
    struct lane *list;     // one for each cohort, in the same order
    struct share *shares;  // one for each constraint, in the same order
    struct heap ready;     // lanes whose next host may go, by the time left
    size_t left;           // hosts neither done nor skipped
    size_t skipped;        // lanes, from the first on, that lanes_skip_some() has seen to their end
    struct doubt *doubts;  // those that the driver has not got yet are the last doubts_left
    size_t doubts_count, doubts_cap, doubts_left;
    bool is_paused;
    lanes_skip skip;
    void *owner;
};

static inline uint32_t lane_needs_count(const struct lane *lane) {
    return lane->cohort->needs_count;
}

static inline struct share *lane_share(const struct lane *lane, uint32_t i) {
    return &lane->of->shares[need_constraint(cohort_needs(lane->of->grouping, lane->cohort)[i])];
}

// Whether its hosts go before the others of that share.
static inline bool lane_is_first(const struct lane *lane, uint32_t i) {
    return cohort_needs(lane->of->grouping, lane->cohort)[i] >= NEED_FIRST;
}

static inline uint32_t lane_number(const struct lane *lane) {
    return (uint32_t)(lane - lane->of->list);
}

static inline uint32_t lane_hosts_left(const struct lane *lane) {
    return lane->cohort->count - lane->begun;
}

static inline uint32_t lane_next_host(const struct lane *lane) { // which it must have
    return lane->of->order[lane->cohort->first + lane->begun];
}

// The lane has hosts left, and waits for all that it needs, unless its job is paused; or it has
// none left. What it is offered, and its age among those that were passed over, stay until they are
// cleared.
void offers_wait(struct lane *lane);
void offers_end(struct lane *lane);
void offers_clear(struct lane *lane);

// What may have come free: one lock, or all that the lane needs.
void offers_lock(struct locks *locks, struct lock *lock);
void offers_make(struct lane *lane);
// What has changed to the worse: whoever is offered the lock may not go any more, or whoever places
// are kept for would wait for more than hosts in hand.
void offers_review(struct lock *lock);
void offers_check_reservation(struct locks *locks);
// A host of the lane is pending again: whoever of its job is offered the lock has more time left.
void offers_raise(const struct lane *lane, struct lock *lock);

// Places have come free, and are not offered yet: from now on they are kept for the lane that was
// passed over and has waited longest.
void offers_reserve(struct locks *locks);

// The lane of the job whose host goes next; NULL: none may go now.
struct lane *offers_next(struct lanes *lanes);
// The lane of the cohort, where it may go now and host is its next; or the one that goes before it
// in its groups and may go in its place. NULL: it may not.
struct lane *offers_next_of(struct lanes *lanes, uint32_t cohort, uint32_t host);

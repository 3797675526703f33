// The locks of constraints, over all jobs: how many hosts are in hand, and which job's turn it is.
// A job's share of a constraint stands in the lock's queue as long as it has hosts that have not
// begun, or are in hand; while its job is paused, only for those in hand. The part of the schedule
// that knows no order between hosts. Pure.
#pragma once

#include "common/heap.h"
#include "common/strmap.h"
#include "orchestrator/group.h"

struct share {
    struct lock *lock;
    const struct constraint *constraint;
    struct lanes *of;     // the job's
    struct share *behind; // the next in the lock's queue
    struct heap *parked;  // lanes that wait for this constraint; NULL where there is only one
    uint32_t left;        // hosts that have not begun
    uint32_t first_left;  // of these: hosts that go before the others
    uint32_t in_hand;
    uint32_t failed;
    uint32_t cause; // the host whose failure stopped the group in the job
    bool is_queued;
    bool is_paused; // with its job
};

struct lock {
    struct share *first, *last; // the job whose turn it is, and those behind it
    struct lane *offered;       // who goes next; NULL: nobody can
    uint32_t in_hand;
    uint32_t resting; // of these: nobody knows when they end
    uint32_t limit;   // the least of those in the queue
    uint32_t holds;   // from outside
    bool reserved;    // one place is kept for the lane that has waited longest
    char key[];
};

struct locks {                           // zeroed it is empty
    struct strmap by_key;                // for good: a network has so many constraints and no more
    struct lane *reserver;               // the lane that places are kept for
    struct lane *held_first, *held_last; // that were passed over, the one that waits longest first
    size_t groups_pending;   // shares of redundancy groups with hosts that have not begun
    uint64_t groups_stopped; // of them, by failures, ever; what was so already is not counted
};

void locks_deinit(struct locks *locks); // no share may be left

struct lock *lock_of(struct locks *locks, const char *key);

// A job's share comes to the end of the queue; what it counts is the caller's.
void lock_enter(struct share *share);
// To the end of the queue again: one of its hosts has begun, or is over. Where nothing is left of
// it it stands there no more, and nothing happens any more.
void lock_rotate(struct share *share);
// The job is paused: the share leaves the queue, unless hosts of it are in hand. And it goes on: it
// comes to the end, where it has hosts that have not begun.
void lock_pause(struct share *share);
void lock_unpause(struct share *share);

// Whether it is enough to wait for hosts in hand.
static inline bool lock_comes_free(const struct lock *lock) {
    return lock->holds == 0 && lock->resting < lock->limit;
}

// Free for one more host, but for the place that may be kept for another.
static inline bool lock_is_open(const struct lock *lock, bool kept_for_another) {
    return lock->holds == 0 && lock->in_hand + (lock->reserved && kept_for_another) < lock->limit;
}

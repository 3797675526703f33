// A lane waits in one place: parked at a constraint that has no place for it, or whose turn another
// has. A constraint that has a place offers it to the first of its lanes that can go: the one that
// is whose turn it is, over the jobs, and first in its job. A lane that cannot go, because another
// constraint has no place, is parked there and overtaken. So a lane is looked at again only when
// the constraint that it is parked at has come free, and nothing is ever searched for.
//
// The invariants:
// - a lane is ready if and only if all its constraints are offered to it; then its next host may
// go;
// - a constraint that is free for a lane parked at it is offered to somebody.
// So when no lane is ready no host could go, and hosts that may go never share a constraint.
// The lanes of a paused job are neither parked nor ready: it is as if they were not there.
//
// Nobody starves: a constraint offers its places in turn, and a lane that was passed over, for want
// of a place elsewhere, is noted. The one that was so for longest has what comes free kept for it
// in all its constraints, until it goes. It waits for hosts in hand only, which end.
#include "orchestrator/offers.h"

#include <assert.h>

// --- the order of lanes

static bool is_first_in(const struct lane *lane, const struct share *share) {
    for (uint32_t i = 0; i < lane_needs_count(lane); i++)
        if (lane_share(lane, i) == share) return lane_is_first(lane, i);
    return false;
}

static uint64_t share_time_left(const struct share *share) {
    const struct constraint *c = share->constraint;
    const uint32_t rounds = c->limit == 1 ? share->left : (share->left - 1) / c->limit + 1;
    return (uint64_t)rounds * c->weight;
}

// Of the largest of its redundancy groups.
static uint64_t time_left(const struct lane *lane) {
    uint64_t most = 0;
    for (uint32_t i = 0; i < lane_needs_count(lane); i++) {
        const struct share *share = lane_share(lane, i);
        if (!share->constraint->redundancy) break;
        const uint64_t time = share_time_left(share);
        if (time > most) most = time;
    }
    return most;
}

// --- may it go?

static bool waits_for_first(const struct lane *lane, uint32_t i) {
    return lane_share(lane, i)->first_left > 0 && !lane_is_first(lane, i);
}

static bool is_open(const struct lane *lane, uint32_t i) {
    return lock_is_open(lane_share(lane, i)->lock, lane->of->locks->reserver != lane) &&
           !waits_for_first(lane, i);
}

// The first share that keeps the lane from going: closed to it, or offered to another than itself
// and the one whose place it may take. NULL: it may go.
static struct share *blocker(const struct lane *lane, const struct lane *in_place_of) {
    for (uint32_t i = 0; i < lane_needs_count(lane); i++) {
        struct share *share = lane_share(lane, i);
        const struct lane *offered = share->lock->offered;
        if (!is_open(lane, i)) return share;
        if (offered != NULL && offered != lane && offered != in_place_of) return share;
    }
    return NULL;
}

// --- states

static void enter(struct lane *lane, enum lane_state state, struct share *parked) {
    assert((state == LANE_EMPTY) == (lane_hosts_left(lane) == 0));
    lane->state = state;
    lane->parked = parked;
    lane->tag++;
}

// In a group hosts go in inventory order, after those that go first; at a throttle as between
// groups.
static uint64_t order_at(const struct share *share, const struct lane *lane) {
    if (!share->constraint->redundancy) return UINT64_MAX - time_left(lane);
    return (uint64_t)!is_first_in(lane, share) << 32 | lane_next_host(lane);
}

static void push(struct heap *heap, const struct lane *lane, uint64_t key) {
    heap_push(heap, (struct heap_entry){.key = key, .id = lane_number(lane), .tag = lane->tag});
}

static void park(struct lane *lane, struct share *share) {
    enter(lane, LANE_PARKED, share);
    if (share->parked != NULL) push(share->parked, lane, order_at(share, lane));
}

// The lane with the most time left comes first; lanes are numbered in inventory order, which breaks
// ties.
static void push_ready(struct lane *lane) {
    push(&lane->of->ready, lane, UINT64_MAX - time_left(lane));
}

static void make_ready(struct lane *lane) {
    enter(lane, LANE_READY, NULL);
    for (uint32_t i = 0; i < lane_needs_count(lane); i++)
        lane_share(lane, i)->lock->offered = lane;
    push_ready(lane);
}

// Where it waits is where it cannot go; or else at the widest, which looks at all of its lanes in
// their order.
static struct share *waits_at(const struct lane *lane) {
    uint32_t i = 0;
    while (i + 1 < lane_needs_count(lane) && is_open(lane, i))
        i++;
    return lane_share(lane, i);
}

// The first of those parked at the share; entries of lanes that have gone on are passed over, and
// those of a throttle brought up to date: of what its lanes are ordered by only less is left.
static struct lane *first_parked(const struct share *share) {
    struct heap *heap = share->parked;
    if (heap == NULL) {
        struct lane *lane = &share->of->list[share->constraint->cohorts];
        return lane->parked == share ? lane : NULL;
    }
    while (heap->count > 0) {
        const struct heap_entry top = heap->entries[0];
        struct lane *lane = &share->of->list[top.id];
        const bool is_there = lane->parked == share && lane->tag == top.tag;
        if (is_there && top.key == order_at(share, lane)) return lane;
        heap_pop(heap);
        if (is_there) push(heap, lane, order_at(share, lane));
    }
    return NULL;
}

// --- who was passed over

static void note_held(struct lane *lane) {
    struct locks *locks = lane->of->locks;
    if (lane->is_held) return;
    lane->is_held = true;
    lane->behind = NULL;
    lane->ahead = locks->held_last;
    if (locks->held_last != NULL)
        locks->held_last->behind = lane;
    else
        locks->held_first = lane;
    locks->held_last = lane;
}

// Hosts in hand are all that it may wait for: those that go first may need what is kept for it.
static bool may_reserve(const struct lane *lane) {
    for (uint32_t i = 0; i < lane_needs_count(lane); i++)
        if (!lock_comes_free(lane_share(lane, i)->lock) || waits_for_first(lane, i)) return false;
    return true;
}

static void reserve(struct locks *locks, struct lane *lane, bool reserved) {
    locks->reserver = reserved ? lane : NULL;
    for (uint32_t i = 0; i < lane_needs_count(lane); i++)
        lane_share(lane, i)->lock->reserved = reserved;
}

static void forget_held(struct lane *lane) {
    struct locks *locks = lane->of->locks;
    if (!lane->is_held) return;
    lane->is_held = false;
    if (lane->ahead != NULL)
        lane->ahead->behind = lane->behind;
    else
        locks->held_first = lane->behind;
    if (lane->behind != NULL)
        lane->behind->ahead = lane->ahead;
    else
        locks->held_last = lane->ahead;
    if (locks->reserver == lane) reserve(locks, lane, false);
}

// --- offers

// It was first at a constraint, and is overtaken there for want of a place at another.
static void pass_over(struct lane *lane, struct share *blocked) {
    if (blocked->lock->offered == NULL && may_reserve(lane)) note_held(lane);
    park(lane, blocked);
}

static void place(struct lane *lane) {
    struct share *share = blocker(lane, NULL);
    if (share == NULL)
        make_ready(lane);
    else
        pass_over(lane, share);
}

static void place_reserver(struct locks *locks) {
    struct lane *lane = locks->reserver;
    if (lane->state != LANE_PARKED) return;
    struct share *share = blocker(lane, NULL);
    if (share == NULL)
        make_ready(lane);
    else if (share != lane->parked)
        park(lane, share);
}

static struct lane *first_in_turn(const struct lock *lock) {
    for (const struct share *share = lock->first; share != NULL; share = share->behind) {
        struct lane *lane = first_parked(share);
        if (lane == NULL) continue;
        if (share->first_left > 0 && !is_first_in(lane, share)) continue;
        return lane;
    }
    return NULL;
}

void offers_lock(struct locks *locks, struct lock *lock) {
    if (lock->reserved) place_reserver(locks);
    while (lock->offered == NULL && lock_is_open(lock, true)) {
        struct lane *lane = first_in_turn(lock);
        if (lane == NULL) return;
        place(lane);
    }
}

// The narrow ones last: what a lane gives back goes to who is first at the widest.
void offers_make(struct lane *lane) {
    for (uint32_t i = lane_needs_count(lane); i > 0; i--)
        offers_lock(lane->of->locks, lane_share(lane, i - 1)->lock);
}

static void take_offers(const struct lane *lane) {
    for (uint32_t i = 0; i < lane_needs_count(lane); i++) {
        struct lock *lock = lane_share(lane, i)->lock;
        if (lock->offered == lane) lock->offered = NULL;
    }
}

void offers_wait(struct lane *lane) {
    if (lane->of->is_paused)
        enter(lane, LANE_PAUSED, NULL);
    else
        park(lane, waits_at(lane));
}

void offers_end(struct lane *lane) {
    enter(lane, LANE_EMPTY, NULL);
}

void offers_clear(struct lane *lane) {
    forget_held(lane);
    take_offers(lane);
}

// The lane waits again, where it cannot go or behind whoever is first there.
static void withdraw(struct lane *lane, struct share *where) {
    assert(lane->state == LANE_READY);
    take_offers(lane);
    park(lane, where);
}

// Something has changed to the worse for who was offered the lock.
void offers_review(struct lock *lock) {
    struct lane *lane = lock->offered;
    if (lane == NULL || blocker(lane, NULL) == NULL) return;
    withdraw(lane, waits_at(lane));
    offers_make(lane);
}

void offers_check_reservation(struct locks *locks) {
    struct lane *lane = locks->reserver;
    if (lane == NULL || may_reserve(lane)) return;
    reserve(locks, lane, false);
    offers_make(lane);
}

// Something has come free: from now on it is kept for the lane that has waited longest.
void offers_reserve(struct locks *locks) {
    struct lane *lane = locks->held_first;
    if (locks->reserver != NULL) return;
    while (lane != NULL && !may_reserve(lane))
        lane = lane->behind;
    if (lane == NULL) return;
    reserve(locks, lane, true);
    for (uint32_t i = 0; i < lane_needs_count(lane); i++)
        offers_review(lane_share(lane, i)->lock);
    place_reserver(locks);
}

// --- the order

// There is more time left for whoever was offered the lock.
void offers_raise(const struct lane *lane, struct lock *lock) {
    struct lane *offered = lock->offered;
    if (offered == NULL || offered->of != lane->of) return;
    enter(offered, LANE_READY, NULL);
    push_ready(offered);
}

static struct lane *top_ready(struct lanes *lanes) {
    struct heap *heap = &lanes->ready;
    while (heap->count > 0) {
        const struct heap_entry top = heap->entries[0];
        struct lane *lane = &lanes->list[top.id];
        const bool is_there = lane->state == LANE_READY && lane->tag == top.tag;
        if (is_there && top.key == UINT64_MAX - time_left(lane)) return lane;
        heap_pop(heap);
        if (is_there) push_ready(lane); // others of its group have gone on meanwhile
    }
    return NULL;
}

// One that came to the share after the offer was made, could go in place of the lane, and goes
// before it.
static struct lane *earlier_at(const struct share *share, const struct lane *lane) {
    struct lane *other;
    if (share->parked == NULL) return NULL;
    while ((other = first_parked(share)) != NULL &&
           order_at(share, other) < order_at(share, lane)) {
        struct share *blocked = blocker(other, lane);
        if (blocked == NULL) return other;
        if (blocked == share) return NULL;
        pass_over(other, blocked);
    }
    return NULL;
}

static struct lane *exchange(struct lane *lane, struct lane *other, struct share *share) {
    withdraw(lane, share);
    make_ready(other);
    offers_make(lane);
    return other;
}

// Throttles first, then groups: in each pass the order is one order, so that it has an end.
static struct lane *earlier_of(struct lane *lane, bool redundancy) {
    for (uint32_t i = 0; i < lane_needs_count(lane); i++) {
        struct share *share = lane_share(lane, i);
        if (share->constraint->redundancy != redundancy) continue;
        struct lane *other = earlier_at(share, lane);
        if (other == NULL) continue;
        lane = exchange(lane, other, share);
        i = UINT32_MAX; // from its first constraint on
    }
    return lane;
}

struct lane *offers_next(struct lanes *lanes) {
    struct lane *lane = top_ready(lanes);
    if (lane == NULL) return NULL;
    lane = earlier_of(earlier_of(lane, false), true);
    assert(lane->state == LANE_READY && blocker(lane, NULL) == NULL);
    return lane;
}

struct lane *offers_next_of(struct lanes *lanes, uint32_t cohort, uint32_t host) {
    struct lane *lane = &lanes->list[cohort];
    if (lane->state != LANE_READY || lane_next_host(lane) != host) return NULL;
    lane = earlier_of(earlier_of(lane, false), true);
    assert(lane->state == LANE_READY && blocker(lane, NULL) == NULL);
    return lane;
}

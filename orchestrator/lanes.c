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
//
// Nobody starves: a constraint offers its places in turn, and a lane that was passed over, for want
// of a place elsewhere, is noted. The one that was so for longest has what comes free kept for it
// in all its constraints, until it goes. It waits for hosts in hand only, which end.
#include "orchestrator/lanes.h"

#include "common/mem.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

// --- a lane and its constraints

static const uint32_t *needs_of(const struct lane *lane) {
    return cohort_needs(lane->of->grouping, lane->cohort);
}

static uint32_t needs_count(const struct lane *lane) {
    return lane->cohort->needs_count;
}

static struct share *share_at(const struct lane *lane, uint32_t i) {
    return &lane->of->shares[need_constraint(needs_of(lane)[i])];
}

static bool is_first_at(const struct lane *lane, uint32_t i) {
    return needs_of(lane)[i] >= NEED_FIRST;
}

static bool is_first_in(const struct lane *lane, const struct share *share) {
    for (uint32_t i = 0; i < needs_count(lane); i++)
        if (share_at(lane, i) == share) return is_first_at(lane, i);
    return false;
}

static uint32_t hosts_left(const struct lane *lane) {
    return lane->cohort->count - lane->begun;
}

uint32_t lane_next_host(const struct lane *lane) {
    return lane->of->order[lane->cohort->first + lane->begun];
}

const char *lane_group(const struct lane *lane) {
    const struct share *smallest = share_at(lane, 0);
    for (uint32_t i = 1; i < needs_count(lane); i++) {
        const struct share *share = share_at(lane, i);
        if (!share->constraint->redundancy) break;
        if (share->constraint->members < smallest->constraint->members) smallest = share;
    }
    return smallest->lock->key;
}

static uint64_t share_time_left(const struct share *share) {
    const struct constraint *c = share->constraint;
    const uint32_t rounds = c->limit == 1 ? share->left : (share->left - 1) / c->limit + 1;
    return (uint64_t)rounds * c->weight;
}

// Of the largest of its redundancy groups.
static uint64_t time_left(const struct lane *lane) {
    uint64_t most = 0;
    for (uint32_t i = 0; i < needs_count(lane); i++) {
        const struct share *share = share_at(lane, i);
        if (!share->constraint->redundancy) break;
        const uint64_t time = share_time_left(share);
        if (time > most) most = time;
    }
    return most;
}

// --- may it go?

static bool waits_for_first(const struct lane *lane, uint32_t i) {
    return share_at(lane, i)->first_left > 0 && !is_first_at(lane, i);
}

static bool is_open(const struct lane *lane, uint32_t i) {
    return lock_is_open(share_at(lane, i)->lock, lane->of->locks->reserver != lane) &&
           !waits_for_first(lane, i);
}

// The first share that keeps the lane from going: closed to it, or offered to another than itself
// and the one whose place it may take. NULL: it may go.
static struct share *blocker(const struct lane *lane, const struct lane *in_place_of) {
    for (uint32_t i = 0; i < needs_count(lane); i++) {
        struct share *share = share_at(lane, i);
        const struct lane *offered = share->lock->offered;
        if (!is_open(lane, i)) return share;
        if (offered != NULL && offered != lane && offered != in_place_of) return share;
    }
    return NULL;
}

// --- states

static void enter(struct lane *lane, enum lane_state state, struct share *parked) {
    assert((state == LANE_EMPTY) == (hosts_left(lane) == 0));
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

static uint32_t number_of(const struct lane *lane) {
    return (uint32_t)(lane - lane->of->list);
}

static void push(struct heap *heap, const struct lane *lane, uint64_t key) {
    heap_push(heap, (struct heap_entry){.key = key, .id = number_of(lane), .tag = lane->tag});
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
    for (uint32_t i = 0; i < needs_count(lane); i++)
        share_at(lane, i)->lock->offered = lane;
    push_ready(lane);
}

// Where it waits is where it cannot go; or else at the widest, which looks at all of its lanes in
// their order.
static struct share *waits_at(const struct lane *lane) {
    uint32_t i = 0;
    while (i + 1 < needs_count(lane) && is_open(lane, i))
        i++;
    return share_at(lane, i);
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
    for (uint32_t i = 0; i < needs_count(lane); i++)
        if (share_at(lane, i)->lock->holds > 0 || waits_for_first(lane, i)) return false;
    return true;
}

static void reserve(struct locks *locks, struct lane *lane, bool reserved) {
    locks->reserver = reserved ? lane : NULL;
    for (uint32_t i = 0; i < needs_count(lane); i++)
        share_at(lane, i)->lock->reserved = reserved;
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

// Offers what the lock has to the first that can go.
static void offer(struct locks *locks, struct lock *lock);

// The narrow ones last: what a lane gives back goes to who is first at the widest.
static void offer_all(struct lane *lane) {
    for (uint32_t i = needs_count(lane); i > 0; i--)
        offer(lane->of->locks, share_at(lane, i - 1)->lock);
}

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

static void offer(struct locks *locks, struct lock *lock) {
    if (lock->reserved) place_reserver(locks);
    while (lock->offered == NULL && lock_is_open(lock, true)) {
        struct lane *lane = first_in_turn(lock);
        if (lane == NULL) return;
        place(lane);
    }
}

static void take_offers(const struct lane *lane) {
    for (uint32_t i = 0; i < needs_count(lane); i++) {
        struct lock *lock = share_at(lane, i)->lock;
        if (lock->offered == lane) lock->offered = NULL;
    }
}

// The lane waits again, where it cannot go or behind whoever is first there.
static void withdraw(struct lane *lane, struct share *where) {
    assert(lane->state == LANE_READY);
    take_offers(lane);
    park(lane, where);
}

// Something has changed to the worse for who was offered the lock.
static void review(struct lock *lock) {
    struct lane *lane = lock->offered;
    if (lane == NULL || blocker(lane, NULL) == NULL) return;
    withdraw(lane, waits_at(lane));
    offer_all(lane);
}

static void drop_reservation(struct locks *locks) {
    struct lane *lane = locks->reserver;
    if (lane == NULL || may_reserve(lane)) return;
    reserve(locks, lane, false);
    offer_all(lane);
}

// Something has come free: from now on it is kept for the lane that has waited longest.
static void choose_reserver(struct locks *locks) {
    struct lane *lane = locks->held_first;
    if (locks->reserver != NULL) return;
    while (lane != NULL && !may_reserve(lane))
        lane = lane->behind;
    if (lane == NULL) return;
    reserve(locks, lane, true);
    for (uint32_t i = 0; i < needs_count(lane); i++)
        review(share_at(lane, i)->lock);
    place_reserver(locks);
}

// --- the order

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
    offer_all(lane);
    return other;
}

// Throttles first, then groups: in each pass the order is one order, so that it has an end.
static struct lane *earlier_of(struct lane *lane, bool redundancy) {
    for (uint32_t i = 0; i < needs_count(lane); i++) {
        struct share *share = share_at(lane, i);
        if (share->constraint->redundancy != redundancy) continue;
        struct lane *other = earlier_at(share, lane);
        if (other == NULL) continue;
        lane = exchange(lane, other, share);
        i = UINT32_MAX; // from its first constraint on
    }
    return lane;
}

struct lane *lanes_next(struct lanes *lanes) {
    struct lane *lane = top_ready(lanes);
    if (lane == NULL) return NULL;
    return earlier_of(earlier_of(lane, false), true);
}

// --- hosts that begin, and are over

static void count_pending(const struct lane *lane, uint32_t i, bool again) {
    struct share *share = share_at(lane, i);
    const uint32_t by = again ? 1 : UINT32_MAX; // -1
    const bool was_pending = share->left > 0;
    share->left += by;
    if (is_first_at(lane, i)) share->first_left += by;
    if (!share->constraint->redundancy) return;
    if (was_pending && share->left == 0) lane->of->locks->groups_pending--;
    if (!was_pending) lane->of->locks->groups_pending++;
}

static uint32_t begin(struct lane *lane) {
    const uint32_t host = lane_next_host(lane);
    lane->begun++;
    for (uint32_t i = 0; i < needs_count(lane); i++)
        count_pending(lane, i, false);
    return host;
}

uint32_t lane_start(struct lane *lane) {
    assert(lane->state == LANE_READY && blocker(lane, NULL) == NULL);
    const uint32_t host = begin(lane);
    lane->in_hand++;
    for (uint32_t i = 0; i < needs_count(lane); i++) {
        struct share *share = share_at(lane, i);
        share->lock->offered = NULL;
        share->lock->in_hand++;
        share->in_hand++;
        lock_rotate(share);
    }
    forget_held(lane);
    if (hosts_left(lane) > 0)
        park(lane, waits_at(lane));
    else
        enter(lane, LANE_EMPTY, NULL);
    offer_all(lane);
    return host;
}

static void give_back(struct lane *lane) {
    assert(lane->in_hand > 0);
    lane->in_hand--;
    for (uint32_t i = 0; i < needs_count(lane); i++) {
        struct share *share = share_at(lane, i);
        assert(share->in_hand > 0 && share->lock->in_hand > 0);
        share->in_hand--;
        share->lock->in_hand--;
        lock_rotate(share);
    }
}

static void go_on(struct lane *lane) {
    choose_reserver(lane->of->locks);
    offer_all(lane);
}

// --- hosts that are skipped

static void skip_next(struct lane *lane, uint32_t cause) {
    struct lanes *lanes = lane->of;
    const uint32_t host = begin(lane);
    lanes->left--;
    if (hosts_left(lane) == 0) enter(lane, LANE_EMPTY, NULL);
    lanes->skip(lanes->owner, host, cause);
}

// What stood for the lane elsewhere, after all its hosts were skipped.
static void settle(struct lane *lane) {
    forget_held(lane);
    take_offers(lane);
    for (uint32_t i = 0; i < needs_count(lane); i++) {
        struct share *share = share_at(lane, i);
        if (share->left == 0 && share->in_hand == 0) lock_rotate(share);
    }
    offer_all(lane);
}

// In inventory order, over all lanes of the group.
static void skip_rest(struct share *share) {
    struct lanes *lanes = share->of;
    const struct constraint *constraint = share->constraint;
    const uint32_t *cohorts = constraint_cohorts(lanes->grouping, constraint);
    struct heap next = {0};
    for (uint32_t i = 0; i < constraint->cohorts_count; i++) {
        const struct lane *lane = &lanes->list[cohorts[i]];
        if (hosts_left(lane) > 0) push(&next, lane, lane_next_host(lane));
    }
    uint32_t *skipped = mem_array(next.count, sizeof *skipped);
    size_t count = 0;
    while (next.count > 0) {
        struct lane *lane = &lanes->list[heap_pop(&next).id];
        skip_next(lane, share->cause);
        if (hosts_left(lane) > 0)
            push(&next, lane, lane_next_host(lane));
        else
            skipped[count++] = number_of(lane);
    }
    while (count > 0)
        settle(&lanes->list[skipped[--count]]);
    free(skipped);
    heap_deinit(&next);
}

static void count_failure(struct lane *lane, uint32_t host) {
    for (uint32_t i = 0; i < needs_count(lane); i++) {
        struct share *share = share_at(lane, i);
        if (!share->constraint->redundancy) break;
        if (++share->failed != share->constraint->limit) continue;
        share->cause = host;
        skip_rest(share);
    }
}

void lane_done(struct lane *lane, uint32_t host, bool failed) {
    lane->of->left--;
    if (failed) count_failure(lane, host);
    give_back(lane);
    go_on(lane);
}

void lanes_skip_all(struct lanes *lanes) {
    const size_t count = lanes->grouping->cohorts_count;
    for (size_t i = 0; i < count; i++)
        while (hosts_left(&lanes->list[i]) > 0)
            skip_next(&lanes->list[i], LANES_NO_HOST);
    for (size_t i = 0; i < count; i++)
        settle(&lanes->list[i]);
    lanes->ready.count = 0;
}

// --- hosts that are put back

// Into its place among those that have not begun.
static void insert(struct lane *lane, uint32_t host) {
    struct lanes *lanes = lane->of;
    const uint32_t first = lane->cohort->first, count = lane->cohort->count;
    const uint32_t *order = &lanes->order[first];
    uint32_t at = --lane->begun;
    if (order[at] == host && (at + 1 == count || order[at + 1] > host)) return;
    if (lanes->own_order == NULL) {
        const size_t hosts = lanes->grouping->hosts;
        lanes->own_order = mem_array(hosts, sizeof *lanes->own_order);
        memcpy(lanes->own_order, lanes->order, hosts * sizeof *lanes->own_order);
        lanes->order = lanes->own_order;
    }
    uint32_t *hosts = &lanes->own_order[first];
    while (hosts[at] != host)
        at--;
    for (; at < lane->begun; at++) // those that began after it
        hosts[at] = hosts[at + 1];
    for (; at + 1 < count && hosts[at + 1] < host; at++)
        hosts[at] = hosts[at + 1];
    hosts[at] = host;
}

// There is more time left for whoever was offered the lock.
static void raise(const struct lane *lane, struct lock *lock) {
    struct lane *offered = lock->offered;
    if (offered == NULL || offered->of != lane->of) return;
    enter(offered, LANE_READY, NULL);
    push_ready(offered);
}

static void wait_again(struct lane *lane, uint32_t host) {
    insert(lane, host);
    for (uint32_t i = 0; i < needs_count(lane); i++)
        count_pending(lane, i, true);
    if (lane->state != LANE_READY) park(lane, waits_at(lane));
    for (uint32_t i = 0; i < needs_count(lane); i++) {
        struct lock *lock = share_at(lane, i)->lock;
        raise(lane, lock);
        if (is_first_at(lane, i)) review(lock);
    }
    drop_reservation(lane->of->locks);
}

// The host whose failure has stopped one of the lane's groups meanwhile.
static uint32_t stopped_by(const struct lane *lane) {
    for (uint32_t i = 0; i < needs_count(lane); i++) {
        const struct share *share = share_at(lane, i);
        if (!share->constraint->redundancy) break;
        if (share->failed >= share->constraint->limit) return share->cause;
    }
    return LANES_NO_HOST;
}

void lane_put_back(struct lane *lane, uint32_t host, bool is_stopped) {
    struct lanes *lanes = lane->of;
    const uint32_t cause = is_stopped ? LANES_NO_HOST : stopped_by(lane);
    if (is_stopped || cause != LANES_NO_HOST) {
        lanes->left--;
        lanes->skip(lanes->owner, host, cause);
    } else {
        wait_again(lane, host);
    }
    give_back(lane);
    go_on(lane);
}

// --- what comes from outside

void lanes_hold(struct locks *locks, const char *key) {
    struct lock *lock = lock_of(locks, key);
    lock->holds++;
    drop_reservation(locks);
    review(lock);
}

void lanes_release(struct locks *locks, const char *key) {
    struct lock *lock = lock_of(locks, key);
    assert(lock->holds > 0);
    lock->holds--;
    offer(locks, lock);
}

// --- life

static void count_hosts(struct lanes *lanes, const struct lane *lane) {
    for (uint32_t i = 0; i < needs_count(lane); i++) {
        struct share *share = share_at(lane, i);
        share->left += lane->cohort->count;
        if (is_first_at(lane, i)) share->first_left += lane->cohort->count;
    }
    lanes->left += lane->cohort->count;
}

static void enter_lock(struct lanes *lanes, struct share *share) {
    share->lock = lock_of(lanes->locks, share->constraint->key);
    if (share->constraint->cohorts_count > 1) share->parked = mem_zalloc(sizeof *share->parked);
    if (share->constraint->redundancy) lanes->locks->groups_pending++;
    lock_enter(share);
    review(share->lock); // its limit may be lower now
}

void lanes_init(struct lanes *lanes, struct locks *locks, const struct grouping *grouping,
                lanes_skip skip, void *owner) {
    *lanes = (struct lanes){.locks = locks,
                            .grouping = grouping,
                            .order = grouping->order,
                            .list = mem_array(grouping->cohorts_count, sizeof *lanes->list),
                            .shares = mem_array(grouping->count, sizeof *lanes->shares),
                            .skip = skip,
                            .owner = owner};
    for (size_t i = 0; i < grouping->count; i++)
        lanes->shares[i] = (struct share){.constraint = &grouping->constraints[i], .of = lanes};
    for (size_t i = 0; i < grouping->cohorts_count; i++) {
        lanes->list[i] = (struct lane){.of = lanes, .cohort = &grouping->cohorts[i]};
        count_hosts(lanes, &lanes->list[i]);
    }
    strmap_reserve(&locks->by_key, grouping->count); // most are there where jobs share them
    for (size_t i = 0; i < grouping->count; i++)
        if (lanes->shares[i].left > 0) enter_lock(lanes, &lanes->shares[i]);
    for (size_t i = 0; i < grouping->cohorts_count; i++)
        park(&lanes->list[i], waits_at(&lanes->list[i]));
    for (size_t i = 0; i < grouping->cohorts_count; i++)
        offer_all(&lanes->list[i]);
}

void lanes_deinit(struct lanes *lanes) {
    assert(lanes->left == 0);
    for (size_t i = 0; i < lanes->grouping->count; i++) {
        if (lanes->shares[i].parked == NULL) continue;
        heap_deinit(lanes->shares[i].parked);
        free(lanes->shares[i].parked);
    }
    heap_deinit(&lanes->ready);
    free(lanes->list);
    free(lanes->shares);
    free(lanes->own_order);
}

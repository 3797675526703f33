// Where hosts begin and end: what is counted of them, what a failure stops, where one that is put
// back stands again, and what a pause takes away. Whoever may go next is found by offers.c.
//
// A lane is its cohort in the order in which its hosts begin. Of a job that is taken up again those
// that are over come first, then those in doubt, then those that wait: it is as if they had begun
// in that order.
#include "orchestrator/lanes.h"

#include "common/mem.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

const char *lane_group(const struct lane *lane) {
    const struct share *smallest = lane_share(lane, 0);
    for (uint32_t i = 1; i < lane_needs_count(lane); i++) {
        const struct share *share = lane_share(lane, i);
        if (!share->constraint->redundancy) break;
        if (share->constraint->members < smallest->constraint->members) smallest = share;
    }
    return smallest->lock->key;
}

// --- hosts that begin, and are over

static void count_pending(const struct lane *lane, uint32_t i, bool again) {
    struct share *share = lane_share(lane, i);
    const uint32_t by = again ? 1 : UINT32_MAX; // -1
    const bool was_pending = share->left > 0;
    share->left += by;
    if (lane_is_first(lane, i)) share->first_left += by;
    if (!share->constraint->redundancy) return;
    if (was_pending && share->left == 0) lane->of->locks->groups_pending--;
    if (!was_pending) lane->of->locks->groups_pending++;
}

static uint32_t begin(struct lane *lane) {
    const uint32_t host = lane_next_host(lane);
    lane->begun++;
    for (uint32_t i = 0; i < lane_needs_count(lane); i++)
        count_pending(lane, i, false);
    return host;
}

uint32_t lane_start(struct lane *lane) {
    assert(lane->state == LANE_READY);
    offers_clear(lane);
    const uint32_t host = begin(lane);
    lane->in_hand++;
    for (uint32_t i = 0; i < lane_needs_count(lane); i++) {
        struct share *share = lane_share(lane, i);
        share->lock->in_hand++;
        share->in_hand++;
        lock_rotate(share);
    }
    if (lane_hosts_left(lane) > 0)
        offers_wait(lane);
    else
        offers_end(lane);
    offers_make(lane);
    return host;
}

static void give_back(struct lane *lane) {
    assert(lane->in_hand > 0);
    lane->in_hand--;
    for (uint32_t i = 0; i < lane_needs_count(lane); i++) {
        struct share *share = lane_share(lane, i);
        assert(share->in_hand > 0 && share->lock->in_hand > 0);
        share->in_hand--;
        share->lock->in_hand--;
        lock_rotate(share);
    }
}

static void go_on(struct lane *lane) {
    offers_reserve(lane->of->locks);
    offers_make(lane);
}

// --- hosts that are skipped

static void skip_next(struct lane *lane, uint32_t cause) {
    struct lanes *lanes = lane->of;
    const uint32_t host = begin(lane);
    lanes->left--;
    if (lane_hosts_left(lane) == 0) offers_end(lane);
    lanes->skip(lanes->owner, host, cause);
}

// What stood for the lane elsewhere, after all its hosts were skipped.
static void settle(struct lane *lane) {
    offers_clear(lane);
    for (uint32_t i = 0; i < lane_needs_count(lane); i++) {
        struct share *share = lane_share(lane, i);
        if (share->left == 0 && share->in_hand == 0) lock_rotate(share);
    }
    offers_make(lane);
}

static void push(struct heap *heap, const struct lane *lane) {
    heap_push(heap, (struct heap_entry){.key = lane_next_host(lane), .id = lane_number(lane)});
}

// In inventory order, over all lanes of the group.
static void skip_rest(struct share *share) {
    struct lanes *lanes = share->of;
    const struct constraint *constraint = share->constraint;
    const uint32_t *cohorts = constraint_cohorts(lanes->grouping, constraint);
    struct heap next = {0};
    for (uint32_t i = 0; i < constraint->cohorts_count; i++) {
        const struct lane *lane = &lanes->list[cohorts[i]];
        if (lane_hosts_left(lane) > 0) push(&next, lane);
    }
    uint32_t *skipped = mem_array(next.count, sizeof *skipped);
    size_t count = 0;
    while (next.count > 0) {
        struct lane *lane = &lanes->list[heap_pop(&next).id];
        skip_next(lane, share->cause);
        if (lane_hosts_left(lane) > 0)
            push(&next, lane);
        else
            skipped[count++] = lane_number(lane);
    }
    while (count > 0)
        settle(&lanes->list[skipped[--count]]);
    free(skipped);
    heap_deinit(&next);
}

static void count_failure(struct lane *lane, uint32_t host) {
    for (uint32_t i = 0; i < lane_needs_count(lane); i++) {
        struct share *share = lane_share(lane, i);
        if (!share->constraint->redundancy) break;
        if (++share->failed != share->constraint->limit) continue;
        lane->of->locks->groups_stopped++;
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

bool lanes_skip_some(struct lanes *lanes, size_t count) {
    const size_t lanes_count = lanes->grouping->cohorts_count;
    while (lanes->skipped < lanes_count) {
        struct lane *lane = &lanes->list[lanes->skipped];
        for (; lane_hosts_left(lane) > 0; count--) {
            if (count == 0) return true;
            skip_next(lane, LANES_NO_HOST);
        }
        settle(lane);
        lanes->skipped++;
    }
    lanes->ready.count = 0;
    return false;
}

// --- hosts that are put back

static void own_order(struct lanes *lanes) {
    const size_t hosts = lanes->grouping->hosts;
    if (lanes->own_order != NULL) return;
    lanes->own_order = mem_array(hosts, sizeof *lanes->own_order);
    memcpy(lanes->own_order, lanes->order, hosts * sizeof *lanes->own_order);
    lanes->order = lanes->own_order;
}

// Into its place among those that have not begun.
static void insert(struct lane *lane, uint32_t host) {
    struct lanes *lanes = lane->of;
    const uint32_t first = lane->cohort->first, count = lane->cohort->count;
    const uint32_t *order = &lanes->order[first];
    uint32_t at = --lane->begun;
    if (order[at] == host && (at + 1 == count || order[at + 1] > host)) return;
    own_order(lanes);
    uint32_t *hosts = &lanes->own_order[first];
    while (hosts[at] != host)
        at--;
    for (; at < lane->begun; at++) // those that began after it
        hosts[at] = hosts[at + 1];
    for (; at + 1 < count && hosts[at + 1] < host; at++)
        hosts[at] = hosts[at + 1];
    hosts[at] = host;
}

static void wait_again(struct lane *lane, uint32_t host) {
    insert(lane, host);
    for (uint32_t i = 0; i < lane_needs_count(lane); i++)
        count_pending(lane, i, true);
    if (lane->state != LANE_READY) offers_wait(lane);
    for (uint32_t i = 0; i < lane_needs_count(lane); i++) {
        struct lock *lock = lane_share(lane, i)->lock;
        offers_raise(lane, lock);
        if (lane_is_first(lane, i)) offers_review(lock);
    }
    offers_check_reservation(lane->of->locks);
}

// The host whose failure has stopped one of the lane's groups meanwhile.
static uint32_t stopped_by(const struct lane *lane) {
    for (uint32_t i = 0; i < lane_needs_count(lane); i++) {
        const struct share *share = lane_share(lane, i);
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

// --- rests and pauses

void lane_rest(struct lane *lane) {
    for (uint32_t i = 0; i < lane_needs_count(lane); i++)
        lane_share(lane, i)->lock->resting++;
    offers_check_reservation(lane->of->locks);
}

void lane_wake(struct lane *lane) {
    for (uint32_t i = 0; i < lane_needs_count(lane); i++)
        lane_share(lane, i)->lock->resting--;
}

static void pause_lane(struct lane *lane) {
    offers_clear(lane);
    if (lane_hosts_left(lane) > 0) offers_wait(lane);
}

// What stands in the heaps is of no lane any more; all that the job was offered is the others'.
void lanes_pause(struct lanes *lanes) {
    const size_t count = lanes->grouping->cohorts_count;
    if (lanes->is_paused) return;
    lanes->is_paused = true;
    for (size_t i = 0; i < count; i++)
        pause_lane(&lanes->list[i]);
    for (size_t i = 0; i < lanes->grouping->count; i++) {
        lock_pause(&lanes->shares[i]);
        if (lanes->shares[i].parked != NULL) lanes->shares[i].parked->count = 0;
    }
    lanes->ready.count = 0;
    for (size_t i = 0; i < count; i++)
        offers_make(&lanes->list[i]);
}

static void wait_all(struct lanes *lanes) {
    const size_t count = lanes->grouping->cohorts_count;
    for (size_t i = 0; i < count; i++)
        if (lane_hosts_left(&lanes->list[i]) > 0)
            offers_wait(&lanes->list[i]);
        else
            offers_end(&lanes->list[i]);
    for (size_t i = 0; i < count; i++)
        offers_make(&lanes->list[i]);
}

void lanes_unpause(struct lanes *lanes) {
    if (!lanes->is_paused) return;
    lanes->is_paused = false;
    for (size_t i = 0; i < lanes->grouping->count; i++) {
        struct share *share = &lanes->shares[i];
        lock_unpause(share);
        if (share->left == 0) continue;
        offers_check_reservation(lanes->locks);
        offers_review(share->lock); // its limit is lower now, perhaps
    }
    wait_all(lanes);
}

void lanes_abandon(struct lanes *lanes) {
    struct lane *lane;
    uint32_t host;
    while ((lane = lanes_next_in_doubt(lanes, &host)) != NULL) {
        give_back(lane);
        go_on(lane);
    }
    lanes_pause(lanes);
    for (size_t i = 0; i < lanes->grouping->count; i++) {
        const struct share *share = &lanes->shares[i];
        assert(share->in_hand == 0);
        if (share->left > 0 && share->constraint->redundancy) lanes->locks->groups_pending--;
    }
    lanes->left = 0;
}

// --- what comes from outside

void lanes_hold(struct locks *locks, const char *key) {
    struct lock *lock = lock_of(locks, key);
    lock->holds++;
    offers_check_reservation(locks);
    offers_review(lock);
}

void lanes_release(struct locks *locks, const char *key) {
    struct lock *lock = lock_of(locks, key);
    assert(lock->holds > 0);
    lock->holds--;
    offers_lock(locks, lock);
}

// --- what was before

static void take_places(struct lane *lane) {
    lane->in_hand++;
    for (uint32_t i = 0; i < lane_needs_count(lane); i++) {
        struct share *share = lane_share(lane, i);
        share->in_hand++;
        share->lock->in_hand++;
    }
}

static void note_doubt(struct lane *lane, uint32_t host) {
    struct lanes *lanes = lane->of;
    lanes->doubts =
        mem_grow(lanes->doubts, &lanes->doubts_cap, lanes->doubts_count + 1, sizeof *lanes->doubts);
    lanes->doubts[lanes->doubts_count++] = (struct doubt){lane, host};
    lanes->doubts_left++;
    lanes->left++;
    take_places(lane);
}

struct lane *lanes_next_in_doubt(struct lanes *lanes, uint32_t *host) {
    if (lanes->doubts_left == 0) return NULL;
    const struct doubt *doubt = &lanes->doubts[lanes->doubts_count - lanes->doubts_left--];
    *host = doubt->host;
    return doubt->lane;
}

// Of several failures the last one stands for all.
static void note_failure(struct lane *lane, uint32_t host) {
    for (uint32_t i = 0; i < lane_needs_count(lane); i++) {
        struct share *share = lane_share(lane, i);
        if (!share->constraint->redundancy) break;
        if (share->failed++ == 0 || host > share->cause) share->cause = host;
    }
}

static void take_up_host(struct lane *lane, enum past past, uint32_t host) {
    if (past == PAST_PENDING) return;
    lane->begun++;
    if (past == PAST_FAILED) note_failure(lane, host);
    if (past == PAST_IN_DOUBT) note_doubt(lane, host);
}

// pasts has room for what is known of the cohort's hosts.
static void take_up(struct lane *lane, past_of past_of_host, void *arg, enum past *pasts) {
    const struct cohort *cohort = lane->cohort;
    const uint32_t *hosts = &lane->of->grouping->order[cohort->first];
    uint32_t *begun = &lane->of->own_order[cohort->first];
    for (uint32_t i = 0; i < cohort->count; i++)
        pasts[i] = past_of_host(arg, hosts[i]);
    for (int past = PAST_OVER; past <= PAST_PENDING; past++)
        for (uint32_t i = 0; i < cohort->count; i++) {
            if ((int)pasts[i] != past) continue;
            *begun++ = hosts[i];
            take_up_host(lane, pasts[i], hosts[i]);
        }
}

static void take_up_all(struct lanes *lanes, past_of past, void *arg) {
    const struct grouping *grouping = lanes->grouping;
    enum past *pasts = mem_array(grouping->hosts, sizeof *pasts);
    own_order(lanes);
    for (size_t i = 0; i < grouping->cohorts_count; i++)
        take_up(&lanes->list[i], past, arg, &pasts[grouping->cohorts[i].first]);
    free(pasts);
}

static void skip_if_stopped(struct share *share) {
    if (share->failed >= share->constraint->limit && share->left > 0) skip_rest(share);
}

// --- life

static void count_hosts(struct lane *lane) {
    const uint32_t left = lane_hosts_left(lane);
    for (uint32_t i = 0; i < lane_needs_count(lane); i++) {
        struct share *share = lane_share(lane, i);
        share->left += left;
        if (lane_is_first(lane, i)) share->first_left += left;
    }
    lane->of->left += left;
}

static void enter_lock(struct share *share) {
    if (share->constraint->cohorts_count > 1 && share->parked == NULL)
        share->parked = mem_zalloc(sizeof *share->parked);
    if (share->constraint->redundancy && share->left > 0) share->of->locks->groups_pending++;
    lock_enter(share);
    offers_check_reservation(share->of->locks);
    offers_review(share->lock); // its limit may be lower now, or there is no place any more
}

void lanes_init(struct lanes *lanes, struct locks *locks, const struct grouping *grouping,
                past_of past, void *arg, lanes_skip skip, void *owner) {
    *lanes = (struct lanes){.locks = locks,
                            .grouping = grouping,
                            .order = grouping->order,
                            .list = mem_array(grouping->cohorts_count, sizeof *lanes->list),
                            .shares = mem_array(grouping->count, sizeof *lanes->shares),
                            .skip = skip,
                            .owner = owner};
    strmap_reserve(&locks->by_key, grouping->count); // most are there where jobs share them
    for (size_t i = 0; i < grouping->count; i++) {
        const struct constraint *constraint = &grouping->constraints[i];
        lanes->shares[i] = (struct share){.constraint = constraint, .of = lanes};
        if (constraint->cohorts_count > 0) lanes->shares[i].lock = lock_of(locks, constraint->key);
    }
    for (size_t i = 0; i < grouping->cohorts_count; i++)
        lanes->list[i] = (struct lane){.of = lanes, .cohort = &grouping->cohorts[i]};
    if (past != NULL) take_up_all(lanes, past, arg);
    for (size_t i = 0; i < grouping->cohorts_count; i++)
        count_hosts(&lanes->list[i]);
    for (size_t i = 0; i < grouping->count; i++)
        if (lanes->shares[i].left > 0 || lanes->shares[i].in_hand > 0)
            enter_lock(&lanes->shares[i]);
    wait_all(lanes);
    for (size_t i = 0; i < grouping->count; i++)
        skip_if_stopped(&lanes->shares[i]);
}

// --- what other processes have

typedef void (*each_share)(struct share *share);

// Each once: all cohorts that share one are there, so it comes with its first.
static void visit_shares(struct lanes *lanes, const uint32_t *cohorts, size_t count,
                         each_share visit) {
    for (size_t i = 0; i < count; i++)
        for (uint32_t j = 0; j < lane_needs_count(&lanes->list[cohorts[i]]); j++) {
            struct share *share = lane_share(&lanes->list[cohorts[i]], j);
            if (*constraint_cohorts(lanes->grouping, share->constraint) == cohorts[i]) visit(share);
        }
}

static void forget_failures(struct share *share) {
    assert(share->left == 0 && share->in_hand == 0 && !share->is_queued);
    share->failed = 0;
}

static void enter_lock_if_left(struct share *share) {
    if (share->left == 0 && share->in_hand == 0) return;
    enter_lock(share);
    if (share->of->is_paused) lock_pause(share);
}

static void take_on(struct lane *lane, past_of past, void *arg) {
    enum past *pasts = mem_array(lane->cohort->count, sizeof *pasts);
    assert(lane->state == LANE_EMPTY && lane->in_hand == 0);
    lane->begun = 0;
    take_up(lane, past, arg, pasts);
    count_hosts(lane);
    free(pasts);
}

void lanes_take_on(struct lanes *lanes, const uint32_t *cohorts, size_t count, past_of past,
                   void *arg) {
    own_order(lanes);
    lanes->skipped = 0; // of a job that is stopped there are hosts to skip once more
    visit_shares(lanes, cohorts, count, forget_failures);
    for (size_t i = 0; i < count; i++)
        take_on(&lanes->list[cohorts[i]], past, arg);
    visit_shares(lanes, cohorts, count, enter_lock_if_left);
    for (size_t i = 0; i < count; i++)
        if (lane_hosts_left(&lanes->list[cohorts[i]]) > 0) offers_wait(&lanes->list[cohorts[i]]);
    for (size_t i = 0; i < count; i++)
        offers_make(&lanes->list[cohorts[i]]);
    visit_shares(lanes, cohorts, count, skip_if_stopped);
}

// As if they had been skipped, but for the telling.
static void give_up(struct lane *lane) {
    assert(lane->in_hand == 0);
    while (lane_hosts_left(lane) > 0) {
        begin(lane);
        lane->of->left--;
    }
    if (lane->state != LANE_EMPTY) offers_end(lane);
}

void lanes_give_up(struct lanes *lanes, const uint32_t *cohorts, size_t count) {
    for (size_t i = 0; i < count; i++)
        give_up(&lanes->list[cohorts[i]]);
    for (size_t i = 0; i < count; i++)
        settle(&lanes->list[cohorts[i]]);
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
    free(lanes->doubts);
}

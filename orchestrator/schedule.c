// A lane is one job's share of one redundancy group. Lanes of one group stand in a queue, the
// group's lock, in the order in which jobs came to it. The first of the queue is ready (in its
// job's heap) or at work; it waits only where the group is held from outside. When its host is done
// or put back, a lane goes to the end of the queue, so that jobs take turns.
//
// The invariant that keeps two hosts of a group from being in hand at once: only the first lane of
// a queue is ever ready or at work, and a lane has one host at work at most.
#include "orchestrator/schedule.h"

#include "common/heap.h"
#include "common/mem.h"
#include "common/strmap.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum lane_state {
    LANE_WAITING,  // in its group's queue: for its turn, or for a group that is held
    LANE_READY,    // first of the queue and in its job's heap
    LANE_CLAIMING, // first of the queue, with a host that is being claimed
    LANE_IN_HAND,  // first of the queue, with a host in hand
    LANE_OVER,     // in no queue: all its hosts are done or skipped
};

struct lock {
    struct lane *first, *last;
    unsigned holds; // from outside
    char key[];
};

struct lane {
    struct schedule_job *job;
    struct lock *lock;
    const struct group *group;
    struct lane *behind; // the next in the lock's queue
    uint32_t begun;      // hosts of the group handed out or skipped
    uint32_t turns;      // how often it was made ready: the tag of its entry in the heap
    enum lane_state state;
};

struct schedule_job {
    struct schedule_job *next; // younger
    void *owner;
    const struct grouping *grouping;
    struct lane *lanes; // one for each group, in the same order
    struct heap ready;  // lanes whose next host may start, by the time left
    size_t left;        // hosts neither done nor skipped
    bool cancelled;
};

struct schedule {
    struct schedule_job *oldest;
    struct strmap locks; // key -> struct lock, for good: a network has so many groups and no more
    schedule_skip skip;
    unsigned workers, in_hand;
    size_t groups_pending;
    bool draining;
};

// --- lanes

// Which states may follow which: the whole life of a lane.
static bool may_follow(enum lane_state from, enum lane_state to) {
    switch (to) {
    case LANE_WAITING: // READY: the group is held now
        return from == LANE_IN_HAND || from == LANE_CLAIMING || from == LANE_READY;
    case LANE_READY:
        return from == LANE_WAITING;
    case LANE_CLAIMING:
        return from == LANE_READY;
    case LANE_IN_HAND:
        return from == LANE_CLAIMING;
    case LANE_OVER:
        return from != LANE_OVER;
    }
    return false;
}

static void enter(struct lane *lane, enum lane_state state) {
    assert(may_follow(lane->state, state));
    lane->state = state;
}

static bool is_at_work(const struct lane *lane) {
    return lane->state == LANE_CLAIMING || lane->state == LANE_IN_HAND;
}

static uint32_t hosts_left(const struct lane *lane) {
    return lane->group->count - lane->begun;
}

static uint64_t time_left(const struct lane *lane) {
    return (uint64_t)hosts_left(lane) * lane->group->weight;
}

// The lane with the most time left comes first; lanes are numbered in inventory order, which breaks
// ties.
static void make_ready(struct lane *lane) {
    struct schedule_job *job = lane->job;
    enter(lane, LANE_READY);
    heap_push(&job->ready, (struct heap_entry){.key = UINT64_MAX - time_left(lane),
                                               .id = (uint32_t)(lane - job->lanes),
                                               .tag = ++lane->turns});
}

// The entry of a lane whose group came to be held stays in the heap: it is passed over here.
static struct lane *take_ready(struct schedule_job *job) {
    while (job->ready.count > 0) {
        const struct heap_entry top = heap_pop(&job->ready);
        struct lane *lane = &job->lanes[top.id];
        if (lane->state == LANE_READY && lane->turns == top.tag) return lane;
    }
    return NULL;
}

// --- the queue of a group

static struct lock *lock_of(struct schedule *s, const char *key) {
    struct lock *lock = strmap_get(&s->locks, key);
    if (lock != NULL) return lock;
    size_t size = strlen(key) + 1;
    lock = mem_zalloc(sizeof *lock + size);
    memcpy(lock->key, key, size);
    strmap_put(&s->locks, lock->key, lock);
    return lock;
}

// The turn of the first of the queue, unless it has it already or the group is held.
static void give_turn(struct lock *lock) {
    struct lane *lane = lock->first;
    if (lane != NULL && lane->state == LANE_WAITING && lock->holds == 0) make_ready(lane);
}

static void enqueue(struct lane *lane) {
    struct lock *lock = lane->lock;
    lane->behind = NULL;
    if (lock->first == NULL)
        lock->first = lane;
    else
        lock->last->behind = lane;
    lock->last = lane;
}

static void leave(struct lane *lane) {
    struct lock *lock = lane->lock;
    struct lane *before = NULL;
    if (lock->first == lane) {
        lock->first = lane->behind;
    } else {
        for (before = lock->first; before->behind != lane;)
            before = before->behind;
        before->behind = lane->behind;
    }
    if (lock->last == lane) lock->last = before;
}

// --- jobs

struct schedule *schedule_new(unsigned workers, schedule_skip skip) {
    assert(workers > 0);
    struct schedule *s = mem_zalloc(sizeof *s);
    s->workers = workers;
    s->skip = skip;
    return s;
}

void schedule_free(struct schedule *s) {
    if (s == NULL) return;
    assert(s->oldest == NULL);
    for (size_t i = 0; i < s->locks.cap; i++)
        free(s->locks.slots[i].value);
    strmap_deinit(&s->locks);
    free(s);
}

static void skip_rest(struct schedule *s, struct lane *lane, uint32_t cause) {
    struct schedule_job *job = lane->job;
    if (hosts_left(lane) > 0) s->groups_pending--;
    while (hosts_left(lane) > 0) {
        uint32_t host = job->grouping->order[lane->group->first + lane->begun++];
        job->left--;
        s->skip(job->owner, host, cause);
    }
}

struct schedule_job *schedule_add(struct schedule *s, const struct grouping *grouping,
                                  void *owner) {
    struct schedule_job *job = mem_zalloc(sizeof *job);
    job->owner = owner;
    job->grouping = grouping;
    job->lanes = mem_array(grouping->count, sizeof *job->lanes);
    job->left = grouping->hosts;
    struct schedule_job **end = &s->oldest;
    while (*end != NULL)
        end = &(*end)->next;
    *end = job;
    for (size_t i = 0; i < grouping->count; i++) {
        const struct group *group = &grouping->groups[i];
        job->lanes[i] = (struct lane){.job = job, .group = group, .lock = lock_of(s, group->key)};
        s->groups_pending++;
        enqueue(&job->lanes[i]);
        give_turn(job->lanes[i].lock);
    }
    if (s->draining) schedule_cancel(s, job);
    return job;
}

bool schedule_finished(const struct schedule_job *job) {
    return job->left == 0;
}

void schedule_remove(struct schedule *s, struct schedule_job *job) {
    assert(job->left == 0);
    struct schedule_job **link = &s->oldest;
    while (*link != job)
        link = &(*link)->next;
    *link = job->next;
    free(job->lanes);
    heap_deinit(&job->ready);
    free(job);
}

// --- work

bool schedule_next(struct schedule *s, struct schedule_work *work) {
    if (s->draining || s->in_hand == s->workers) return false;
    struct lane *lane = NULL;
    for (struct schedule_job *job = s->oldest; job != NULL && lane == NULL; job = job->next)
        lane = take_ready(job);
    if (lane == NULL) return false;

    struct schedule_job *job = lane->job;
    assert(lane->lock->first == lane && lane->lock->holds == 0 && hosts_left(lane) > 0);
    uint32_t host = job->grouping->order[lane->group->first + lane->begun++];
    if (hosts_left(lane) == 0) s->groups_pending--;
    enter(lane, LANE_CLAIMING);
    s->in_hand++;
    *work = (struct schedule_work){
        .job = job, .owner = job->owner, .lane = lane, .host = host, .group = lane->lock->key};
    return true;
}

void schedule_claimed(struct schedule *s, const struct schedule_work *work) {
    (void)s;
    enter(work->lane, LANE_IN_HAND);
}

// The host of the lane is at work no more: the group is for whoever is next.
static void end_work(struct schedule *s, struct lane *lane) {
    assert(is_at_work(lane) && s->in_hand > 0);
    s->in_hand--;
    leave(lane);
    if (hosts_left(lane) > 0) {
        enter(lane, LANE_WAITING);
        enqueue(lane);
    } else {
        enter(lane, LANE_OVER);
    }
    give_turn(lane->lock);
}

void schedule_put_back(struct schedule *s, const struct schedule_work *work) {
    struct lane *lane = work->lane;
    if (lane->job->cancelled) { // all behind it is skipped already
        lane->job->left--;
        s->skip(lane->job->owner, work->host, SCHEDULE_NO_HOST);
    } else {
        if (hosts_left(lane) == 0) s->groups_pending++;
        lane->begun--;
    }
    end_work(s, lane);
}

void schedule_done(struct schedule *s, const struct schedule_work *work, bool failed) {
    struct lane *lane = work->lane;
    assert(lane->state == LANE_IN_HAND);
    lane->job->left--;
    if (failed) skip_rest(s, lane, work->host);
    end_work(s, lane);
}

// --- what stops work

void schedule_hold(struct schedule *s, const char *key) {
    struct lock *lock = lock_of(s, key);
    lock->holds++;
    if (lock->first != NULL && lock->first->state == LANE_READY) enter(lock->first, LANE_WAITING);
}

void schedule_release(struct schedule *s, const char *key) {
    struct lock *lock = lock_of(s, key);
    assert(lock->holds > 0);
    lock->holds--;
    give_turn(lock);
}

void schedule_cancel(struct schedule *s, struct schedule_job *job) {
    job->cancelled = true;
    job->ready.count = 0;
    for (size_t i = 0; i < job->grouping->count; i++) {
        struct lane *lane = &job->lanes[i];
        skip_rest(s, lane, SCHEDULE_NO_HOST);
        if (is_at_work(lane) || lane->state == LANE_OVER) continue;
        leave(lane);
        enter(lane, LANE_OVER);
        give_turn(lane->lock);
    }
}

void schedule_drain(struct schedule *s) {
    s->draining = true;
    for (struct schedule_job *job = s->oldest; job != NULL; job = job->next)
        schedule_cancel(s, job);
}

unsigned schedule_in_hand(const struct schedule *s) {
    return s->in_hand;
}

size_t schedule_groups_pending(const struct schedule *s) {
    return s->groups_pending;
}

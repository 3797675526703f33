// A lane is one job's share of one redundancy group. Lanes of one group stand in a queue, the
// group's lock: the first of it is either ready (in its job's heap) or has a host in hand; the
// others wait. When its host is done a lane goes to the end of the queue, so that jobs take turns.
#include "orchestrator/schedule.h"

#include "common/heap.h"
#include "common/mem.h"
#include "common/strmap.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

struct lock {
    struct lane *first, *last;
    char key[];
};

struct lane {
    struct schedule_job *job;
    struct lock *lock;
    const struct group *group;
    struct lane *behind; // the next in the lock's queue
    uint32_t begun;      // hosts of the group handed out or skipped
    bool in_hand;
};

struct schedule_job {
    struct schedule_job *next; // younger
    void *owner;
    const struct grouping *grouping;
    struct lane *lanes; // one for each group, in the same order
    struct heap ready;  // lanes whose next host may start, by the time left
    size_t left;        // hosts neither done nor skipped
};

struct schedule {
    struct schedule_job *oldest;
    struct strmap locks; // key -> struct lock, for good: a network has so many groups and no more
    schedule_skip skip;
    unsigned workers, in_hand;
    size_t groups_pending;
    bool draining;
};

// --- the heap of ready lanes

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
    heap_push(&job->ready, (struct heap_entry){.key = UINT64_MAX - time_left(lane),
                                               .id = (uint32_t)(lane - job->lanes)});
}

static struct lane *take_ready(struct schedule_job *job) {
    return &job->lanes[heap_pop(&job->ready).id];
}

// --- the queue of a group

static struct lock *lock_of(struct schedule *s, const char *key) {
    struct lock *lock = strmap_get(&s->locks, key);
    if (lock != NULL) return lock;
    size_t size = strlen(key) + 1;
    lock = mem_alloc(sizeof *lock + size);
    lock->first = lock->last = NULL;
    memcpy(lock->key, key, size);
    strmap_put(&s->locks, lock->key, lock);
    return lock;
}

static void enqueue(struct lane *lane) {
    struct lock *lock = lane->lock;
    lane->behind = NULL;
    if (lock->first == NULL) {
        lock->first = lane;
        make_ready(lane);
    } else {
        lock->last->behind = lane;
    }
    lock->last = lane;
}

static void leave(struct lane *lane) {
    struct lock *lock = lane->lock;
    assert(lock->first == lane);
    lock->first = lane->behind;
    if (lock->first == NULL)
        lock->last = NULL;
    else
        make_ready(lock->first);
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

// Empties the queues but for the lanes with a host in hand: with nothing left to begin, none waits.
static void drain_job(struct schedule *s, struct schedule_job *job) {
    job->ready.count = 0;
    for (size_t i = 0; i < job->grouping->count; i++) {
        struct lane *lane = &job->lanes[i];
        struct lock *lock = lane->lock;
        if (lock->first != NULL && !lock->first->in_hand) lock->first = NULL;
        if (lock->first != NULL) lock->first->behind = NULL;
        lock->last = lock->first;
        skip_rest(s, lane, SCHEDULE_NO_HOST);
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
    }
    if (s->draining) drain_job(s, job);
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
    struct schedule_job *job = s->oldest;
    while (job != NULL && job->ready.count == 0)
        job = job->next;
    if (job == NULL) return false;

    struct lane *lane = take_ready(job);
    assert(!lane->in_hand && lane->lock->first == lane && hosts_left(lane) > 0);
    uint32_t host = job->grouping->order[lane->group->first + lane->begun++];
    if (hosts_left(lane) == 0) s->groups_pending--;
    lane->in_hand = true;
    s->in_hand++;
    *work = (struct schedule_work){.job = job, .owner = job->owner, .lane = lane, .host = host};
    return true;
}

void schedule_done(struct schedule *s, const struct schedule_work *work, bool failed) {
    struct lane *lane = work->lane;
    assert(lane->in_hand && s->in_hand > 0);
    lane->in_hand = false;
    s->in_hand--;
    lane->job->left--;
    if (failed) skip_rest(s, lane, work->host);
    leave(lane);
    if (hosts_left(lane) > 0) enqueue(lane);
}

void schedule_drain(struct schedule *s) {
    s->draining = true;
    for (struct schedule_job *job = s->oldest; job != NULL; job = job->next)
        drain_job(s, job);
}

unsigned schedule_in_hand(const struct schedule *s) {
    return s->in_hand;
}

size_t schedule_groups_pending(const struct schedule *s) {
    return s->groups_pending;
}

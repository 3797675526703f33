// Jobs and workers. Which host of a job may go, and which goes next, is told by its lanes.
#include "orchestrator/schedule.h"

#include "common/mem.h"
#include "orchestrator/lanes.h"

#include <assert.h>
#include <stdlib.h>

struct schedule_job {
    struct schedule_job *next; // younger
    struct lanes lanes;
    unsigned workers, in_hand; // without those that rest; workers: at most
    bool cancelled;
};

struct schedule {
    struct schedule_job *oldest;
    struct locks locks;
    schedule_skip skip;
    unsigned workers, in_hand;
    bool draining, halted;
};

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
    locks_deinit(&s->locks);
    free(s);
}

struct schedule_job *schedule_add(struct schedule *s, const struct grouping *grouping,
                                  void *owner) {
    return schedule_add_resumed(s, grouping, owner, NULL, NULL);
}

struct schedule_job *schedule_add_resumed(struct schedule *s, const struct grouping *grouping,
                                          void *owner, past_of past, void *arg) {
    struct schedule_job *job = mem_zalloc(sizeof *job);
    job->workers = SCHEDULE_NO_LIMIT;
    struct schedule_job **end = &s->oldest;
    while (*end != NULL)
        end = &(*end)->next;
    *end = job;
    lanes_init(&job->lanes, &s->locks, grouping, past, arg, s->skip, owner);
    job->in_hand = (unsigned)job->lanes.doubts_left;
    s->in_hand += job->in_hand;
    if (s->draining) schedule_cancel(s, job);
    return job;
}

bool schedule_finished(const struct schedule_job *job) {
    return job->lanes.left == 0;
}

void schedule_remove(struct schedule *s, struct schedule_job *job) {
    struct schedule_job **link = &s->oldest;
    while (*link != job)
        link = &(*link)->next;
    *link = job->next;
    lanes_deinit(&job->lanes);
    free(job);
}

void schedule_abandon(struct schedule *s, struct schedule_job *job) {
    assert(s->halted || job->lanes.doubts_left == 0);
    s->in_hand -= (unsigned)job->lanes.doubts_left;
    lanes_abandon(&job->lanes);
    schedule_remove(s, job);
}

void schedule_take_on(struct schedule *s, struct schedule_job *job, const uint32_t *cohorts,
                      size_t count, past_of past, void *arg) {
    const size_t doubts = job->lanes.doubts_left;
    lanes_take_on(&job->lanes, cohorts, count, past, arg);
    const unsigned more = (unsigned)(job->lanes.doubts_left - doubts);
    job->in_hand += more;
    s->in_hand += more;
}

void schedule_give_up(struct schedule *s, struct schedule_job *job, const uint32_t *cohorts,
                      size_t count) {
    (void)s;
    lanes_give_up(&job->lanes, cohorts, count);
}

// --- work

static struct schedule_work work_of(struct schedule_job *job, struct lane *lane, uint32_t host) {
    return (struct schedule_work){.job = job,
                                  .owner = job->lanes.owner,
                                  .lane = lane,
                                  .host = host,
                                  .cohort = lane->cohort,
                                  .group = lane_group(lane)};
}

static void start(struct schedule *s, struct schedule_job *job, struct lane *lane,
                  struct schedule_work *work) {
    s->in_hand++;
    job->in_hand++;
    *work = work_of(job, lane, lane_start(lane));
}

// Those in doubt may be more than there are workers.
static bool is_shut(const struct schedule *s) {
    return s->draining || s->halted || s->in_hand >= s->workers;
}

static bool is_job_shut(const struct schedule_job *job) {
    return job->cancelled || job->in_hand >= job->workers;
}

bool schedule_next(struct schedule *s, struct schedule_work *work) {
    if (is_shut(s)) return false;
    struct lane *lane = NULL;
    struct schedule_job *job = s->oldest;
    for (; job != NULL; job = job->next)
        if (!is_job_shut(job) && (lane = offers_next(&job->lanes)) != NULL) break;
    if (lane == NULL) return false;
    start(s, job, lane, work);
    return true;
}

bool schedule_next_in(struct schedule *s, struct schedule_job *job, uint32_t cohort, uint32_t host,
                      struct schedule_work *work) {
    if (is_shut(s) || is_job_shut(job)) return false;
    struct lane *lane = offers_next_of(&job->lanes, cohort, host);
    if (lane == NULL) return false;
    start(s, job, lane, work);
    return true;
}

void schedule_claimed(struct schedule *s, struct schedule_work *work) {
    (void)s;
    assert(!work->is_claimed);
    work->is_claimed = true;
}

bool schedule_next_in_doubt(struct schedule *s, struct schedule_job *job,
                            struct schedule_work *work) {
    uint32_t host;
    struct lane *lane = lanes_next_in_doubt(&job->lanes, &host);
    (void)s;
    if (lane == NULL) return false;
    *work = work_of(job, lane, host);
    work->is_claimed = true;
    return true;
}

static void end_work(struct schedule *s, const struct schedule_work *work) {
    assert(work->rests || s->in_hand > 0);
    if (work->rests) {
        lane_wake(work->lane);
    } else {
        s->in_hand--;
        work->job->in_hand--;
    }
}

void schedule_rest(struct schedule *s, struct schedule_work *work) {
    assert(work->is_claimed && !work->rests);
    work->rests = true;
    s->in_hand--;
    work->job->in_hand--;
    lane_rest(work->lane);
}

void schedule_put_back(struct schedule *s, const struct schedule_work *work) {
    end_work(s, work);
    lane_put_back(work->lane, work->host, work->job->cancelled);
}

void schedule_done(struct schedule *s, const struct schedule_work *work, bool failed) {
    assert(work->is_claimed);
    end_work(s, work);
    lane_done(work->lane, work->host, failed);
}

// --- what stops work

void schedule_hold(struct schedule *s, const char *key) {
    lanes_hold(&s->locks, key);
}

void schedule_release(struct schedule *s, const char *key) {
    lanes_release(&s->locks, key);
}

void schedule_limit(struct schedule *s, struct schedule_job *job, unsigned workers) {
    (void)s;
    job->workers = workers;
}

void schedule_stop(struct schedule *s, struct schedule_job *job) {
    (void)s;
    job->cancelled = true;
}

bool schedule_skip_some(struct schedule *s, struct schedule_job *job, size_t count) {
    (void)s;
    assert(job->cancelled);
    return lanes_skip_some(&job->lanes, count);
}

void schedule_cancel(struct schedule *s, struct schedule_job *job) {
    schedule_stop(s, job);
    schedule_skip_some(s, job, SIZE_MAX);
}

void schedule_drain(struct schedule *s) {
    s->draining = true;
    for (struct schedule_job *job = s->oldest; job != NULL; job = job->next)
        schedule_cancel(s, job);
}

void schedule_pause(struct schedule *s, struct schedule_job *job) {
    (void)s;
    lanes_pause(&job->lanes);
}

void schedule_unpause(struct schedule *s, struct schedule_job *job) {
    (void)s;
    lanes_unpause(&job->lanes);
}

void schedule_halt(struct schedule *s) {
    s->halted = true;
}

unsigned schedule_in_hand(const struct schedule *s) {
    return s->in_hand;
}

size_t schedule_groups_pending(const struct schedule *s) {
    return s->locks.groups_pending;
}

uint64_t schedule_groups_stopped(const struct schedule *s) {
    return s->locks.groups_stopped;
}

bool schedule_reserver(const struct schedule *s, void **owner, uint32_t *host) {
    const struct lane *lane = s->locks.reserver;
    if (lane == NULL) return false;
    *owner = lane->of->owner;
    *host = lane_next_host(lane);
    return true;
}

#include "tests/histories/plan.h"

#include "common/rng.h"
#include "orchestrator/event.h"

enum {
    HOUR_MS = 3600 * 1000,
    END_EVENTS = 260, // most histories are over then
};

static uint64_t draw(uint64_t seed, const char *what, uint64_t number, uint64_t low,
                     uint64_t high) {
    return rng_range(rng_mix(rng_mix(seed, rng_hash(what)), number), low, high);
}

static unsigned draw_small(uint64_t seed, const char *what, uint64_t number, uint64_t low,
                           uint64_t high) {
    return (unsigned)draw(seed, what, number, low, high);
}

static bool happens(uint64_t seed, const char *what, uint64_t number, unsigned percent) {
    return draw(seed, what, number, 1, 100) <= percent;
}

static void draw_groups(struct plan *p) {
    const uint64_t seed = p->seed;
    const unsigned groups = draw_small(seed, "groups", 0, 1, 3);
    const bool has_second = happens(seed, "second rule", 0, 40);
    for (unsigned h = 0; h < p->hosts; h++) {
        p->group[0][h] = (uint8_t)draw(seed, "first group", h, 1, groups);
        if (!has_second) continue;
        p->group[1][h] = (uint8_t)draw(seed, "second group", h, 0, 2);
        if (p->group[1][h] > 0 && happens(seed, "only the second", h, 25)) p->group[0][h] = 0;
    }
    for (unsigned r = 0; r < PLAN_RULES; r++)
        p->limit[r] = happens(seed, "limit", r, 70) ? 1 : 2;
    p->at_once = happens(seed, "throttle", 0, 20) ? draw_small(seed, "at once", 0, 1, 3) : 0;
    if (happens(seed, "some go first", 0, 25))
        p->first = draw_small(seed, "who goes first", 0, 1, (1U << p->hosts) - 1);
}

static void draw_failures(struct plan *p, struct plan_job *job, unsigned i) {
    const uint64_t seed = p->seed;
    if (!happens(seed, "max_failures", i, 25)) return;
    const bool is_percent = happens(seed, "in 100", i, 40);
    job->failures_unit = is_percent ? FAILURES_IN_100 : FAILURES_HOSTS;
    job->failures = draw_small(seed, "failures", i, 0, is_percent ? 60 : 2);
}

static void draw_brakes(struct plan *p, unsigned i) {
    const uint64_t seed = p->seed;
    struct plan_job *job = &p->jobs[i];
    draw_failures(p, job, i);
    if (happens(seed, "workers of a job", i, 20))
        job->workers = draw_small(seed, "so many workers", i, 1, 3);
    if (happens(seed, "canaries", i, 25))
        job->canaries = job->hosts & draw_small(seed, "which canaries", i, 1, (1U << p->hosts) - 1);
    if (happens(seed, "host_timeout", i, 12))
        job->host_timeout_ms = draw_small(seed, "for a host", i, 5, 300);
    if (happens(seed, "job_timeout", i, 12))
        job->job_timeout_ms = draw_small(seed, "for a job", i, 10, 700);
}

static void draw_retries(struct plan *p) {
    enum { FAILED_BIT = 1U << HOST_FAILED, SKIPPED_BIT = 1U << HOST_SKIPPED };
    static const unsigned states[] = {FAILED_BIT | SKIPPED_BIT, FAILED_BIT, SKIPPED_BIT};
    const uint64_t seed = p->seed;
    unsigned count = PLAN_JOBS - PLAN_FIRST_JOBS;
    while (count > 0 && !happens(seed, "retry", count, 30))
        count--;
    for (; count > 0; count--) {
        const unsigned i = p->jobs_count;
        p->jobs[i] =
            (struct plan_job){.is_retry = true,
                              .retried = draw_small(seed, "job to be retried", i, 0, i - 1),
                              .states = states[draw(seed, "states to be retried", i, 0, 2)],
                              .at_ms = draw_small(seed, "retried at", i, 0, 200)};
        p->jobs_count++;
    }
}

static void draw_jobs(struct plan *p) {
    const uint64_t seed = p->seed;
    const bool are_braked = happens(seed, "brakes", 0, 50);
    p->jobs_count = draw_small(seed, "jobs", 0, 1, PLAN_FIRST_JOBS);
    for (unsigned i = 0; i < p->jobs_count; i++) {
        struct plan_job *job = &p->jobs[i];
        job->at_ms = draw_small(seed, "job at", i, 0, i == 0 ? 0 : 400);
        job->hosts = happens(seed, "all hosts", i, 40)
                         ? (1U << p->hosts) - 1
                         : draw_small(seed, "some hosts", i, 1, (1U << p->hosts) - 1);
        job->version = happens(seed, "version", i, 75) ? 1 : 2;
        job->reads = happens(seed, "reads", i, 10);
        job->reads_load = job->reads && happens(seed, "reads load", i, 50);
        if (are_braked) draw_brakes(p, i);
    }
    p->max_jobs = happens(seed, "max_jobs", 0, 15) ? draw_small(seed, "so many jobs", 0, 1, 2) : 0;
}

static void draw_controls(struct plan *p) {
    const uint64_t seed = p->seed;
    if (!happens(seed, "controls", 0, 50)) return;
    p->controls_count = draw_small(seed, "so many controls", 0, 1, PLAN_CONTROLS);
    for (unsigned i = 0; i < p->controls_count; i++) {
        struct plan_control *control = &p->controls[i];
        control->kind = happens(seed, "pause", i, 50)    ? CONTROL_PAUSE
                        : happens(seed, "resume", i, 50) ? CONTROL_RESUME
                                                         : CONTROL_CANCEL;
        control->job = draw_small(seed, "controlled job", i, 0, p->jobs_count - 1);
        control->at_ms = draw_small(seed, "controlled at", i, 0,
                                    happens(seed, "controlled soon", i, 40) ? 30 : 500);
        control->for_ms = draw_small(seed, "paused for", i, 10, 900);
    }
}

static void draw_deaths(struct plan *p) {
    const uint64_t seed = p->seed;
    p->deaths_count = draw_small(seed, "deaths", 0, 0, PLAN_DEATHS);
    for (unsigned i = 0; i < p->deaths_count; i++) {
        struct plan_death *death = &p->deaths[i];
        death->host = draw_small(seed, "death of", i, 0, p->hosts - 1);
        death->from_ms =
            happens(seed, "born dead", i, 30) ? 0 : draw_small(seed, "from", i, 1, 600);
        death->to_ms = happens(seed, "dead for good", i, 40)
                           ? 0
                           : death->from_ms + draw_small(seed, "dead for", i, 10, 700);
    }
}

static void draw_end(struct plan *p, unsigned i) {
    const uint64_t seed = p->seed;
    struct plan_end *end = &p->ends[i];
    end->signal = happens(seed, "killed", i, 65) ? SIGNAL_KILL : SIGNAL_TERM;
    end->after = draw_small(seed, "end after", i, 1, END_EVENTS);
    if (happens(seed, "end at an install", i, 30)) {
        end->installs = draw_small(seed, "end at install", i, 1, 3);
        end->after = draw_small(seed, "end behind it", i, 1, 6);
    }
    if (end->signal == SIGNAL_TERM && happens(seed, "again", i, 60)) {
        end->again = happens(seed, "killed at last", i, 30) ? SIGNAL_KILL : SIGNAL_TERM;
        end->again_after = draw_small(seed, "again after", i, 1, END_EVENTS / 8);
    }
    end->away_ms = draw_small(seed, "away", i, 1, 300);
    if (happens(seed, "away for hours", i, 5)) end->away_ms += HOUR_MS;
    if (happens(seed, "clock goes back", i, 6))
        end->clock_ms = -(int)draw(seed, "back", i, 1, 2000);
}

static void draw_changes(struct plan *p) {
    const uint64_t seed = p->seed;
    if (happens(seed, "inventory changes", 0, 15)) {
        p->change.kind = happens(seed, "new group", 0, 60) ? NEW_GROUP : NEW_ADDRESS;
        p->change.host = draw_small(seed, "changed host", 0, 0, p->hosts - 1);
        p->change.at_ms = draw_small(seed, "changed at", 0, 1, 400);
        p->change.group = (uint8_t)draw(seed, "changed group", 0, 1, 3);
    }
    p->policy_changes = happens(seed, "policy changes", 0, 4);
    if (happens(seed, "intents are held", 0, 15))
        p->hold = (struct plan_hold){.job = draw_small(seed, "held job", 0, 0, p->jobs_count - 1),
                                     .at_ms = draw_small(seed, "held at", 0, 1, 300),
                                     .for_ms = draw_small(seed, "held for", 0, 10, 200)};
}

void plan_draw(struct plan *p, uint64_t seed) {
    *p = (struct plan){.seed = seed};
    p->hosts = draw_small(seed, "hosts", 0, 1, PLAN_HOSTS);
    p->workers = draw_small(seed, "workers", 0, 1, PLAN_HOSTS);
    p->asks = draw_small(seed, "asks", 0, 1, PLAN_HOSTS);
    p->max_age_ms = happens(seed, "old answers count", 0, 25) ? 5000 : 500;
    p->peer_wait_ms = happens(seed, "peer wait", 0, 20) ? 1500 : 0;
    draw_groups(p);
    draw_jobs(p);
    draw_deaths(p);
    p->ends_count = draw_small(seed, "ends", 0, 0, PLAN_ENDS);
    for (unsigned i = 0; i < p->ends_count; i++)
        draw_end(p, i);
    draw_changes(p);
    draw_retries(p);
    draw_controls(p);
    p->mess = happens(seed, "calm", 0, 30) ? 0 : draw_small(seed, "mess", 0, 5, 120);
    p->lost = happens(seed, "installs are lost", 0, 20) ? draw_small(seed, "lost", 0, 10, 80) : 0;
    p->slow = happens(seed, "quick disk", 0, 40) ? 0 : draw_small(seed, "slow", 0, 2, 30);
}

// --- what hangs on the seed alone

bool plan_has_login(const struct plan *p, unsigned host) {
    return happens(p->seed, "has logins", 0, 60) && happens(p->seed, "has a login", host, 60);
}

// Random networks whose hosts stand under several constraints, jobs over them, and what a schedule
// may skip next: for check_offers.c.
#pragma once

#include "common/count.h"
#include "common/rng.h"
#include "orchestrator/schedule.h"
#include "tests/unit/support.h"

#include <stdio.h>

enum { HOSTS_MAX = 60, CONSTRAINTS_MAX = 40, NEEDS_MAX = 4, JOBS_MAX = 4 };

enum state { ABSENT, WAITING, IN_HAND, DONE, SKIPPED };

struct model_job {
    struct model *model;
    struct grouping grouping;
    struct schedule_job *scheduled; // NULL before it arrives and after it is removed
    enum state hosts[HOSTS_MAX];
    uint32_t needs[HOSTS_MAX][NEEDS_MAX]; // constraint numbers, with NEED_FIRST
    unsigned needs_count[HOSTS_MAX];
    unsigned limit[CONSTRAINTS_MAX], failed[CONSTRAINTS_MAX];
    uint32_t cause[CONSTRAINTS_MAX];
    unsigned open; // hosts neither done nor skipped
    uint64_t arrives;
    bool arrived, cancelled, paused;
    unsigned workers;          // hosts of it in hand; 0: no limit of its own
    enum past past[HOSTS_MAX]; // of a job that had begun before
    unsigned doubts;           // hosts in doubt that the driver has not got yet
};

struct flight {
    struct schedule_work work;
    uint64_t due; // UINT64_MAX: it rests
    bool claimed, rests;
};

struct model {
    uint64_t seed, draws, now, drain_at;
    unsigned hosts_count, constraints_count, jobs_count, workers, in_hand;
    unsigned fail_percent, refuse_percent, resume_percent, pause_permille;
    unsigned stop_permille, limit_percent;
    bool is_throttle[CONSTRAINTS_MAX];
    unsigned limit[CONSTRAINTS_MAX], holds[CONSTRAINTS_MAX], busy[CONSTRAINTS_MAX];
    unsigned resting[CONSTRAINTS_MAX];
    uint32_t members[HOSTS_MAX][NEEDS_MAX];
    unsigned members_count[HOSTS_MAX];
    char keys[CONSTRAINTS_MAX][8];
    struct model_job jobs[JOBS_MAX];
    struct flight flights[HOSTS_MAX * JOBS_MAX];
    unsigned flights_count; // of those in hand all but the ones in doubt that nobody has got yet
    struct schedule *schedule;
    bool draining, halts, halted, has_failed;
    // The host that places are kept for, as it was last told.
    struct model_job *reserving;
    uint32_t reserver;
    // What the next skips must be: marked hosts of skip_job, or all that wait.
    struct model_job *skip_job; // NULL: of any
    bool skip[HOSTS_MAX];
    uint32_t skip_causes[HOSTS_MAX];
    int64_t skip_after;
    unsigned stopped; // groups, one after the other
    unsigned skips;
};

#define HOLDS(m, condition)                                                                        \
    do {                                                                                           \
        if (!(condition))                                                                          \
            ck_abort_msg("%s; replay with SEED=%llu", #condition, (unsigned long long)(m)->seed);  \
    } while (0)

static uint64_t draw(struct model *m, uint64_t low, uint64_t high) {
    return rng_range(rng_mix(m->seed, ++m->draws), low, high);
}

static bool chance(struct model *m, unsigned percent) {
    return draw(m, 1, 100) <= percent;
}

// --- a random network

static void join(struct model *m, uint32_t host, unsigned constraint) {
    for (unsigned i = 0; i < m->members_count[host]; i++)
        if (m->members[host][i] == constraint) return;
    if (m->members_count[host] < NEEDS_MAX) m->members[host][m->members_count[host]++] = constraint;
}

// Anything at all; or pairs under a few feeds; racks behind a throttle; rows and columns.
static void make_members(struct model *m) {
    const unsigned shape = (unsigned)draw(m, 0, 3), half = m->constraints_count / 2 + 1;
    for (uint32_t h = 0; h < m->hosts_count; h++) {
        if (shape == 0)
            for (uint64_t i = draw(m, 1, NEEDS_MAX); i > 0; i--)
                join(m, h, (unsigned)draw(m, 0, m->constraints_count - 1));
        if (shape == 1) join(m, h, h / 2 % half);
        if (shape == 1) join(m, h, half + (unsigned)draw(m, 0, 2));
        if (shape == 2) join(m, h, h % half);
        if (shape == 2) join(m, h, CONSTRAINTS_MAX - 1);
        if (shape == 3) join(m, h, h / 6 % half);
        if (shape == 3) join(m, h, half + h % 6);
    }
}

static void make_network(struct model *m) {
    m->hosts_count = (unsigned)draw(m, 1, HOSTS_MAX);
    m->constraints_count = (unsigned)draw(m, 1, 24);
    make_members(m);
    for (unsigned c = 0; c < CONSTRAINTS_MAX; c++) {
        m->limit[c] = chance(m, 60) ? 1 : (unsigned)draw(m, 1, 5);
        m->is_throttle[c] = c > 0 && chance(m, c == CONSTRAINTS_MAX - 1 ? 80 : 15);
        snprintf(m->keys[c], sizeof m->keys[c], "c%u", c);
    }
    for (uint32_t h = 0; h < m->hosts_count; h++)
        while (m->is_throttle[m->members[h][0]]) // each has a redundancy group
            m->members[h][0] = (uint32_t)draw(m, 0, m->constraints_count - 1);
    for (uint32_t h = 0; h < m->hosts_count; h++)
        for (unsigned i = 1; i < m->members_count[h]; i++)
            if (m->members[h][i] == m->members[h][0])
                m->members[h][i--] = m->members[h][--m->members_count[h]];
}

// In some groups hosts go first, the same before the same in all of them.
static bool goes_first(const struct model *m, uint32_t host, unsigned constraint) {
    if (m->is_throttle[constraint] || rng_mix(m->seed, constraint) % 3 != 0) return false;
    return rng_mix(m->seed, 1000 + host) % 4 < rng_mix(m->seed, 2000 + constraint) % 4;
}

static void build(struct model *m, struct model_job *job) {
    struct constraint *constraints = mem_array(CONSTRAINTS_MAX, sizeof *constraints);
    uint32_t hosts[HOSTS_MAX], ends[HOSTS_MAX], needs[HOSTS_MAX * NEEDS_MAX], end = 0;
    struct selection selection = {.hosts = hosts};
    for (unsigned c = 0; c < CONSTRAINTS_MAX; c++) {
        job->limit[c] = chance(m, 90) ? m->limit[c] : (unsigned)draw(m, 1, 5);
        constraints[c] = (struct constraint){.key = m->keys[c],
                                             .name = m->keys[c],
                                             .limit = job->limit[c],
                                             .weight = (uint32_t)draw(m, 1, 3),
                                             .redundancy = !m->is_throttle[c]};
    }
    for (uint32_t h = 0; h < m->hosts_count; h++) {
        if (job->hosts[h] == ABSENT) continue;
        for (unsigned i = 0; i < job->needs_count[h]; i++)
            needs[end++] = job->needs[h][i];
        ends[selection.count] = end;
        hosts[selection.count++] = h;
    }
    job->grouping = (struct grouping){.constraints = constraints, .count = CONSTRAINTS_MAX};
    grouping_build(&job->grouping, &selection, ends, needs);
}

static void make_job(struct model *m, struct model_job *job) {
    const unsigned percent = (unsigned)draw(m, 1, 100);
    job->model = m;
    for (uint32_t h = 0; h < m->hosts_count; h++) {
        if (!chance(m, percent)) continue;
        job->hosts[h] = WAITING;
        job->open++;
        for (unsigned i = 0; i < m->members_count[h]; i++) {
            if (i > 0 && chance(m, 5)) continue; // the inventory has changed
            const unsigned c = m->members[h][i];
            job->needs[h][job->needs_count[h]++] = c | (goes_first(m, h, c) ? NEED_FIRST : 0);
        }
    }
    build(m, job);
}

static void on_skip(void *owner, uint32_t host, uint32_t cause) {
    struct model_job *job = owner;
    struct model *m = job->model;
    HOLDS(m, m->skip_job == NULL || (m->skip_job == job && m->skip[host]));
    HOLDS(m, m->skip_job == NULL || m->stopped > 1 || host > m->skip_after); // a group in order
    HOLDS(m, cause == m->skip_causes[host]);
    HOLDS(m, job->hosts[host] == WAITING);
    m->skip_after = host;
    job->hosts[host] = SKIPPED;
    job->open--;
    m->skips++;
}

static struct model *make_model(uint64_t seed) {
    struct model *m = mem_zalloc(sizeof *m);
    m->seed = seed;
    make_network(m);
    m->workers = (unsigned)(chance(m, 50) ? draw(m, 1, 5) : draw(m, 1, 60));
    m->fail_percent = chance(m, 50) ? 0 : (unsigned)draw(m, 1, 40);
    m->refuse_percent = chance(m, 50) ? 0 : (unsigned)draw(m, 1, 40);
    m->resume_percent = chance(m, 50) ? 0 : (unsigned)draw(m, 1, 100);
    m->pause_permille = chance(m, 50) ? 0 : (unsigned)draw(m, 1, 100);
    m->stop_permille = chance(m, 50) ? 0 : (unsigned)draw(m, 1, 30);
    m->limit_percent = chance(m, 50) ? 0 : (unsigned)draw(m, 1, 100);
    m->drain_at = chance(m, 20) ? draw(m, 0, 200) : UINT64_MAX;
    m->halts = chance(m, 50); // at that time, instead
    m->jobs_count = chance(m, 40) ? 1 : (unsigned)draw(m, 2, JOBS_MAX);
    for (unsigned j = 0; j < m->jobs_count; j++) {
        make_job(m, &m->jobs[j]);
        m->jobs[j].arrives = j == 0 ? 0 : m->jobs[j - 1].arrives + draw(m, 0, 60);
    }
    m->schedule = schedule_new(m->workers, on_skip);
    return m;
}

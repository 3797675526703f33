// The schedule where each host has one group, of which one may be in hand, as in ACME's network:
// against a model of its contract that tells every host to the one, and so keeps the order as it
// has always been. The model is as plain as can be: it looks at every job and group before each
// decision, so it needs no heap, no queue and no lock. Hosts under several constraints:
// check_offers.c.
#include "common/rng.h"
#include "orchestrator/schedule.h"
#include "tests/unit/seeds.h"
#include "tests/unit/support.h"

#include <stdio.h>

Suite *check_schedule_model(void);

enum { HOSTS_MAX = 200, JOBS_MAX = 5, RUNS = 3000, FLIGHTS_MAX = HOSTS_MAX * JOBS_MAX };

enum state { ABSENT, WAITING, IN_HAND, DONE, SKIPPED };

struct model_job {
    struct model *model;
    struct grouping grouping;
    struct constraint groups[HOSTS_MAX];
    struct cohort cohorts[HOSTS_MAX];
    uint32_t order[HOSTS_MAX];
    enum state hosts[HOSTS_MAX];
    unsigned left[HOSTS_MAX];   // by group of the network: hosts that wait
    unsigned turn[HOSTS_MAX];   // by group: when the job last came to its queue
    unsigned failed[HOSTS_MAX]; // by group
    uint32_t cause[HOSTS_MAX];
    unsigned open; // hosts neither done nor skipped
    uint64_t arrives;
    struct schedule_job *scheduled; // NULL before it arrives and after it is removed
    bool arrived, cancelled, paused;
    unsigned workers;          // hosts of it in hand; 0: no limit of its own
    enum past past[HOSTS_MAX]; // of a job that had begun before
    unsigned asked[HOSTS_MAX]; // so often
    unsigned doubts;           // hosts in doubt that the driver has not got yet
};

struct flight {
    struct schedule_work work;
    uint64_t due;
    bool claimed;
};

struct model {
    uint64_t seed, draws, now, drain_at;
    unsigned workers, hosts_count, groups_count, jobs_count, in_hand, turns, fail_percent;
    unsigned refuse_percent; // of claims, and of devices that are put back
    unsigned resume_percent, pause_permille, stop_permille, limit_percent;
    unsigned group_of[HOSTS_MAX];
    unsigned busy[HOSTS_MAX];  // by group: hosts in hand; several where they are in doubt
    unsigned holds[HOSTS_MAX]; // of groups, from outside
    char keys[HOSTS_MAX][16];
    struct model_job jobs[JOBS_MAX];
    struct flight flights[FLIGHTS_MAX];
    unsigned flights_count; // of those in hand all but the ones in doubt that nobody has got yet
    struct schedule *schedule;
    bool draining, halts, halted, weighs, has_failed;
    // What the next skips must be.
    struct model_job *skip_job; // NULL: of any job
    bool skip_stopped;          // of any group of it that is stopped, or where it is cancelled
    unsigned skip_group;
    uint32_t skip_cause;
    int64_t skip_after;
    unsigned skips;
};

// Not ck_assert: that one writes to a file each time, and this is asked millions of times.
#define HOLDS(m, condition)                                                                        \
    do {                                                                                           \
        if (!(condition))                                                                          \
            ck_abort_msg("%s; replay with SEED=%llu", #condition, (unsigned long long)(m)->seed);  \
    } while (0)

static uint64_t draw(struct model *m, uint64_t low, uint64_t high) {
    return rng_range(rng_mix(m->seed, ++m->draws), low, high);
}

// --- a random network and its jobs

static void make_job(struct model *m, struct model_job *job, unsigned percent) {
    unsigned index[HOSTS_MAX]; // of the network's groups among the job's, + 1
    memset(index, 0, sizeof index);
    job->model = m;
    for (uint32_t h = 0; h < m->hosts_count; h++) {
        if (draw(m, 1, 100) > percent) continue;
        unsigned g = m->group_of[h];
        job->hosts[h] = WAITING;
        job->left[g]++;
        job->open++;
        if (index[g] == 0) {
            uint32_t number = (uint32_t)job->grouping.count++;
            job->groups[number] = (struct constraint){
                .key = m->keys[g],
                .limit = 1,
                .weight = m->weighs ? (uint32_t)draw(m, 1, 4) : 1,
                .cohorts = number,
                .cohorts_count = 1,
                .redundancy = true,
            };
            job->cohorts[number] = (struct cohort){.needs = number, .needs_count = 1};
            index[g] = number + 1;
        }
        job->cohorts[index[g] - 1].count++;
    }
    uint32_t first = 0;
    for (size_t i = 0; i < job->grouping.count; i++) {
        job->cohorts[i].first = first;
        first += job->cohorts[i].count;
        job->cohorts[i].count = 0;
    }
    for (uint32_t h = 0; h < m->hosts_count; h++) {
        if (job->hosts[h] != WAITING) continue;
        struct cohort *cohort = &job->cohorts[index[m->group_of[h]] - 1];
        job->order[cohort->first + cohort->count++] = h;
    }
    job->grouping.constraints = job->groups;
    job->grouping.cohorts = job->cohorts;
    job->grouping.cohorts_count = job->grouping.count;
    job->grouping.order = job->order;
    job->grouping.hosts = job->open;
}

static void on_skip(void *owner, uint32_t host, uint32_t cause) {
    struct model_job *job = owner;
    struct model *m = job->model;
    const unsigned group = m->group_of[host];
    HOLDS(m, m->skip_job == NULL || m->skip_job == job);
    if (m->skip_stopped) {
        HOLDS(m, job->failed[group] > 0 || job->cancelled);
        m->skip_cause = job->failed[group] > 0 ? job->cause[group] : SCHEDULE_NO_HOST;
    } else {
        HOLDS(m, m->skip_job == NULL || group == m->skip_group);
        HOLDS(m, m->skip_job == NULL || host > m->skip_after); // the rest of the group, in order
    }
    HOLDS(m, cause == m->skip_cause);
    HOLDS(m, job->hosts[host] == WAITING);
    m->skip_after = host;
    job->hosts[host] = SKIPPED;
    job->left[group]--;
    job->open--;
    m->skips++;
}

static struct model *make_model(uint64_t seed) {
    struct model *m = mem_zalloc(sizeof *m);
    m->seed = seed;
    m->hosts_count = (unsigned)draw(m, 1, HOSTS_MAX);
    m->groups_count = (unsigned)draw(m, 1, m->hosts_count);
    m->workers = (unsigned)draw(m, 1, 50);
    m->fail_percent = draw(m, 0, 1) == 0 ? 0 : (unsigned)draw(m, 1, 40);
    m->refuse_percent = draw(m, 0, 1) == 0 ? 0 : (unsigned)draw(m, 1, 40);
    m->weighs = draw(m, 0, 1) == 1;
    m->resume_percent = draw(m, 0, 1) == 0 ? 0 : (unsigned)draw(m, 1, 100);
    m->pause_permille = draw(m, 0, 1) == 0 ? 0 : (unsigned)draw(m, 1, 100);
    m->stop_permille = draw(m, 0, 1) == 0 ? 0 : (unsigned)draw(m, 1, 30);
    m->limit_percent = draw(m, 0, 1) == 0 ? 0 : (unsigned)draw(m, 1, 100);
    m->drain_at = draw(m, 0, 3) == 0 ? draw(m, 0, 300) : UINT64_MAX;
    m->halts = draw(m, 0, 1) == 0; // at that time, instead
    for (unsigned h = 0; h < m->hosts_count; h++)
        m->group_of[h] = (unsigned)draw(m, 0, m->groups_count - 1);
    for (unsigned g = 0; g < m->groups_count; g++)
        snprintf(m->keys[g], sizeof m->keys[g], "g%u", g);
    m->jobs_count = (unsigned)draw(m, 1, JOBS_MAX);
    for (unsigned j = 0; j < m->jobs_count; j++) {
        make_job(m, &m->jobs[j], (unsigned)draw(m, 0, 100));
        m->jobs[j].arrives = j == 0 ? 0 : m->jobs[j - 1].arrives + draw(m, 0, 60);
    }
    m->schedule = schedule_new(m->workers, on_skip);
    return m;
}

// --- the contract, spelled out

// Whose turn it is on a group that nobody works on; NULL where no job waits for it.
static const struct model_job *job_in_turn(const struct model *m, unsigned group) {
    const struct model_job *first = NULL;
    for (unsigned j = 0; j < m->jobs_count; j++) {
        const struct model_job *job = &m->jobs[j];
        if (job->scheduled == NULL || job->paused || job->left[group] == 0) continue;
        if (first == NULL || job->turn[group] < first->turn[group]) first = job;
    }
    return first;
}

// Nothing of it is handed out; but it has its turns still, where it has hosts left.
static bool is_shut(const struct model *m, const struct model_job *job) {
    unsigned in_hand = 0;
    for (uint32_t h = 0; h < m->hosts_count; h++)
        in_hand += job->hosts[h] == IN_HAND;
    return job->cancelled || (job->workers > 0 && in_hand >= job->workers);
}

// What must be handed out now; SCHEDULE_NO_HOST where nothing may.
static uint32_t expected_host(const struct model *m, const struct model_job **owner) {
    *owner = NULL;
    if (m->draining || m->halted || m->in_hand >= m->workers) return SCHEDULE_NO_HOST;
    for (unsigned j = 0; j < m->jobs_count; j++) {
        const struct model_job *job = &m->jobs[j];
        if (job->scheduled == NULL || is_shut(m, job)) continue;
        const struct cohort *best = NULL;
        uint64_t most = 0;
        for (size_t i = 0; i < job->grouping.count; i++) {
            unsigned g = m->group_of[job->order[job->cohorts[i].first]];
            if (m->busy[g] > 0 || m->holds[g] > 0 || job_in_turn(m, g) != job) continue;
            uint64_t time_left = (uint64_t)job->left[g] * job->groups[i].weight;
            if (time_left <= most) continue;
            most = time_left;
            best = &job->cohorts[i];
        }
        if (best == NULL) continue;
        *owner = job;
        const uint32_t *host = &job->order[best->first];
        while (job->hosts[*host] != WAITING)
            host++;
        return *host;
    }
    return SCHEDULE_NO_HOST;
}

static void check_totals(struct model *m) {
    size_t pending = 0;
    HOLDS(m, schedule_in_hand(m->schedule) == m->in_hand);
    for (unsigned j = 0; j < m->jobs_count; j++) {
        struct model_job *job = &m->jobs[j];
        if (job->scheduled == NULL) continue;
        HOLDS(m, schedule_finished(job->scheduled) == (job->open == 0));
        for (unsigned g = 0; g < m->groups_count; g++)
            pending += job->left[g] > 0;
    }
    HOLDS(m, schedule_groups_pending(m->schedule) == pending);
}

static unsigned count_waiting(const struct model *m) {
    unsigned count = 0;
    for (unsigned j = 0; j < m->jobs_count; j++)
        for (unsigned g = 0; m->jobs[j].scheduled != NULL && g < m->groups_count; g++)
            count += m->jobs[j].left[g];
    return count;
}

// --- what can happen

static void remove_if_finished(struct model *m, struct model_job *job) {
    if (job->scheduled == NULL || job->open > 0) return;
    schedule_remove(m->schedule, job->scheduled);
    job->scheduled = NULL;
}

static void come_to_the_end(struct model *m, struct model_job *job) {
    for (unsigned g = 0; g < m->groups_count; g++)
        job->turn[g] = ++m->turns;
}

// Some hosts are over, some of them failed, some are in doubt, however many of a group.
static void make_past(struct model *m, struct model_job *job) {
    for (uint32_t h = 0; h < m->hosts_count; h++) {
        const unsigned what = (unsigned)draw(m, 0, 99), g = m->group_of[h];
        if (job->hosts[h] == ABSENT) continue;
        job->past[h] = what < 40   ? PAST_PENDING
                       : what < 80 ? PAST_OVER
                       : what < 95 ? PAST_IN_DOUBT
                                   : PAST_FAILED;
        if (job->past[h] == PAST_PENDING) continue;
        job->left[g]--;
        if (job->past[h] == PAST_IN_DOUBT) {
            job->hosts[h] = IN_HAND;
            job->doubts++;
            m->in_hand++;
            m->busy[g]++;
            continue;
        }
        job->hosts[h] = DONE;
        job->open--;
        if (job->past[h] != PAST_FAILED) continue;
        m->has_failed = true;
        job->failed[g]++;
        job->cause[g] = h; // the last of them
    }
}

static enum past past_of_host(void *arg, uint32_t host) {
    struct model_job *job = arg;
    job->asked[host]++;
    return job->past[host];
}

static unsigned count_left(const struct model_job *job, bool only_stopped) {
    unsigned left = 0;
    for (unsigned g = 0; g < job->model->groups_count; g++)
        if (!only_stopped || job->failed[g] > 0) left += job->left[g];
    return left;
}

static void add_resumed(struct model *m, struct model_job *job) {
    make_past(m, job);
    job->cancelled = m->draining;
    m->skip_job = job;
    m->skip_stopped = true;
    m->skips = 0;
    const unsigned rest = count_left(job, !m->draining);
    job->scheduled = schedule_add_resumed(m->schedule, &job->grouping, job, past_of_host, job);
    HOLDS(m, m->skips == rest);
    m->skip_stopped = false;
    for (uint32_t h = 0; h < m->hosts_count; h++)
        HOLDS(m, job->asked[h] == (job->hosts[h] != ABSENT));
}

// At any moment: what is in hand beyond it stays so.
static void limit(struct model *m, struct model_job *job) {
    if (job->scheduled == NULL || draw(m, 1, 100) > m->limit_percent) return;
    job->workers = (unsigned)draw(m, 0, 5);
    schedule_limit(m->schedule, job->scheduled,
                   job->workers == 0 ? SCHEDULE_NO_LIMIT : job->workers);
    check_totals(m);
}

static void arrive(struct model *m, struct model_job *job) {
    job->arrived = true;
    come_to_the_end(m, job);
    m->skip_job = NULL;
    m->skip_cause = SCHEDULE_NO_HOST;
    m->skips = 0;
    if (draw(m, 1, 100) <= m->resume_percent) {
        add_resumed(m, job);
    } else {
        job->scheduled = schedule_add(m->schedule, &job->grouping, job);
        HOLDS(m, m->skips == (m->draining ? job->grouping.hosts : 0));
    }
    check_totals(m);
    limit(m, job);
    remove_if_finished(m, job);
}

// The driver gets one of those in doubt, of any job. False: it has them all.
static bool get_doubt(struct model *m) {
    for (unsigned j = 0; j < m->jobs_count; j++) {
        struct model_job *job = &m->jobs[j];
        struct flight *flight = &m->flights[m->flights_count];
        if (job->scheduled == NULL) continue;
        const bool is_there = schedule_next_in_doubt(m->schedule, job->scheduled, &flight->work);
        HOLDS(m, is_there == (job->doubts > 0));
        if (!is_there) continue;
        const uint32_t host = flight->work.host;
        HOLDS(m, flight->work.owner == job && flight->work.job == job->scheduled);
        HOLDS(m, strcmp(flight->work.group, m->keys[m->group_of[host]]) == 0);
        HOLDS(m, job->hosts[host] == IN_HAND && job->past[host] == PAST_IN_DOUBT);
        job->past[host] = PAST_PENDING; // it is handed out once
        job->doubts--;
        m->flights_count++;
        flight->due = m->now + draw(m, 1, 20);
        flight->claimed = true;
        check_totals(m);
        return true;
    }
    return false;
}

// Hands out one host, if one may be. False: none.
static bool start_one(struct model *m) {
    const struct model_job *owner;
    uint32_t host = expected_host(m, &owner);
    struct flight *flight = &m->flights[m->flights_count];
    bool started = schedule_next(m->schedule, &flight->work);
    HOLDS(m, started == (host != SCHEDULE_NO_HOST)); // a free worker never idles
    if (!started) return false;
    HOLDS(m, flight->work.owner == owner);
    HOLDS(m, flight->work.host == host);
    struct model_job *job = flight->work.owner;
    unsigned group = m->group_of[host];
    HOLDS(m, job->hosts[host] == WAITING); // no host twice
    HOLDS(m, m->busy[group] == 0);         // no two of a group
    HOLDS(m, flight->work.job == job->scheduled);
    job->hosts[host] = IN_HAND;
    job->left[group]--;
    m->busy[group]++;
    m->in_hand++;
    m->flights_count++;
    flight->due = m->now + draw(m, 1, 20);
    flight->claimed = draw(m, 0, 1) == 0;
    if (flight->claimed) schedule_claimed(m->schedule, &flight->work);
    check_totals(m);
    return true;
}

// The group of a flight is free for whoever is next.
static struct flight land(struct model *m, size_t number) {
    struct flight flight = m->flights[number];
    unsigned group = m->group_of[flight.work.host];
    m->flights[number] = m->flights[--m->flights_count];
    m->in_hand--;
    m->busy[group]--;
    ((struct model_job *)flight.work.owner)->turn[group] = ++m->turns;
    return flight;
}

// Refused, or given up: the host is as if not begun. Some groups are held from outside for a while.
static void put_back(struct model *m, size_t number) {
    struct flight flight = land(m, number);
    struct model_job *job = flight.work.owner;
    unsigned group = m->group_of[flight.work.host];
    job->hosts[flight.work.host] = WAITING;
    job->left[group]++;
    m->skip_job = job;
    m->skip_group = group;
    const bool is_stopped = job->failed[group] > 0 && !job->cancelled;
    m->skip_cause = is_stopped ? job->cause[group] : SCHEDULE_NO_HOST;
    m->skip_after = (int64_t)flight.work.host - 1;
    m->skips = 0;
    if (draw(m, 0, 1) == 0) {
        m->holds[group]++;
        schedule_hold(m->schedule, m->keys[group]);
    }
    schedule_put_back(m->schedule, &flight.work);
    HOLDS(m, m->skips == (is_stopped || job->cancelled));
    check_totals(m);
    remove_if_finished(m, job);
}

static void finish(struct model *m, size_t number) {
    if (draw(m, 1, 100) <= m->refuse_percent) {
        put_back(m, number);
        return;
    }
    struct flight flight = land(m, number);
    struct model_job *job = flight.work.owner;
    uint32_t host = flight.work.host;
    unsigned group = m->group_of[host];
    bool failed = draw(m, 1, 100) <= m->fail_percent;
    if (!flight.claimed) schedule_claimed(m->schedule, &flight.work);
    job->hosts[host] = DONE;
    job->open--;
    m->skip_job = job;
    m->skip_group = group;
    m->skip_cause = host;
    m->skip_after = -1; // one in doubt may stand behind those that wait
    m->skips = 0;
    unsigned rest = job->left[group];
    if (failed && job->failed[group]++ == 0) job->cause[group] = host;
    schedule_done(m->schedule, &flight.work, failed);
    HOLDS(m, m->skips == (failed ? rest : 0));
    check_totals(m);
    remove_if_finished(m, job);
}

// Nobody is skipped, and nobody begins any more.
static void halt(struct model *m) {
    m->halted = true;
    m->drain_at = UINT64_MAX;
    m->skips = 0;
    schedule_halt(m->schedule);
    HOLDS(m, m->skips == 0);
    check_totals(m);
}

static void drain(struct model *m) {
    unsigned waiting = count_waiting(m);
    m->draining = true;
    for (unsigned j = 0; j < m->jobs_count; j++)
        m->jobs[j].cancelled = true;
    m->drain_at = UINT64_MAX;
    m->skip_job = NULL;
    m->skip_cause = SCHEDULE_NO_HOST;
    m->skips = 0;
    schedule_drain(m->schedule);
    HOLDS(m, m->skips == waiting);
    schedule_drain(m->schedule); // a second signal changes nothing
    HOLDS(m, m->skips == waiting);
    check_totals(m);
    for (unsigned j = 0; j < m->jobs_count; j++)
        remove_if_finished(m, &m->jobs[j]);
}

static void cancel(struct model *m, struct model_job *job) {
    if (job->scheduled == NULL) return;
    const unsigned waiting = count_left(job, false);
    job->cancelled = true;
    m->skip_job = NULL;
    m->skip_cause = SCHEDULE_NO_HOST;
    m->skips = 0;
    schedule_cancel(m->schedule, job->scheduled);
    HOLDS(m, m->skips == waiting);
    check_totals(m);
    remove_if_finished(m, job);
}

// Nobody is skipped from within.
static void stop(struct model *m, struct model_job *job) {
    if (job->scheduled == NULL) return;
    job->cancelled = true;
    m->skips = 0;
    schedule_stop(m->schedule, job->scheduled);
    HOLDS(m, m->skips == 0);
    check_totals(m);
}

// A piece of what a stop has left, of any job, whatever happens between. False: there is none.
static bool skip_some(struct model *m) {
    for (unsigned j = 0; j < m->jobs_count; j++) {
        struct model_job *job = &m->jobs[j];
        if (job->scheduled == NULL || !job->cancelled || count_left(job, false) == 0) continue;
        const unsigned left = count_left(job, false), count = (unsigned)draw(m, 1, 20);
        m->skip_job = job;
        m->skip_stopped = true;
        m->skips = 0;
        const bool has_more = schedule_skip_some(m->schedule, job->scheduled, count);
        HOLDS(m, m->skips == (count < left ? count : left));
        HOLDS(m, has_more == (count < left));
        m->skip_stopped = false;
        check_totals(m);
        remove_if_finished(m, job);
        return true;
    }
    return false;
}

static void pause_job(struct model *m, struct model_job *job) {
    if (job->scheduled == NULL) return;
    job->paused = true;
    m->skips = 0;
    schedule_pause(m->schedule, job->scheduled);
    HOLDS(m, m->skips == 0);
    check_totals(m);
}

static bool unpause_job(struct model *m, struct model_job *job) {
    if (job->scheduled == NULL) return false;
    if (!job->paused) {
        schedule_unpause(m->schedule, job->scheduled); // which changes nothing
        return false;
    }
    job->paused = false;
    come_to_the_end(m, job);
    schedule_unpause(m->schedule, job->scheduled);
    check_totals(m);
    return true;
}

static bool unpause_any(struct model *m) {
    for (unsigned j = 0; j < m->jobs_count; j++)
        if (unpause_job(m, &m->jobs[j])) return true;
    return false;
}

// What a halt has left over: jobs with hosts that have not begun, or are in doubt yet.
static bool abandon_any(struct model *m) {
    for (unsigned j = 0; m->halted && j < m->jobs_count; j++) {
        struct model_job *job = &m->jobs[j];
        if (job->scheduled == NULL) continue;
        for (uint32_t h = 0; h < m->hosts_count; h++) {
            if (job->hosts[h] != IN_HAND) continue;
            job->hosts[h] = WAITING;
            m->busy[m->group_of[h]]--;
            m->in_hand--;
        }
        schedule_abandon(m->schedule, job->scheduled);
        job->scheduled = NULL;
        job->open = 0;
        check_totals(m);
        return true;
    }
    return false;
}

static void release(struct model *m, unsigned group) {
    if (m->holds[group] == 0) return;
    m->holds[group]--;
    schedule_release(m->schedule, m->keys[group]);
}

static bool release_any(struct model *m) {
    for (unsigned g = 0; g < m->groups_count; g++)
        if (m->holds[g] > 0) {
            release(m, g);
            return true;
        }
    return false;
}

// What comes from outside, now and then, at any moment.
static void meddle(struct model *m) {
    struct model_job *job = &m->jobs[draw(m, 0, m->jobs_count - 1)];
    if (draw(m, 0, 999) < m->pause_permille) pause_job(m, job);
    if (draw(m, 0, 999) < m->pause_permille) unpause_job(m, job);
    if (draw(m, 0, 999) < m->stop_permille) stop(m, job);
    if (draw(m, 0, 9) < 4) skip_some(m);
    if (draw(m, 0, 99) < 5) limit(m, job);
    while (draw(m, 0, 9) > 0 && get_doubt(m))
        ;
    if (m->refuse_percent == 0) return;
    unsigned group = (unsigned)draw(m, 0, m->groups_count - 1);
    if (draw(m, 0, 99) < 10) {
        m->holds[group]++;
        schedule_hold(m->schedule, m->keys[group]);
    }
    if (draw(m, 0, 99) < 20) release(m, (unsigned)draw(m, 0, m->groups_count - 1));
    if (draw(m, 0, 999) < 5) cancel(m, &m->jobs[draw(m, 0, m->jobs_count - 1)]);
}

// --- the virtual clock

// The earliest thing to happen at or after now. False: nothing is left to happen.
static bool happen(struct model *m) {
    struct model_job *next_job = NULL;
    for (unsigned j = 0; j < m->jobs_count && next_job == NULL; j++)
        if (!m->jobs[j].arrived) next_job = &m->jobs[j];
    size_t first = 0;
    for (size_t i = 1; i < m->flights_count; i++)
        if (m->flights[i].due < m->flights[first].due) first = i;
    uint64_t due = m->flights_count > 0 ? m->flights[first].due : UINT64_MAX;
    uint64_t arrives = next_job != NULL ? next_job->arrives : UINT64_MAX;
    if (due == UINT64_MAX && arrives == UINT64_MAX)
        return abandon_any(m) || get_doubt(m) || release_any(m) || skip_some(m) || unpause_any(m);
    if (m->drain_at <= due && m->drain_at <= arrives) {
        m->now = m->drain_at;
        if (m->halts)
            halt(m);
        else
            drain(m);
    } else if (arrives <= due) {
        m->now = arrives;
        arrive(m, next_job);
    } else {
        m->now = due;
        finish(m, first);
    }
    return true;
}

static void check_run(uint64_t seed) {
    struct model *m = make_model(seed);
    const struct model_job *owner;
    do {
        // Now and then less is started than could be: what comes later must not depend on it.
        bool all = draw(m, 0, 9) > 0 || m->flights_count == 0;
        while (start_one(m) && (all || draw(m, 0, 1) == 0))
            ;
        meddle(m);
    } while (happen(m) || expected_host(m, &owner) != SCHEDULE_NO_HOST);
    for (unsigned j = 0; j < m->jobs_count; j++)
        for (unsigned h = 0; h < m->hosts_count; h++) {
            enum state state = m->jobs[j].hosts[h];
            HOLDS(m, state == ABSENT || state == DONE || state == SKIPPED || m->halted);
            HOLDS(m,
                  state != SKIPPED || m->fail_percent > 0 || m->has_failed || m->jobs[j].cancelled);
        }
    HOLDS(m, schedule_in_hand(m->schedule) == 0);
    HOLDS(m, schedule_groups_pending(m->schedule) == 0);
    schedule_free(m->schedule);
    free(m);
}

START_TEST(random_networks_are_scheduled_as_the_contract_says) {
    run_seeds(RUNS, check_run);
}
END_TEST

Suite *check_schedule_model(void) {
    Suite *suite = suite_create("schedule_model");
    TCase *random = tcase_create("random networks");
    tcase_set_timeout(random, 120);
    suite_add_tcase(suite, random);
    tcase_add_test(random, random_networks_are_scheduled_as_the_contract_says);
    return suite;
}

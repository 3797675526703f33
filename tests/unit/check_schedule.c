// The schedule where each host has one group, of which one may be in hand, as in ACME's network:
// against a model of its contract that tells every host to the one, and so keeps the order as it
// has always been. The model is as plain as can be: it looks at every job and group before each
// decision, so it needs no heap, no queue and no lock. Hosts under several constraints:
// check_lanes.c.
#include "common/rng.h"
#include "orchestrator/schedule.h"
#include "tests/unit/seeds.h"
#include "tests/unit/support.h"

#include <stdio.h>

Suite *check_schedule(void);

enum { HOSTS_MAX = 200, JOBS_MAX = 5, RUNS = 3000 };

enum state { ABSENT, WAITING, IN_HAND, DONE, SKIPPED };

struct model_job {
    struct model *model;
    struct grouping grouping;
    struct constraint groups[HOSTS_MAX];
    struct cohort cohorts[HOSTS_MAX];
    uint32_t order[HOSTS_MAX];
    enum state hosts[HOSTS_MAX];
    unsigned left[HOSTS_MAX]; // by group of the network: hosts that wait
    unsigned turn[HOSTS_MAX]; // by group: when the job last came to its queue
    unsigned open;            // hosts neither done nor skipped
    uint64_t arrives;
    struct schedule_job *scheduled; // NULL before it arrives and after it is removed
    bool arrived, cancelled;
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
    unsigned group_of[HOSTS_MAX];
    bool group_busy[HOSTS_MAX];
    unsigned holds[HOSTS_MAX]; // of groups, from outside
    char keys[HOSTS_MAX][16];
    struct model_job jobs[JOBS_MAX];
    struct flight flights[HOSTS_MAX];
    struct schedule *schedule;
    bool draining, weighs;
    // What the next skips must be.
    struct model_job *skip_job; // NULL: of any job
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
    HOLDS(m, m->skip_job == NULL || m->skip_job == job);
    HOLDS(m, m->skip_job == NULL || m->group_of[host] == m->skip_group);
    HOLDS(m, m->skip_job == NULL || host > m->skip_after); // the rest of the group, in order
    HOLDS(m, cause == m->skip_cause);
    HOLDS(m, job->hosts[host] == WAITING);
    m->skip_after = host;
    job->hosts[host] = SKIPPED;
    job->left[m->group_of[host]]--;
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
    m->drain_at = draw(m, 0, 3) == 0 ? draw(m, 0, 300) : UINT64_MAX;
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
        if (job->scheduled == NULL || job->left[group] == 0) continue;
        if (first == NULL || job->turn[group] < first->turn[group]) first = job;
    }
    return first;
}

// What must be handed out now; SCHEDULE_NO_HOST where nothing may.
static uint32_t expected_host(const struct model *m, const struct model_job **owner) {
    *owner = NULL;
    if (m->draining || m->in_hand == m->workers) return SCHEDULE_NO_HOST;
    for (unsigned j = 0; j < m->jobs_count; j++) {
        const struct model_job *job = &m->jobs[j];
        if (job->scheduled == NULL) continue;
        const struct cohort *best = NULL;
        uint64_t most = 0, left = 0;
        for (size_t i = 0; i < job->grouping.count; i++) {
            unsigned g = m->group_of[job->order[job->cohorts[i].first]];
            if (m->group_busy[g] || m->holds[g] > 0 || job_in_turn(m, g) != job) continue;
            uint64_t time_left = (uint64_t)job->left[g] * job->groups[i].weight;
            if (time_left <= most) continue;
            most = time_left;
            left = job->left[g];
            best = &job->cohorts[i];
        }
        if (best == NULL) continue;
        *owner = job;
        return job->order[best->first + best->count - left];
    }
    return SCHEDULE_NO_HOST;
}

static void check_totals(struct model *m) {
    size_t pending = 0;
    HOLDS(m, m->in_hand <= m->workers);
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

static void arrive(struct model *m, struct model_job *job) {
    job->arrived = true;
    for (unsigned g = 0; g < m->groups_count; g++)
        job->turn[g] = ++m->turns;
    m->skip_job = NULL;
    m->skip_cause = SCHEDULE_NO_HOST;
    m->skips = 0;
    job->scheduled = schedule_add(m->schedule, &job->grouping, job);
    HOLDS(m, m->skips == (m->draining ? job->grouping.hosts : 0));
    check_totals(m);
    remove_if_finished(m, job);
}

// Hands out one host, if one may be. False: none.
static bool start_one(struct model *m) {
    const struct model_job *owner;
    uint32_t host = expected_host(m, &owner);
    struct flight *flight = &m->flights[m->in_hand];
    bool started = schedule_next(m->schedule, &flight->work);
    HOLDS(m, started == (host != SCHEDULE_NO_HOST)); // a free worker never idles
    if (!started) return false;
    HOLDS(m, flight->work.owner == owner);
    HOLDS(m, flight->work.host == host);
    struct model_job *job = flight->work.owner;
    unsigned group = m->group_of[host];
    HOLDS(m, job->hosts[host] == WAITING); // no host twice
    HOLDS(m, !m->group_busy[group]);       // no two of a group
    HOLDS(m, flight->work.job == job->scheduled);
    job->hosts[host] = IN_HAND;
    job->left[group]--;
    m->group_busy[group] = true;
    m->in_hand++;
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
    m->flights[number] = m->flights[--m->in_hand];
    m->group_busy[group] = false;
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
    m->skip_cause = SCHEDULE_NO_HOST;
    m->skip_after = (int64_t)flight.work.host - 1;
    m->skips = 0;
    if (draw(m, 0, 1) == 0) {
        m->holds[group]++;
        schedule_hold(m->schedule, m->keys[group]);
    }
    schedule_put_back(m->schedule, &flight.work);
    HOLDS(m, m->skips == (job->cancelled ? 1 : 0));
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
    m->skip_after = host;
    m->skips = 0;
    unsigned rest = job->left[group];
    schedule_done(m->schedule, &flight.work, failed);
    HOLDS(m, m->skips == (failed ? rest : 0));
    check_totals(m);
    remove_if_finished(m, job);
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
    unsigned waiting = 0;
    for (unsigned g = 0; g < m->groups_count; g++)
        waiting += job->left[g];
    job->cancelled = true;
    m->skip_job = NULL;
    m->skip_cause = SCHEDULE_NO_HOST;
    m->skips = 0;
    schedule_cancel(m->schedule, job->scheduled);
    HOLDS(m, m->skips == waiting);
    check_totals(m);
    remove_if_finished(m, job);
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
    for (size_t i = 1; i < m->in_hand; i++)
        if (m->flights[i].due < m->flights[first].due) first = i;
    uint64_t due = m->in_hand > 0 ? m->flights[first].due : UINT64_MAX;
    uint64_t arrives = next_job != NULL ? next_job->arrives : UINT64_MAX;
    if (due == UINT64_MAX && arrives == UINT64_MAX) return release_any(m);
    if (m->drain_at <= due && m->drain_at <= arrives) {
        m->now = m->drain_at;
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
        bool all = draw(m, 0, 9) > 0 || m->in_hand == 0;
        while (start_one(m) && (all || draw(m, 0, 1) == 0))
            ;
        meddle(m);
    } while (happen(m) || expected_host(m, &owner) != SCHEDULE_NO_HOST);
    for (unsigned j = 0; j < m->jobs_count; j++)
        for (unsigned h = 0; h < m->hosts_count; h++) {
            enum state state = m->jobs[j].hosts[h];
            HOLDS(m, state == ABSENT || state == DONE || state == SKIPPED);
            HOLDS(m, state != SKIPPED || m->fail_percent > 0 || m->jobs[j].cancelled);
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

// --- single cases, as a script: each host is a letter, each group a string of them

struct script_job {
    struct grouping grouping;
    struct constraint groups[8];
    struct cohort cohorts[8];
    uint32_t order[64];
    struct schedule_job *scheduled;
};

static char skipped[64]; // "b<a": b was skipped because of a; "b<-": because of the drain

static void note_skip(void *owner, uint32_t host, uint32_t cause) {
    (void)owner;
    size_t len = strlen(skipped);
    snprintf(skipped + len, sizeof skipped - len, "%c<%c ", (char)host,
             cause == SCHEDULE_NO_HOST ? '-' : (char)cause);
}

// "abc de": two groups, named for their first letter as a capital so that jobs can share them.
static void script_add(struct schedule *s, struct script_job *job, const char *groups) {
    static char keys[26][2];
    *job = (struct script_job){0};
    job->grouping.constraints = job->groups;
    job->grouping.cohorts = job->cohorts;
    job->grouping.order = job->order;
    for (const char *c = groups; *c != '\0'; c++) {
        if (*c == ' ') continue;
        if (c == groups || c[-1] == ' ') {
            keys[*c - 'a'][0] = *c;
            const uint32_t number = (uint32_t)job->grouping.count++;
            job->groups[number] = (struct constraint){.key = keys[*c - 'a'],
                                                      .limit = 1,
                                                      .weight = 1,
                                                      .cohorts = number,
                                                      .cohorts_count = 1,
                                                      .redundancy = true};
            job->cohorts[number] = (struct cohort){(uint32_t)job->grouping.hosts, 0,
                                                   .needs = number, .needs_count = 1};
        }
        job->cohorts[job->grouping.count - 1].count++;
        job->order[job->grouping.hosts++] = (uint32_t)*c;
    }
    job->grouping.cohorts_count = job->grouping.count;
    job->scheduled = schedule_add(s, &job->grouping, job);
}

// Starts all that may start; what was started, as letters. Works are kept by letter of the host.
static struct schedule_work works[3][128]; // by job, of the script's array

static const char *start_all(struct schedule *s, struct script_job *jobs) {
    static char started[64];
    size_t len = 0;
    struct schedule_work work;
    while (schedule_next(s, &work)) {
        started[len++] = (char)work.host;
        schedule_claimed(s, &work);
        works[(struct script_job *)work.owner - jobs][work.host] = work;
    }
    started[len] = '\0';
    return started;
}

static void end_script(struct schedule *s, struct script_job *jobs, size_t count) {
    for (size_t i = 0; i < count; i++) {
        ck_assert(schedule_finished(jobs[i].scheduled));
        schedule_remove(s, jobs[i].scheduled);
    }
    schedule_free(s);
}

static struct schedule *begin_script(unsigned workers) {
    skipped[0] = '\0';
    return schedule_new(workers, note_skip);
}

#define SUCCEED(job, host) schedule_done(s, &works[job][host], false)
#define FAIL(job, host)    schedule_done(s, &works[job][host], true)

START_TEST(the_longest_group_goes_first_and_inventory_order_breaks_ties) {
    struct schedule *s = begin_script(4);
    struct script_job jobs[1];
    script_add(s, &jobs[0], "ab cdef gh ijkl m");
    ck_assert_uint_eq(schedule_groups_pending(s), 5);
    ck_assert_str_eq(start_all(s, jobs), "ciag");
    SUCCEED(0, 'g'); // h is the last of its group, m too: h's group stands first
    ck_assert_str_eq(start_all(s, jobs), "h");
    SUCCEED(0, 'c');
    ck_assert_str_eq(start_all(s, jobs), "d");
    static const char rest[] = "hadibjekmfl";
    for (size_t i = 0; rest[i] != '\0'; i++) {
        SUCCEED(0, (unsigned char)rest[i]);
        start_all(s, jobs);
    }
    end_script(s, jobs, 1);
}
END_TEST

START_TEST(a_failure_skips_the_rest_of_its_group_and_nothing_else) {
    struct schedule *s = begin_script(10);
    struct script_job jobs[1];
    script_add(s, &jobs[0], "abcd efg");
    ck_assert_str_eq(start_all(s, jobs), "ae");
    SUCCEED(0, 'a');
    ck_assert_str_eq(start_all(s, jobs), "b");
    FAIL(0, 'b');
    ck_assert_str_eq(skipped, "c<b d<b ");
    ck_assert_str_eq(start_all(s, jobs), "");
    ck_assert(!schedule_finished(jobs[0].scheduled));
    SUCCEED(0, 'e');
    ck_assert_str_eq(start_all(s, jobs), "f");
    SUCCEED(0, 'f');
    ck_assert_str_eq(start_all(s, jobs), "g");
    FAIL(0, 'g'); // the last of a group has nothing to skip
    ck_assert_str_eq(skipped, "c<b d<b ");
    end_script(s, jobs, 1);
}
END_TEST

START_TEST(jobs_take_turns_on_a_group_in_order_of_arrival) {
    struct schedule *s = begin_script(10);
    struct script_job jobs[3];
    script_add(s, &jobs[0], "abc");
    ck_assert_str_eq(start_all(s, jobs), "a");
    script_add(s, &jobs[1], "ab");
    script_add(s, &jobs[2], "ac");
    ck_assert_str_eq(start_all(s, jobs), "");
    static const struct {
        size_t job;
        unsigned char host;
        const char *next;
        size_t next_job;
    } turns[] = {
        {0, 'a', "a", 1}, {1, 'a', "a", 2}, {2, 'a', "b", 0}, {0, 'b', "b", 1},
        {1, 'b', "c", 2}, {2, 'c', "c", 0}, {0, 'c', "", 0},
    };
    for (size_t i = 0; i < COUNT(turns); i++) {
        SUCCEED(turns[i].job, turns[i].host);
        memset(works, 0, sizeof works);
        const char *started = start_all(s, jobs);
        ck_assert_str_eq(started, turns[i].next);
        if (*started != '\0')
            ck_assert_ptr_eq(works[turns[i].next_job][(unsigned char)*started].owner,
                             &jobs[turns[i].next_job]);
    }
    end_script(s, jobs, 3);
}
END_TEST

START_TEST(a_failure_in_one_job_leaves_the_same_group_of_another_alone) {
    struct schedule *s = begin_script(10);
    struct script_job jobs[2];
    script_add(s, &jobs[0], "ab");
    script_add(s, &jobs[1], "ab");
    ck_assert_str_eq(start_all(s, jobs), "a");
    FAIL(0, 'a');
    ck_assert_str_eq(skipped, "b<a ");
    ck_assert(schedule_finished(jobs[0].scheduled));
    ck_assert_str_eq(start_all(s, jobs), "a");
    SUCCEED(1, 'a');
    ck_assert_str_eq(start_all(s, jobs), "b");
    SUCCEED(1, 'b');
    end_script(s, jobs, 2);
}
END_TEST

START_TEST(waiting_for_a_group_holds_no_worker) {
    struct schedule *s = begin_script(2);
    struct script_job jobs[2];
    script_add(s, &jobs[0], "ab");
    script_add(s, &jobs[1], "ab mn");
    ck_assert_str_eq(start_all(s, jobs), "am"); // the second job's a waits, its m does not
    SUCCEED(1, 'm');
    ck_assert_str_eq(start_all(s, jobs), "n");
    SUCCEED(1, 'n');
    SUCCEED(0, 'a');
    ck_assert_str_eq(start_all(s, jobs), "a");
    SUCCEED(1, 'a');
    ck_assert_str_eq(start_all(s, jobs), "b");
    SUCCEED(0, 'b');
    ck_assert_str_eq(start_all(s, jobs), "b");
    SUCCEED(1, 'b');
    end_script(s, jobs, 2);
}
END_TEST

START_TEST(the_oldest_job_gets_the_free_worker) {
    struct schedule *s = begin_script(1);
    struct script_job jobs[2];
    script_add(s, &jobs[0], "a b");
    script_add(s, &jobs[1], "pqrs");
    ck_assert_str_eq(start_all(s, jobs), "a");
    SUCCEED(0, 'a');
    ck_assert_str_eq(start_all(s, jobs), "b"); // though p's group is longer
    SUCCEED(0, 'b');
    ck_assert_str_eq(start_all(s, jobs), "p");
    FAIL(1, 'p');
    end_script(s, jobs, 2);
}
END_TEST

START_TEST(a_drain_skips_what_has_not_begun_and_lets_the_rest_finish) {
    struct schedule *s = begin_script(2);
    struct script_job jobs[3];
    script_add(s, &jobs[0], "ab cd e");
    script_add(s, &jobs[1], "ab");
    ck_assert_str_eq(start_all(s, jobs), "ac");
    schedule_drain(s);
    ck_assert_str_eq(skipped, "b<- d<- e<- a<- b<- ");
    ck_assert_uint_eq(schedule_in_hand(s), 2);
    ck_assert_uint_eq(schedule_groups_pending(s), 0);
    ck_assert(schedule_finished(jobs[1].scheduled));
    ck_assert(!schedule_finished(jobs[0].scheduled));
    SUCCEED(0, 'a');
    ck_assert_str_eq(start_all(s, jobs), "");
    skipped[0] = '\0';
    FAIL(0, 'c'); // nothing is left to skip for it
    ck_assert_str_eq(skipped, "");
    script_add(s, &jobs[2], "cd");
    ck_assert_str_eq(skipped, "c<- d<- ");
    end_script(s, jobs, 3);
}
END_TEST

START_TEST(a_cancelled_job_leaves_its_turns_to_the_others) {
    struct schedule *s = begin_script(10);
    struct script_job jobs[3];
    script_add(s, &jobs[0], "ab");
    script_add(s, &jobs[1], "ab c");
    script_add(s, &jobs[2], "ab");
    ck_assert_str_eq(start_all(s, jobs), "ac");
    schedule_cancel(s, jobs[1].scheduled);
    ck_assert_str_eq(skipped, "a<- b<- "); // c is in hand
    ck_assert(!schedule_finished(jobs[1].scheduled));
    SUCCEED(1, 'c');
    ck_assert(schedule_finished(jobs[1].scheduled));
    SUCCEED(0, 'a');
    ck_assert_str_eq(start_all(s, jobs), "a"); // the third job's
    SUCCEED(2, 'a');
    ck_assert_str_eq(start_all(s, jobs), "b");
    SUCCEED(0, 'b');
    ck_assert_str_eq(start_all(s, jobs), "b");
    SUCCEED(2, 'b');
    end_script(s, jobs, 3);
}
END_TEST

START_TEST(a_host_that_is_put_back_comes_again_after_the_other_jobs_turns) {
    struct schedule *s = begin_script(10);
    struct script_job jobs[2];
    script_add(s, &jobs[0], "ab");
    script_add(s, &jobs[1], "ac");
    struct schedule_work work;
    ck_assert(schedule_next(s, &work));
    ck_assert_uint_eq(work.host, 'a');
    ck_assert_ptr_eq(work.owner, &jobs[0]);
    ck_assert_uint_eq(schedule_in_hand(s), 1); // while it is being claimed
    schedule_put_back(s, &work);
    ck_assert_uint_eq(schedule_in_hand(s), 0);
    ck_assert_str_eq(start_all(s, jobs), "a");
    schedule_put_back(s, &works[1]['a']); // one that was claimed
    ck_assert_str_eq(start_all(s, jobs), "a");
    SUCCEED(0, 'a');
    ck_assert_str_eq(start_all(s, jobs), "a");
    SUCCEED(1, 'a');
    ck_assert_str_eq(start_all(s, jobs), "b");
    SUCCEED(0, 'b');
    ck_assert_str_eq(start_all(s, jobs), "c");
    SUCCEED(1, 'c');
    end_script(s, jobs, 2);
}
END_TEST

START_TEST(a_group_that_is_held_waits_until_all_have_released_it) {
    struct schedule *s = begin_script(10);
    struct script_job jobs[1];
    schedule_hold(s, "a"); // before any job knows the group
    script_add(s, &jobs[0], "ab c");
    ck_assert_str_eq(start_all(s, jobs), "c");
    schedule_hold(s, "a");
    schedule_release(s, "a");
    ck_assert_str_eq(start_all(s, jobs), "");
    schedule_release(s, "a");
    schedule_hold(s, "a"); // it was ready, and is so no longer
    ck_assert_str_eq(start_all(s, jobs), "");
    schedule_release(s, "a");
    ck_assert_str_eq(start_all(s, jobs), "a");
    schedule_hold(s, "a"); // what is in hand stays so
    SUCCEED(0, 'a');
    ck_assert_str_eq(start_all(s, jobs), "");
    schedule_release(s, "a");
    ck_assert_str_eq(start_all(s, jobs), "b");
    SUCCEED(0, 'b');
    SUCCEED(0, 'c');
    end_script(s, jobs, 1);
}
END_TEST

START_TEST(a_job_without_hosts_is_finished_at_once) {
    struct schedule *s = begin_script(1);
    struct script_job jobs[1];
    script_add(s, &jobs[0], "");
    ck_assert(schedule_finished(jobs[0].scheduled));
    ck_assert_str_eq(start_all(s, jobs), "");
    end_script(s, jobs, 1);
}
END_TEST

Suite *check_schedule(void) {
    Suite *suite = suite_create("schedule");
    TCase *cases = tcase_create("cases");
    suite_add_tcase(suite, cases);
    tcase_add_test(cases, the_longest_group_goes_first_and_inventory_order_breaks_ties);
    tcase_add_test(cases, a_failure_skips_the_rest_of_its_group_and_nothing_else);
    tcase_add_test(cases, jobs_take_turns_on_a_group_in_order_of_arrival);
    tcase_add_test(cases, a_failure_in_one_job_leaves_the_same_group_of_another_alone);
    tcase_add_test(cases, waiting_for_a_group_holds_no_worker);
    tcase_add_test(cases, the_oldest_job_gets_the_free_worker);
    tcase_add_test(cases, a_drain_skips_what_has_not_begun_and_lets_the_rest_finish);
    tcase_add_test(cases, a_cancelled_job_leaves_its_turns_to_the_others);
    tcase_add_test(cases, a_host_that_is_put_back_comes_again_after_the_other_jobs_turns);
    tcase_add_test(cases, a_group_that_is_held_waits_until_all_have_released_it);
    tcase_add_test(cases, a_job_without_hosts_is_finished_at_once);
    TCase *random = tcase_create("random networks");
    tcase_set_timeout(random, 120);
    suite_add_tcase(suite, random);
    tcase_add_test(random, random_networks_are_scheduled_as_the_contract_says);
    return suite;
}

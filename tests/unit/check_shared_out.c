// Jobs whose hosts several schedules share out among them: random networks, whose components come
// to one schedule, leave it for another, or are lost by it with what it has in hand. The truth is
// kept once for all of them, as a store keeps it; against it every schedule is held.
#include "common/count.h"
#include "common/rng.h"
#include "orchestrator/schedule.h"
#include "tests/unit/seeds.h"
#include "tests/unit/support.h"

#include <stdio.h>

Suite *check_shared_out(void);

enum {
    HOSTS_MAX = 40,
    CONSTRAINTS_MAX = 20,
    JOBS_MAX = 3,
    NODES_MAX = 4,
    STEPS = 400,
    RUNS = 3000,
    NOBODY = NODES_MAX
};

enum state { ABSENT, WAITING, IN_HAND, IN_DOUBT, DONE, FAILED, SKIPPED };

struct shared_job {
    struct model *model;
    struct grouping grouping;
    enum state hosts[HOSTS_MAX];
    struct schedule_job *at[NODES_MAX];
    bool is_paused, is_stopped;
};

struct owner { // of a schedule's job
    struct shared_job *job;
    unsigned node;
};

struct flight {
    struct schedule_work work;
    struct shared_job *job;
    unsigned node;
};

struct model {
    uint64_t seed, draws;
    unsigned hosts, constraints, jobs, nodes, workers;
    uint32_t of_host[HOSTS_MAX][2];
    unsigned of_host_count[HOSTS_MAX];
    uint32_t component[CONSTRAINTS_MAX]; // that it is in: the least of its constraints
    unsigned holder[CONSTRAINTS_MAX];    // of components
    unsigned limit[CONSTRAINTS_MAX], busy[CONSTRAINTS_MAX];
    bool is_throttle[CONSTRAINTS_MAX];
    char keys[CONSTRAINTS_MAX][16];
    struct shared_job list[JOBS_MAX];
    struct owner owners[JOBS_MAX][NODES_MAX];
    struct schedule *schedules[NODES_MAX];
    struct flight flights[JOBS_MAX * HOSTS_MAX];
    size_t flights_count;
    unsigned fail_percent;
    bool is_losing; // what is told then is nobody's business any more
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

static uint32_t component_of(const struct model *m, uint32_t host) {
    return m->component[m->of_host[host][0]];
}

// --- a random network

static void merge(struct model *m, uint32_t a, uint32_t b) {
    const uint32_t x = m->component[a], y = m->component[b];
    for (unsigned c = 0; c < m->constraints; c++)
        if (m->component[c] == (x < y ? y : x)) m->component[c] = x < y ? x : y;
}

static void make_network(struct model *m) {
    m->hosts = (unsigned)draw(m, 1, HOSTS_MAX);
    m->constraints = (unsigned)draw(m, 1, CONSTRAINTS_MAX);
    const unsigned tied_percent = (unsigned)draw(m, 0, 40);
    for (unsigned c = 0; c < m->constraints; c++) {
        m->component[c] = c;
        m->holder[c] = NOBODY;
        m->limit[c] = chance(m, 70) ? 1 : (unsigned)draw(m, 1, 3);
        m->is_throttle[c] = c > 0 && chance(m, 15);
        snprintf(m->keys[c], sizeof m->keys[c], "c%u", c);
    }
    for (uint32_t h = 0; h < m->hosts; h++) {
        uint32_t first = (uint32_t)draw(m, 0, m->constraints - 1);
        while (m->is_throttle[first])
            first--;
        m->of_host[h][m->of_host_count[h]++] = first;
        const uint32_t second = (uint32_t)draw(m, 0, m->constraints - 1);
        if (!chance(m, tied_percent) || second == first) continue;
        m->of_host[h][m->of_host_count[h]++] = second;
        merge(m, first, second);
    }
}

static void make_job(struct model *m, struct shared_job *job) {
    const unsigned percent = (unsigned)draw(m, 20, 100);
    uint32_t numbers[HOSTS_MAX], ends[HOSTS_MAX], needs[2 * HOSTS_MAX], end = 0;
    struct selection selection = {.hosts = numbers};
    job->model = m;
    for (uint32_t h = 0; h < m->hosts; h++) {
        if (!chance(m, percent)) continue;
        job->hosts[h] = WAITING;
        for (unsigned i = 0; i < m->of_host_count[h]; i++)
            needs[end++] = m->of_host[h][i];
        ends[selection.count] = end;
        numbers[selection.count++] = h;
    }
    job->grouping.count = m->constraints;
    job->grouping.constraints = mem_array(m->constraints, sizeof *job->grouping.constraints);
    for (unsigned c = 0; c < m->constraints; c++)
        job->grouping.constraints[c] = (struct constraint){.key = m->keys[c],
                                                           .name = m->keys[c],
                                                           .limit = m->limit[c],
                                                           .weight = 1,
                                                           .redundancy = !m->is_throttle[c]};
    grouping_build(&job->grouping, &selection, ends, needs);
}

// --- what must hold

// So many failures of its redundancy group have stopped it.
static bool is_stopped(const struct shared_job *job, uint32_t constraint) {
    const struct model *m = job->model;
    unsigned failed = 0;
    for (uint32_t h = 0; h < m->hosts; h++)
        for (unsigned i = 0; i < m->of_host_count[h]; i++)
            failed += job->hosts[h] == FAILED && m->of_host[h][i] == constraint;
    return !m->is_throttle[constraint] && failed >= m->limit[constraint];
}

static bool is_in_stopped(const struct shared_job *job, uint32_t host) {
    for (unsigned i = 0; i < job->model->of_host_count[host]; i++)
        if (is_stopped(job, job->model->of_host[host][i])) return true;
    return false;
}

static void on_skip(void *arg, uint32_t host, uint32_t cause) {
    const struct owner *owner = arg;
    struct shared_job *job = owner->job;
    struct model *m = job->model;
    if (m->is_losing) return;
    HOLDS(m, m->holder[component_of(m, host)] == owner->node);
    HOLDS(m, job->hosts[host] == WAITING || job->hosts[host] == IN_HAND ||
                 job->hosts[host] == IN_DOUBT);
    HOLDS(m, cause == SCHEDULE_NO_HOST ? job->is_stopped : is_in_stopped(job, host));
    job->hosts[host] = SKIPPED;
}

static enum past past_of_host(void *arg, uint32_t host) {
    static const enum past pasts[] = {[WAITING] = PAST_PENDING,
                                      [IN_DOUBT] = PAST_IN_DOUBT,
                                      [DONE] = PAST_OVER,
                                      [FAILED] = PAST_FAILED,
                                      [SKIPPED] = PAST_OVER};
    const struct owner *owner = arg;
    const struct shared_job *job = owner->job;
    HOLDS(job->model, job->hosts[host] != ABSENT && job->hosts[host] != IN_HAND);
    return job->model->holder[component_of(job->model, host)] == owner->node
               ? pasts[job->hosts[host]]
               : PAST_OVER;
}

static void note_flight(struct model *m, const struct schedule_work *work) {
    const struct owner *owner = work->owner;
    m->flights[m->flights_count++] =
        (struct flight){.work = *work, .job = owner->job, .node = owner->node};
    for (unsigned i = 0; i < m->of_host_count[work->host]; i++)
        m->busy[m->of_host[work->host][i]]++;
    owner->job->hosts[work->host] = IN_HAND;
}

static struct flight take_flight(struct model *m, size_t at) {
    const struct flight flight = m->flights[at];
    m->flights[at] = m->flights[--m->flights_count];
    for (unsigned i = 0; i < m->of_host_count[flight.work.host]; i++)
        m->busy[m->of_host[flight.work.host][i]]--;
    return flight;
}

// --- what can happen

static void start(struct model *m, unsigned node) {
    struct schedule_work work;
    if (!schedule_next(m->schedules[node], &work)) return;
    const struct owner *owner = work.owner;
    HOLDS(m, owner->node == node);
    HOLDS(m, m->holder[component_of(m, work.host)] == node);
    HOLDS(m, owner->job->hosts[work.host] == WAITING);
    HOLDS(m, !is_in_stopped(owner->job, work.host));
    HOLDS(m, !owner->job->is_paused && !owner->job->is_stopped);
    for (unsigned i = 0; i < m->of_host_count[work.host]; i++)
        HOLDS(m, m->busy[m->of_host[work.host][i]] < m->limit[m->of_host[work.host][i]]);
    schedule_claimed(m->schedules[node], &work);
    note_flight(m, &work);
}

static void finish(struct model *m) {
    if (m->flights_count == 0) return;
    struct flight flight = take_flight(m, draw(m, 0, m->flights_count - 1));
    enum state *state = &flight.job->hosts[flight.work.host];
    if (chance(m, 15)) {
        *state = WAITING;
        schedule_put_back(m->schedules[flight.node], &flight.work);
        return;
    }
    const bool failed = chance(m, m->fail_percent);
    *state = failed ? FAILED : DONE;
    schedule_done(m->schedules[flight.node], &flight.work, failed);
}

static size_t cohorts_in(const struct shared_job *job, uint32_t component, uint32_t *cohorts) {
    const struct grouping *grouping = &job->grouping;
    size_t count = 0;
    for (uint32_t i = 0; i < grouping->cohorts_count; i++)
        if (component_of(job->model, grouping->order[grouping->cohorts[i].first]) == component)
            cohorts[count++] = i;
    return count;
}

static bool is_busy(const struct model *m, uint32_t component) {
    for (size_t i = 0; i < m->flights_count; i++)
        if (component_of(m, m->flights[i].work.host) == component) return true;
    return false;
}

static void leave(struct model *m, uint32_t component) {
    const unsigned node = m->holder[component];
    uint32_t cohorts[HOSTS_MAX];
    for (unsigned j = 0; j < m->jobs; j++)
        schedule_give_up(m->schedules[node], m->list[j].at[node], cohorts,
                         cohorts_in(&m->list[j], component, cohorts));
    m->holder[component] = NOBODY;
}

// What it has in hand may have been sent, or not.
static void lose(struct model *m, unsigned node) {
    m->is_losing = true;
    for (size_t i = m->flights_count; i > 0; i--) {
        if (m->flights[i - 1].node != node) continue;
        struct flight flight = take_flight(m, i - 1);
        flight.job->hosts[flight.work.host] = chance(m, 50) ? IN_DOUBT : WAITING;
        schedule_put_back(m->schedules[node], &flight.work);
    }
    for (unsigned c = 0; c < m->constraints; c++)
        if (m->component[c] == c && m->holder[c] == node) leave(m, c);
    m->is_losing = false;
    for (unsigned j = 0; j < m->jobs; j++)
        HOLDS(m, schedule_finished(m->list[j].at[node]));
    HOLDS(m, schedule_in_hand(m->schedules[node]) == 0);
    HOLDS(m, schedule_groups_pending(m->schedules[node]) == 0);
}

static void skip_all(struct model *m, struct shared_job *job, unsigned node) {
    while (schedule_skip_some(m->schedules[node], job->at[node], 3))
        continue;
}

static void come(struct model *m, uint32_t component, unsigned node) {
    uint32_t cohorts[HOSTS_MAX];
    struct schedule_work work;
    m->holder[component] = node;
    for (unsigned j = 0; j < m->jobs; j++) {
        struct shared_job *job = &m->list[j];
        schedule_take_on(m->schedules[node], job->at[node], cohorts,
                         cohorts_in(job, component, cohorts), past_of_host, &m->owners[j][node]);
        while (schedule_next_in_doubt(m->schedules[node], job->at[node], &work)) {
            HOLDS(m, component_of(m, work.host) == component);
            HOLDS(m, job->hosts[work.host] == IN_DOUBT);
            note_flight(m, &work);
        }
        if (job->is_stopped) skip_all(m, job, node);
    }
}

static void move(struct model *m) {
    const uint32_t component = m->component[draw(m, 0, m->constraints - 1)];
    if (m->holder[component] == NOBODY)
        come(m, component, (unsigned)draw(m, 0, m->nodes - 1));
    else if (!is_busy(m, component))
        leave(m, component);
}

static void pause_or_go_on(struct model *m) {
    struct shared_job *job = &m->list[draw(m, 0, m->jobs - 1)];
    job->is_paused = !job->is_paused;
    for (unsigned n = 0; n < m->nodes; n++)
        if (job->is_paused)
            schedule_pause(m->schedules[n], job->at[n]);
        else
            schedule_unpause(m->schedules[n], job->at[n]);
}

static void stop(struct model *m) {
    struct shared_job *job = &m->list[draw(m, 0, m->jobs - 1)];
    job->is_stopped = true;
    for (unsigned n = 0; n < m->nodes; n++) {
        schedule_stop(m->schedules[n], job->at[n]);
        skip_all(m, job, n);
    }
}

static void step(struct model *m) {
    const uint64_t what = draw(m, 0, 99);
    if (what < 45)
        start(m, (unsigned)draw(m, 0, m->nodes - 1));
    else if (what < 75)
        finish(m);
    else if (what < 95)
        move(m);
    else if (what < 97)
        lose(m, (unsigned)draw(m, 0, m->nodes - 1));
    else if (what < 99)
        pause_or_go_on(m);
    else if (chance(m, 30))
        stop(m);
}

// --- a run

static bool is_over(const struct model *m) {
    for (unsigned j = 0; j < m->jobs; j++)
        for (uint32_t h = 0; h < m->hosts; h++)
            if (m->list[j].hosts[h] != ABSENT && m->list[j].hosts[h] < DONE) return false;
    return true;
}

// All that is left comes to its end.
static void run_out(struct model *m) {
    for (unsigned c = 0; c < m->constraints; c++)
        if (m->component[c] == c && m->holder[c] == NOBODY)
            come(m, c, (unsigned)draw(m, 0, m->nodes - 1));
    for (unsigned j = 0; j < m->jobs; j++)
        for (unsigned n = 0; n < m->nodes; n++)
            schedule_unpause(m->schedules[n], m->list[j].at[n]);
    for (unsigned j = 0; j < m->jobs; j++)
        m->list[j].is_paused = false;
    for (unsigned i = 0; !is_over(m); i++) {
        HOLDS(m, i < 10000);
        for (unsigned n = 0; n < m->nodes; n++)
            start(m, n);
        finish(m);
    }
}

static void begin(struct model *m) {
    make_network(m);
    m->jobs = (unsigned)draw(m, 1, JOBS_MAX);
    m->nodes = (unsigned)draw(m, 1, NODES_MAX);
    m->workers = (unsigned)draw(m, 1, 20);
    m->fail_percent = chance(m, 50) ? 0 : (unsigned)draw(m, 1, 50);
    for (unsigned n = 0; n < m->nodes; n++)
        m->schedules[n] = schedule_new(m->workers, on_skip);
    for (unsigned j = 0; j < m->jobs; j++) {
        make_job(m, &m->list[j]);
        for (unsigned n = 0; n < m->nodes; n++) {
            m->owners[j][n] = (struct owner){&m->list[j], n};
            m->list[j].at[n] =
                schedule_add_resumed(m->schedules[n], &m->list[j].grouping, &m->owners[j][n],
                                     past_of_host, &m->owners[j][n]);
        }
    }
}

static void end(struct model *m) {
    for (unsigned n = 0; n < m->nodes; n++) {
        for (unsigned j = 0; j < m->jobs; j++) {
            HOLDS(m, schedule_finished(m->list[j].at[n]));
            schedule_remove(m->schedules[n], m->list[j].at[n]);
        }
        HOLDS(m, schedule_groups_pending(m->schedules[n]) == 0);
        schedule_free(m->schedules[n]);
    }
    for (unsigned j = 0; j < m->jobs; j++)
        grouping_deinit(&m->list[j].grouping);
    free(m);
}

static void play(uint64_t seed) {
    struct model *m = mem_zalloc(sizeof *m);
    m->seed = seed;
    begin(m);
    for (unsigned i = 0; i < STEPS; i++)
        step(m);
    run_out(m);
    end(m);
}

START_TEST(hosts_shared_out_among_schedules_each_come_to_one_end) {
    run_seeds(RUNS, play);
}
END_TEST

Suite *check_shared_out(void) {
    Suite *suite = suite_create("shared_out");
    TCase *random = tcase_create("random networks");
    tcase_set_timeout(random, 120);
    suite_add_tcase(suite, random);
    tcase_add_test(random, hosts_shared_out_among_schedules_each_come_to_one_end);
    return suite;
}

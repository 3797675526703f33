// The way to an install, whole: the schedule and the peers together, driven on a virtual clock as
// the gate drives them (orchestrator/gate.c), over random networks, jobs that overlap, devices that
// die and come back, answers that are late or lost, kept sessions that end, commits that take long.
// tests/histories play the gate itself, with sessions, the store and crashes; here schedule and
// peers are alone, in networks three times as large: what breaks here is theirs.
// A referee of its own keeps what really happened, host by host, and looks at all of it whenever an
// install is sent. At that moment, of each redundancy group no more than its limit are not up, the
// device itself included; not up are
//   - those in hand,
//   - those that were dead all the time for longer than max_age,
//   - those that were found not to be up since they last answered,
//   - those that have not answered for longer than max_age, or not since they were last in hand.
// A device that dies just after it has answered is what nobody can know.
#include "common/rng.h"
#include "orchestrator/peers.h"
#include "orchestrator/schedule.h"
#include "tests/unit/applied.h"
#include "tests/unit/seeds.h"

#include <stdio.h>

Suite *check_gate(void);

enum {
    HOSTS_MAX = 24,
    GROUPS_MAX = HOSTS_MAX,
    JOBS_MAX = 3,
    RULES = 2, // of redundancy: a host is in a group of the first, of the second, or of both
    RUNS = 10000,
    PATIENCE = 40,     // ms: so long an ask, or a login, waits for an answer
    PUT_BACKS_MAX = 8, // for each host of a job
    EVENTS_MAX = 200,  // for each host of a job
};

enum state { ABSENT, WAITING, IN_HAND, DONE, SKIPPED };

struct model_job {
    struct model *model;
    struct grouping grouping;
    enum state hosts[HOSTS_MAX];
    uint64_t arrives;
    struct schedule_job *scheduled; // NULL before it arrives and after it is removed
    bool arrived;
};

// The connection of a device, and what comes of it at due.
enum talk {
    NO_TALK,
    ASKING,
    STAYING, // an ask that has answered, and stays
    GOING,   // an ask on its way out
    LOGIN,   // from here on of the host in hand: until its get_version has answered
    WANTING, // it waits for leave
    PAUSING, // it was lost, and is opened anew
    INSTALL,
    LOGOUT,
};

struct truth { // of a device
    enum talk talk;
    uint64_t due_ms;     // of the talk
    uint64_t flip_ms;    // when it dies or comes up next; UINT64_MAX: never
    uint64_t dead_ms;    // since when it is dead; 0: it is not
    uint64_t answer_ms;  // when it last answered as it should; 0: void
    uint64_t refuted_ms; // when an ask last found it not to be up
    bool is_bad;         // what was last found out: it is not up
    bool is_foreign;
};

struct flight {
    struct flight *next;
    struct model_job *job;
    struct schedule_work work;
    struct turn *turn;
    uint64_t began_ms, wanted_ms, up_ms;
    uint64_t commit_ms; // when the store answers; UINT64_MAX: it was not asked
    bool is_claimed, is_granted, is_left;
    enum state outcome;
    bool has_failed;
};

struct model {
    uint64_t seed, draws, now_ms, events;
    unsigned hosts_count, workers, put_backs, refusals;
    unsigned flip_percent, loss_percent, fail_percent, slow_percent;
    unsigned group_of[RULES][HOSTS_MAX]; // UINT32_MAX: none
    unsigned limits[RULES], at_once;
    struct inventory *inventory;
    struct policy policy;
    struct peers_config config;
    struct schedule *schedule;
    struct peers *peers;
    struct truth truths[HOSTS_MAX];
    struct model_job jobs[JOBS_MAX];
    unsigned jobs_count;
    struct flight *flights;
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

// Groups of the rule are of as many as size; where not all hosts are in one, the first is.
static void make_groups(struct model *m, unsigned rule, unsigned size, unsigned percent) {
    const unsigned stride = rule == 0 || chance(m, 50) ? 1 : 5;
    m->limits[rule] = chance(m, 40) ? 1 : (unsigned)draw(m, 1, 3);
    for (unsigned h = 0; h < m->hosts_count; h++)
        m->group_of[rule][h] =
            h == 0 || chance(m, percent) ? h * stride % m->hosts_count / size : UINT32_MAX;
}

static void write_host(struct model *m, struct buf *text, unsigned host) {
    buf_addf(
        text, "%s'h%u': {'platform': '%s', 'hostname': '127.0.0.1', 'port': %u, 'dev_type': 't'",
        host == 0 ? "" : ", ", host, m->truths[host].is_foreign ? "panos" : "acmeos", 8300 + host);
    for (unsigned rule = 0; rule < RULES; rule++)
        if (m->group_of[rule][host] != UINT32_MAX)
            buf_addf(text, ", 'rule%u': '%u'", rule, m->group_of[rule][host]);
    buf_adds(text, "}");
}

static void make_network(struct model *m) {
    struct buf text = {0};
    char policy[300];
    m->hosts_count = (unsigned)draw(m, 2, HOSTS_MAX);
    make_groups(m, 0, chance(m, 50) ? 2 : 4, 100);
    make_groups(m, 1, (unsigned)draw(m, 2, 5), chance(m, 50) ? 0 : (unsigned)draw(m, 20, 100));
    m->at_once = chance(m, 70) ? m->hosts_count : (unsigned)draw(m, 1, 4);
    buf_adds(&text, "{'s': {");
    for (unsigned h = 0; h < m->hosts_count; h++) {
        m->truths[h] = (struct truth){.is_foreign = chance(m, 3), .flip_ms = UINT64_MAX};
        write_host(m, &text, h);
    }
    buf_adds(&text, "}}");
    m->inventory = inventory_of(text.data);
    snprintf(policy, sizeof policy,
             "redundancy:\n"
             "  - {group: \"{rule0}\", max_unavailable: %u}\n"
             "  - {group: \"{rule1}\", max_unavailable: %u}\n"
             "throttle: [{group: \"{site}\", at_once: %u}]\n",
             m->limits[0], m->limits[1], m->at_once);
    m->policy = policy_of(policy);
    buf_deinit(&text);
}

static void make_job(struct model *m, struct model_job *job) {
    const unsigned percent = chance(m, 50) ? 100 : (unsigned)draw(m, 1, 100);
    struct selection selection = all_of(m->inventory);
    struct error err;
    job->model = m;
    selection.count = 0;
    for (unsigned h = 0; h < m->hosts_count; h++) {
        if (!chance(m, percent)) continue;
        job->hosts[h] = WAITING;
        selection.hosts[selection.count++] = h;
    }
    HOLDS(m, policy_grouping(&job->grouping, &m->policy, m->inventory, &selection, &err) == 0);
    selection_deinit(&selection);
}

static void set_next_flip(struct model *m, struct truth *t) {
    t->flip_ms = chance(m, m->flip_percent) ? m->now_ms + draw(m, 1, 4000) : UINT64_MAX;
}

static void make_truths(struct model *m) {
    const unsigned dead_percent = chance(m, 40) ? 0 : (unsigned)draw(m, 1, 30);
    for (unsigned h = 0; h < m->hosts_count; h++) {
        if (chance(m, dead_percent)) m->truths[h].dead_ms = 1; // all the time
        set_next_flip(m, &m->truths[h]);
    }
}

static void on_skip(void *owner, uint32_t host, uint32_t cause);

static struct model *make_model(uint64_t seed) {
    struct model *m = mem_zalloc(sizeof *m);
    m->seed = seed;
    m->now_ms = 100000;
    m->workers = (unsigned)draw(m, 1, 12);
    m->flip_percent = chance(m, 50) ? 0 : (unsigned)draw(m, 1, 60);
    m->loss_percent = chance(m, 50) ? 0 : (unsigned)draw(m, 1, 30);
    m->fail_percent = chance(m, 50) ? 0 : (unsigned)draw(m, 1, 30);
    m->slow_percent = chance(m, 50) ? 0 : (unsigned)draw(m, 1, 30);
    m->config = (struct peers_config){.check = true,
                                      .max_age_ms = draw(m, 1000, 4000),
                                      .wait_ms = chance(m, 70) ? 0 : draw(m, 1, 3000),
                                      .asks = (unsigned)draw(m, 1, 10)};
    make_network(m);
    make_truths(m);
    m->schedule = schedule_new(m->workers, on_skip);
    m->peers = peers_new(&m->config);
    m->jobs_count = (unsigned)draw(m, 1, JOBS_MAX);
    for (unsigned j = 0; j < m->jobs_count; j++) {
        make_job(m, &m->jobs[j]);
        m->jobs[j].arrives = m->now_ms + (j == 0 ? 0 : draw(m, 0, 500));
    }
    return m;
}

// --- the referee

static uint32_t host_of(const struct flight *flight) {
    return flight->work.host;
}

static uint32_t number_of(const struct device *device) {
    return (uint32_t)strtoul(device->host.name + 1, NULL, 10);
}

static const struct flight *flight_on(const struct model *m, uint32_t host) {
    for (const struct flight *f = m->flights; f != NULL; f = f->next)
        if (host_of(f) == host) return f;
    return NULL;
}

static bool are_together(const struct model *m, unsigned rule, uint32_t a, uint32_t b) {
    return a != b && m->group_of[rule][a] != UINT32_MAX &&
           m->group_of[rule][a] == m->group_of[rule][b];
}

static bool is_not_up(const struct model *m, uint32_t host) {
    const struct truth *t = &m->truths[host];
    const uint64_t max_age_ms = m->config.max_age_ms;
    if (flight_on(m, host) != NULL || t->is_foreign || t->is_bad) return true;
    if (t->dead_ms != 0 && m->now_ms - t->dead_ms > max_age_ms) return true;
    return t->answer_ms == 0 || m->now_ms - t->answer_ms > max_age_ms;
}

static void check_install(struct model *m, const struct flight *flight) {
    const uint32_t host = host_of(flight);
    for (unsigned rule = 0; rule < RULES; rule++) {
        unsigned down = 1;
        if (m->group_of[rule][host] == UINT32_MAX) continue;
        for (uint32_t h = 0; h < m->hosts_count; h++)
            down += are_together(m, rule, host, h) && is_not_up(m, h);
        HOLDS(m, down <= m->limits[rule]);
    }
}

// Enough of a group were found not to be up in its own turn, and the text names one.
static void check_skip(struct model *m, const struct flight *flight, const char *text) {
    const uint32_t host = host_of(flight);
    const bool is_hopeless = strstr(text, "cannot all be asked") != NULL;
    bool is_right = is_hopeless;
    for (unsigned rule = 0; rule < RULES; rule++) {
        unsigned down = 1;
        bool is_named = false;
        for (uint32_t h = 0; h < m->hosts_count; h++) {
            const struct truth *t = &m->truths[h];
            char name[16];
            if (!are_together(m, rule, host, h) || flight_on(m, h) != NULL) continue;
            if (!t->is_foreign && (!t->is_bad || t->refuted_ms < flight->began_ms)) continue;
            snprintf(name, sizeof name, "h%u is", h);
            is_named |= strncmp(text, name, strlen(name)) == 0;
            down++;
        }
        is_right |= is_named && down > m->limits[rule];
    }
    HOLDS(m, is_right);
    HOLDS(m, is_hopeless || m->now_ms >= flight->wanted_ms + m->config.wait_ms);
}

static void check_back(struct model *m, const struct flight *flight,
                       const struct peers_hold *hold) {
    const uint32_t holder = number_of(hold->holder);
    HOLDS(m, flight_on(m, holder) != NULL);
    HOLDS(m, are_together(m, 0, host_of(flight), holder) ||
                 are_together(m, 1, host_of(flight), holder));
}

static void check_asks(struct model *m) {
    unsigned asks = 0;
    for (uint32_t h = 0; h < m->hosts_count; h++) {
        const enum talk talk = m->truths[h].talk;
        asks += talk == GOING || ((talk == ASKING || talk == STAYING) && flight_on(m, h) == NULL);
    }
    HOLDS(m, asks <= m->config.asks);
    HOLDS(m, schedule_in_hand(m->schedule) <= m->workers);
}

static void check_end(struct model *m) {
    for (unsigned j = 0; j < m->jobs_count; j++)
        for (uint32_t h = 0; h < m->hosts_count; h++)
            HOLDS(m, m->jobs[j].hosts[h] != WAITING && m->jobs[j].hosts[h] != IN_HAND);
    for (uint32_t h = 0; h < m->hosts_count; h++)
        HOLDS(m, m->truths[h].talk != STAYING && m->truths[h].talk != ASKING);
    HOLDS(m, schedule_in_hand(m->schedule) == 0);
    HOLDS(m, schedule_groups_pending(m->schedule) == 0);
    HOLDS(m, peers_due_ms(m->peers) == UINT64_MAX);
}

// --- the end of hosts and jobs

static struct truth *truth_of(struct model *m, const struct device *device) {
    return &m->truths[number_of(device)];
}

static void talk(struct model *m, struct truth *t, enum talk about, uint64_t least, uint64_t most) {
    t->talk = about;
    t->due_ms = m->now_ms + draw(m, least, most);
}

static void finish_if_done(struct model *m, struct model_job *job) {
    if (job->scheduled == NULL || !schedule_finished(job->scheduled)) return;
    schedule_remove(m->schedule, job->scheduled);
    job->scheduled = NULL;
    grouping_deinit(&job->grouping);
}

static void skip(struct model *m, struct model_job *job, uint32_t host) {
    struct device *device = peers_find(m->peers, &m->inventory->hosts[host]);
    HOLDS(m, job->hosts[host] == WAITING || job->hosts[host] == IN_HAND);
    job->hosts[host] = SKIPPED;
    if (device != NULL) peers_keep_not(m->peers, device);
}

static void on_skip(void *owner, uint32_t host, uint32_t cause) {
    struct model_job *job = owner;
    (void)cause;
    HOLDS(job->model, job->hosts[host] == WAITING);
    skip(job->model, job, host);
}

static void release(void *arg, const char *key) {
    schedule_release(arg, key);
}

static void end_turn(struct model *m, struct flight *flight) {
    struct truth *t = truth_of(m, flight->turn->device);
    struct flight **link = &m->flights;
    enum turn_end end = flight->up_ms == 0 ? TURN_LEFT : TURN_VERIFIED;
    if (flight->outcome == DONE && flight->has_failed) end = TURN_FAILED;
    if (end == TURN_VERIFIED) t->answer_ms = flight->up_ms;
    if (end != TURN_LEFT) t->is_bad = end == TURN_FAILED;
    while (*link != flight)
        link = &(*link)->next;
    *link = flight->next;
    peers_end(m->peers, flight->turn, end, flight->up_ms, "it has failed", m->now_ms, release,
              m->schedule);
}

static void put_back(struct model *m, struct flight *flight) {
    struct model_job *job = flight->job;
    struct schedule_work work = flight->work;
    HOLDS(m, ++m->put_backs <= PUT_BACKS_MAX * m->hosts_count * m->jobs_count);
    HOLDS(m, job->hosts[work.host] == IN_HAND);
    job->hosts[work.host] = WAITING;
    end_turn(m, flight);
    schedule_put_back(m->schedule, &work);
    finish_if_done(m, job);
    free(flight);
}

static void complete(struct model *m, struct flight *flight) {
    struct model_job *job = flight->job;
    HOLDS(m, job->hosts[host_of(flight)] == IN_HAND); // each ends once
    job->hosts[host_of(flight)] = flight->outcome;
    end_turn(m, flight);
    schedule_done(m->schedule, &flight->work, flight->has_failed);
    finish_if_done(m, job);
    free(flight);
}

static void land(struct model *m, struct flight *flight) {
    if (flight->turn->device->contact != NULL || flight->commit_ms != UINT64_MAX) return;
    if (flight->outcome == WAITING)
        put_back(m, flight);
    else
        complete(m, flight);
}

// --- the way of a host

static void take_contact(struct model *m, struct flight *flight) {
    struct device *device = flight->turn->device;
    struct truth *t = truth_of(m, device);
    if (device->ask == ASK_LEAVING) return;
    HOLDS(m, device->ask == ASK_NONE);
    HOLDS(m, (device->contact == NULL) == (t->talk == NO_TALK));
    device->contact = t;
    talk(m, t, LOGIN, 1, 30);
}

static struct flight *flight_of(const struct device *device) {
    return device->turn == NULL ? NULL : device->turn->owner;
}

static void lose_contact(struct model *m, struct device *device) {
    struct flight *flight = flight_of(device);
    const bool was_leaving = device->ask == ASK_LEAVING;
    truth_of(m, device)->talk = NO_TALK;
    peers_gone(m->peers, device, m->now_ms);
    HOLDS(m, device->contact == NULL);
    if (flight == NULL || !flight->is_claimed) return;
    if (was_leaving)
        take_contact(m, flight);
    else
        land(m, flight);
}

static void want(struct model *m, struct flight *flight) {
    flight->is_granted = false;
    flight->wanted_ms = m->now_ms;
    peers_want(m->peers, flight->turn, m->now_ms);
}

static void reopen(struct model *m, struct flight *flight, struct truth *t) {
    flight->is_granted = false;
    peers_want_not(m->peers, flight->turn);
    talk(m, t, PAUSING, 1, 50);
}

static void end_talk(struct model *m, struct flight *flight, enum state outcome, bool has_failed) {
    flight->outcome = outcome;
    flight->has_failed = has_failed;
    talk(m, truth_of(m, flight->turn->device), LOGOUT, 0, 10);
}

static void on_login(struct model *m, struct flight *flight, struct truth *t) {
    if (t->dead_ms != 0) {
        flight->outcome = DONE;
        flight->has_failed = true;
        lose_contact(m, flight->turn->device);
    } else if (chance(m, m->loss_percent)) {
        talk(m, t, PAUSING, 1, 50);
    } else if (chance(m, 5)) { // nothing is to be installed
        flight->up_ms = m->now_ms;
        end_talk(m, flight, DONE, false);
    } else {
        flight->up_ms = m->now_ms;
        talk(m, t, WANTING, 1, 300);
        if (!chance(m, m->loss_percent)) t->due_ms = UINT64_MAX;
        if (flight->commit_ms == UINT64_MAX) want(m, flight); // else once the store has answered
    }
}

static void on_installed(struct model *m, struct flight *flight, struct truth *t) {
    const bool fails = chance(m, m->fail_percent);
    if (fails && t->dead_ms == 0 && chance(m, 50)) t->dead_ms = m->now_ms; // bricked
    if (t->dead_ms == 0) {
        if (!fails) flight->up_ms = m->now_ms;
        end_talk(m, flight, DONE, fails);
        return;
    }
    flight->outcome = DONE;
    flight->has_failed = true;
    lose_contact(m, flight->turn->device);
}

static void on_claimed(struct model *m, struct flight *flight) {
    struct device *device = flight->turn->device;
    if (chance(m, m->loss_percent / 2)) { // refused; what was kept for it is dropped
        if (device->contact != NULL && device->ask != ASK_LEAVING) lose_contact(m, device);
        put_back(m, flight);
        return;
    }
    schedule_claimed(m->schedule, &flight->work);
    flight->is_claimed = true;
    take_contact(m, flight);
}

static void on_intended(struct model *m, struct flight *flight) {
    struct truth *t = truth_of(m, flight->turn->device);
    const bool waits = t->talk == WANTING;
    if (waits && flight->is_granted && peers_hold_still(m->peers, flight->turn, m->now_ms)) {
        check_install(m, flight);
        talk(m, t, INSTALL, 10, 400);
    } else if (waits) {
        want(m, flight); // withdrawn
    } else {
        land(m, flight);
    }
}

static void on_stored(struct model *m, struct flight *flight) {
    flight->commit_ms = UINT64_MAX;
    if (flight->is_claimed)
        on_intended(m, flight);
    else
        on_claimed(m, flight);
}

static bool next_work(struct model *m, struct schedule_work *work) {
    struct device *device;
    if (schedule_in_hand(m->schedule) == m->workers) return false;
    while (peers_are_pressed(m->peers) && (device = peers_next_kept(m->peers)) != NULL) {
        const struct model_job *job = device->kept_for.run;
        HOLDS(m, job->scheduled != NULL);
        HOLDS(m, job->hosts[device->kept_for.host] == WAITING);
        if (schedule_next_in(m->schedule, job->scheduled, device->kept_for.cohort,
                             device->kept_for.host, work))
            return true;
    }
    return schedule_next(m->schedule, work);
}

static void pass_over(struct model *m, struct schedule_work *work) {
    struct model_job *job = work->owner;
    schedule_claimed(m->schedule, work);
    skip(m, job, work->host);
    schedule_done(m->schedule, work, false);
    finish_if_done(m, job);
}

static bool start_host(struct model *m) {
    struct schedule_work work;
    struct peers_hold hold;
    if (!next_work(m, &work)) return false;
    struct model_job *job = work.owner;
    HOLDS(m, job->hosts[work.host] == WAITING);
    if (m->truths[work.host].is_foreign) {
        pass_over(m, &work);
        return true;
    }
    struct flight *flight = mem_alloc(sizeof *flight);
    *flight = (struct flight){.job = job, .work = work, .outcome = WAITING};
    flight->turn = peers_begin(m->peers, m->inventory, &job->grouping, work.cohort, work.host,
                               work.group, flight, m->now_ms, &hold);
    if (flight->turn == NULL) {
        HOLDS(m, ++m->refusals <= PUT_BACKS_MAX * m->hosts_count * m->jobs_count);
        schedule_hold(m->schedule, hold.key);
        schedule_put_back(m->schedule, &work);
        free(flight);
        return true;
    }
    HOLDS(m, flight_on(m, work.host) == NULL);
    job->hosts[work.host] = IN_HAND;
    flight->began_ms = m->now_ms;
    flight->commit_ms = m->now_ms + draw(m, 0, 10);
    flight->next = m->flights;
    m->flights = flight;
    m->truths[work.host].answer_ms = 0;
    return true;
}

// --- asks

// Whether the session is to stay: mostly that of the next of the group.
static bool is_to_stay(struct model *m, const struct device *device) {
    const struct member *member = device->waiting;
    if (member == NULL) return false;
    const struct flight *flight = member->turn->owner;
    size_t count, first = 0;
    const struct member *members = turn_members(member->turn, &count);
    if (flight->job->hosts[member->host] != WAITING) return false;
    while (flight->job->hosts[members[first].host] != WAITING)
        first++;
    return members[first].device == device || chance(m, 20);
}

static void ask(struct model *m, struct device *device) {
    struct truth *t = truth_of(m, device);
    HOLDS(m, device->contact == NULL && t->talk == NO_TALK);
    HOLDS(m, device->turn == NULL && device->waiting != NULL);
    peers_asking(m->peers, device, is_to_stay(m, device));
    device->contact = t;
    talk(m, t, ASKING, 1, 20);
}

static void stay_or_leave(struct model *m, struct device *device, struct truth *t) {
    static const struct member nobody;
    const struct member *member = device->waiting;
    if (device->is_passing) {
        peers_leaving(m->peers, device);
        talk(m, t, GOING, 0, 10);
        return;
    }
    const bool stays = is_to_stay(m, device);
    struct flight *flight = stays ? member->turn->owner : NULL;
    peers_kept(m->peers, device, stays ? flight->job : NULL, stays ? member : &nobody);
    if (!stays) peers_keep_not(m->peers, device);
    talk(m, t, STAYING, m->config.max_age_ms, m->config.max_age_ms);
    if (chance(m, m->loss_percent)) t->due_ms = m->now_ms + draw(m, 1, m->config.max_age_ms);
}

static void refute(struct model *m, struct device *device, struct truth *t) {
    const unsigned way = (unsigned)draw(m, 0, 2);
    t->is_bad |= way < 2 || device->waiting != NULL;
    if (t->is_bad) t->refuted_ms = m->now_ms;
    if (way == 0) { // it answers, and is installing
        peers_leaving(m->peers, device);
        peers_answered(m->peers, device, "installing", m->now_ms);
        talk(m, t, GOING, 0, 10);
        return;
    }
    if (way == 1) peers_answered(m->peers, device, "no answer", m->now_ms);
    lose_contact(m, device);
}

static void on_answer(struct model *m, struct device *device, struct truth *t) {
    if (device->turn != NULL || device->ask == ASK_LEAVING) { // the answer is nobody's any more
        lose_contact(m, device);
    } else if (t->dead_ms != 0 || chance(m, m->loss_percent / 2)) {
        refute(m, device, t);
    } else {
        t->answer_ms = m->now_ms;
        t->is_bad = false;
        stay_or_leave(m, device, t);
        peers_answered(m->peers, device, NULL, m->now_ms);
    }
}

static void on_stayed(struct model *m, struct device *device, struct truth *t) {
    if (device->turn != NULL || t->dead_ms != 0 || chance(m, m->loss_percent)) {
        lose_contact(m, device);
    } else {
        peers_leaving(m->peers, device);
        talk(m, t, GOING, 0, 10);
    }
}

static void step(struct model *m, uint32_t host) {
    struct device *device = peers_find(m->peers, &m->inventory->hosts[host]);
    struct truth *t = &m->truths[host];
    struct flight *flight = flight_of(device);
    switch (t->talk) {
    case NO_TALK:
        break;
    case ASKING:
        on_answer(m, device, t);
        break;
    case STAYING:
        on_stayed(m, device, t);
        break;
    case LOGIN:
        on_login(m, flight, t);
        break;
    case WANTING:
        reopen(m, flight, t);
        break;
    case PAUSING:
        talk(m, t, LOGIN, 1, 30);
        break;
    case INSTALL:
        on_installed(m, flight, t);
        break;
    case GOING:
    case LOGOUT:
        lose_contact(m, device);
        break;
    }
}

// --- what the peers want done

static void carry_out(struct model *m, const struct peers_deed *deed) {
    struct flight *flight = deed->kind >= PEERS_GRANT ? deed->turn->owner : NULL;
    const bool is_slow = chance(m, m->slow_percent);
    switch (deed->kind) {
    case PEERS_ASK:
        ask(m, deed->device);
        break;
    case PEERS_LET_GO:
        HOLDS(m, truth_of(m, deed->device)->talk == STAYING && deed->device->turn == NULL);
        talk(m, truth_of(m, deed->device), GOING, 0, 10);
        break;
    case PEERS_GRANT:
        check_install(m, flight);
        flight->is_granted = true;
        flight->commit_ms = m->now_ms + draw(m, 0, is_slow ? 2 * m->config.max_age_ms : 10);
        break;
    case PEERS_SKIP:
        check_skip(m, flight, deed->text);
        end_talk(m, flight, SKIPPED, false);
        break;
    case PEERS_BACK:
        check_back(m, flight, &deed->hold);
        schedule_hold(m->schedule, deed->hold.key);
        talk(m, truth_of(m, deed->turn->device), LOGOUT, 0, 10);
        break;
    }
    check_asks(m);
}

static void pump(struct model *m) {
    struct peers_deed deed;
    while (peers_next(m->peers, m->now_ms, &deed))
        carry_out(m, &deed);
}

// --- the virtual clock

struct next { // what happens next
    uint64_t at_ms;
    enum { NOTHING, ARRIVAL, STORED, TALK, RETRY, FLIP } kind;
    void *what;
    uint32_t host;
};

static void consider(struct next *next, struct next other) {
    if (other.at_ms < next->at_ms) *next = other;
}

static struct next find_next(struct model *m) {
    struct next next = {.at_ms = UINT64_MAX};
    for (unsigned j = 0; j < m->jobs_count; j++)
        if (!m->jobs[j].arrived)
            consider(&next, (struct next){m->jobs[j].arrives, ARRIVAL, &m->jobs[j], 0});
    for (struct flight *f = m->flights; f != NULL; f = f->next)
        consider(&next, (struct next){f->commit_ms, STORED, f, 0});
    for (uint32_t h = 0; h < m->hosts_count; h++)
        if (m->truths[h].talk != NO_TALK)
            consider(&next, (struct next){m->truths[h].due_ms, TALK, NULL, h});
    consider(&next, (struct next){peers_due_ms(m->peers), RETRY, NULL, 0});
    if (next.kind == NOTHING) return next; // a device that comes up is not what to wait for
    for (uint32_t h = 0; h < m->hosts_count; h++)
        consider(&next, (struct next){m->truths[h].flip_ms, FLIP, NULL, h});
    return next;
}

static void arrive(struct model *m, struct model_job *job) {
    job->arrived = true;
    job->scheduled = schedule_add(m->schedule, &job->grouping, job);
    finish_if_done(m, job);
}

static void flip(struct model *m, struct truth *t) {
    t->dead_ms = t->dead_ms == 0 ? m->now_ms : 0;
    set_next_flip(m, t);
}

static bool happen(struct model *m) {
    struct next next = find_next(m);
    if (next.kind == NOTHING) return false;
    if (next.at_ms > m->now_ms) m->now_ms = next.at_ms;
    switch (next.kind) {
    case ARRIVAL:
        arrive(m, next.what);
        break;
    case STORED:
        on_stored(m, next.what);
        break;
    case TALK:
        step(m, next.host);
        break;
    case FLIP:
        flip(m, &m->truths[next.host]);
        break;
    case RETRY:
    case NOTHING:
        break;
    }
    return true;
}

// What comes from outside, now and then.
static void meddle(struct model *m) {
    struct model_job *job = &m->jobs[draw(m, 0, m->jobs_count - 1)];
    const uint64_t what = draw(m, 1, 10000);
    if (what <= 3 && job->scheduled != NULL) schedule_cancel(m->schedule, job->scheduled);
    if (what == 4) schedule_drain(m->schedule);
    if (what == 4) peers_keep_none(m->peers);
    if (what == 4) m->config.wait_ms = 0; // nobody waits for a peer to come up any more
    for (unsigned j = 0; what <= 4 && j < m->jobs_count; j++)
        finish_if_done(m, &m->jobs[j]);
}

static void check_run(uint64_t seed) {
    struct model *m = make_model(seed);
    while (happen(m)) {
        HOLDS(m, ++m->events <= (uint64_t)EVENTS_MAX * m->hosts_count * m->jobs_count);
        meddle(m);
        do {
            pump(m);
        } while (start_host(m));
        check_asks(m);
    }
    check_end(m);
    peers_free(m->peers);
    schedule_free(m->schedule);
    policy_deinit(&m->policy);
    inventory_unref(m->inventory);
    free(m);
}

START_TEST(no_install_is_sent_while_too_many_of_a_group_are_not_up) {
    run_seeds(RUNS, check_run);
}
END_TEST

Suite *check_gate(void) {
    Suite *suite = suite_create("gate");
    TCase *random = tcase_create("random networks");
    tcase_set_timeout(random, 120);
    suite_add_tcase(suite, random);
    tcase_add_test(random, no_install_is_sent_while_too_many_of_a_group_are_not_up);
    return suite;
}

// Hosts under several constraints: the schedule against its contract (schedule.h), over random
// networks, jobs that overlap, that had begun before or are paused, failures, hosts that are put
// back, holds, cancels and halts. What is asked of it is what a reader of the contract would ask,
// host by host, from the start each time.
#include "tests/unit/offers_network.h"
#include "tests/unit/seeds.h"

Suite *check_offers(void);

enum { RUNS = 4000 };

// --- the contract, spelled out

static unsigned constraint_at(const struct model_job *job, uint32_t host, unsigned i) {
    return need_constraint(job->needs[host][i]);
}

static const uint32_t *need_of(const struct model_job *job, uint32_t host, unsigned constraint) {
    for (unsigned i = 0; i < job->needs_count[host]; i++)
        if (constraint_at(job, host, i) == constraint) return &job->needs[host][i];
    return NULL;
}

static unsigned count_in(const struct model_job *job, unsigned constraint, enum state state) {
    unsigned count = 0;
    for (uint32_t h = 0; h < HOSTS_MAX; h++)
        count += job->hosts[h] == state && need_of(job, h, constraint) != NULL;
    return count;
}

// The least of those jobs that have hosts left in it; of paused ones, in hand.
static unsigned limit_of(const struct model *m, unsigned constraint) {
    unsigned limit = UINT32_MAX;
    for (unsigned j = 0; j < m->jobs_count; j++) {
        const struct model_job *job = &m->jobs[j];
        if (job->scheduled == NULL || job->limit[constraint] >= limit) continue;
        if ((!job->paused && count_in(job, constraint, WAITING) > 0) ||
            count_in(job, constraint, IN_HAND) > 0)
            limit = job->limit[constraint];
    }
    return limit;
}

static bool waits_for_first(const struct model_job *job, uint32_t need) {
    for (uint32_t h = 0; h < HOSTS_MAX && need < NEED_FIRST; h++) {
        const uint32_t *other = need_of(job, h, need);
        if (job->hosts[h] == WAITING && other != NULL && *other >= NEED_FIRST) return true;
    }
    return false;
}

static bool is_reserver(const struct model *m, const struct model_job *job, uint32_t host) {
    return m->reserving == job && m->reserver == host;
}

static bool has_place(const struct model *m, const struct model_job *job, uint32_t host,
                      unsigned constraint) {
    const bool kept = m->reserving != NULL && !is_reserver(m, job, host) &&
                      need_of(m->reserving, m->reserver, constraint) != NULL;
    return m->holds[constraint] == 0 && m->busy[constraint] + kept < limit_of(m, constraint);
}

// Nothing of it is handed out; but it has its turns still, where it has hosts left.
static bool is_shut(const struct model *m, const struct model_job *job) {
    unsigned in_hand = 0;
    for (size_t i = 0; i < m->flights_count; i++)
        in_hand += m->flights[i].work.owner == job && !m->flights[i].rests;
    return job->cancelled || (job->workers > 0 && in_hand + job->doubts >= job->workers);
}

static bool may_start(const struct model *m, const struct model_job *job, uint32_t host) {
    if (job->scheduled == NULL || job->paused || job->hosts[host] != WAITING) return false;
    if (is_shut(m, job)) return false;
    for (unsigned i = 0; i < job->needs_count[host]; i++)
        if (!has_place(m, job, host, constraint_at(job, host, i)) ||
            waits_for_first(job, job->needs[host][i]))
            return false;
    return true;
}

// No host that may start, of this job but for the one given or of another, wants what this one
// does.
static bool is_alone(const struct model *m, const struct model_job *job, uint32_t host,
                     uint32_t but_for) {
    for (unsigned j = 0; j < m->jobs_count; j++)
        for (uint32_t h = 0; h < m->hosts_count; h++) {
            const struct model_job *other = &m->jobs[j];
            if (other == job && (h == host || h == but_for)) continue;
            if (other == job
                    ? !may_start(m, other, h)
                    : other->scheduled == NULL || other->paused || other->hosts[h] != WAITING)
                continue;
            for (unsigned i = 0; i < job->needs_count[host]; i++)
                if (need_of(other, h, constraint_at(job, host, i)) != NULL) return false;
        }
    return true;
}

static bool share_a_throttle(const struct model *m, const struct model_job *job, uint32_t a,
                             uint32_t b) {
    for (unsigned c = 0; c < CONSTRAINTS_MAX; c++)
        if (m->is_throttle[c] && need_of(job, a, c) != NULL && need_of(job, b, c) != NULL)
            return true;
    return false;
}

// Nobody of a group is passed over who could go.
static void check_order(const struct model *m, const struct model_job *job, uint32_t host) {
    for (unsigned i = 0; i < job->needs_count[host]; i++) {
        const uint32_t c = constraint_at(job, host, i);
        for (uint32_t h = 0; h < host && !m->is_throttle[c]; h++)
            if (need_of(job, h, c) != NULL && *need_of(job, h, c) == job->needs[host][i] &&
                may_start(m, job, h) && !share_a_throttle(m, job, h, host))
                HOLDS(m, !is_alone(m, job, h, host));
    }
    for (const struct model_job *older = m->jobs; older < job; older++)
        for (uint32_t h = 0; h < m->hosts_count; h++)
            if (may_start(m, older, h)) HOLDS(m, !is_alone(m, older, h, h));
}

// It may be the turn of a job of which nothing is handed out.
static bool is_behind_shut(const struct model *m, const struct model_job *job, uint32_t host) {
    for (unsigned j = 0; j < m->jobs_count; j++) {
        const struct model_job *other = &m->jobs[j];
        if (other->scheduled == NULL || other->paused || !is_shut(m, other)) continue;
        for (unsigned i = 0; i < job->needs_count[host]; i++)
            if (count_in(other, constraint_at(job, host, i), WAITING) > 0) return true;
    }
    return false;
}

static void check_nobody(const struct model *m) {
    if (m->draining || m->halted || m->in_hand >= m->workers) return;
    for (unsigned j = 0; j < m->jobs_count; j++)
        for (uint32_t h = 0; h < m->hosts_count; h++)
            HOLDS(m, !may_start(m, &m->jobs[j], h) || is_behind_shut(m, &m->jobs[j], h));
}

// The host would wait for more than hosts in hand that end.
static bool waits_for_more(const struct model *m, const struct model_job *job, uint32_t host) {
    for (unsigned i = 0; i < job->needs_count[host]; i++) {
        const unsigned c = constraint_at(job, host, i);
        if (m->holds[c] > 0 || m->resting[c] >= limit_of(m, c)) return true;
        if (waits_for_first(job, job->needs[host][i])) return true;
    }
    return false;
}

// Once places are kept for a host they are so until it goes, or would wait for more than that.
static void check_reserver(struct model *m) {
    struct model_job *before = m->reserving;
    const uint32_t host = m->reserver;
    void *owner = NULL;
    m->reserving = schedule_reserver(m->schedule, &owner, &m->reserver) ? owner : NULL;
    if (m->reserving != NULL) {
        HOLDS(m, m->reserving->hosts[m->reserver] == WAITING && !m->reserving->paused);
        HOLDS(m, !waits_for_more(m, m->reserving, m->reserver));
    }
    if (before == NULL || before->scheduled == NULL || before->hosts[host] != WAITING) return;
    const bool lets_go = before->paused || waits_for_more(m, before, host);
    // One that was put back goes before it, where both are under the same constraints.
    HOLDS(m, lets_go || (m->reserving == before && m->reserver <= host));
}

static void check_totals(struct model *m) {
    size_t pending = 0;
    HOLDS(m, schedule_in_hand(m->schedule) == m->in_hand);
    for (unsigned j = 0; j < m->jobs_count; j++) {
        struct model_job *job = &m->jobs[j];
        if (job->scheduled == NULL) continue;
        HOLDS(m, schedule_finished(job->scheduled) == (job->open == 0));
        for (unsigned c = 0; c < CONSTRAINTS_MAX; c++)
            pending += !m->is_throttle[c] && count_in(job, c, WAITING) > 0;
    }
    HOLDS(m, schedule_groups_pending(m->schedule) == pending);
    check_reserver(m);
}

// --- what can happen

static void remove_if_finished(struct model *m, struct model_job *job) {
    if (job->scheduled == NULL || job->open > 0) return;
    schedule_remove(m->schedule, job->scheduled);
    job->scheduled = NULL;
    if (m->reserving == job) m->reserving = NULL;
}

static void expect_skips(struct model *m, struct model_job *job, uint32_t cause) {
    memset(m->skip, 0, sizeof m->skip);
    for (uint32_t h = 0; h < HOSTS_MAX; h++)
        m->skip_causes[h] = cause;
    m->skip_job = job;
    m->skip_after = -1;
    m->stopped = 0;
    m->skips = 0;
}

static unsigned count_waiting(const struct model_job *job) {
    unsigned count = 0;
    for (uint32_t h = 0; job->scheduled != NULL && h < HOSTS_MAX; h++)
        count += job->hosts[h] == WAITING;
    return count;
}

static bool is_stopped(const struct model *m, const struct model_job *job, unsigned constraint) {
    return !m->is_throttle[constraint] && job->failed[constraint] >= job->limit[constraint];
}

static void take_places(struct model *m, const struct model_job *job, uint32_t host) {
    for (unsigned i = 0; i < job->needs_count[host]; i++)
        m->busy[constraint_at(job, host, i)]++;
    m->in_hand++;
}

static void give_places_back(struct model *m, const struct model_job *job, uint32_t host) {
    for (unsigned i = 0; i < job->needs_count[host]; i++)
        m->busy[constraint_at(job, host, i)]--;
    m->in_hand--;
}

static void begin_before(struct model *m, struct model_job *job, uint32_t host) {
    if (job->past[host] == PAST_IN_DOUBT) {
        job->hosts[host] = IN_HAND;
        job->doubts++;
        take_places(m, job, host);
        return;
    }
    job->hosts[host] = DONE;
    job->open--;
    for (unsigned i = 0; job->past[host] == PAST_FAILED && i < job->needs_count[host]; i++) {
        const unsigned c = constraint_at(job, host, i);
        job->failed[c]++;
        job->cause[c] = host; // the last of them
        m->has_failed = true;
    }
}

// Some hosts are over, some of them failed, some are in doubt, whether there is a place or not.
static void make_past(struct model *m, struct model_job *job) {
    for (uint32_t h = 0; h < m->hosts_count; h++) {
        const unsigned what = (unsigned)draw(m, 0, 99);
        if (job->hosts[h] == ABSENT) continue;
        job->past[h] = what < 50   ? PAST_PENDING
                       : what < 75 ? PAST_OVER
                       : what < 90 ? PAST_IN_DOUBT
                                   : PAST_FAILED;
        if (job->past[h] != PAST_PENDING) begin_before(m, job, h);
    }
}

static enum past past_of_host(void *arg, uint32_t host) {
    const struct model_job *job = arg;
    return job->past[host];
}

// What waits in groups that have stopped; the first of a host's by number is the reason.
static unsigned mark_stopped(struct model *m, const struct model_job *job) {
    unsigned marked = 0;
    for (unsigned c = 0; c < CONSTRAINTS_MAX; c++) {
        if (!is_stopped(m, job, c)) continue;
        m->stopped++;
        for (uint32_t h = 0; h < m->hosts_count; h++) {
            if (job->hosts[h] != WAITING || need_of(job, h, c) == NULL || m->skip[h]) continue;
            m->skip[h] = true;
            m->skip_causes[h] = job->cause[c];
            marked++;
        }
    }
    return marked;
}

static unsigned mark_all(struct model *m, const struct model_job *job) {
    unsigned marked = 0;
    for (uint32_t h = 0; h < m->hosts_count; h++) {
        if (job->hosts[h] != WAITING) continue;
        m->skip[h] = true;
        marked++;
    }
    m->stopped += 2; // in no order of theirs
    return marked;
}

static void add_resumed(struct model *m, struct model_job *job) {
    make_past(m, job);
    expect_skips(m, job, SCHEDULE_NO_HOST);
    unsigned rest = mark_stopped(m, job);
    if (m->draining) rest = mark_all(m, job);
    job->scheduled = schedule_add_resumed(m->schedule, &job->grouping, job, past_of_host, job);
    HOLDS(m, m->skips == rest);
}

static void arrive(struct model *m, struct model_job *job) {
    job->arrived = true;
    if (chance(m, m->resume_percent)) {
        add_resumed(m, job);
    } else {
        expect_skips(m, NULL, SCHEDULE_NO_HOST);
        job->scheduled = schedule_add(m->schedule, &job->grouping, job);
        HOLDS(m, m->skips == (m->draining ? job->grouping.hosts : 0));
    }
    check_totals(m);
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
        HOLDS(m, need_of(job, host, (unsigned)atoi(flight->work.group + 1)) != NULL);
        HOLDS(m, job->hosts[host] == IN_HAND && job->past[host] == PAST_IN_DOUBT);
        job->past[host] = PAST_PENDING; // it is handed out once
        job->doubts--;
        m->flights_count++;
        flight->due = m->now + draw(m, 1, 20);
        flight->claimed = true;
        flight->rests = false;
        check_totals(m);
        return true;
    }
    return false;
}

static bool start_one(struct model *m) {
    struct flight *flight = &m->flights[m->flights_count];
    if (!schedule_next(m->schedule, &flight->work)) {
        check_nobody(m);
        return false;
    }
    struct model_job *job = flight->work.owner;
    const uint32_t host = flight->work.host;
    HOLDS(m, !m->draining && !m->halted && m->in_hand < m->workers);
    HOLDS(m, flight->work.job == job->scheduled);
    HOLDS(m, may_start(m, job, host));
    HOLDS(m, strcmp(flight->work.group, m->keys[constraint_at(job, host, 0)]) == 0 ||
                 need_of(job, host, (unsigned)atoi(flight->work.group + 1)) != NULL);
    check_order(m, job, host);
    job->hosts[host] = IN_HAND;
    take_places(m, job, host);
    m->flights_count++;
    flight->due = m->now + draw(m, 1, 20);
    flight->claimed = chance(m, 50);
    flight->rests = false;
    if (flight->claimed) schedule_claimed(m->schedule, &flight->work);
    check_totals(m);
    return true;
}

static struct flight land(struct model *m, size_t number) {
    const struct flight flight = m->flights[number];
    const struct model_job *job = flight.work.owner;
    m->flights[number] = m->flights[--m->flights_count];
    give_places_back(m, job, flight.work.host);
    if (!flight.rests) return flight;
    m->in_hand++; // it had none
    for (unsigned i = 0; i < job->needs_count[flight.work.host]; i++)
        m->resting[constraint_at(job, flight.work.host, i)]--;
    return flight;
}

// Of a paused job: it keeps its places, and gives its worker back.
static void rest(struct model *m, struct flight *flight) {
    const struct model_job *job = flight->work.owner;
    if (!flight->claimed) schedule_claimed(m->schedule, &flight->work);
    flight->claimed = flight->rests = true;
    flight->due = UINT64_MAX;
    m->in_hand--;
    for (unsigned i = 0; i < job->needs_count[flight->work.host]; i++)
        m->resting[constraint_at(job, flight->work.host, i)]++;
    schedule_rest(m->schedule, &flight->work);
    check_totals(m);
}

static void hold(struct model *m, unsigned constraint) {
    m->holds[constraint]++;
    schedule_hold(m->schedule, m->keys[constraint]);
    check_totals(m);
}

// Skipped where its job or one of its groups is stopped meanwhile.
static void put_back(struct model *m, size_t number) {
    struct flight flight = land(m, number);
    struct model_job *job = flight.work.owner;
    const uint32_t host = flight.work.host;
    bool is_skipped = job->cancelled;
    expect_skips(m, job, SCHEDULE_NO_HOST);
    job->hosts[host] = WAITING;
    // The groups in the order in which the schedule has them: by number.
    for (unsigned c = 0; c < CONSTRAINTS_MAX && !is_skipped; c++)
        if (need_of(job, host, c) != NULL && is_stopped(m, job, c)) {
            is_skipped = true;
            m->skip_causes[host] = job->cause[c];
        }
    m->skip[host] = is_skipped;
    schedule_put_back(m->schedule, &flight.work);
    HOLDS(m, m->skips == is_skipped);
    check_totals(m);
    remove_if_finished(m, job);
}

static unsigned mark_rest(struct model *m, struct model_job *job, uint32_t host) {
    unsigned rest = 0;
    for (unsigned i = 0; i < job->needs_count[host]; i++) {
        const unsigned c = constraint_at(job, host, i);
        if (m->is_throttle[c] || ++job->failed[c] != job->limit[c]) continue;
        job->cause[c] = host;
        m->stopped++;
        for (uint32_t h = 0; h < m->hosts_count; h++) {
            if (job->hosts[h] != WAITING || need_of(job, h, c) == NULL || m->skip[h]) continue;
            m->skip[h] = true;
            rest++;
        }
    }
    return rest;
}

static void finish(struct model *m, size_t number) {
    const struct model_job *of = m->flights[number].work.owner;
    if (of->paused && !m->flights[number].rests && chance(m, 50)) {
        rest(m, &m->flights[number]);
        return;
    }
    if (chance(m, m->refuse_percent)) {
        put_back(m, number);
        return;
    }
    struct flight flight = land(m, number);
    struct model_job *job = flight.work.owner;
    const bool failed = chance(m, m->fail_percent);
    if (!flight.claimed) schedule_claimed(m->schedule, &flight.work);
    job->hosts[flight.work.host] = DONE;
    job->open--;
    expect_skips(m, job, flight.work.host);
    const unsigned rest = failed ? mark_rest(m, job, flight.work.host) : 0;
    schedule_done(m->schedule, &flight.work, failed);
    HOLDS(m, m->skips == rest);
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
    unsigned waiting = 0;
    for (unsigned j = 0; j < m->jobs_count; j++)
        waiting += count_waiting(&m->jobs[j]);
    m->draining = true;
    m->drain_at = UINT64_MAX;
    expect_skips(m, NULL, SCHEDULE_NO_HOST);
    for (unsigned j = 0; j < m->jobs_count; j++)
        m->jobs[j].cancelled = true;
    schedule_drain(m->schedule);
    HOLDS(m, m->skips == waiting);
    check_totals(m);
    for (unsigned j = 0; j < m->jobs_count; j++)
        remove_if_finished(m, &m->jobs[j]);
}

static void cancel(struct model *m, struct model_job *job) {
    if (job->scheduled == NULL) return;
    const unsigned waiting = count_waiting(job);
    job->cancelled = true;
    expect_skips(m, NULL, SCHEDULE_NO_HOST);
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
        const unsigned left = count_waiting(job), count = (unsigned)draw(m, 1, 5);
        if (!job->cancelled || left == 0) continue;
        expect_skips(m, NULL, SCHEDULE_NO_HOST);
        const bool has_more = schedule_skip_some(m->schedule, job->scheduled, count);
        HOLDS(m,
              m->skips == (count < left ? count : left) && m->skips == left - count_waiting(job));
        HOLDS(m, has_more == (count < left));
        check_totals(m);
        remove_if_finished(m, job);
        return true;
    }
    return false;
}

// At any moment: what is in hand beyond it stays so.
static void limit(struct model *m, struct model_job *job) {
    if (job->scheduled == NULL || !chance(m, m->limit_percent)) return;
    job->workers = (unsigned)draw(m, 0, 4);
    schedule_limit(m->schedule, job->scheduled,
                   job->workers == 0 ? SCHEDULE_NO_LIMIT : job->workers);
    check_totals(m);
}

static bool wake_any(struct model *m) {
    for (size_t i = 0; i < m->flights_count; i++) {
        if (!m->flights[i].rests) continue;
        finish(m, i);
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
        for (uint32_t h = 0; h < m->hosts_count; h++)
            if (job->hosts[h] == IN_HAND) give_places_back(m, job, h);
        schedule_abandon(m->schedule, job->scheduled);
        job->scheduled = NULL;
        if (m->reserving == job) m->reserving = NULL;
        check_totals(m);
        return true;
    }
    return false;
}

static bool release(struct model *m, unsigned constraint) {
    if (m->holds[constraint] == 0) return false;
    m->holds[constraint]--;
    schedule_release(m->schedule, m->keys[constraint]);
    check_totals(m);
    return true;
}

static void meddle(struct model *m) {
    struct model_job *job = &m->jobs[draw(m, 0, m->jobs_count - 1)];
    if (draw(m, 0, 999) < m->pause_permille) pause_job(m, job);
    if (draw(m, 0, 999) < m->pause_permille) unpause_job(m, job);
    while (chance(m, 90) && get_doubt(m))
        ;
    if (chance(m, 10)) wake_any(m);
    if (draw(m, 0, 999) < m->stop_permille) stop(m, job);
    if (chance(m, 40)) skip_some(m);
    if (chance(m, 10)) limit(m, job);
    if (m->refuse_percent == 0) return;
    if (chance(m, 10)) hold(m, (unsigned)draw(m, 0, m->constraints_count - 1));
    if (chance(m, 20)) release(m, (unsigned)draw(m, 0, m->constraints_count - 1));
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
    const uint64_t due = m->flights_count > 0 ? m->flights[first].due : UINT64_MAX;
    const uint64_t arrives = next_job != NULL ? next_job->arrives : UINT64_MAX;
    if (due == UINT64_MAX && arrives == UINT64_MAX) {
        for (unsigned c = 0; c < CONSTRAINTS_MAX; c++)
            if (release(m, c)) return true;
        return wake_any(m) || abandon_any(m) || get_doubt(m) || skip_some(m) || unpause_any(m);
    }
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
    do {
        // Now and then less is started than could be: what comes later must not depend on it.
        const bool all = chance(m, 80) || m->flights_count == 0;
        while ((all || chance(m, 50)) && start_one(m))
            ;
        meddle(m);
    } while (happen(m) || start_one(m));
    for (unsigned j = 0; j < m->jobs_count; j++) {
        for (uint32_t h = 0; h < m->hosts_count; h++) {
            const enum state state = m->jobs[j].hosts[h];
            HOLDS(m, state == ABSENT || state == DONE || state == SKIPPED || m->halted); // it ends
            HOLDS(m,
                  state != SKIPPED || m->fail_percent > 0 || m->has_failed || m->jobs[j].cancelled);
        }
        grouping_deinit(&m->jobs[j].grouping);
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

Suite *check_offers(void) {
    Suite *suite = suite_create("offers");
    TCase *random = tcase_create("random networks");
    tcase_set_timeout(random, 120);
    suite_add_tcase(suite, random);
    tcase_add_test(random, random_networks_are_scheduled_as_the_contract_says);
    return suite;
}

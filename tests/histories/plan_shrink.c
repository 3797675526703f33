// Smaller plans: something is left out, or made simpler.
#include "tests/histories/plan.h"

static bool leave_out(bool *is_absent) {
    if (*is_absent) return false;
    *is_absent = true;
    return true;
}

static bool set_to(unsigned *value, unsigned to) {
    if (*value == to) return false;
    *value = to;
    return true;
}

static bool clear(bool *value) {
    if (!*value) return false;
    *value = false;
    return true;
}

// A retry needs the one that it tries again, and that one's hosts.
static bool is_needed(const struct plan *p, unsigned job) {
    for (unsigned i = 0; i < p->jobs_count; i++)
        if (p->jobs[i].is_retry && !p->jobs[i].is_absent && p->jobs[i].retried == job) return true;
    return false;
}

static bool leave_out_job(struct plan *p, unsigned job) {
    return job < p->jobs_count && !is_needed(p, job) && leave_out(&p->jobs[job].is_absent);
}

static bool is_selected(const struct plan *p, unsigned host) {
    for (unsigned i = 0; i < p->jobs_count; i++)
        if (!p->jobs[i].is_absent && (p->jobs[i].hosts >> host & 1) != 0) return true;
    return false;
}

static bool deselect(struct plan *p, unsigned host) {
    unsigned left = 0;
    const bool was_there = is_selected(p, host);
    for (unsigned i = 0; i < p->jobs_count; i++) {
        p->jobs[i].hosts &= ~(1U << host);
        p->jobs[i].canaries &= ~(1U << host);
        if (plan_root(p, i)->hosts == 0) p->jobs[i].is_absent = true;
        left += !p->jobs[i].is_absent;
    }
    return was_there && left > 0;
}

static bool take_out_of_job(struct plan *p, unsigned job, unsigned host) {
    if (job >= p->jobs_count || p->jobs[job].is_absent) return false;
    const unsigned left = p->jobs[job].hosts & ~(1U << host);
    p->jobs[job].canaries &= left;
    return left != 0 && set_to(&p->jobs[job].hosts, left);
}

enum { BRAKES = 6 };

static bool take_brake_off(struct plan_job *job, unsigned which) {
    switch (which) {
    case 0:
        return set_to(&job->workers, 0);
    case 1:
        return set_to(&job->canaries, 0);
    case 2:
        return set_to(&job->host_timeout_ms, 0);
    case 3:
        return set_to(&job->job_timeout_ms, 0);
    case 4:
        return clear(&job->reads_load) || clear(&job->reads);
    default:
        if (job->failures_unit == ANY_FAILURES) return false;
        job->failures_unit = ANY_FAILURES;
        return true;
    }
}

// One that no job selects is in nobody's way.
static bool take_out_of_groups(struct plan *p, unsigned host) {
    if (is_selected(p, host) || (p->group[0][host] == 0 && p->group[1][host] == 0)) return false;
    if (p->change.kind != NO_CHANGE && p->change.host == host) return false;
    p->group[0][host] = p->group[1][host] = 0;
    return true;
}

static bool drop_second_rule(struct plan *p) {
    bool has_some = false;
    for (unsigned h = 0; h < p->hosts; h++) {
        has_some |= p->group[1][h] != 0;
        if (p->group[0][h] == 0 && is_selected(p, h)) return false;
        p->group[1][h] = 0;
    }
    return has_some;
}

static bool simplify_end(struct plan_end *end) {
    if (end->is_absent) return false;
    if (end->again != SIGNAL_NONE) {
        end->again = SIGNAL_NONE;
        return true;
    }
    if (end->clock_ms != 0) {
        end->clock_ms = 0;
        return true;
    }
    return set_to(&end->away_ms, 1);
}

static bool leave_out_change(struct plan *p) {
    if (p->change.kind == NO_CHANGE) return false;
    p->change.kind = NO_CHANGE;
    return true;
}

enum { OTHERS = 14 };

static bool simplify(struct plan *p, unsigned at) {
    switch (at) {
    case 0:
        return set_to(&p->mess, 0);
    case 1:
        return set_to(&p->slow, 0);
    case 2:
        return set_to(&p->at_once, 0);
    case 3:
        return set_to(&p->peer_wait_ms, 0);
    case 4:
        return set_to(&p->mess, p->mess / 2);
    case 5:
        return set_to(&p->slow, p->slow / 2);
    case 6:
        return leave_out_change(p);
    case 7:
        return clear(&p->policy_changes);
    case 8:
        return set_to(&p->hold.for_ms, 0);
    case 9:
        return set_to(&p->first, 0);
    case 10:
        return set_to(&p->lost, 0);
    case 11:
        return drop_second_rule(p);
    case 12:
        return set_to(&p->max_jobs, 0);
    default:
        return set_to(&p->workers, 1);
    }
}

enum { STEPS = 16 };

// With a host less the moment of an end is another one.
static bool end_sooner(struct plan *p, unsigned host, unsigned number, unsigned step) {
    struct plan_end *end = &p->ends[number];
    if (number >= p->ends_count || end->is_absent) return false;
    if (host < p->hosts && !deselect(p, host)) return false;
    const unsigned after = 1 + end->after * step / STEPS;
    if (after >= end->after) return false;
    end->after = after;
    return true;
}

static bool shrink_at(struct plan *p, unsigned at) {
    if (at < PLAN_NODES_STEPS) return p->nodes > 0 && plan_shrink_nodes(p, at);
    at -= PLAN_NODES_STEPS;
    if (at < PLAN_ENDS) return at < p->ends_count && leave_out(&p->ends[at].is_absent);
    at -= PLAN_ENDS;
    if (at < PLAN_JOBS) return leave_out_job(p, PLAN_JOBS - 1 - at); // retries first
    at -= PLAN_JOBS;
    if (at < PLAN_CONTROLS) return at < p->controls_count && leave_out(&p->controls[at].is_absent);
    at -= PLAN_CONTROLS;
    if (at < PLAN_DEATHS) return at < p->deaths_count && leave_out(&p->deaths[at].is_absent);
    at -= PLAN_DEATHS;
    if (at < PLAN_HOSTS) return at < p->hosts && deselect(p, at);
    at -= PLAN_HOSTS;
    if (at < PLAN_HOSTS) return at < p->hosts && take_out_of_groups(p, at);
    at -= PLAN_HOSTS;
    if (at < PLAN_HOSTS * PLAN_JOBS) return take_out_of_job(p, at / PLAN_HOSTS, at % PLAN_HOSTS);
    at -= PLAN_HOSTS * PLAN_JOBS;
    if (at < BRAKES * PLAN_JOBS)
        return at / BRAKES < p->jobs_count && take_brake_off(&p->jobs[at / BRAKES], at % BRAKES);
    at -= BRAKES * PLAN_JOBS;
    if (at < OTHERS) return simplify(p, at);
    at -= OTHERS;
    if (at < PLAN_ENDS) return at < p->ends_count && simplify_end(&p->ends[at]);
    at -= PLAN_ENDS;
    if (at < PLAN_JOBS) return at < p->jobs_count && set_to(&p->jobs[at].at_ms, 0);
    at -= PLAN_JOBS;
    if (at < PLAN_HOSTS)
        return at < p->hosts && p->mess > 0 && set_to(&p->calm, p->calm | 1U << at);
    at -= PLAN_HOSTS;
    return end_sooner(p, at / (PLAN_ENDS * STEPS), at / STEPS % PLAN_ENDS, at % STEPS);
}

bool plan_shrink(const struct plan *plan, unsigned *at, struct plan *smaller) {
    const unsigned end = 2 * PLAN_ENDS + (2 + PLAN_HOSTS + BRAKES) * PLAN_JOBS + PLAN_CONTROLS +
                         PLAN_DEATHS + 3 * PLAN_HOSTS + OTHERS +
                         (PLAN_HOSTS + 1) * PLAN_ENDS * STEPS + PLAN_NODES_STEPS;
    while (*at < end) {
        *smaller = *plan;
        if (shrink_at(smaller, (*at)++)) return true;
    }
    return false;
}

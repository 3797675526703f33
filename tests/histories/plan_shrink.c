// Smaller plans: something is left out, or made simpler. Then the plan, for people.
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
        if (p->jobs[i].hosts == 0) p->jobs[i].is_absent = true;
        left += !p->jobs[i].is_absent;
    }
    return was_there && left > 0;
}

static bool take_out_of_job(struct plan *p, unsigned job, unsigned host) {
    if (job >= p->jobs_count || p->jobs[job].is_absent) return false;
    const unsigned left = p->jobs[job].hosts & ~(1U << host);
    return left != 0 && set_to(&p->jobs[job].hosts, left);
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

enum { OTHERS = 13 };

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
    if (at < PLAN_ENDS) return at < p->ends_count && leave_out(&p->ends[at].is_absent);
    at -= PLAN_ENDS;
    if (at < PLAN_JOBS) return at < p->jobs_count && leave_out(&p->jobs[at].is_absent);
    at -= PLAN_JOBS;
    if (at < PLAN_DEATHS) return at < p->deaths_count && leave_out(&p->deaths[at].is_absent);
    at -= PLAN_DEATHS;
    if (at < PLAN_HOSTS) return at < p->hosts && deselect(p, at);
    at -= PLAN_HOSTS;
    if (at < PLAN_HOSTS) return at < p->hosts && take_out_of_groups(p, at);
    at -= PLAN_HOSTS;
    if (at < PLAN_HOSTS * PLAN_JOBS) return take_out_of_job(p, at / PLAN_HOSTS, at % PLAN_HOSTS);
    at -= PLAN_HOSTS * PLAN_JOBS;
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
    const unsigned end = 2 * PLAN_ENDS + 2 * PLAN_JOBS + PLAN_DEATHS + 3 * PLAN_HOSTS +
                         PLAN_HOSTS * PLAN_JOBS + OTHERS + (PLAN_HOSTS + 1) * PLAN_ENDS * STEPS;
    while (*at < end) {
        *smaller = *plan;
        if (shrink_at(smaller, (*at)++)) return true;
    }
    return false;
}

// --- for people

static void write_hosts(const struct plan *p, unsigned hosts, struct buf *out) {
    for (unsigned h = 0; h < p->hosts; h++)
        if (hosts >> h & 1) buf_addf(out, " h%u", h);
}

static void write_rule(const struct plan *p, unsigned rule, struct buf *out) {
    for (unsigned group = 1; group <= 3; group++) {
        unsigned members = 0;
        for (unsigned h = 0; h < p->hosts; h++)
            if (p->group[rule][h] == group) members |= 1U << h;
        if (members == 0) continue;
        buf_addf(out, "  group %c%u:", "ab"[rule], group);
        write_hosts(p, members, out);
        buf_addf(out, ", of which %u may be not up\n", p->limit[rule]);
    }
}

static void write_network(const struct plan *p, struct buf *out) {
    for (unsigned r = 0; r < PLAN_RULES; r++)
        write_rule(p, r, out);
    if (p->first != 0) {
        buf_adds(out, "  first in their groups a:");
        write_hosts(p, p->first, out);
        buf_adds(out, "\n");
    }
    if (p->at_once > 0) buf_addf(out, "  throttle over all: %u at once\n", p->at_once);
    if (p->change.kind == NEW_ADDRESS)
        buf_addf(out, "  h%u has another address from %u ms on\n", p->change.host, p->change.at_ms);
    if (p->change.kind == NEW_GROUP)
        buf_addf(out, "  h%u is in group a%u from %u ms on\n", p->change.host, p->change.group,
                 p->change.at_ms);
    if (p->policy_changes)
        buf_addf(out, "  from the first restart on %u may be not up in groups a\n",
                 3 - p->limit[0]);
}

static void write_end(const struct plan_end *end, unsigned number, struct buf *out) {
    static const char *const signals[] = {"", "killed", "told to end (SIGTERM)"};
    buf_addf(out, "  process %u: %s ", number, signals[end->signal]);
    if (end->installs > 0)
        buf_addf(out, "when %u installs have come to devices, and ", end->installs);
    buf_addf(out, "after %u events", end->after);
    if (end->again != SIGNAL_NONE)
        buf_addf(out, ", %s %u later", end->again == SIGNAL_KILL ? "killed" : "told again",
                 end->again_after);
    buf_addf(out, ", the next one %u ms later", end->away_ms);
    if (end->clock_ms < 0) buf_addf(out, ", by a clock that has gone back %d ms", -end->clock_ms);
    buf_adds(out, "\n");
}

void plan_write(const struct plan *p, struct buf *out) {
    buf_addf(out, "seed %llu: %u workers, %u asks", (unsigned long long)p->seed, p->workers,
             p->asks);
    if (p->peer_wait_ms > 0) buf_addf(out, ", peers awaited for %u ms", p->peer_wait_ms);
    if (p->mess > 0) buf_addf(out, ", %u calls in 1000 go wrong", p->mess);
    if (p->lost > 0) buf_addf(out, ", %u installs in 100 are not taken", p->lost);
    if (p->slow > 0) buf_addf(out, ", %u commits in 100 are slow or fail", p->slow);
    buf_adds(out, "\n");
    write_network(p, out);
    for (unsigned i = 0; i < p->jobs_count; i++) {
        if (p->jobs[i].is_absent) continue;
        buf_addf(out, "  job %u, at %u ms: version 5.%u.1 on", i, p->jobs[i].at_ms,
                 p->jobs[i].version + 2);
        write_hosts(p, p->jobs[i].hosts, out);
        buf_adds(out, "\n");
    }
    for (unsigned i = 0; i < p->deaths_count; i++) {
        const struct plan_death *death = &p->deaths[i];
        if (death->is_absent) continue;
        buf_addf(out, "  h%u is dead from %u ms on", death->host, death->from_ms);
        if (death->to_ms > 0) buf_addf(out, ", until %u ms", death->to_ms);
        buf_adds(out, "\n");
    }
    for (unsigned i = 0; i < p->ends_count; i++)
        if (!p->ends[i].is_absent) write_end(&p->ends[i], i + 1, out);
    if (p->hold.for_ms > 0)
        buf_addf(out, "  the store takes no intent of job %u from %u to %u ms\n", p->hold.job,
                 p->hold.at_ms, p->hold.at_ms + p->hold.for_ms);
}

// A plan, for people.
#include "orchestrator/event.h"
#include "tests/histories/plan.h"

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
    if (p->policy_changes && p->nodes == 0)
        buf_addf(out, "  from the first restart on %u may be not up in groups a\n",
                 3 - p->limit[0]);
    if (p->policy_changes && p->nodes > 0)
        buf_addf(out, "  by nodes that begin from %u ms on %u may be not up in groups a\n",
                 p->policy_ms, 3 - p->limit[0]);
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

static void write_brakes(const struct plan *p, const struct plan_job *job, struct buf *out) {
    if (job->workers > 0) buf_addf(out, ", workers %u", job->workers);
    if (job->failures_unit != ANY_FAILURES)
        buf_addf(out, ", max_failures %u%s", job->failures,
                 job->failures_unit == FAILURES_IN_100 ? "%" : "");
    if (job->host_timeout_ms > 0) buf_addf(out, ", host_timeout %u ms", job->host_timeout_ms);
    if (job->job_timeout_ms > 0) buf_addf(out, ", job_timeout %u ms", job->job_timeout_ms);
    if (job->canaries == 0) return;
    buf_adds(out, ", canaries");
    write_hosts(p, job->canaries, out);
}

static void write_retry(const struct plan_job *job, unsigned number, struct buf *out) {
    buf_addf(out, "  job %u, %u ms after job %u is done: tries again what", number, job->at_ms,
             job->retried);
    if ((job->states >> HOST_FAILED & 1) != 0) buf_adds(out, " failed");
    if ((job->states >> HOST_SKIPPED & 1) != 0) buf_adds(out, " was skipped");
    buf_adds(out, "\n");
}

static void write_job(const struct plan *p, unsigned number, struct buf *out) {
    const struct plan_job *job = &p->jobs[number];
    if (job->is_retry) {
        write_retry(job, number, out);
        return;
    }
    buf_addf(out, "  job %u, at %u ms: ", number, job->at_ms);
    if (job->reads)
        buf_addf(out, "%s of", job->reads_load ? "get_cpu_ram" : "get_version");
    else
        buf_addf(out, "version 5.%u.1 on", job->version + 2);
    write_hosts(p, job->hosts, out);
    write_brakes(p, job, out);
    buf_adds(out, "\n");
}

static void write_control(const struct plan_control *control, struct buf *out) {
    static const char *const words[] = {"paused", "to go on", "cancelled"};
    buf_addf(out, "  job %u is %s %u ms after it was taken", control->job, words[control->kind],
             control->at_ms);
    if (control->kind == CONTROL_PAUSE) buf_addf(out, ", for %u ms", control->for_ms);
    buf_adds(out, "\n");
}

void plan_write(const struct plan *p, struct buf *out) {
    buf_addf(out, "seed %llu: %u workers, %u asks", (unsigned long long)p->seed, p->workers,
             p->asks);
    if (p->max_jobs > 0) buf_addf(out, ", %u jobs at a time", p->max_jobs);
    if (p->peer_wait_ms > 0) buf_addf(out, ", peers awaited for %u ms", p->peer_wait_ms);
    if (p->max_age_ms > 500) buf_addf(out, ", answers count for %u ms", p->max_age_ms);
    if (p->mess > 0) buf_addf(out, ", %u calls in 1000 go wrong", p->mess);
    if (p->lost > 0) buf_addf(out, ", %u installs in 100 are not taken", p->lost);
    if (p->slow > 0) buf_addf(out, ", %u commits in 100 are slow or fail", p->slow);
    buf_adds(out, "\n");
    write_network(p, out);
    for (unsigned i = 0; i < p->jobs_count; i++)
        if (!p->jobs[i].is_absent) write_job(p, i, out);
    for (unsigned i = 0; i < p->controls_count; i++)
        if (!p->controls[i].is_absent) write_control(&p->controls[i], out);
    for (unsigned i = 0; i < p->deaths_count; i++) {
        const struct plan_death *death = &p->deaths[i];
        if (death->is_absent) continue;
        buf_addf(out, "  h%u is dead from %u ms on", death->host, death->from_ms);
        if (death->to_ms > 0) buf_addf(out, ", until %u ms", death->to_ms);
        buf_adds(out, "\n");
    }
    for (unsigned i = 0; i < p->ends_count; i++)
        if (!p->ends[i].is_absent) write_end(&p->ends[i], i + 1, out);
    if (p->nodes > 0) plan_write_nodes(p, out);
    if (p->hold.for_ms > 0)
        buf_addf(out, "  the store takes no intent of job %u from %u to %u ms\n", p->hold.job,
                 p->hold.at_ms, p->hold.at_ms + p->hold.for_ms);
}

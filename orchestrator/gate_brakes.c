// What makes a job stop by itself: failures, a canary, time. Of the hosts' own time limit: it never
// acts between an intent and the verification, for what is sent to a device is waited for.
#include "common/duration.h"
#include "orchestrator/gate_internal.h"

#include <stdio.h>

// --- outcomes

// The store is closed, or is about to be: the next process finds what is kept, and stops the job.
static bool is_at_its_end(const struct gate *g) {
    return g->is_aborted || (g->is_halted && flights_under_way(g) == 0);
}

static bool may_stop(const struct run *run) {
    if (is_at_its_end(run->gate)) return false;
    return run->state == RUN_WAITING || run->state == RUN_OPEN || run->state == RUN_PAUSED;
}

static void stop(struct run *run, const char *brake, const char *why, const char *host) {
    run->gate->above.stop(run, brake, why, host);
}

static void stop_at_canary(struct run *run, uint32_t host) {
    const struct job_host *h = job_host(run->job, host);
    const char *name = run->job->inventory->hosts[host].name;
    struct buf why = {0};
    buf_addf(&why, "%s %s: %s", name, h->state == HOST_FAILED ? "failed" : "was skipped",
             h->text == NULL ? "" : h->text);
    stop(run, "canaries", why.data, name);
    buf_deinit(&why);
}

static bool is_bad_canary(const struct job_host *h) {
    return h->is_canary && (h->state == HOST_FAILED || h->state == HOST_SKIPPED);
}

void brakes_check(struct run *run, uint32_t host) {
    const struct job *job = run->job;
    struct buf why = {0};
    if (!may_stop(run)) return;
    if (is_bad_canary(job_host(job, host)))
        stop_at_canary(run, host);
    else if (job_host(job, host)->state == HOST_FAILED &&
             brakes_trip(&job->brakes, job->counts[HOST_FAILED], job->selection.count, &why))
        stop(run, "max_failures", why.data, job->inventory->hosts[host].name);
    buf_deinit(&why);
}

// --- time

static uint64_t run_due_ms(const struct run *run) {
    const uint64_t timeout_ms = run->job->brakes.job_timeout_ms;
    const bool runs = run->opened_ms != 0 && may_stop(run);
    if (timeout_ms == 0 || !runs) return UINT64_MAX;
    return run->opened_ms + (run->before_ms < timeout_ms ? timeout_ms - run->before_ms : 0);
}

static void time_out(struct run *run) {
    char text[DURATION_TEXT_MAX], why[DURATION_TEXT_MAX + 32];
    duration_format(run->job->brakes.job_timeout_ms * 1000, text);
    snprintf(why, sizeof why, "its job_timeout of %s is over", text);
    stop(run, "job_timeout", why, NULL);
}

static void check_those(struct run *run, enum host_state state) {
    const struct selection *selection = &run->job->selection;
    for (size_t i = 0; i < selection->count && may_stop(run); i++)
        if (run->job->hosts[i].state == state) brakes_check(run, selection->hosts[i]);
}

// Those that failed first, for others are skipped because of them.
void brakes_check_all(struct run *run) {
    check_those(run, HOST_FAILED);
    check_those(run, HOST_SKIPPED);
    if (run_due_ms(run) <= gate_now(run->gate)) time_out(run);
}

uint64_t brakes_due_ms(const struct gate *g) {
    uint64_t due_ms = g->host_due_ms;
    for (const struct run *run = g->runs; run != NULL; run = run->next)
        if (run_due_ms(run) < due_ms) due_ms = run_due_ms(run);
    return due_ms;
}

// Where others are over by that, the list is another one.
static void time_out_hosts(struct gate *g, uint64_t now_ms) {
    struct flight *flight = g->flights;
    g->host_due_ms = UINT64_MAX;
    while (flight != NULL) {
        struct flight *next = flight->next;
        const uint64_t over = g->flights_over;
        if (flight_due_ms(flight) > now_ms)
            flight_note_due(flight);
        else
            flight_time_out(flight);
        flight = g->flights_over == over ? next : g->flights;
    }
}

static struct run *next_due(const struct gate *g, uint64_t now_ms) {
    struct run *run = g->runs;
    while (run != NULL && run_due_ms(run) > now_ms)
        run = run->next;
    return run;
}

void brakes_act(struct gate *g) {
    const uint64_t now_ms = gate_now(g);
    struct run *run;
    while ((run = next_due(g, now_ms)) != NULL)
        time_out(run);
    if (g->host_due_ms <= now_ms) time_out_hosts(g, now_ms);
}

// The promises of what holds a job up or stops it: pauses, cancels and brakes. What a brake looks
// at is what the store has kept, and is reckoned anew.
#include "common/json.h"
#include "tests/histories/world_internal.h"

#include <stdlib.h>
#include <string.h>

// --- brakes

bool referee_is_over(const struct kept_job *kept, unsigned hosts) {
    for (unsigned h = 0; h < PLAN_HOSTS; h++)
        if ((hosts >> h & 1) != 0 && kept->result[h] == HOST_WAITING) return false;
    return true;
}

static bool is_bad(enum host_state result) {
    return result == HOST_FAILED || result == HOST_SKIPPED;
}

static unsigned count_hosts(unsigned hosts) {
    unsigned count = 0;
    for (; hosts != 0; hosts >>= 1)
        count += hosts & 1;
    return count;
}

// results: as they were kept, or told.
static bool has_bad_canary(const struct kept_job *kept, const enum host_state *results) {
    for (unsigned h = 0; h < PLAN_HOSTS; h++)
        if ((kept->canaries >> h & 1) != 0 && is_bad(results[h])) return true;
    return false;
}

static bool has_too_many_failures(const struct kept_job *kept, const enum host_state *results) {
    unsigned failed = 0;
    for (unsigned h = 0; h < PLAN_HOSTS; h++)
        failed += results[h] == HOST_FAILED;
    switch (kept->asked->failures_unit) {
    case FAILURES_HOSTS:
        return failed > kept->asked->failures;
    case FAILURES_IN_100:
        return failed * 100 > kept->asked->failures * count_hosts(kept->hosts);
    default:
        return false;
    }
}

bool referee_is_braked(const struct world *w, unsigned job) {
    const struct kept_job *kept = &w->jobs[job];
    return has_bad_canary(kept, kept->result) || has_too_many_failures(kept, kept->result);
}

// How long its time has been over; less than 0: it is not.
static long long overtime_ms(const struct world *w, unsigned job) {
    const struct kept_job *kept = &w->jobs[job];
    if (kept->asked->job_timeout_ms == 0 || kept->opened_ms == 0) return -1;
    return world_wall_ms(w) - kept->opened_ms - (long long)kept->asked->job_timeout_ms;
}

// --- why it is stopped

static bool begins_with(const char *text, const char *start) {
    return text != NULL && strncmp(text, start, strlen(start)) == 0;
}

static bool is_brake_due(const struct world *w, unsigned job, const char *reason) {
    const struct kept_job *kept = &w->jobs[job];
    if (begins_with(reason, "canaries: ")) return has_bad_canary(kept, kept->result);
    if (begins_with(reason, "max_failures: ")) return has_too_many_failures(kept, kept->result);
    return begins_with(reason, "job_timeout: ") && overtime_ms(w, job) >= 0;
}

// NULL is the host of no outcome.
static bool is_host_to_blame(const struct kept_job *kept, const char *reason, const char *name) {
    if (begins_with(reason, "job_timeout: ")) return name == NULL;
    if (name == NULL) return false;
    const unsigned long host = strtoul(name + 1, NULL, 10);
    if (begins_with(reason, "canaries: "))
        return (kept->canaries >> host & 1) != 0 && is_bad(kept->result[host]);
    return kept->result[host] == HOST_FAILED;
}

// What a client reads as stopped_by.
static void check_stopped_by(struct world *w, unsigned job, const char *text, bool is_new) {
    cJSON *stop = NULL;
    struct error err;
    if (text == NULL || json_parse(text, strlen(text), &stop, &err) != 0) {
        story_broken(w, stays_stopped, "job %u is stopped, and does not say why", job);
        return;
    }
    const char *reason = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(stop, "reason"));
    const char *host = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(stop, "host"));
    if (!is_host_to_blame(&w->jobs[job], reason, host))
        story_broken(w, stays_stopped, "job %u is stopped by another host than it says: %s", job,
                     text);
    if (is_new && !is_brake_due(w, job, reason))
        story_broken(w, stays_stopped, "job %u is stopped, and should not be: %s", job, text);
    cJSON_Delete(stop);
}

static void check_why(struct world *w, unsigned job, enum job_outcome outcome, const char *text,
                      bool is_new) {
    if (outcome == JOB_STOPPED)
        check_stopped_by(w, job, text, is_new);
    else if (outcome == JOB_CANCELLED ? !w->jobs[job].is_to_be_cancelled : text != NULL)
        story_broken(w, stays_stopped, "job %u is stopped, and nobody has asked for that", job);
}

void referee_check_end(struct world *w, unsigned job, const struct store_job *row) {
    const struct kept_job *kept = &w->jobs[job];
    const bool is_stopped = row->outcome == JOB_CANCELLED || row->outcome == JOB_STOPPED;
    if (is_stopped ? row->outcome != kept->stop : kept->stop != JOB_NO_OUTCOME)
        story_broken(w, stays_stopped, "job %u was stopped, and its outcome is another one", job);
    if (kept->is_told_cancelled && row->outcome != JOB_CANCELLED)
        story_broken(w, stays_stopped, "job %u is not cancelled, and its client was told so", job);
    if (!is_stopped && referee_is_braked(w, job))
        story_broken(w, stays_stopped, "job %u should have been stopped by a brake", job);
    check_why(w, job, row->outcome, row->text, false);
}

// --- what is asked of the store

static void check_state(struct world *w, unsigned job, const struct store_event *event) {
    struct kept_job *kept = &w->jobs[job];
    const bool goes_on = event->state == JOB_WAITING || event->state == JOB_RUNNING;
    if (goes_on && kept->rests) story_broken(w, paused_rests, "job %u goes on, and is paused", job);
    if (kept->is_stopping && event->state != JOB_DONE)
        story_broken(w, stays_stopped, "job %u is stopped already", job);
    if (event->state == JOB_RUNNING && kept->opened_ms == 0) kept->opened_ms = event->wall_ms;
    if (event->state != JOB_CANCELLING) return;
    check_why(w, job, event->outcome, event->text, true);
    kept->is_stopping = true;
    kept->rests = kept->is_told_paused = false;
}

static void check_intent(struct world *w, unsigned host, unsigned job) {
    const struct kept_job *kept = &w->jobs[job];
    const struct plan_job *asked = kept->asked;
    const uint64_t passed_ms = w->now_ms - kept->started_ms[host];
    if (asked->reads) story_broken(w, one_outcome, "job %u reads, and is to change h%u", job, host);
    if (kept->rests || kept->is_stopping)
        story_broken(w, stays_stopped, "job %u is to change h%u, and is paused or stopped", job,
                     host);
    if (overtime_ms(w, job) > 0)
        story_broken(w, stays_stopped, "job %u is to change h%u, and its time is over", job, host);
    if (asked->host_timeout_ms > 0 && passed_ms > asked->host_timeout_ms)
        story_broken(w, stays_stopped, "job %u is to change h%u, and the time for that is over",
                     job, host);
}

// What is sent to a device is waited for.
static void check_outcome(struct world *w, unsigned host, unsigned job,
                          const struct store_event *event) {
    const struct kept_job *kept = &w->jobs[job];
    const uint64_t passed_ms = w->now_ms - kept->started_ms[host];
    if (!begins_with(event->text, "not done within its host_timeout")) return;
    if (kept->asked->host_timeout_ms == 0 || passed_ms < kept->asked->host_timeout_ms)
        story_broken(w, stays_stopped, "the time of h%u of job %u is over too soon", host, job);
    if (kept->asked_last[host] == STORE_INTENT)
        story_broken(w, one_outcome,
                     "the time of h%u of job %u ends it between its intent and its verification",
                     host, job);
}

void referee_asks_store(struct world *w, const struct store_event *event) {
    struct kept_job *kept = referee_numbered(w, event->job);
    if (kept == NULL) return; // referee_kept() says so
    const unsigned job = (unsigned)(kept - w->jobs);
    if (event->kind == STORE_JOB) {
        check_state(w, job, event);
        return;
    }
    const unsigned host = plan_host_at(kept->hosts, event->host);
    if (event->kind == STORE_INTENT) check_intent(w, host, job);
    if (event->kind == STORE_OUTCOME) check_outcome(w, host, job, event);
    kept->asked_last[host] = event->kind;
}

// --- what begins

static bool is_at_work(const struct world *w, unsigned job) {
    for (unsigned h = 0; h < w->plan->hosts; h++)
        if (w->devices[h].hand[job] == IN_HAND) return true;
    return false;
}

static void check_jobs(struct world *w, unsigned job) {
    unsigned at_work = 0;
    for (unsigned i = 0; i < w->plan->jobs_count; i++)
        at_work += !w->jobs[i].asked->reads && is_at_work(w, i);
    if (w->plan->max_jobs > 0 && at_work > w->plan->max_jobs && !w->jobs[job].asked->reads)
        story_broken(w, in_order, "job %u begins, and with it %u jobs are at work", job, at_work);
}

void referee_workers(struct world *w, unsigned job, uint64_t since_ms) {
    const unsigned limit = w->jobs[job].asked->workers;
    unsigned in_hand = 0;
    for (unsigned h = 0; h < w->plan->hosts; h++)
        in_hand += w->devices[h].hand[job] == IN_HAND && w->jobs[job].started_ms[h] >= since_ms &&
                   (w->plan->nodes == 0 || w->jobs[job].result[h] == HOST_WAITING);
    if (limit > 0 && in_hand > limit)
        story_broken(w, in_order, "job %u has %u hosts in hand, of %u workers", job, in_hand,
                     limit);
}

static void check_canaries(struct world *w, unsigned host, unsigned job) {
    const struct kept_job *kept = &w->jobs[job];
    if ((kept->canaries >> host & 1) == 0 && !referee_is_over(kept, kept->canaries))
        story_broken(w, stays_stopped, "job %u begins h%u, and not all canaries are over", job,
                     host);
}

void referee_check_start(struct world *w, unsigned host, unsigned job) {
    const struct kept_job *kept = &w->jobs[job];
    if (kept->is_stopping)
        story_broken(w, stays_stopped, "job %u begins h%u, and is stopped", job, host);
    if (has_bad_canary(kept, kept->told) || has_too_many_failures(kept, kept->told))
        story_broken(w, stays_stopped, "job %u begins h%u, and should be stopped by a brake", job,
                     host);
    if (overtime_ms(w, job) > 0)
        story_broken(w, stays_stopped, "job %u begins h%u, and its time is over", job, host);
    check_canaries(w, host, job);
    referee_workers(w, job, 0);
    check_jobs(w, job);
}

// Of what was kept in one go the intent may come first: it was granted before anybody knew.
void referee_check_install(struct world *w, unsigned host, unsigned job) {
    const struct kept_job *kept = &w->jobs[job];
    if (kept->is_stopping)
        story_broken(w, stays_stopped, "an install of h%u by job %u, which is stopped", host, job);
    if (kept->n_braked > 0 && kept->n_intent[host] > kept->n_braked)
        story_broken(w, stays_stopped,
                     "an install of h%u by job %u, which should be stopped by a brake", host, job);
    check_canaries(w, host, job);
}

// --- what clients are told

// Those of the other job that a retry is about.
static unsigned hosts_to_retry(const struct world *w, unsigned job) {
    const struct plan_job *planned = &w->plan->jobs[job];
    const struct kept_job *done = &w->jobs[planned->retried];
    unsigned hosts = 0;
    for (unsigned h = 0; h < PLAN_HOSTS; h++)
        if ((done->hosts >> h & 1) != 0 && (planned->states >> done->result[h] & 1) != 0)
            hosts |= 1U << h;
    return hosts;
}

void referee_submitted(struct world *w, unsigned job, unsigned hosts, const char *refused) {
    struct kept_job *kept = &w->jobs[job];
    if (w->plan->jobs[job].is_retry) {
        kept->hosts = hosts_to_retry(w, job);
        kept->canaries = kept->hosts & w->jobs[w->plan->jobs[job].retried].canaries;
    }
    if (hosts != kept->hosts)
        story_broken(w, one_outcome, "job %u is of other hosts than those it is to be of", job);
    const bool is_opposite = !kept->asked->reads &&
                             plan_is_opposite(w->plan, world_view(w), kept->hosts, kept->canaries);
    if (is_opposite != (refused != NULL))
        story_broken(w, in_order, "job %u is %s: %s", job, refused == NULL ? "taken" : "refused",
                     refused == NULL ? "its canaries go before those that go first" : refused);
}

void referee_nothing_to_retry(struct world *w, unsigned job) {
    if (hosts_to_retry(w, job) != 0)
        story_broken(w, one_outcome, "there is nothing to try again for job %u, and there is", job);
}

void referee_is_to_pause(struct world *w, struct controlling *control) {
    struct kept_job *kept = &w->jobs[control->job];
    kept->rests = true;
    control->pauses = ++kept->pauses;
}

void referee_control_kept(struct world *w, const struct controlling *control, uint64_t n) {
    struct kept_job *kept = &w->jobs[control->job];
    const bool is_pause = control->kind == CONTROL_PAUSE;
    const uint64_t kept_n = is_pause ? kept->n_paused : kept->n_stopping;
    if (n == 0 || kept_n < n)
        story_broken(w, is_pause ? paused_rests : stays_stopped,
                     "the client of job %u is told what the store has not kept", control->job);
    if (!is_pause)
        kept->is_told_cancelled = true;
    else if (kept->pauses == control->pauses) // it is the last
        kept->is_told_paused = kept->rests;
}

// What is told of a history: what happened when, and at its end what really was and what the
// orchestrator believed.
#include "orchestrator/jobs.h"
#include "tests/histories/world_internal.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

const char *const last_group = "never the last of a group";
const char *const one_outcome = "exactly one true outcome per host";
const char *const paused_rests = "what is paused rests, and what is not goes on";
const char *const stays_stopped = "what is stopped begins nothing, and says why";
const char *const in_order = "in the order and within the limits that were set";
const char *const comes_to_an_end = "every job comes to its end";

void story_tell(struct world *w, const char *format, ...) {
    char text[600];
    va_list args;
    if (w->story == NULL) return;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    fprintf(w->story, "%7llu ms  ", (unsigned long long)w->now_ms);
    if (w->plan->nodes > 0) fprintf(w->story, "n%u  ", w->at->which);
    fprintf(w->story, "%s\n", text);
}

static void write_event(const struct world *w, const struct store_event *event, struct buf *out) {
    static const char *const kinds[] = {"", "started", "INTENT", "withdrawn", "outcome"};
    static const char *const states[] = {"", "waiting", "running", "paused", "cancelling", "done"};
    unsigned job = 0;
    while (job < PLAN_JOBS - 1 && w->jobs[job].number != event->job)
        job++;
    buf_addf(out, " job %u", job);
    if (event->kind == STORE_JOB) {
        buf_addf(out, " %s", states[event->state]);
        return;
    }
    buf_addf(out, " h%u %s", plan_host_at(w->jobs[job].hosts, event->host), kinds[event->kind]);
    if (event->kind == STORE_INTENT) buf_addf(out, " %u", event->attempt);
    if (event->kind == STORE_OUTCOME) buf_addf(out, " %s", host_state_names[event->result]);
}

void story_batch(struct world *w, const struct store_batch *batch, const char *how) {
    struct buf text = {0};
    if (w->story == NULL) return;
    for (size_t i = 0; i < batch->count && text.len < 400; i++) {
        const struct store_op *op = &batch->ops[i];
        if (op->kind != STORE_APPEND && op->kind != STORE_CREATE && op->kind != STORE_FORGET)
            continue;
        if (text.len > 0) buf_adds(&text, ",");
        if (op->kind == STORE_APPEND)
            write_event(w, &op->event, &text);
        else
            buf_addf(&text, " job %s %s", op->job.id,
                     op->kind == STORE_CREATE ? "created" : "forgotten");
    }
    if (text.len > 0)
        story_tell(w, "    batch %llu to the store%s:%s", (unsigned long long)batch->number, how,
                   text.data);
    buf_deinit(&text);
}

// --- the end

static void write_truth(const struct world *w, unsigned host, struct buf *out) {
    const struct truth *device = &w->devices[host];
    buf_addf(out, "  h%u runs %s", host, versions[device->version]);
    if (device->installing != NOBODY) buf_addf(out, ", installs %s", versions[device->installing]);
    if (device->is_dead) buf_adds(out, ", is dead");
    if (w->now_ms < device->booting_ms) buf_adds(out, ", restarts");
    for (unsigned alias = 0; alias < 2; alias++)
        if (device->answered_ms[w->at->which][alias] != 0)
            buf_addf(out, ", last answered%s %llu ms ago", alias ? " at its other address" : "",
                     (unsigned long long)(w->now_ms - device->answered_ms[w->at->which][alias]));
}

// NULL: it is none of the job's.
static const struct job_host *row_of(const struct job *job, unsigned host) {
    char name[16];
    snprintf(name, sizeof name, "h%u", host);
    for (size_t i = 0; i < job->selection.count; i++)
        if (strcmp(job->inventory->hosts[job->selection.hosts[i]].name, name) == 0)
            return &job->hosts[i];
    return NULL;
}

static void write_belief(const struct world *w, unsigned job, unsigned host, struct buf *out) {
    static const char *const kinds[] = {"nothing", "started", "an intent", "withdrawn",
                                        "an outcome"};
    const char id[2] = {(char)('0' + job), 0};
    const struct job *live = w->at->live == NULL ? NULL : jobs_find(w->at->live, id);
    if (w->plan->jobs[job].is_absent || (w->jobs[job].hosts >> host & 1) == 0) return;
    buf_addf(out, "; to job %u it is", job);
    const struct job_host *row = live == NULL ? NULL : row_of(live, host);
    buf_addf(out, " %s%s", row == NULL ? "nothing" : host_state_names[row->state],
             row != NULL && row->is_in_doubt ? " (in doubt)" : "");
    buf_addf(out, ", and the store has %s", kinds[w->jobs[job].last[host]]);
}

static void tell_end(const struct world *w) {
    struct buf text = {0}, *out = &text;
    buf_adds(out, "what was so then, and what the orchestrator took for so:\n");
    for (unsigned h = 0; h < w->plan->hosts; h++) {
        if (w->plan->group[0][h] == 0 && w->plan->group[1][h] == 0) continue;
        write_truth(w, h, out);
        for (unsigned i = 0; i < w->plan->jobs_count; i++)
            write_belief(w, i, h, out);
        buf_adds(out, "\n");
    }
    fputs(text.data, w->story);
    buf_deinit(&text);
}

void story_broken(struct world *w, const char *promise, const char *format, ...) {
    char text[400];
    va_list args;
    if (w->verdict->is_broken) return;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    w->verdict->is_broken = true;
    snprintf(w->verdict->why, sizeof w->verdict->why, "broken: %s: %s", promise, text);
    story_tell(w, "!! %s", text);
    if (w->story != NULL) tell_end(w);
}

#include "orchestrator/job.h"

#include "common/buf.h"
#include "common/mem.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

struct job *job_new(const char *id, const struct task *task, const struct task_args *args,
                    struct inventory *inventory, struct selection *selection,
                    struct grouping *grouping) {
    struct job *job = mem_zalloc(sizeof *job);
    snprintf(job->id, sizeof job->id, "%s", id);
    job->task = task;
    job->args = *args;
    job->inventory = inventory;
    job->selection = *selection;
    *selection = (struct selection){0};
    job->grouping = *grouping;
    *grouping = (struct grouping){0};
    job->hosts = mem_array(job->selection.count, sizeof *job->hosts);
    job->counts[HOST_WAITING] = job->selection.count;
    return job;
}

void job_free(struct job *job) {
    if (job == NULL) return;
    event_ring_deinit(&job->events);
    free(job->hosts);
    grouping_deinit(&job->grouping);
    selection_deinit(&job->selection);
    inventory_unref(job->inventory);
    free(job);
}

// --- hosts

static int by_index(const void *key, const void *element) {
    uint32_t a = *(const uint32_t *)key, b = *(const uint32_t *)element;
    return (a > b) - (a < b);
}

static struct job_host *find(const struct job *job, uint32_t host) {
    const uint32_t *hosts = job->selection.hosts;
    if (job->selection.count == job->inventory->count) return &job->hosts[host]; // all are selected
    const uint32_t *found = bsearch(&host, hosts, job->selection.count, sizeof *hosts, by_index);
    return found == NULL ? NULL : &job->hosts[found - hosts];
}

const struct job_host *job_host(const struct job *job, uint32_t host) {
    const struct job_host *h = find(job, host);
    assert(h != NULL);
    return h;
}

bool job_is_waiting(const struct job *job, uint32_t host) {
    const struct job_host *h = find(job, host);
    return h != NULL && h->state == HOST_WAITING;
}

// Which states may follow which: the whole life of a host in a job.
static bool may_follow(enum host_state from, enum host_state to) {
    switch (to) {
    case HOST_IN_HAND:
        return from == HOST_WAITING;
    case HOST_SKIPPED: // in hand: a peer is not up
        return from == HOST_WAITING || from == HOST_IN_HAND;
    case HOST_WAITING: // put back
    case HOST_CHANGED:
    case HOST_UNCHANGED:
    case HOST_FAILED:
        return from == HOST_IN_HAND;
    case HOST_STATES:
        break;
    }
    return false;
}

void job_turn(struct job *job, uint32_t host, enum host_state state) {
    struct job_host *h = find(job, host);
    assert(h != NULL && may_follow(h->state, state));
    job->counts[h->state]--;
    job->counts[state]++;
    h->state = state;
}

// --- the report

static void write_list(struct buf *out, const struct job *job, const char *name, unsigned states) {
    buf_addf(out, "\"%s\": [", name);
    const char *comma = "";
    for (size_t i = 0; i < job->selection.count; i++) {
        if ((states >> job->hosts[i].state & 1) == 0) continue;
        buf_adds(out, comma);
        buf_add_json(out, job->inventory->hosts[job->selection.hosts[i]].name);
        comma = ", ";
    }
    buf_adds(out, "]");
}

char *job_report_json(const struct job *job, size_t *len) {
    struct buf out = {0};
    buf_adds(&out, "{");
    write_list(&out, job, "failed", 1U << HOST_FAILED);
    buf_adds(&out, ", ");
    write_list(&out, job, "skipped", 1U << HOST_SKIPPED);
    buf_adds(&out, ", ");
    write_list(&out, job, "completed", 1U << HOST_CHANGED | 1U << HOST_UNCHANGED);
    buf_adds(&out, "}\n");
    *len = out.len;
    return buf_take(&out);
}

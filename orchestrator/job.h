// A job: one task over one selection of hosts, from the request to the report. Pure. It owns what
// is known of each of its hosts; the report is a view of that.
#pragma once

#include "orchestrator/event.h"
#include "orchestrator/group.h"
#include "orchestrator/task.h"

enum { JOB_ID_MAX = 37 }; // a UUID and its NUL

struct job_host {
    enum host_state state; // one door: job_turn()
};

struct job {
    char id[JOB_ID_MAX];
    const struct task *task;
    struct task_args args;
    struct inventory *inventory;
    struct selection selection;
    struct grouping grouping;
    struct job_host *hosts; // one for each of the selection, in its order
    size_t counts[HOST_STATES];
    struct event_ring events;
};

// Takes over the reference to the inventory, the selection, and the grouping, which is of it. All
// hosts wait.
struct job *job_new(const char *id, const struct task *task, const struct task_args *args,
                    struct inventory *inventory, struct selection *selection,
                    struct grouping *grouping);
void job_free(struct job *job); // takes NULL

// host is an index into the inventory, and must be one of the selection.
const struct job_host *job_host(const struct job *job, uint32_t host);
// Whether the host, of the inventory, is one of the selection that waits.
bool job_is_waiting(const struct job *job, uint32_t host);
// The host's next state, which must be one that may follow: a result is final.
void job_turn(struct job *job, uint32_t host, enum host_state state);

// {"failed": [...], "skipped": [...], "completed": [...]}, hosts in inventory order, as JSON text,
// the caller's to free.
char *job_report_json(const struct job *job, size_t *len);

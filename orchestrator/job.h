// A job: one task over one selection of hosts, from the request to the report.
#pragma once

#include "orchestrator/group.h"
#include "orchestrator/schedule.h"
#include "orchestrator/task.h"

enum { JOB_ID_MAX = 37 }; // a UUID and its NUL

struct job {
    char id[JOB_ID_MAX];
    const struct task *task;
    struct task_args args;
    struct inventory *inventory;
    struct selection selection;
    struct grouping grouping;
    struct report *report;
    size_t failed; // hosts so far
    // The runner's, while the job runs.
    struct runner *runner;
    struct schedule_job *scheduled;
    uint64_t started_ms;
    // Called once, when the report is complete.
    void (*done)(void *arg, struct job *job);
    void *done_arg;
};

// Takes over the reference to the inventory and the selection.
struct job *job_new(const char *id, const struct task *task, const struct task_args *args,
                    struct inventory *inventory, struct selection *selection);
void job_free(struct job *job);

#include "orchestrator/job.h"

#include "common/mem.h"
#include "orchestrator/report.h"

#include <stdio.h>
#include <stdlib.h>

struct job *job_new(const char *id, const struct task *task, const struct task_args *args,
                    struct inventory *inventory, struct selection *selection) {
    struct job *job = mem_zalloc(sizeof *job);
    snprintf(job->id, sizeof job->id, "%s", id);
    job->task = task;
    job->args = *args;
    job->inventory = inventory;
    job->selection = *selection;
    *selection = (struct selection){0};
    grouping_init(&job->grouping, inventory, &job->selection);
    job->report = report_new(inventory);
    return job;
}

void job_free(struct job *job) {
    if (job == NULL) return;
    report_free(job->report);
    grouping_deinit(&job->grouping);
    selection_deinit(&job->selection);
    inventory_unref(job->inventory);
    free(job);
}

#include "bench/processors.h"

#include "bench/networks.h"
#include "bench/plan.h"
#include "common/clock.h"
#include "orchestrator/job.h"
#include "orchestrator/joblog.h"
#include "orchestrator/metrics.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { FLUSH_EVERY = 100 }; // devices; the orchestrator flushes its log once a turn of the loop

static double cpu_us(void) {
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static void tell(const struct processors *processors, struct job *job, struct event event) {
    event.job = job->id;
    event.task = job->task->name;
    event.wall_ms = clock_wall_ms();
    processors_tell(processors, &event);
}

static void apply(struct job *job, struct store_event event) {
    struct error err;
    if (job_apply(job, &event, &err) != 0) abort(); // our own mistake
}

// An upgrade as it goes well: login, the task's steps, logout.
static void upgrade(const struct processors *processors, struct job *job, uint32_t number) {
    const struct host *host = &job->inventory->hosts[number];
    struct event event = {.kind = EVENT_TASK_INSTANCE_STARTED,
                          .host = host->name,
                          .site = inventory_site(job->inventory, host),
                          .dev_type = inventory_dev_type(job->inventory, host)};
    apply(job, (struct store_event){.kind = STORE_STARTED, .host = job_place(job, number)});
    tell(processors, job, event);
    for (size_t call = 0; call < job->task->steps_count + 2; call++) {
        event.subtask = call == 0                            ? "login"
                        : call == job->task->steps_count + 1 ? "logout"
                                                             : job->task->steps[call - 1].method;
        event.kind = EVENT_SUBTASK_INSTANCE_STARTED;
        tell(processors, job, event);
        event.kind = EVENT_SUBTASK_INSTANCE_COMPLETED;
        tell(processors, job, event);
    }
    event.kind = EVENT_TASK_INSTANCE_COMPLETED;
    event.text = job->task->changed_text;
    event.result = HOST_CHANGED;
    event.duration_ms = 5;
    apply(job, (struct store_event){.kind = STORE_OUTCOME,
                                    .host = job_place(job, number),
                                    .result = HOST_CHANGED,
                                    .text = event.text});
    tell(processors, job, event);
}

static double run(struct plan *plan, struct log *log) {
    static const struct task_args args = {.version = "5.3.1"};
    struct metrics *metrics = metrics_new(100);
    struct processors processors = {0};
    processors_add(&processors, (struct processor){joblog_event, log});
    processors_add(&processors, (struct processor){metrics_event, metrics});
    struct selection selection = plan->selection;
    struct grouping grouping = plan->grouping;
    plan->selection = (struct selection){0};
    plan->grouping = (struct grouping){0};
    struct job *job = job_new("00000000-0000-4000-8000-000000000000", &task_upgrade_os, &args, NULL,
                              inventory_ref(plan->inventory), &selection, &grouping);
    size_t len;
    double started = cpu_us();
    tell(&processors, job, (struct event){.kind = EVENT_TASK_STARTED});
    for (size_t i = 0; i < job->selection.count; i++) {
        upgrade(&processors, job, job->selection.hosts[i]);
        if (i % FLUSH_EVERY == 0) log_flush(log);
    }
    tell(&processors, job, (struct event){.kind = EVENT_TASK_COMPLETED});
    log_flush(log);
    free(job_report_json(job, &len));
    double spent = cpu_us() - started;
    double each = spent / (double)job->selection.count;
    job_free(job);
    metrics_free(metrics);
    return each;
}

int processors_cost(uint32_t devices, double *us, struct error *err) {
    char network[SCRATCH_PATH_MAX], path[SCRATCH_PATH_MAX];
    struct plan plan;
    struct log log;
    int rc = networks_make(devices, "0", network, err);
    if (rc != 0) return rc;
    rc = plan_init(&plan, &(struct network_source){.network = network}, NULL, err);
    if (rc != 0) return rc;
    rc = scratch_file(".log", path, err);
    if (rc == 0) rc = log_open(&log, path, LOG_INFO, err);
    if (rc == 0) {
        *us = run(&plan, &log);
        log_close(&log);
    }
    plan_deinit(&plan);
    return rc;
}

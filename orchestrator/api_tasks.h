// POST of a task: its body becomes a job, and the client waits for the job's report.
#pragma once

#include "common/http.h"
#include "common/log.h"
#include "common/policy.h"
#include "orchestrator/fetch.h"
#include "orchestrator/jobs.h"
#include "orchestrator/runner.h"

struct api_tasks {
    struct fetcher *fetcher;
    const struct policy *policy;
    struct jobs *jobs;
    struct runner *runner;
    struct log *log;
    struct post *waiting; // for the inventory
    uv_timer_t look;      // runs while there are any: are their clients still there?
    bool draining;
    void (*answered)(void *arg); // told after each answer to a job that is done
    void *answered_arg;
};

// What is set already (fetcher, policy, jobs, runner, log, answered) is borrowed.
void api_tasks_start(struct api_tasks *posts, uv_loop_t *loop);

// The handler's part: http_arg() is the struct task.
void api_tasks_post(struct api_tasks *posts, struct http_request *r);

// From now on requests are refused, also those that wait for the inventory; jobs go on.
void api_tasks_drain(struct api_tasks *posts);
// Its handle in the loop; closed finds arg as the data of its handle.
void api_tasks_close(struct api_tasks *posts, uv_close_cb closed, void *arg);

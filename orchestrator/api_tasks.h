// POST of a task: its body becomes a job, and the client waits for the job's report.
#pragma once

#include "common/http.h"
#include "common/log.h"
#include "common/policy.h"
#include "orchestrator/fetch.h"
#include "orchestrator/jobs.h"
#include "orchestrator/runner.h"

struct api_tasks { // what it points to is borrowed
    struct fetcher *fetcher;
    const struct policy *policy;
    struct jobs *jobs;
    struct runner *runner;
    struct log *log;
    bool draining;
    void (*answered)(void *arg); // told after each answer to a job that is done
    void *answered_arg;
};

// The handler's part: http_arg() is the struct task.
void api_tasks_post(struct api_tasks *posts, struct http_request *r);

// From now on requests are refused, also those that wait for the inventory; jobs go on.
void api_tasks_drain(struct api_tasks *posts);

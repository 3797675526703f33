// POST of a task: its body becomes a job, which is kept before it acts; the client waits for the
// job's report, or asks for none (Prefer: respond-async). With an Idempotency-Key the same request
// is one job, however often it comes.
#pragma once

#include "common/http.h"
#include "common/log.h"
#include "common/policy.h"
#include "orchestrator/api_audit.h"
#include "orchestrator/errands.h"
#include "orchestrator/fetch.h"
#include "orchestrator/gate.h"
#include "orchestrator/job_loader.h"
#include "orchestrator/jobs.h"
#include "orchestrator/nodes.h"
#include "orchestrator/store.h"

struct post;

struct api_tasks { // what it points to is borrowed
    struct fetcher *fetcher;
    const struct policy *policy;
    struct jobs *jobs;
    struct gate *gate;
    struct store *store;
    struct nodes *nodes; // NULL: the store is this process's alone
    struct job_loader *loader;
    struct log *log;
    struct api_audit *audit;
    uint64_t open_jobs_max;         // that are not done: a further one is refused
    struct errands making, playing; // jobs, and dry runs of them
    bool is_open; // else posts are held: jobs of an earlier process have not been taken up yet
    bool is_draining;
    struct post *held;
    struct post *strange; // whose jobs other nodes have, and this one does not know yet
    size_t creating;      // posts whose job is being kept
};

// The handler's part: http_arg() is the struct task.
void api_tasks_post(struct api_tasks *posts, struct http_request *r);

// A request that asks for another job, whose body is taken over: it is answered 202, with that job.
void api_tasks_post_again(struct api_tasks *posts, struct http_request *r, const struct task *task,
                          cJSON *body);

// A look at the store has shown what is open: a job that was strange may be here now, or done.
void api_tasks_look_again(struct api_tasks *posts);

// The jobs of an earlier process have been taken up: those who were held go on.
void api_tasks_open(struct api_tasks *posts);
// From now on requests are refused, also those that wait for the inventory; jobs go on.
void api_tasks_drain(struct api_tasks *posts);

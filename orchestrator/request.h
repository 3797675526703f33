// The request check: a body of a task's endpoint becomes a task_request, or an error that names the
// field and what would be right. Pure, and strict: what it lets pass is run against the network.
#pragma once

#include "common/inventory.h"
#include "orchestrator/brakes.h"
#include "orchestrator/canaries.h"
#include "orchestrator/task.h"

struct task_request {
    const struct task *task;
    struct task_args args;
    struct brakes brakes;
    struct canaries canaries;
    uint32_t expected_hosts; // REQUEST_ANY_HOSTS: any number of them
    bool is_dry_run;
    struct filter sites; // names are borrowed from the body
    struct filter dev_types;
    struct filter hosts; // names or globs
};

enum { REQUEST_ANY_HOSTS = UINT32_MAX };

int request_parse(const struct task *task, const cJSON *body, struct task_request *request,
                  struct error *err);
void request_deinit(struct task_request *request);

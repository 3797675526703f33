// The request check: a body of a task's endpoint becomes a task_request, or an error that names the
// field and what would be right. Pure, and strict: what it lets pass is run against the network.
#pragma once

#include "common/inventory.h"
#include "orchestrator/task.h"

struct task_request {
    const struct task *task;
    struct task_args args;
    struct filter sites; // names are borrowed from the body
    struct filter dev_types;
    struct filter hosts; // names or globs
};

int request_parse(const struct task *task, const cJSON *body, struct task_request *request,
                  struct error *err);
void request_deinit(struct task_request *request);

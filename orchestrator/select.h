// What a request means in an inventory: its hosts, and under a policy their groups. Pure.
#pragma once

#include "orchestrator/group.h"
#include "orchestrator/policy.h"
#include "orchestrator/request.h"

// Errors: ERROR_INPUT, the request's; POLICY_UNFIT, the policy's or the inventory's. What was made
// is the caller's, on success only.
int select_hosts(const struct task_request *request, const struct policy *policy,
                 const struct inventory *inventory, struct selection *selection,
                 struct grouping *grouping, struct error *err);
// Of a request that was kept as text.
int select_from_text(const struct task *task, const char *request, const struct policy *policy,
                     const struct inventory *inventory, struct selection *selection,
                     struct grouping *grouping, struct error *err);

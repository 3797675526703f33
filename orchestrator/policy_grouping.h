// From a policy to what the schedule goes by: the groups of the selected hosts, as constraints.
// Pure.
#pragma once

#include "orchestrator/group.h"
#include "orchestrator/policy.h"

// Applies the policy and checks all that may be wrong with it, in the words and with the codes of
// policy_apply() and policy_order_check(). A host that the policy leaves ungrouped is a group of
// its own. out is written on success only.
int policy_grouping(struct grouping *out, const struct policy *policy,
                    const struct inventory *inventory, const struct selection *selection,
                    struct error *err);

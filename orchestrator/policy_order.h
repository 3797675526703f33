// Whether the hosts that go first in their groups can all do so: in a circle of them each would
// wait for another for ever. Pure.
#pragma once

#include "orchestrator/policy.h"

// ERROR_INPUT names two hosts of such a circle, and rules that want opposite orders of them. Only
// selected hosts wait, and are waited for.
int policy_order_check(const struct applied_policy *applied, const struct policy *policy,
                       const struct inventory *inventory, const struct selection *selection,
                       struct error *err);

// Whether two jobs may run at the same time: they must see what they share alike. The inventory may
// have changed between them, and with it who stands in for whom. Pure.
//
// Hosts tied by groups and throttles, over the whole inventory, are a component. Two jobs share a
// component where a host of it, by its name, is in a component of each that has selected hosts.
// They agree if every component that they share has the same members, each with the same address
// and platform, in the same groups, and going first in the same.
#pragma once

#include "orchestrator/policy.h"

struct job_view { // borrowed
    const struct inventory *inventory;
    const struct selection *selection;
};

// host, where they disagree: the name of one that they see differently, of a's inventory.
bool policy_agree(const struct policy *policy, const struct job_view *a, const struct job_view *b,
                  const char **host);

// Whether two jobs may run at the same time: they must see what they share alike. The inventory may
// have changed between them, and with it who stands in for whom. Pure.
//
// Hosts tied by groups and throttles, over the whole inventory, are a component. Two jobs share a
// component where a host of it, by its name, is in a component of each that has selected hosts.
// They agree if every component that they share has the same members, each with the same address
// and platform, in the same groups, going first in the same; and the same shard, for what two nodes
// do at once nobody has under one lock. Of one that changes nothing the shard alone counts.
//
// Of a job that is known by an excerpt alone nobody knows what ties its hosts (its policy may have
// been another): it disagrees with all that share a host that it names, selected or not.
#pragma once

#include "orchestrator/policy.h"

struct job_view { // borrowed
    const struct inventory *inventory;
    const struct selection *selection;
    const uint16_t *shards; // of the selection, in its order; NULL: all are in the first
    bool is_moved;          // these are not those that its hosts have in the inventory
    bool is_excerpt;        // the inventory has the hosts that it names, and no others
    bool reads;             // it changes nothing
};

// host, where they disagree: the name of one that they see differently, of a's inventory.
bool policy_agree(const struct policy *policy, const struct job_view *a, const struct job_view *b,
                  const char **host);

// A network is cut into shards, of which each is one node's at a time. A component is never cut:
// its shard is a hash of its first host's name, in alphabetical order, so that it is the same in
// every inventory where the component has the same members. Pure.
#pragma once

#include "orchestrator/policy.h"

#include <stdint.h>

enum { SHARDS = 1024 }; // for good: a store is cut so

// Of each selected host, in the selection's order; the caller's to free. What was wrong with the
// policy was found when the job was grouped. NULL: it does not fit after all.
uint16_t *shards_of(const struct policy *policy, const struct inventory *inventory,
                    const struct selection *selection);

// The shards that a node has. An epoch is the store's word that they are its own, until another is
// given; 0: the shard is not this node's. own are those of what this node has done itself to the
// jobs as they stand here: also of shards that it has given up since.
// owners: whose each shard was at the last look, as a number from 1 on in the store's order of
// nodes that have some; 0: nobody's. me: this node's number; 0: it has none.
struct shards_held {
    uint64_t epochs[SHARDS];
    uint64_t own[SHARDS];
    uint16_t owners[SHARDS];
    uint16_t me;
    bool has_others; // at work: another node has some
};

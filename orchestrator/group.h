// Redundancy groups: the hosts that stand in for one another. One of a group at a time is upgraded.
// A leaf shares its group with the leaves of its site and rack; any other device with those of its
// site and type (spec/architecture.md, "Redundancy groups").
#pragma once

#include "common/buf.h"
#include "common/inventory.h"

struct group {
    const char *key; // "rack earth 131", "type mars spine": of this group alone
    uint32_t first;  // its hosts are order[first] to order[first + count - 1]
    uint32_t count;
    uint32_t weight; // the time that one of its hosts takes, where that is known: pace.h; else 1
};

struct grouping {
    struct group *groups; // in the order in which their first hosts stand in the inventory
    size_t count;
    uint32_t *order; // indices into inventory.hosts; inventory order within a group
    size_t hosts;
    char *keys; // memory of the keys
};

void grouping_init(struct grouping *grouping, const struct inventory *inventory,
                   const struct selection *selection);
// What people call the group of a host: "earth_leaf_131", "mars_spine". Names may coincide.
void group_write_name(const struct inventory *inventory, const struct host *host, struct buf *out);
void grouping_deinit(struct grouping *grouping);

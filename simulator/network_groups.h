// The groups of a network, by its policy (common/policy.h): formed once, and kept as a list of
// numbers for each device. Groups are numbered in the order in which their first devices stand in
// the network, those of one device in the order of the rules.
#pragma once

#include "common/buf.h"
#include "common/error.h"
#include "simulator/network.h"

#include <stdbool.h>
#include <stdint.h>

// Of a network that is laid out and has its policy, and its overrides sorted. The error is one of a
// rule, and begins with its place, "redundancy[1]: ...".
int network_groups_form(struct network_groups *groups, const struct network *n, struct error *err);

struct network_group_list { // borrowed
    const uint32_t *list;
    size_t count;
};
struct network_group_list network_groups_of(const struct network *n, uint32_t device);

// By group, whether another is called so too; the caller's to free.
bool *network_groups_named_twice(const struct network *n);
// "earth_leaf_131", not escaped. Where two groups would have one name, it is their rule and its
// values: "{site}_{dev_type}: eu, west_spine"; and where two rules have one template, "throttle[0]
// {site}: eu".
void network_group_name(const struct network *n, uint32_t group, const bool *twice,
                        struct buf *out);

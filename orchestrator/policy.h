// A policy on an inventory: which groups there are, who is in them, and who goes first. Pure.
//
// Nothing of a policy is passed over in silence: a rule that means nobody, an attribute that looks
// like a misspelt one, and a host that nobody's failure would stop are refused before any device is
// touched.
#pragma once

#include "common/inventory.h"
#include "common/policy.h"

// What is wrong is not the request (ERROR_INPUT), but the policy or the inventory.
enum { POLICY_UNFIT = 2 };

enum { APPLIED_GROUPS_MAX = INT32_MAX };
#define APPLIED_FIRST (UINT32_C(1) << 31)

struct applied_group {
    const char *key; // policy_groups(): of this group alone; policy_write_name() has its name
    uint32_t limit;
    uint32_t first; // its hosts are members[first] to members[first + count - 1]
    uint32_t count;
    uint32_t leading; // so many at their front go before the others
    bool redundancy;  // else a throttle
};

struct applied_policy {
    struct applied_group *groups; // in the order in which their first hosts stand in the inventory
    size_t count;
    uint32_t *members; // indices into inventory.hosts; inventory order, but for those that go first
    // Host i is in the groups of[of_from[i]] to before of[of_from[i + 1]], in the order of the
    // rules; APPLIED_FIRST is set where it goes before the others.
    uint32_t *of_from, *of;
    struct texts keys;
};

// All hosts of the inventory are placed, selected or not: any may be a member that must be up. An
// error of a rule begins with its place, "policy.yaml:7: redundancy[1] ..." (POLICY_UNFIT). Of the
// request (ERROR_INPUT): a selected host of acmeos is in no redundancy group. out is written on
// success only, and then the caller's to deinit. policy_order.h checks what `first` wants of it.
int policy_apply(struct applied_policy *out, const struct policy *policy,
                 const struct inventory *inventory, const struct selection *selection,
                 struct error *err);
void applied_policy_deinit(struct applied_policy *applied);

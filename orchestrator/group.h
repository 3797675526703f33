// What keeps hosts from being upgraded at the same time. A redundancy group has hosts that stand in
// for one another, of which at most so many may be in hand; a throttle counts hosts in hand and no
// more, for links and image servers. Both are constraints, and a host may stand under several.
//
// Hosts under the same constraints form a cohort: for the schedule all that matters of them is
// which is next. Where each host has one redundancy group, cohorts and groups are the same.
#pragma once

#include "common/buf.h"
#include "common/inventory.h"

struct constraint {
    const char *key;  // of this group alone: policy_groups()
    const char *name; // what people call it: "earth_leaf_131", "mars_spine"; names may coincide
    uint32_t limit;   // so many of its hosts may be in hand; 1 at least
    uint32_t members; // of the whole inventory
    uint32_t weight;  // the time that one of its hosts takes, where that is known: pace.h; else 1
    uint32_t cohorts; // where cohorts_count is 1 the cohort's number, else an index into cohorts_of
    uint32_t cohorts_count; // which have its selected hosts
    uint32_t others;        // its members that are not selected are others_count from here on in
    uint32_t others_count;  // the grouping's others
    bool redundancy;        // else a throttle
};

// A need is a constraint's number, and whether the host is one of those that go before the others
// of the group.
enum { GROUP_CONSTRAINTS_MAX = INT32_MAX };
#define NEED_FIRST (UINT32_C(1) << 31)

struct cohort {
    uint32_t first; // its hosts are order[first] to order[first + count - 1]
    uint32_t count;
    uint32_t needs; // where needs_count is 1 the need itself, else an index into needs_of
    uint32_t needs_count;
};

struct grouping { // of the selected hosts
    struct constraint *constraints;
    size_t count;
    struct cohort *cohorts; // in the order in which their first hosts stand in the inventory
    size_t cohorts_count;
    uint32_t *order; // indices into inventory.hosts; inventory order within a cohort
    size_t hosts;
    uint32_t *needs_of;   // of cohorts with several: redundancy groups first, then by number
    uint32_t *cohorts_of; // of constraints with several
    uint32_t *others;     // of all constraints; NULL where all hosts are selected
    char *texts;          // memory of the keys and names
};

static inline const uint32_t *cohort_needs(const struct grouping *grouping,
                                           const struct cohort *cohort) {
    return cohort->needs_count == 1 ? &cohort->needs : &grouping->needs_of[cohort->needs];
}

static inline const uint32_t *constraint_cohorts(const struct grouping *grouping,
                                                 const struct constraint *constraint) {
    return constraint->cohorts_count == 1 ? &constraint->cohorts
                                          : &grouping->cohorts_of[constraint->cohorts];
}

static inline uint32_t need_constraint(uint32_t need) {
    return need & ~NEED_FIRST;
}

// grouping has its constraints (all but the cohorts) and texts; the rest is made here. ends[i] is
// where the needs of the selection's host i end in needs; each host's are put in order. A host has
// one redundancy group at least (one that nothing else stands in for is a group of its own) and no
// constraint twice. What goes before what must not run in a circle, over all groups: such hosts
// would wait for one another for ever.
void grouping_build(struct grouping *grouping, const struct selection *selection,
                    const uint32_t *ends, uint32_t *needs);

// The same where it is known which cohort each host is in: grouping has its cohorts, too, all but
// their hosts, and cohort[i] is that of the selection's host i.
void grouping_build_of(struct grouping *grouping, const struct selection *selection,
                       const uint32_t *cohort);

// The redundancy groups of the cohort that a rule of the policy makes, in the order of the rules:
// the one behind that, or the first where it is NULL. NULL: there is no other.
const struct constraint *grouping_next(const struct grouping *grouping, const struct cohort *cohort,
                                       const struct constraint *after);

// Their names, as a JSON array.
void grouping_write_names(struct buf *out, const struct grouping *grouping,
                          const struct cohort *cohort);

void grouping_deinit(struct grouping *grouping);

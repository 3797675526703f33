// Which constraint decides how long the window is, and what to change: the workers, or a rule of
// the policy. It is measured, not guessed: the same seeds are played again with each of them
// relaxed. Pure.
#pragma once

#include "bench/model.h"
#include "common/policy.h"

enum { DECIDING_STEPS_MAX = 2 };

struct deciding {
    // No constraint: in most runs none, relaxed alone, shortens the window by a hundredth.
    bool any;
    const struct policy_rule *rule; // NULL: the workers
    double share;                   // of the runs that it decides
    uint32_t limit;                 // of the rule, or how many workers
    uint32_t groups;                // of the rule, that have more hosts than it lets go at once
    size_t group;                   // of these, the longest most often: a constraint's number
    struct deciding_step {          // a higher limit
        uint32_t limit;
        double shorter; // by that part of the median window
    } steps[DECIDING_STEPS_MAX];
    size_t steps_count;
    double workers_shorter; // likewise, by twice the workers
    // No step is told where it would let all hosts of a redundancy group go at once that the rule
    // now keeps from it: that group. SIZE_MAX: none.
    size_t emptied;
};

// The limits of the grouping, which is that of the model's plan, change meanwhile.
void deciding_find(struct model *model, struct grouping *grouping, unsigned workers, uint64_t seed,
                   size_t runs, struct deciding *out);
// What decides, in a word or two: "the workers", "the group mars_spine", "the groups "{feed}"".
void deciding_write_short(const struct deciding *d, const struct grouping *grouping,
                          struct buf *out);
// One sentence or two.
void deciding_write(const struct deciding *d, const struct grouping *grouping, struct buf *out);

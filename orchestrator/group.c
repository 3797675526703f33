#include "orchestrator/group.h"

#include "common/mem.h"
#include "common/rng.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

// Hosts with one need are found by it; those with several by a hash of all of them.
struct builder {
    struct grouping *grouping;
    uint32_t *alone; // by constraint, twice: without and with NEED_FIRST: cohort number + 1
    uint32_t *table; // cohort number + 1; a power of two of slots
    size_t slots;
    size_t cohorts_cap, needs_cap, needs_len;
};

static uint32_t add_cohort(struct builder *b, const uint32_t *needs, uint32_t count) {
    struct grouping *g = b->grouping;
    g->cohorts = mem_grow(g->cohorts, &b->cohorts_cap, g->cohorts_count + 1, sizeof *g->cohorts);
    struct cohort *cohort = &g->cohorts[g->cohorts_count];
    *cohort = (struct cohort){.needs = needs[0], .needs_count = count};
    if (count > 1) {
        cohort->needs = (uint32_t)b->needs_len;
        g->needs_of = mem_grow(g->needs_of, &b->needs_cap, b->needs_len + count, sizeof(uint32_t));
        memcpy(&g->needs_of[b->needs_len], needs, count * sizeof(uint32_t));
        b->needs_len += count;
    }
    return (uint32_t)++g->cohorts_count;
}

static uint32_t *slot_of_one(struct builder *b, uint32_t need) {
    return &b->alone[2 * (size_t)need_constraint(need) + (need >= NEED_FIRST)];
}

static uint32_t *slot_of_many(struct builder *b, const uint32_t *needs, uint32_t count) {
    uint64_t hash = count;
    for (uint32_t i = 0; i < count; i++)
        hash = rng_mix(hash, needs[i]);
    for (size_t at = hash & (b->slots - 1);; at = (at + 1) & (b->slots - 1)) {
        if (b->table[at] == 0) return &b->table[at];
        const struct cohort *cohort = &b->grouping->cohorts[b->table[at] - 1];
        if (cohort->needs_count == count &&
            memcmp(cohort_needs(b->grouping, cohort), needs, count * sizeof *needs) == 0)
            return &b->table[at];
    }
}

static uint32_t cohort_of(struct builder *b, const uint32_t *needs, uint32_t count) {
    uint32_t *slot = count == 1 ? slot_of_one(b, needs[0]) : slot_of_many(b, needs, count);
    if (*slot == 0) *slot = add_cohort(b, needs, count);
    return *slot - 1;
}

static bool needs_before(const struct grouping *g, uint32_t a, uint32_t b) {
    const bool a_redundancy = g->constraints[need_constraint(a)].redundancy;
    const bool b_redundancy = g->constraints[need_constraint(b)].redundancy;
    if (a_redundancy != b_redundancy) return a_redundancy;
    return need_constraint(a) < need_constraint(b);
}

static void sort_needs(const struct grouping *g, uint32_t *needs, uint32_t count) {
    for (uint32_t i = 1; i < count; i++)
        for (uint32_t j = i; j > 0 && needs_before(g, needs[j], needs[j - 1]); j--) {
            uint32_t moved = needs[j];
            needs[j] = needs[j - 1];
            needs[j - 1] = moved;
        }
    assert(count > 0 && g->constraints[need_constraint(needs[0])].redundancy);
}

// Hosts into the places of their cohorts. cohort[i] is that of the selection's host i.
static void place_hosts(struct grouping *g, const struct selection *selection,
                        const uint32_t *cohort) {
    uint32_t first = 0;
    g->hosts = selection->count;
    g->order = mem_array(selection->count, sizeof *g->order);
    for (size_t i = 0; i < selection->count; i++)
        g->cohorts[cohort[i]].count++;
    for (size_t c = 0; c < g->cohorts_count; c++) {
        g->cohorts[c].first = first;
        first += g->cohorts[c].count;
        g->cohorts[c].count = 0; // counted up again while the hosts are put in place
    }
    for (size_t i = 0; i < selection->count; i++) {
        struct cohort *c = &g->cohorts[cohort[i]];
        g->order[c->first + c->count++] = selection->hosts[i];
    }
}

static void list_cohort(struct grouping *g, struct constraint *constraint, uint32_t cohort,
                        bool is_many) {
    if (is_many)
        g->cohorts_of[constraint->cohorts + constraint->cohorts_count++] = cohort;
    else
        constraint->cohorts = cohort;
}

// The way back, from each constraint to its cohorts.
static void list_cohorts(struct grouping *g) {
    uint32_t total = 0;
    for (uint32_t c = 0; c < g->cohorts_count; c++)
        for (uint32_t i = 0; i < g->cohorts[c].needs_count; i++)
            g->constraints[need_constraint(cohort_needs(g, &g->cohorts[c])[i])].cohorts_count++;
    bool *is_many = mem_array(g->count, sizeof *is_many);
    for (size_t i = 0; i < g->count; i++) {
        struct constraint *constraint = &g->constraints[i];
        is_many[i] = constraint->cohorts_count > 1;
        if (!is_many[i]) continue;
        constraint->cohorts = total;
        total += constraint->cohorts_count;
        constraint->cohorts_count = 0; // counted up again while they are listed
    }
    g->cohorts_of = mem_array(total, sizeof *g->cohorts_of);
    for (uint32_t c = 0; c < g->cohorts_count; c++)
        for (uint32_t i = 0; i < g->cohorts[c].needs_count; i++) {
            const uint32_t number = need_constraint(cohort_needs(g, &g->cohorts[c])[i]);
            list_cohort(g, &g->constraints[number], c, is_many[number]);
        }
    free(is_many);
}

void grouping_build_of(struct grouping *grouping, const struct selection *selection,
                       const uint32_t *cohort) {
    place_hosts(grouping, selection, cohort);
    list_cohorts(grouping);
}

void grouping_build(struct grouping *grouping, const struct selection *selection,
                    const uint32_t *ends, uint32_t *needs) {
    assert(grouping->count <= GROUP_CONSTRAINTS_MAX);
    struct builder b = {.grouping = grouping, .slots = 2};
    while (b.slots < 2 * selection->count)
        b.slots *= 2;
    b.alone = mem_array(2 * grouping->count, sizeof *b.alone);
    b.table = mem_array(b.slots, sizeof *b.table);
    uint32_t *cohort = mem_array(selection->count, sizeof *cohort);
    for (size_t i = 0, first = 0; i < selection->count; first = ends[i++]) {
        sort_needs(grouping, &needs[first], ends[i] - (uint32_t)first);
        cohort[i] = cohort_of(&b, &needs[first], ends[i] - (uint32_t)first);
    }
    grouping_build_of(grouping, selection, cohort);
    free(b.alone);
    free(b.table);
    free(cohort);
}

// The rule's number is the beginning of a group's key, and no digit that of one of no rule.
static bool is_of_rule(const struct constraint *group) {
    return group->redundancy && group->key[0] >= '0' && group->key[0] <= '9';
}

static bool stands_before(const struct constraint *a, const struct constraint *b) {
    const unsigned long x = strtoul(a->key, NULL, 10), y = strtoul(b->key, NULL, 10);
    return x != y ? x < y : a < b;
}

const struct constraint *grouping_next(const struct grouping *grouping, const struct cohort *cohort,
                                       const struct constraint *after) {
    const uint32_t *needs = cohort_needs(grouping, cohort);
    const struct constraint *next = NULL;
    for (uint32_t i = 0; i < cohort->needs_count; i++) { // few hosts are in more than two
        const struct constraint *group = &grouping->constraints[need_constraint(needs[i])];
        if (!is_of_rule(group) || (after != NULL && !stands_before(after, group))) continue;
        if (next == NULL || stands_before(group, next)) next = group;
    }
    return next;
}

void grouping_write_names(struct buf *out, const struct grouping *grouping,
                          const struct cohort *cohort) {
    const char *between = "";
    buf_adds(out, "[");
    for (const struct constraint *group = NULL;
         (group = grouping_next(grouping, cohort, group)) != NULL;) {
        buf_adds(out, between);
        buf_add_json(out, group->name);
        between = ", ";
    }
    buf_adds(out, "]");
}

void grouping_deinit(struct grouping *grouping) {
    free(grouping->constraints);
    free(grouping->cohorts);
    free(grouping->order);
    free(grouping->needs_of);
    free(grouping->cohorts_of);
    free(grouping->others);
    free(grouping->texts);
    *grouping = (struct grouping){0};
}

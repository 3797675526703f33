#include "orchestrator/group.h"

#include "common/buf.h"
#include "common/mem.h"
#include "common/rng.h"
#include "common/strmap.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

// --- ACME's groups

static bool is_by_rack(const struct inventory *inventory, const struct host *host) {
    return strcmp(inventory_dev_type(inventory, host), "leaf") == 0;
}

// The rule and its values, apart: no value holds a space. Joined by an underscore, site eu with
// type west_spine would be one group with site eu_west and type spine.
static void write_key(struct buf *key, const struct inventory *inventory, const struct host *host) {
    bool by_rack = is_by_rack(inventory, host);
    buf_clear(key);
    buf_adds(key, by_rack ? "rack " : "type ");
    buf_adds(key, inventory_site(inventory, host));
    buf_adds(key, " ");
    buf_adds(key, by_rack ? host->rack : inventory_dev_type(inventory, host));
}

static void write_name(struct buf *out, const struct inventory *inventory,
                       const struct host *host) {
    buf_adds(out, inventory_site(inventory, host));
    buf_adds(out, "_");
    buf_adds(out, inventory_dev_type(inventory, host));
    if (!is_by_rack(inventory, host)) return;
    buf_adds(out, "_");
    buf_adds(out, host->rack);
}

// Keys and names are appended to one buffer that moves as it grows: until all are known a text is
// an offset.
struct group_list {
    struct strmap known; // key -> group number + 1
    struct buf texts;
    struct listed_group {
        size_t key, name; // into texts
        char *copy;       // what the map's key points to while it is in use
        uint32_t members;
    } * list;
    size_t count, cap;
};

static uint32_t number_of(struct group_list *list, const struct buf *key,
                          const struct inventory *inventory, const struct host *host) {
    uintptr_t known = (uintptr_t)strmap_get(&list->known, key->data);
    if (known != 0) return (uint32_t)(known - 1);
    list->list = mem_grow(list->list, &list->cap, list->count + 1, sizeof *list->list);
    struct listed_group *new = &list->list[list->count];
    *new = (struct listed_group){.key = list->texts.len, .copy = mem_strdup(key->data)};
    buf_add(&list->texts, key->data, key->len + 1);
    new->name = list->texts.len;
    write_name(&list->texts, inventory, host);
    buf_add(&list->texts, "", 1);
    strmap_put(&list->known, new->copy, (void *)(uintptr_t)(list->count + 1));
    return (uint32_t)list->count++;
}

static void group_list_deinit(struct group_list *list) {
    for (size_t i = 0; i < list->count; i++)
        free(list->list[i].copy);
    free(list->list);
    strmap_deinit(&list->known);
}

// Hosts that are not selected count as members of the groups of those that are.
static void count_members(struct group_list *list, const struct inventory *inventory,
                          const struct selection *selection, struct buf *key) {
    size_t selected = 0;
    for (uint32_t h = 0; h < inventory->count; h++) {
        if (selected < selection->count && selection->hosts[selected] == h) {
            selected++;
            continue;
        }
        write_key(key, inventory, &inventory->hosts[h]);
        uintptr_t known = (uintptr_t)strmap_get(&list->known, key->data);
        if (known != 0) list->list[known - 1].members++;
    }
}

void grouping_init(struct grouping *grouping, const struct inventory *inventory,
                   const struct selection *selection) {
    struct group_list list = {0};
    struct buf key = {0};
    uint32_t *needs = mem_array(selection->count, sizeof *needs);
    uint32_t *ends = mem_array(selection->count, sizeof *ends);
    strmap_reserve(&list.known, selection->count / 2); // few hosts are alone in their group
    for (size_t i = 0; i < selection->count; i++) {
        const struct host *host = &inventory->hosts[selection->hosts[i]];
        write_key(&key, inventory, host);
        needs[i] = number_of(&list, &key, inventory, host);
        ends[i] = (uint32_t)i + 1;
        list.list[needs[i]].members++;
    }
    count_members(&list, inventory, selection, &key);
    buf_deinit(&key);

    *grouping = (struct grouping){.count = list.count, .texts = buf_take(&list.texts)};
    grouping->constraints = mem_array(list.count, sizeof *grouping->constraints);
    for (size_t g = 0; g < list.count; g++)
        grouping->constraints[g] = (struct constraint){.key = grouping->texts + list.list[g].key,
                                                       .name = grouping->texts + list.list[g].name,
                                                       .limit = 1,
                                                       .members = list.list[g].members,
                                                       .weight = 1,
                                                       .redundancy = true};
    grouping_build(grouping, selection, ends, needs);
    free(needs);
    free(ends);
    group_list_deinit(&list);
}

// --- cohorts

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
    place_hosts(grouping, selection, cohort);
    list_cohorts(grouping);
    free(b.alone);
    free(b.table);
    free(cohort);
}

void grouping_deinit(struct grouping *grouping) {
    free(grouping->constraints);
    free(grouping->cohorts);
    free(grouping->order);
    free(grouping->needs_of);
    free(grouping->cohorts_of);
    free(grouping->texts);
    *grouping = (struct grouping){0};
}

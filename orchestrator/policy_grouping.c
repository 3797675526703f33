#include "orchestrator/policy_grouping.h"

#include "common/mem.h"
#include "orchestrator/policy_order.h"

#include <stdlib.h>

// Groups without a selected host hold nobody back, and are left out: numbers change.
struct grouper {
    const struct policy *policy;
    const struct inventory *inventory;
    const struct applied_policy *applied;
    struct grouping *out;
    uint32_t *numbers; // by applied group: that of its constraint + 1
    size_t constraints_cap, needs_cap, needs_count;
    uint32_t *needs, *ends;
    struct buf texts; // keys and names: offsets until all are known, for it moves as it grows
    size_t *keys, *names;
    size_t keys_cap, names_cap;
};

static uint32_t add_constraint(struct grouper *g, const struct constraint *constraint) {
    struct grouping *out = g->out;
    out->constraints =
        mem_grow(out->constraints, &g->constraints_cap, out->count + 1, sizeof *out->constraints);
    out->constraints[out->count] = *constraint;
    g->keys = mem_grow(g->keys, &g->keys_cap, out->count + 1, sizeof *g->keys);
    g->names = mem_grow(g->names, &g->names_cap, out->count + 1, sizeof *g->names);
    return (uint32_t)out->count++;
}

static size_t end_text(struct buf *texts) {
    buf_add(texts, "", 1);
    return texts->len;
}

static uint32_t add_group(struct grouper *g, const struct applied_group *group) {
    uint32_t number = add_constraint(g, &(struct constraint){.limit = group->limit,
                                                             .members = group->count,
                                                             .weight = 1,
                                                             .redundancy = group->redundancy});
    g->keys[number] = g->texts.len;
    buf_adds(&g->texts, group->key);
    g->names[number] = end_text(&g->texts);
    policy_write_name(g->policy, group->key, &g->texts);
    end_text(&g->texts);
    return number;
}

// No key of a policy begins so.
static uint32_t add_alone(struct grouper *g, const char *host) {
    uint32_t number = add_constraint(
        g, &(struct constraint){.limit = 1, .members = 1, .weight = 1, .redundancy = true});
    g->keys[number] = g->texts.len;
    buf_adds(&g->texts, "host ");
    g->names[number] = g->texts.len;
    buf_adds(&g->texts, host);
    end_text(&g->texts);
    return number;
}

static void add_need(struct grouper *g, uint32_t need) {
    g->needs = mem_grow(g->needs, &g->needs_cap, g->needs_count + 1, sizeof *g->needs);
    g->needs[g->needs_count++] = need;
}

static void group_host(struct grouper *g, uint32_t host) {
    bool alone = true;
    for (uint32_t i = g->applied->of_from[host]; i < g->applied->of_from[host + 1]; i++) {
        uint32_t of = g->applied->of[i], group = of & ~APPLIED_FIRST;
        if (g->numbers[group] == 0)
            g->numbers[group] = add_group(g, &g->applied->groups[group]) + 1;
        add_need(g, (g->numbers[group] - 1) | ((of & APPLIED_FIRST) != 0 ? NEED_FIRST : 0));
        alone = alone && !g->applied->groups[group].redundancy;
    }
    if (alone) add_need(g, add_alone(g, g->inventory->hosts[host].name));
}

// Members that are not selected: they may have to be up, though nothing is done to them.
static void list_others(struct grouper *g, const struct selection *selection) {
    const struct applied_policy *applied = g->applied;
    const size_t members = applied->of_from[g->inventory->count];
    uint32_t count = 0;
    if (selection->count == g->inventory->count) return;
    bool *selected = mem_array(g->inventory->count, sizeof *selected);
    for (size_t i = 0; i < selection->count; i++)
        selected[selection->hosts[i]] = true;
    uint32_t *others = mem_array(members, sizeof *others);
    for (size_t i = 0; i < applied->count; i++) {
        if (g->numbers[i] == 0) continue;
        struct constraint *constraint = &g->out->constraints[g->numbers[i] - 1];
        const struct applied_group *group = &applied->groups[i];
        constraint->others = count;
        for (uint32_t m = 0; m < group->count; m++) {
            const uint32_t host = applied->members[group->first + m];
            if (!selected[host]) others[count++] = host;
        }
        constraint->others_count = count - constraint->others;
    }
    g->out->others = mem_resize(others, count, sizeof *others);
    free(selected);
}

static void build(struct grouper *g, const struct selection *selection) {
    g->ends = mem_array(selection->count, sizeof *g->ends);
    for (size_t i = 0; i < selection->count; i++) {
        group_host(g, selection->hosts[i]);
        g->ends[i] = (uint32_t)g->needs_count;
    }
    g->out->texts = buf_take(&g->texts);
    for (size_t i = 0; i < g->out->count; i++) {
        g->out->constraints[i].key = g->out->texts + g->keys[i];
        g->out->constraints[i].name = g->out->texts + g->names[i];
    }
    grouping_build(g->out, selection, g->ends, g->needs);
    list_others(g, selection);
}

int policy_grouping(struct grouping *out, const struct policy *policy,
                    const struct inventory *inventory, const struct selection *selection,
                    struct error *err) {
    struct applied_policy applied;
    int rc = policy_apply(&applied, policy, inventory, selection, err);
    if (rc != 0) return rc;
    rc = policy_order_check(&applied, policy, inventory, selection, err);
    if (rc == 0) {
        struct grouper g = {.policy = policy,
                            .inventory = inventory,
                            .applied = &applied,
                            .out = out,
                            .numbers = mem_array(applied.count, sizeof *g.numbers)};
        *out = (struct grouping){0};
        build(&g, selection);
        free(g.numbers);
        free(g.needs);
        free(g.ends);
        free(g.keys);
        free(g.names);
    }
    applied_policy_deinit(&applied);
    return rc;
}

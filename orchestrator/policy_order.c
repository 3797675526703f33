// A group with members that go first is a gate: they open it, and the others pass through. Hosts
// without a gate to wait for are let go, then the gates that they open, and so on; who is left
// waits in a circle, or for one.
#include "orchestrator/policy_order.h"

#include "common/mem.h"

#include <assert.h>
#include <stdlib.h>

static const uint32_t NOBODY = UINT32_MAX; // no host's index

struct order {
    const struct applied_policy *applied;
    bool *selected;    // by host
    uint32_t *gates;   // by host: that are closed before it
    uint32_t *openers; // by group: selected members that must go first, and have not
    uint32_t *ready;   // hosts to let go, a stack
    size_t ready_count, left;
};

static bool is_first(uint32_t of) {
    return (of & APPLIED_FIRST) != 0;
}

static bool has_first(const struct applied_policy *applied) {
    for (size_t g = 0; g < applied->count; g++)
        if (applied->groups[g].leading > 0) return true;
    return false;
}

static const uint32_t *groups_of(const struct order *o, uint32_t host, size_t *count) {
    const uint32_t *from = o->applied->of_from;
    *count = from[host + 1] - from[host];
    return o->applied->of + from[host];
}

static void count_openers(struct order *o, const struct selection *selection) {
    for (size_t i = 0; i < selection->count; i++) {
        uint32_t host = selection->hosts[i];
        size_t count;
        const uint32_t *of = groups_of(o, host, &count);
        o->selected[host] = true;
        for (size_t g = 0; g < count; g++)
            if (is_first(of[g])) o->openers[of[g] & ~APPLIED_FIRST]++;
    }
}

static void count_gates(struct order *o, const struct selection *selection) {
    for (size_t i = 0; i < selection->count; i++) {
        uint32_t host = selection->hosts[i];
        size_t count;
        const uint32_t *of = groups_of(o, host, &count);
        for (size_t g = 0; g < count; g++)
            if (!is_first(of[g]) && o->openers[of[g]] > 0) o->gates[host]++;
        if (o->gates[host] == 0) o->ready[o->ready_count++] = host;
    }
}

static void open_gate(struct order *o, const struct applied_group *group) {
    for (uint32_t m = group->leading; m < group->count; m++) {
        uint32_t host = o->applied->members[group->first + m];
        if (o->selected[host] && --o->gates[host] == 0) o->ready[o->ready_count++] = host;
    }
}

static void let_go(struct order *o, uint32_t host) {
    size_t count;
    const uint32_t *of = groups_of(o, host, &count);
    o->left--;
    for (size_t g = 0; g < count; g++) {
        uint32_t group = of[g] & ~APPLIED_FIRST;
        if (is_first(of[g]) && --o->openers[group] == 0) open_gate(o, &o->applied->groups[group]);
    }
}

// Whom a host that is left waits for, who is left, too: the preferred one, where it is among them.
static uint32_t waits_for(const struct order *o, uint32_t host, uint32_t preferred,
                          const char **key) {
    size_t count;
    const uint32_t *of = groups_of(o, host, &count);
    uint32_t found = NOBODY;
    for (size_t g = 0; g < count; g++) {
        if (is_first(of[g]) || o->openers[of[g]] == 0) continue;
        const struct applied_group *group = &o->applied->groups[of[g]];
        for (uint32_t m = 0; m < group->leading; m++) {
            uint32_t member = o->applied->members[group->first + m];
            bool waited_for = o->selected[member] && o->gates[member] > 0;
            if (!waited_for || (found != NOBODY && member != preferred)) continue;
            found = member;
            *key = group->key;
        }
    }
    assert(found != NOBODY);
    return found;
}

// From anybody who is left the way leads into a circle, after as many steps as there are hosts at
// the latest.
static uint32_t find_circle(const struct order *o, const struct selection *selection) {
    uint32_t host = NOBODY;
    const char *key;
    for (size_t i = 0; i < selection->count; i++)
        if (o->gates[selection->hosts[i]] > 0) host = selection->hosts[i];
    for (size_t i = 0; i < o->left; i++)
        host = waits_for(o, host, NOBODY, &key);
    return host;
}

// In a circle of two the second rule leads straight back; in a longer one by way of others.
static int tell_circle(const struct order *o, const struct policy *policy,
                       const struct inventory *inventory, uint32_t host, struct error *err) {
    const char *key, *back_key;
    struct buf rule = {0}, back = {0};
    uint32_t before = waits_for(o, host, NOBODY, &key);
    waits_for(o, before, host, &back_key);
    policy_write_rule(policy, policy_rule_of(policy, key), &rule);
    policy_write_rule(policy, policy_rule_of(policy, back_key), &back);
    error_set(err, "opposite orders: %.80s goes before %.80s by %.120s, and after it by %.120s",
              inventory->hosts[before].name, inventory->hosts[host].name, rule.data, back.data);
    buf_deinit(&rule);
    buf_deinit(&back);
    return ERROR_INPUT;
}

int policy_order_check(const struct applied_policy *applied, const struct policy *policy,
                       const struct inventory *inventory, const struct selection *selection,
                       struct error *err) {
    if (!has_first(applied)) return 0;
    struct order o = {.applied = applied,
                      .selected = mem_array(inventory->count, sizeof *o.selected),
                      .gates = mem_array(inventory->count, sizeof *o.gates),
                      .openers = mem_array(applied->count, sizeof *o.openers),
                      .ready = mem_array(selection->count, sizeof *o.ready),
                      .left = selection->count};
    int rc = 0;
    count_openers(&o, selection);
    count_gates(&o, selection);
    while (o.ready_count > 0)
        let_go(&o, o.ready[--o.ready_count]);
    if (o.left > 0) rc = tell_circle(&o, policy, inventory, find_circle(&o, selection), err);
    free(o.selected);
    free(o.gates);
    free(o.openers);
    free(o.ready);
    return rc;
}

// Which fault a call meets. The rules are asked in their order and the first that holds wins, so an
// exception stands before the rule that it is an exception from. A rule holds where it matches the
// device and the operation, has let its first `after` calls pass, has not fired `times` yet, and
// wins its draw.
//
// Whether other devices were called before, or at the same time, changes nothing: `after` and
// `times` count for each device on its own, and the draw is a hash of the call and of the rule's
// id. So a seed replays a run, whatever the order in which connections arrive.
#include "simulator/fault.h"

#include "common/glob.h"
#include "common/mem.h"
#include "simulator/draw.h"
#include "simulator/fault_parse.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

// --- the list

static int add_one(struct fault_list *list, const cJSON *value, struct error *err) {
    if (list->len == FAULT_RULES_MAX)
        return error_set(err, "there are %d faults at most", FAULT_RULES_MAX);
    struct fault_rule *rule = mem_zalloc(sizeof *rule);
    int rc = fault_parse(rule, value, &list->known, err);
    if (rc != 0) {
        fault_rule_free(rule);
        return rc;
    }
    rule->id = ++list->last_id;
    list->rules = mem_grow(list->rules, &list->cap, list->len + 1, sizeof *list->rules);
    list->rules[list->len++] = rule;
    return 0;
}

int fault_add(struct fault_list *list, const cJSON *value, struct error *err) {
    if (!cJSON_IsArray(value)) return add_one(list, value, err);
    size_t len = list->len, index = 0;
    uint64_t last_id = list->last_id;
    const cJSON *element;
    cJSON_ArrayForEach(element, value) {
        int rc = add_one(list, element, err);
        if (rc != 0) {
            error_in(err, "[%zu]", index);
            while (list->len > len)
                fault_rule_free(list->rules[--list->len]);
            list->last_id = last_id;
            return rc;
        }
        index++;
    }
    return 0;
}

bool fault_remove(struct fault_list *list, uint64_t id) {
    for (size_t i = 0; i < list->len; i++) {
        if (list->rules[i]->id != id) continue;
        fault_rule_free(list->rules[i]);
        list->len--;
        memmove(&list->rules[i], &list->rules[i + 1], (list->len - i) * sizeof *list->rules);
        return true;
    }
    return false;
}

void fault_remove_all(struct fault_list *list) {
    while (list->len > 0)
        fault_rule_free(list->rules[--list->len]);
    free(list->rules);
    list->rules = NULL;
    list->cap = 0;
}

void fault_deinit(struct fault_list *list) {
    fault_remove_all(list);
    *list = (struct fault_list){0};
}

void fault_rewind(struct fault_list *list) {
    for (size_t i = 0; i < list->len; i++) {
        struct fault_rule *rule = list->rules[i];
        free(rule->counts);
        rule->counts = NULL;
        rule->counts_len = rule->counts_cap = 0;
        rule->fired = 0;
    }
    memset(list->fired, 0, sizeof list->fired);
}

void fault_write(const struct fault_list *list, uint64_t after, struct buf *out) {
    const char *comma = "";
    buf_adds(out, "{\"faults\": [");
    for (size_t i = 0; i < list->len; i++) {
        const struct fault_rule *rule = list->rules[i];
        if (rule->id <= after) continue;
        buf_addf(out, "%s{\"id\": %" PRIu64 ", \"fired\": %" PRIu64 ", %s}", comma, rule->id,
                 rule->fired, rule->text);
        comma = ", ";
    }
    buf_adds(out, "]}");
}

// --- which one applies

static bool pattern_matches(const struct fault_pattern *p, const char *value) {
    if (!p->given) return true;
    if (value == NULL) return false;
    if (strmap_get(&p->exact, value) != NULL) return true;
    if (!p->globs) return false;
    for (size_t i = 0; i < p->len; i++)
        if (glob_matches(p->values[i], value)) return true;
    return false;
}

// A list matches where any of its elements does.
static bool attribute_matches(const struct fault_attribute *a, const struct fault_use *use) {
    struct attribute_values has = {0};
    if (use->attribute != NULL) has = use->attribute(use->of_device, a->name);
    for (size_t i = 0; i < has.count; i++)
        if (pattern_matches(&a->pattern, has.list[i])) return true;
    return false;
}

static bool is_for(const struct fault_rule *rule, const struct fault_use *use) {
    for (int i = 0; i < FAULT_FIELD_COUNT; i++)
        if (!pattern_matches(&rule->match[i], use->fields[i])) return false;
    for (size_t i = 0; i < rule->attributes_len; i++)
        if (!attribute_matches(&rule->attributes[i], use)) return false;
    return true;
}

bool fault_is_for(const struct fault_list *list, const struct fault_use *use) {
    for (size_t i = 0; i < list->len; i++)
        if (is_for(list->rules[i], use)) return true;
    return false;
}

static bool rule_matches(const struct fault_rule *rule, const struct fault_use *use) {
    return (rule->on & OPERATION_BIT(use->operation)) != 0 && is_for(rule, use);
}

static struct fault_counts *find_counts(struct fault_counts *slots, size_t cap, uint32_t device) {
    size_t at = rng_mix(0, device) & (cap - 1);
    while (slots[at].device != 0 && slots[at].device != device + 1)
        at = (at + 1) & (cap - 1);
    return &slots[at];
}

static struct fault_counts *counts_of(struct fault_rule *rule, uint32_t device) {
    if ((rule->counts_len + 1) * 4 > rule->counts_cap * 3) {
        size_t cap = rule->counts_cap == 0 ? 16 : rule->counts_cap * 2;
        struct fault_counts *bigger = mem_array(cap, sizeof *bigger);
        for (size_t i = 0; i < rule->counts_cap; i++)
            if (rule->counts[i].device != 0)
                *find_counts(bigger, cap, rule->counts[i].device - 1) = rule->counts[i];
        free(rule->counts);
        rule->counts = bigger;
        rule->counts_cap = cap;
    }
    struct fault_counts *counts = find_counts(rule->counts, rule->counts_cap, device);
    if (counts->device == 0) {
        counts->device = device + 1;
        rule->counts_len++;
    }
    return counts;
}

// A call that the rule is tried for: the first `after` pass, then the draw decides, until it has
// fired `times`. Counts are kept only where the rule has an `after` or a `times`.
static bool rule_holds(struct fault_rule *rule, const struct fault_use *use) {
    struct fault_counts *counts = NULL;
    if (rule->after > 0 || rule->times != UINT64_MAX) {
        counts = counts_of(rule, use->device);
        if (counts->tried++ < rule->after) return false;
        if (counts->fired >= rule->times) return false;
    }
    if (draw_fault(use->draw, rule->id) >= rule->probability) return false;
    if (counts != NULL) counts->fired++;
    return true;
}

const struct fault_action *fault_choose(struct fault_list *list, const struct fault_use *use) {
    for (size_t i = 0; i < list->len; i++) {
        struct fault_rule *rule = list->rules[i];
        if (!rule_matches(rule, use) || !rule_holds(rule, use)) continue;
        rule->fired++;
        list->fired[rule->action.effect]++;
        return &rule->action;
    }
    return NULL;
}

// The way of a host: each rule says its groups (common/policy.h), their keys become numbers, and
// when all hosts are through, the members of each group are put in place and those of `first` to
// its front. Then the checks, each on what is known by then; the first that fails is told.
#include "orchestrator/policy.h"

#include "common/inventory_builder.h"
#include "common/mem.h"
#include "common/strmap.h"
#include "common/suggest.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct applier {
    const struct policy *policy;
    const struct inventory *inventory;
    struct applied_policy *out;
    int *numbers;        // by the policy's names: the inventory's number, or negative
    struct strmap known; // key -> group number + 1
    size_t groups_cap, of_cap, of_count;
    size_t *applied; // by rule: to how many hosts
    size_t *leading; // by rule: how many go first
};

struct asked { // a host, as policy_groups() asks for its attributes
    const struct applier *applier;
    size_t host;
};

static struct attribute_values value_of(const void *arg, size_t name) {
    const struct asked *asked = arg;
    const struct applier *a = asked->applier;
    if (a->numbers[name] < 0) return (struct attribute_values){0};
    return inventory_values(a->inventory, asked->host, a->numbers[name]);
}

// --- groups

struct place { // a host that is being put into the groups of a rule
    struct applier *applier;
    const struct policy_rule *rule;
    size_t from; // where its groups begin
    bool leads;
};

static uint32_t number_of(struct applier *a, const struct policy_rule *rule, const char *key) {
    struct applied_policy *out = a->out;
    uintptr_t known = (uintptr_t)strmap_get(&a->known, key);
    if (known != 0) return (uint32_t)(known - 1);
    if (out->count == APPLIED_GROUPS_MAX) abort(); // 4,000,000 hosts cannot have as many
    out->groups = mem_grow(out->groups, &a->groups_cap, out->count + 1, sizeof *out->groups);
    struct applied_group *group = &out->groups[out->count];
    *group = (struct applied_group){
        .key = texts_keep(&out->keys, key), .limit = rule->limit, .redundancy = rule->redundancy};
    strmap_put(&a->known, group->key, (void *)(uintptr_t)(out->count + 1));
    return (uint32_t)out->count++;
}

// A list may name a group twice.
static void on_group(void *arg, const char *key) {
    const struct place *place = arg;
    struct applier *a = place->applier;
    uint32_t number = number_of(a, place->rule, key);
    for (size_t i = place->from; i < a->of_count; i++)
        if ((a->out->of[i] & ~APPLIED_FIRST) == number) return;
    a->out->of = mem_grow(a->out->of, &a->of_cap, a->of_count + 1, sizeof *a->out->of);
    a->out->of[a->of_count++] = number | (place->leads ? APPLIED_FIRST : 0);
    a->out->groups[number].count++;
    if (place->leads) a->out->groups[number].leading++;
}

static int bad_value(struct applier *a, const struct policy_rule *rule, size_t host,
                     struct error *err) {
    struct buf told = {0};
    policy_write_rule(a->policy, rule, &told);
    error_from(err, "%s: %.100s", told.data, a->inventory->hosts[host].name);
    buf_deinit(&told);
    return POLICY_UNFIT;
}

static int place_host(struct applier *a, size_t host, struct error *err) {
    const struct asked asked = {a, host};
    const struct attributes attributes = {value_of, &asked};
    for (size_t i = 0; i < a->policy->count; i++) {
        const struct policy_rule *rule = &a->policy->rules[i];
        struct place place = {a, rule, a->of_count, policy_goes_first(rule, &attributes)};
        if (policy_groups(a->policy, rule, &attributes, on_group, &place, err) != 0)
            return bad_value(a, rule, host, err);
        if (a->of_count == place.from) continue;
        a->applied[i]++;
        a->leading[i] += place.leads;
    }
    a->out->of_from[host + 1] = (uint32_t)a->of_count;
    return 0;
}

// Those that lead are put from the front on, the others after them.
static void place_members(struct applier *a) {
    struct applied_policy *out = a->out;
    uint32_t *next = mem_array(out->count, sizeof *next);
    uint32_t *next_leading = mem_array(out->count, sizeof *next_leading), first = 0;
    out->members = mem_array(a->of_count, sizeof *out->members);
    for (size_t g = 0; g < out->count; g++) {
        out->groups[g].first = next_leading[g] = first;
        next[g] = first + out->groups[g].leading;
        first += out->groups[g].count;
    }
    for (size_t host = 0; host < a->inventory->count; host++)
        for (uint32_t i = out->of_from[host]; i < out->of_from[host + 1]; i++) {
            uint32_t group = out->of[i] & ~APPLIED_FIRST;
            uint32_t *at = (out->of[i] & APPLIED_FIRST) != 0 ? &next_leading[group] : &next[group];
            out->members[(*at)++] = (uint32_t)host;
        }
    free(next);
    free(next_leading);
}

// --- attributes of the inventory that nobody may have meant

static bool has(const struct inventory *inventory, size_t host, int attribute) {
    return inventory_values(inventory, host, attribute).count > 0;
}

struct pair { // of attributes: hosts that have the one, the other, both
    size_t one, other, both;
    size_t only_one; // a host that has the one and not the other
};

static struct pair compare(const struct inventory *inventory, int one, int other) {
    struct pair pair = {0};
    for (size_t i = 0; i < inventory->count; i++) {
        bool has_one = has(inventory, i, one), has_other = has(inventory, i, other);
        pair.one += has_one;
        pair.other += has_other;
        pair.both += has_one && has_other;
        if (has_one && !has_other) pair.only_one = i;
    }
    return pair;
}

static int unread(const char *name, struct error *err) {
    error_set(err,
              "the inventory: '%.60s' is read by no rule; did you mean redundancy_groups? Or name "
              "it in a policy",
              name);
    return POLICY_UNFIT;
}

// A host that has mlga and not mlag would be missing in its group, and nobody else would notice.
// Where hosts have both, they are two attributes and no slip.
static int check_slip(const struct applier *a, const char *name, const char *meant,
                      struct error *err) {
    const struct inventory *inventory = a->inventory;
    struct pair pair = compare(inventory, inventory_attribute(inventory, name),
                               inventory_attribute(inventory, meant));
    if (pair.one == 0 || pair.both > 0 || pair.one > pair.other) return 0;
    error_set(err, "the inventory: %.100s has no %.60s, but %.60s; did you mean %.60s?",
              inventory->hosts[pair.only_one].name, meant, name, meant);
    return POLICY_UNFIT;
}

static int check_attributes(const struct applier *a, struct error *err) {
    const struct names *attributes = &a->inventory->attributes;
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < attributes->count; i++) {
        const char *name = attributes->list[i];
        if (policy_names(a->policy, name)) continue;
        if (inventory_means_groups(name)) return unread(name, err);
        for (size_t n = 0; rc == 0 && n < a->policy->names.count; n++)
            if (a->numbers[n] >= 0 && suggest_slip(name, a->policy->names.list[n]))
                rc = check_slip(a, name, a->policy->names.list[n], err);
    }
    return rc;
}

// --- rules that mean nobody

static int unfit(const struct applier *a, const struct policy_rule *rule, struct error *err) {
    struct buf told = {0};
    policy_write_rule(a->policy, rule, &told);
    error_from(err, "%s", told.data);
    buf_deinit(&told);
    return POLICY_UNFIT;
}

static bool anybody_has(const struct applier *a, size_t name) {
    for (size_t i = 0; a->numbers[name] >= 0 && i < a->inventory->count; i++)
        if (has(a->inventory, i, a->numbers[name])) return true;
    return false;
}

static int nobody_has(const struct applier *a, const struct policy_rule *rule, size_t name,
                      struct error *err) {
    const struct names *attributes = &a->inventory->attributes;
    const char *text = a->policy->names.list[name];
    const char *near = suggest(text, attributes->list, attributes->count);
    if (near == NULL || strcmp(near, text) == 0)
        near = suggest(text, inventory_fields, INVENTORY_FIELDS);
    if (near == NULL || strcmp(near, text) == 0)
        error_set(err, "no host has %.60s", text);
    else
        error_set(err, "no host has %.60s; did you mean %.60s?", text, near);
    return unfit(a, rule, err);
}

static int check_terms(const struct applier *a, const struct policy_rule *rule,
                       const struct terms *terms, struct error *err) {
    for (size_t i = 0; i < terms->count; i++)
        if (!anybody_has(a, terms->list[i].attribute))
            return nobody_has(a, rule, terms->list[i].attribute, err);
    return 0;
}

// `unless` may name what the inventory could have and has not: redundancy_groups, a rack.
static int check_unless(const struct applier *a, const struct policy_rule *rule,
                        struct error *err) {
    for (size_t i = 0; i < rule->unless.count; i++) {
        size_t name = rule->unless.list[i].attribute;
        int number = a->numbers[name];
        if (strcmp(a->policy->names.list[name], "redundancy_groups") == 0) continue;
        if (number >= 0 && number < INVENTORY_FIELDS) continue;
        if (!anybody_has(a, name)) return nobody_has(a, rule, name, err);
    }
    return 0;
}

static int check_rule(const struct applier *a, const struct policy_rule *rule, struct error *err) {
    for (size_t i = 0; i < rule->pieces_count; i++)
        if (rule->pieces[i].has_attribute && !anybody_has(a, rule->pieces[i].attribute))
            return nobody_has(a, rule, rule->pieces[i].attribute, err);
    int rc = check_terms(a, rule, &rule->match, err);
    if (rc == 0) rc = check_unless(a, rule, err);
    if (rc == 0) rc = check_terms(a, rule, &rule->first, err);
    if (rc != 0) return rc;
    size_t index = (size_t)(rule - a->policy->rules);
    if (a->applied[index] == 0) {
        error_set(err, "it applies to no host");
        return unfit(a, rule, err);
    }
    if (rule->first.count == 0 || a->leading[index] > 0) return 0;
    error_set(err, "`first` holds for no host to which the rule applies");
    return unfit(a, rule, err);
}

static int check_rules(const struct applier *a, struct error *err) {
    int rc = 0;
    for (size_t i = 0; rc == 0 && a->policy->given && i < a->policy->count; i++)
        rc = check_rule(a, &a->policy->rules[i], err);
    return rc;
}

// --- selected hosts

static bool is_grouped(const struct applied_policy *out, size_t host) {
    for (uint32_t i = out->of_from[host]; i < out->of_from[host + 1]; i++)
        if (out->groups[out->of[i] & ~APPLIED_FIRST].redundancy) return true;
    return false;
}

// What would have put it into a group: "rack or redundancy_groups".
static void write_lacking(const struct applier *a, size_t host, struct buf *out) {
    const struct asked asked = {a, host};
    const struct attributes attributes = {value_of, &asked};
    for (size_t i = 0; i < a->policy->count; i++) {
        const struct policy_rule *rule = &a->policy->rules[i];
        if (!rule->redundancy || !policy_wants(rule, &attributes)) continue;
        const char *lacking = policy_lacking(a->policy, rule, &attributes);
        if (out->len > 0 && strstr(out->data, lacking) != NULL) continue;
        buf_addf(out, "%s%s", out->len == 0 ? "" : " or ", lacking);
    }
}

static int ungrouped(const struct applier *a, size_t host, size_t others, struct error *err) {
    struct buf lacking = {0};
    const char *name = a->inventory->hosts[host].name;
    char more[64] = "";
    if (others > 0) snprintf(more, sizeof more, "; and %zu more", others);
    write_lacking(a, host, &lacking);
    if (lacking.len > 0)
        error_set(err, "%.100s is in no redundancy group: it lacks %.200s%s", name, lacking.data,
                  more);
    else
        error_set(err, "%.100s is in no redundancy group: no rule is for it%s", name, more);
    buf_deinit(&lacking);
    return ERROR_INPUT;
}

static int check_grouped(const struct applier *a, const struct selection *selection,
                         struct error *err) {
    size_t first = 0, count = 0;
    for (size_t i = 0; !a->policy->ungrouped_allowed && i < selection->count; i++) {
        uint32_t host = selection->hosts[i];
        if (a->inventory->hosts[host].platform != 0 || is_grouped(a->out, host)) continue;
        if (count++ == 0) first = host;
    }
    return count == 0 ? 0 : ungrouped(a, first, count - 1, err);
}

// --- life

static void init(struct applier *a, struct applied_policy *out, const struct policy *policy,
                 const struct inventory *inventory) {
    *out = (struct applied_policy){.of_from = mem_array(inventory->count + 1, sizeof(uint32_t)),
                                   .of = mem_array(inventory->count, sizeof(uint32_t))};
    *a = (struct applier){.policy = policy,
                          .inventory = inventory,
                          .out = out,
                          .of_cap = inventory->count,
                          .numbers = mem_array(policy->names.count, sizeof *a->numbers),
                          .applied = mem_array(policy->count, sizeof *a->applied),
                          .leading = mem_array(policy->count, sizeof *a->leading)};
    for (size_t i = 0; i < policy->names.count; i++)
        a->numbers[i] = inventory_attribute(inventory, policy->names.list[i]);
}

int policy_apply(struct applied_policy *out, const struct policy *policy,
                 const struct inventory *inventory, const struct selection *selection,
                 struct error *err) {
    struct applied_policy applied;
    struct applier a;
    int rc = 0;
    init(&a, &applied, policy, inventory);
    for (size_t host = 0; rc == 0 && host < inventory->count; host++)
        rc = place_host(&a, host, err);
    if (rc == 0) place_members(&a);
    if (rc == 0) rc = check_attributes(&a, err);
    if (rc == 0) rc = check_rules(&a, err);
    if (rc == 0) rc = check_grouped(&a, selection, err);
    free(a.numbers);
    free(a.applied);
    free(a.leading);
    strmap_deinit(&a.known);
    if (rc == 0)
        *out = applied;
    else
        applied_policy_deinit(&applied);
    return rc;
}

void applied_policy_deinit(struct applied_policy *applied) {
    free(applied->groups);
    free(applied->members);
    free(applied->of_from);
    free(applied->of);
    texts_deinit(&applied->keys);
    *applied = (struct applied_policy){0};
}

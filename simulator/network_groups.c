// Devices are asked for their groups in network order, but not each of them: whatever a rule names
// that is not the rack or the host's name is the same for all devices of a block, and the rack for
// all of a rack. So a rule's last answer is kept, and holds until something that the rule names may
// have changed: at the next block, rack or device. Hosts of their own, and those with attributes of
// their own, are asked one by one.
#include "simulator/network_groups.h"

#include "common/mem.h"
#include "common/rng.h"
#include "simulator/network_view.h"

#include <stdlib.h>
#include <string.h>

enum grain { GRAIN_BLOCK, GRAIN_RACK, GRAIN_DEVICE };

struct answer { // of a rule, and of how many devices from which on it is the answer
    enum grain grain;
    uint32_t *list;
    size_t len, cap;
    uint32_t until; // the device behind the last that it holds for
    bool applied;
};

// Groups by the hash of a text, which is not looked at again when the table grows.
struct slot {
    uint32_t hash;
    uint32_t group; // + 1
};

struct table {
    struct slot *slots;
    size_t cap, count;
};

struct former {
    const struct network *n;
    struct network_groups *out;
    struct network_view view;
    int *numbers; // by the policy's names: the network's attribute
    struct answer *answers;
    struct table known; // by their keys
    size_t list_cap, of_cap, of_len;
    uint32_t *run; // the groups of each device up to where an answer ends
    size_t run_len, run_cap;
};

static struct attribute_values value_of(const void *former, size_t name) {
    struct former *f = (struct former *)(uintptr_t)former;
    return network_view_values(&f->view, f->numbers[name]);
}

// --- the table

// Where a group of that hash may be, from `at` on; or the free slot behind them.
static struct slot *next_slot(const struct table *t, uint32_t hash, size_t *at) {
    while (t->slots[*at & (t->cap - 1)].group != 0 && t->slots[*at & (t->cap - 1)].hash != hash)
        ++*at;
    return &t->slots[*at & (t->cap - 1)];
}

static void make_table(struct table *t, size_t cap) {
    struct table new = {.slots = mem_array(cap, sizeof *new.slots), .cap = cap, .count = t->count};
    for (size_t i = 0; i < t->cap; i++) {
        if (t->slots[i].group == 0) continue;
        size_t at = t->slots[i].hash;
        while (new.slots[at & (cap - 1)].group != 0)
            at++;
        new.slots[at & (cap - 1)] = t->slots[i];
    }
    free(t->slots);
    *t = new;
}

static void make_room(struct table *t) {
    if ((t->count + 1) * 4 > t->cap * 3) make_table(t, t->cap == 0 ? 16 : t->cap * 2);
    t->count++;
}

// --- what a rule's answer depends on

static enum grain grain_of_name(const struct former *f, size_t name) {
    if (f->numbers[name] == NETWORK_HOST || network_is_computed(f->n, f->numbers[name]))
        return GRAIN_DEVICE;
    return f->numbers[name] == NETWORK_RACK ? GRAIN_RACK : GRAIN_BLOCK;
}

static enum grain coarser(enum grain a, enum grain b) {
    return a > b ? a : b;
}

static enum grain grain_of_terms(const struct former *f, const struct terms *terms) {
    enum grain grain = GRAIN_BLOCK;
    for (size_t i = 0; i < terms->count; i++)
        grain = coarser(grain, grain_of_name(f, terms->list[i].attribute));
    return grain;
}

static enum grain grain_of(const struct former *f, const struct policy_rule *rule) {
    enum grain grain = coarser(grain_of_terms(f, &rule->match), grain_of_terms(f, &rule->unless));
    for (size_t i = 0; i < rule->pieces_count; i++)
        if (rule->pieces[i].has_attribute)
            grain = coarser(grain, grain_of_name(f, rule->pieces[i].attribute));
    return grain;
}

// --- a device's groups

struct asking {
    struct former *former;
    struct answer *answer;
    const struct policy_rule *rule;
};

static uint32_t number_of(struct former *f, const struct policy_rule *rule, const char *key) {
    struct network_groups *out = f->out;
    uint32_t hash = (uint32_t)rng_hash(key);
    make_room(&f->known);
    size_t at = hash;
    struct slot *slot = next_slot(&f->known, hash, &at);
    for (; slot->group != 0; at++, slot = next_slot(&f->known, hash, &at))
        if (strcmp(out->list[slot->group - 1].key, key) == 0) {
            f->known.count--;
            return slot->group - 1;
        }
    out->list = mem_grow(out->list, &f->list_cap, (size_t)out->count + 1, sizeof *out->list);
    struct network_group *group = &out->list[out->count++];
    *group = (struct network_group){
        .key = texts_keep(&out->keys, key), .limit = rule->limit, .redundancy = rule->redundancy};
    *slot = (struct slot){hash, out->count};
    return out->count - 1;
}

// A list may name a group twice.
static void on_group(void *arg, const char *key) {
    struct asking *asking = arg;
    struct answer *answer = asking->answer;
    uint32_t number = number_of(asking->former, asking->rule, key);
    for (size_t i = 0; i < answer->len; i++)
        if (answer->list[i] == number) return;
    answer->list = mem_grow(answer->list, &answer->cap, answer->len + 1, sizeof *answer->list);
    answer->list[answer->len++] = number;
}

static int ask(struct former *f, size_t index, struct error *err) {
    const struct policy *policy = &f->n->policy;
    const struct policy_rule *rule = &policy->rules[index];
    const struct attributes attributes = {value_of, f};
    struct asking asking = {f, &f->answers[index], rule};
    asking.answer->len = 0;
    int rc = policy_groups(policy, rule, &attributes, on_group, &asking, err);
    if (rc == 0) {
        asking.answer->applied |= asking.answer->len > 0;
        return 0;
    }
    char host[NETWORK_HOST_MAX];
    network_host(f->n, f->view.device, host);
    error_from(err, "%.100s", host);
    return rc;
}

static bool is_odd(const struct network_override *override) {
    return override != NULL && override->attributes.from < override->attributes.to;
}

// Until where the answer that a rule now gives holds.
static uint32_t until(const struct former *f, const struct answer *answer, uint32_t block_end) {
    const struct network_place *at = &f->view.place;
    if (at->own != NULL || is_odd(f->view.override) || answer->grain == GRAIN_DEVICE)
        return f->view.device + 1;
    if (answer->grain == GRAIN_BLOCK) return block_end;
    uint32_t left = at->type->per_rack - at->number % at->type->per_rack;
    return left < block_end - f->view.device ? f->view.device + left : block_end;
}

static void append_run(struct former *f, uint32_t device, uint32_t end) {
    struct network_groups *out = f->out;
    size_t len = f->run_len;
    out->of = mem_grow(out->of, &f->of_cap, f->of_len + len * (end - device), sizeof *out->of);
    for (; device < end; device++) {
        for (size_t i = 0; i < len; i++)
            out->of[f->of_len++] = f->run[i];
        out->of_from[device + 1] = (uint32_t)f->of_len;
    }
}

// Places the device and those after it that are as it is; end becomes the one behind them. An odd
// device, whose answer is nobody else's, is a run of its own: no answer holds beyond the end.
static int place_run(struct former *f, uint32_t device, uint32_t *end, struct error *err) {
    const uint32_t block_end = *end;
    bool viewed = false;
    f->run_len = 0;
    for (size_t i = 0; i < f->n->policy.count; i++) {
        struct answer *answer = &f->answers[i];
        if (device >= answer->until) {
            if (!viewed) network_view(&f->view, f->n, device);
            viewed = true;
            if (ask(f, i, err) != 0) return ERROR_INPUT;
            answer->until = until(f, answer, block_end);
        }
        if (answer->until < *end) *end = answer->until;
        if (answer->len == 0) continue;
        f->run = mem_grow(f->run, &f->run_cap, f->run_len + answer->len, sizeof *f->run);
        memcpy(f->run + f->run_len, answer->list, answer->len * sizeof *f->run);
        f->run_len += answer->len;
    }
    append_run(f, device, *end);
    return 0;
}

// The next device that has attributes of its own, or the last one's successor.
static uint32_t next_odd(const struct network *n, size_t *override, uint32_t device) {
    while (*override < n->overrides_len &&
           (n->overrides[*override].device < device || !is_odd(&n->overrides[*override])))
        ++*override;
    return *override < n->overrides_len ? n->overrides[*override].device : n->devices;
}

static int place_block(struct former *f, size_t block, size_t *override, struct error *err) {
    const struct network *n = f->n;
    uint32_t end = block + 1 < n->blocks_len ? n->blocks[block + 1].first : n->devices;
    for (uint32_t device = n->blocks[block].first, next; device < end; device = next) {
        uint32_t odd = next_odd(n, override, device);
        next = odd == device ? device + 1 : odd < end ? odd : end;
        if (place_run(f, device, &next, err) != 0) return ERROR_INPUT;
    }
    return 0;
}

// --- names

static bool is_name(const struct network *n, uint32_t group, const char *name, struct buf *other) {
    buf_clear(other);
    policy_write_name(&n->policy, n->groups.list[group].key, other);
    return strcmp(other->data, name) == 0;
}

bool *network_groups_named_twice(const struct network *n) {
    bool *twice = mem_array(n->groups.count, sizeof *twice);
    struct table names = {0};
    struct buf name = {0}, other = {0};
    for (uint32_t group = 0; group < n->groups.count; group++) {
        buf_clear(&name);
        policy_write_name(&n->policy, n->groups.list[group].key, &name);
        uint32_t hash = (uint32_t)rng_hash(name.data);
        size_t at = hash;
        make_room(&names);
        struct slot *slot = next_slot(&names, hash, &at);
        while (slot->group != 0 && !is_name(n, slot->group - 1, name.data, &other)) {
            at++;
            slot = next_slot(&names, hash, &at);
        }
        if (slot->group != 0)
            twice[group] = twice[slot->group - 1] = true;
        else
            *slot = (struct slot){hash, group + 1};
    }
    buf_deinit(&name);
    buf_deinit(&other);
    free(names.slots);
    return twice;
}

// The values of a key: "5 2:eu10:west_spine" has eu and west_spine.
static void write_values(const char *key, struct buf *out) {
    const char *comma = "";
    for (const char *at = strchr(key, ' ') + 1; *at != '\0'; comma = ", ") {
        char *text;
        size_t len = strtoul(at, &text, 10);
        buf_adds(out, comma);
        buf_add(out, text + 1, len);
        at = text + 1 + len;
    }
}

static bool shares_template(const struct policy *policy, const struct policy_rule *rule) {
    for (size_t i = 0; i < policy->count; i++)
        if (&policy->rules[i] != rule && strcmp(policy->rules[i].group, rule->group) == 0)
            return true;
    return false;
}

void network_group_name(const struct network *n, uint32_t group, const bool *twice,
                        struct buf *out) {
    const struct network_group *g = &n->groups.list[group];
    if (!twice[group]) {
        policy_write_name(&n->policy, g->key, out);
        return;
    }
    const struct policy_rule *rule = policy_rule_of(&n->policy, g->key);
    if (shares_template(&n->policy, rule))
        buf_addf(out, "%s[%zu] ", rule->redundancy ? "redundancy" : "throttle", rule->index);
    buf_addf(out, "%s: ", rule->group);
    write_values(g->key, out);
}

// --- life

static int check_applied(const struct former *f, struct error *err) {
    const struct policy *policy = &f->n->policy;
    for (size_t i = 0; policy->given && i < policy->count; i++) {
        if (f->answers[i].applied) continue;
        struct buf told = {0};
        policy_write_rule(policy, &policy->rules[i], &told);
        error_set(err, "%.250s: it applies to no device", told.data);
        buf_deinit(&told);
        return ERROR_INPUT;
    }
    return 0;
}

int network_groups_form(struct network_groups *groups, const struct network *n, struct error *err) {
    struct former f = {.n = n, .out = groups};
    size_t override = 0;
    int rc = 0;
    *groups =
        (struct network_groups){.of_from = mem_array((size_t)n->devices + 1, sizeof(uint32_t))};
    f.numbers = mem_array(n->policy.names.count, sizeof *f.numbers);
    f.answers = mem_array(n->policy.count, sizeof *f.answers);
    for (size_t i = 0; i < n->policy.names.count; i++)
        f.numbers[i] = network_attribute(n, n->policy.names.list[i]);
    for (size_t i = 0; i < n->policy.count; i++)
        f.answers[i].grain = grain_of(&f, &n->policy.rules[i]);
    for (size_t i = 0; rc == 0 && i < n->blocks_len; i++)
        rc = place_block(&f, i, &override, err);
    free(f.known.slots);
    free(f.run);
    if (rc == 0) rc = check_applied(&f, err);
    for (size_t i = 0; i < n->policy.count; i++)
        free(f.answers[i].list);
    free(f.answers);
    free(f.numbers);
    groups->of = mem_resize(groups->of, f.of_len, sizeof *groups->of);
    groups->list = mem_resize(groups->list, groups->count, sizeof *groups->list);
    if (rc != 0) network_free_groups(groups);
    return rc;
}

struct network_group_list network_groups_of(const struct network *n, uint32_t device) {
    const struct network_groups *g = &n->groups;
    uint32_t from = g->of_from[device];
    return (struct network_group_list){g->of + from, g->of_from[device + 1] - from};
}

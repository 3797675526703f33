#include "orchestrator/policy_agree.h"

#include "common/mem.h"
#include "common/strmap.h"
#include "orchestrator/components.h"

#include <stdlib.h>
#include <string.h>

enum { SEVERAL = UINT16_MAX };

struct view {
    const struct job_view *job;
    struct applied_policy applied;
    struct components components;
    // By the host that stands for a component: whether it has selected hosts, and the shard of
    // these, or SEVERAL: they were of several components when the job was made.
    bool *concerned;
    uint16_t *shards;
};

static uint32_t root_of(const struct view *v, uint32_t host) {
    return components_of(&v->components, host);
}

static uint32_t size_of(const struct view *v, uint32_t root) {
    return v->components.sizes[root];
}

static void find_components(struct view *v) {
    const size_t hosts = v->job->inventory->count;
    components_find(&v->components, &v->applied, hosts);
    v->concerned = mem_array(hosts, sizeof *v->concerned);
    v->shards = mem_array(hosts, sizeof *v->shards);
    for (size_t i = 0; i < v->job->selection->count; i++) {
        const uint32_t root = root_of(v, v->job->selection->hosts[i]);
        const uint16_t shard = v->job->shards == NULL ? 0 : v->job->shards[i];
        v->shards[root] = v->concerned[root] && v->shards[root] != shard ? SEVERAL : shard;
        v->concerned[root] = true;
    }
}

static bool is_concerned(const struct view *v, uint32_t host) {
    return v->concerned[root_of(v, host)];
}

static int view_init(struct view *v, const struct policy *policy, const struct job_view *job) {
    const struct selection nobody = {0}; // who reads may have selected hosts without groups
    struct error err;
    *v = (struct view){.job = job};
    if (job->is_excerpt) return 0; // what ties its hosts is not known
    int rc = policy_apply(&v->applied, policy, job->inventory,
                          job->reads ? &nobody : job->selection, &err);
    if (rc == 0) find_components(v);
    return rc;
}

static void view_deinit(struct view *v) {
    applied_policy_deinit(&v->applied);
    components_deinit(&v->components);
    free(v->concerned);
    free(v->shards);
}

// --- hosts

static bool is_same_device(const struct view *a, uint32_t i, const struct view *b, uint32_t j) {
    const struct host *x = &a->job->inventory->hosts[i], *y = &b->job->inventory->hosts[j];
    return x->port == y->port && strcmp(x->address, y->address) == 0 &&
           strcmp(inventory_platform(a->job->inventory, x),
                  inventory_platform(b->job->inventory, y)) == 0;
}

static bool has_group(const struct view *v, uint32_t host, const char *key, uint32_t first) {
    const struct applied_policy *applied = &v->applied;
    for (uint32_t i = applied->of_from[host]; i < applied->of_from[host + 1]; i++)
        if ((applied->of[i] & APPLIED_FIRST) == first &&
            strcmp(applied->groups[applied->of[i] & ~APPLIED_FIRST].key, key) == 0)
            return true;
    return false;
}

// No host is twice in a group: as many groups, each found with the other, are the same.
static bool is_in_same_groups(const struct view *a, uint32_t i, const struct view *b, uint32_t j) {
    const struct applied_policy *x = &a->applied, *y = &b->applied;
    if (x->of_from[i + 1] - x->of_from[i] != y->of_from[j + 1] - y->of_from[j]) return false;
    for (uint32_t g = x->of_from[i]; g < x->of_from[i + 1]; g++)
        if (!has_group(b, j, x->groups[x->of[g] & ~APPLIED_FIRST].key, x->of[g] & APPLIED_FIRST))
            return false;
    return true;
}

// --- the comparison

// The pairs of hosts that both have, in components that concern both. Where each host of a
// component has its like in one component of the same size, the components have the same members.
static const char *find_difference(const struct view *a, const struct view *b) {
    const struct inventory *of_a = a->job->inventory, *of_b = b->job->inventory;
    const char *different = NULL;
    struct strmap names = {0};                             // of b's concerned hosts -> index + 1
    uint32_t *like = mem_array(of_a->count, sizeof *like); // by a's root: b's root + 1
    uint32_t *shared = mem_array(of_a->count, sizeof *shared); // by a's root: members found
    const bool reads = a->job->reads || b->job->reads;
    for (uint32_t j = 0; j < of_b->count; j++)
        if (is_concerned(b, j)) strmap_put(&names, of_b->hosts[j].name, (void *)(uintptr_t)(j + 1));
    for (uint32_t i = 0; i < of_a->count && different == NULL; i++) {
        uintptr_t found = (uintptr_t)strmap_get(&names, of_a->hosts[i].name);
        if (found == 0 || !is_concerned(a, i)) continue;
        const uint32_t j = (uint32_t)(found - 1), x = root_of(a, i), y = root_of(b, j);
        if (a->shards[x] != b->shards[y] || a->shards[x] == SEVERAL)
            different = of_a->hosts[i].name;
        if (reads) continue;
        if (like[x] == 0) like[x] = y + 1;
        shared[x]++;
        if (like[x] != y + 1 || size_of(a, x) != size_of(b, y) || !is_same_device(a, i, b, j) ||
            !is_in_same_groups(a, i, b, j))
            different = of_a->hosts[i].name;
    }
    for (uint32_t i = 0; i < of_a->count && different == NULL; i++)
        if (shared[i] > 0 && shared[i] != size_of(a, i)) different = of_a->hosts[i].name;
    strmap_deinit(&names);
    free(like);
    free(shared);
    return different;
}

static bool is_same_text(const char *a, const char *b) {
    return a == b || strcmp(a, b) == 0;
}

static bool has_same_attributes(const struct inventory *a, const struct inventory *b, size_t host) {
    if (a->attributes_from == NULL || b->attributes_from == NULL)
        return a->attributes_from == b->attributes_from;
    if (a->attributes_from[host + 1] != b->attributes_from[host + 1]) return false;
    for (uint32_t i = a->attributes_from[host]; i < a->attributes_from[host + 1]; i++)
        if (strcmp(a->attributes.list[a->attribute_names[i]],
                   b->attributes.list[b->attribute_names[i]]) != 0 ||
            strcmp(a->attribute_values[i], b->attribute_values[i]) != 0)
            return false;
    return true;
}

// The inventory was read again and is as it was, which is what it mostly is.
static bool is_same_inventory(const struct inventory *a, const struct inventory *b) {
    if (a == b) return true;
    if (a->count != b->count) return false;
    for (size_t i = 0; i < a->count; i++) {
        const struct host *x = &a->hosts[i], *y = &b->hosts[i];
        if (x->port != y->port || !is_same_text(x->name, y->name) ||
            !is_same_text(x->address, y->address) || !is_same_text(x->rack, y->rack) ||
            !is_same_text(inventory_site(a, x), inventory_site(b, y)) ||
            !is_same_text(inventory_dev_type(a, x), inventory_dev_type(b, y)) ||
            !is_same_text(inventory_platform(a, x), inventory_platform(b, y)) ||
            !has_same_attributes(a, b, i))
            return false;
    }
    return true;
}

// The first host of an excerpt that the other job has to do with, or NULL; of two excerpts that
// both name.
static const char *find_named(const struct job_view *excerpt, const struct view *other) {
    const struct inventory *hosts = other->job->inventory;
    const char *found = NULL;
    struct strmap names = {0};
    for (size_t i = 0; i < excerpt->inventory->count; i++)
        strmap_put(&names, excerpt->inventory->hosts[i].name, (void *)(uintptr_t)1);
    for (uint32_t i = 0; i < hosts->count && found == NULL; i++)
        if ((other->job->is_excerpt || is_concerned(other, i)) &&
            strmap_get(&names, hosts->hosts[i].name) != NULL)
            found = hosts->hosts[i].name;
    strmap_deinit(&names);
    return found;
}

static const char *compare(const struct view *a, const struct view *b) {
    if (a->job->is_excerpt) return find_named(a->job, b);
    if (b->job->is_excerpt) return find_named(b->job, a);
    return find_difference(a, b);
}

static bool is_all_the_same(const struct job_view *a, const struct job_view *b) {
    return !a->is_excerpt && !b->is_excerpt && !a->is_moved && !b->is_moved &&
           is_same_inventory(a->inventory, b->inventory);
}

bool policy_agree(const struct policy *policy, const struct job_view *a, const struct job_view *b,
                  const char **host) {
    struct view of_a, of_b;
    if (is_all_the_same(a, b)) return true;
    *host = a->inventory->count == 0 ? "" : a->inventory->hosts[0].name;
    if (view_init(&of_a, policy, a) != 0) return false; // it was applied when the job was taken
    if (view_init(&of_b, policy, b) != 0) {
        view_deinit(&of_a);
        return false;
    }
    const char *different = compare(&of_a, &of_b);
    view_deinit(&of_a);
    view_deinit(&of_b);
    if (different != NULL) *host = different;
    return different == NULL;
}

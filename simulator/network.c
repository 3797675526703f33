// A network is gathered first: sites, types, hosts of their own. Laying it out makes blocks of it,
// each a type in a site or a site's own hosts, with the number of the block's first device; so a
// device's place is found by bisection, and sites need not be alike. Names that follow the default
// are taken apart to find their device; all others stand in a hash table of device numbers, and are
// written anew to be compared.
#include "simulator/network.h"

#include "common/count.h"
#include "common/mem.h"
#include "common/rng.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const acme_sites[] = {"mercury", "venus",  "earth",  "mars",
                                         "jupyter", "uranus", "saturn", "neptune"};
static const struct {
    const char *name;
    uint32_t count, rack;
} acme_types[] = {{"edge", 2, 10}, {"spine", 4, 20}, {"leaf", 100, 100}};

void network_init(struct network *n) {
    *n = (struct network){0};
    n->username = mem_strdup("admin");
    n->password = mem_strdup("admin");
    network_set_latency(n, (struct duration_range){10000, 2000000});
}

static void free_pairs(struct network_pairs *pairs) {
    free(pairs->names);
    free(pairs->name_of);
    free(pairs->values);
    strmap_deinit(&pairs->by_name);
}

void network_deinit(struct network *n) {
    for (size_t i = 0; i < n->sites_len; i++)
        free(n->sites[i].name);
    for (size_t i = 0; i < n->types_len; i++) {
        free((void *)(uintptr_t)n->types[i].name);
        network_name_deinit(&n->types[i].naming);
        for (size_t k = 0; k < n->types[i].computed_len; k++)
            network_name_deinit(&n->types[i].computed[k].value);
        free(n->types[i].computed);
    }
    for (size_t i = 0; i < n->overrides_len; i++)
        free(n->overrides[i].version);
    for (size_t i = 0; i < n->versions_len; i++)
        free(n->versions[i]);
    free(n->sites);
    free(n->types);
    free(n->counts);
    free(n->own);
    free(n->blocks);
    free(n->by_name);
    free(n->overrides);
    free(n->versions);
    free(n->username);
    free(n->password);
    strmap_deinit(&n->sites_by_name);
    strmap_deinit(&n->types_by_name);
    free_pairs(&n->pairs);
    texts_deinit(&n->texts);
    policy_deinit(&n->policy);
    network_free_groups(&n->groups);
    *n = (struct network){0};
}

// --- gathering

static int check_name(const char *name, struct error *err) {
    size_t len = strlen(name);
    if (len == 0 || len > NETWORK_NAME_MAX)
        return error_set(err, "'%.80s': a name has 1 to %d characters", name, NETWORK_NAME_MAX);
    for (const char *c = name; *c != '\0'; c++)
        if (!isalnum((unsigned char)*c) && *c != '-' && *c != '_')
            return error_set(err, "'%.80s': a name is made of letters, digits, - and _", name);
    return 0;
}

static int add_site(struct network *n, const char *name, struct error *err) {
    if (n->sites_len == NETWORK_SITES_MAX)
        return error_set(err, "a network has %d sites at most", NETWORK_SITES_MAX);
    n->sites = mem_grow(n->sites, &n->sites_cap, n->sites_len + 1, sizeof *n->sites);
    char *copy = mem_strdup(name);
    // The index + 1, as a pointer: the map cannot hold NULL.
    if (strmap_put(&n->sites_by_name, copy, (void *)(uintptr_t)(n->sites_len + 1)) != NULL) {
        free(copy);
        return error_set(err, "there is a site %s already", name);
    }
    n->sites[n->sites_len++] = (struct network_site){.name = copy, .hash = rng_hash(copy)};
    n->laid_out = false;
    return 0;
}

int network_add_site(struct network *n, const char *name, struct error *err) {
    int rc = check_name(name, err);
    return rc == 0 ? add_site(n, name, err) : rc;
}

static int add_type(struct network *n, const struct network_type *type, struct error *err) {
    if (network_find_type(n, type->name) >= 0)
        return error_set(err, "there is a device type %s already", type->name);
    if (n->types_len == NETWORK_TYPES_MAX)
        return error_set(err, "a network has %d device types at most", NETWORK_TYPES_MAX);
    n->types = mem_grow(n->types, &n->types_cap, n->types_len + 1, sizeof *n->types);
    struct network_type *copy = &n->types[n->types_len++];
    *copy = *type;
    copy->name = mem_strdup(type->name);
    copy->hash = rng_hash(type->name);
    strmap_put(&n->types_by_name, copy->name, (void *)(uintptr_t)n->types_len);
    n->laid_out = false;
    return 0;
}

int network_add_type(struct network *n, const char *name, uint32_t count, uint32_t rack,
                     uint32_t per_rack, struct error *err) {
    const struct network_type type = {
        .name = name, .count = count, .rack = rack, .per_rack = per_rack};
    int rc = check_name(name, err);
    if (rc == 0 && isdigit((unsigned char)name[strlen(name) - 1]))
        rc = error_set(err, "'%s': a device type cannot end in a digit, for numbers follow it",
                       name);
    return rc == 0 ? add_type(n, &type, err) : rc;
}

int network_own_site(struct network *n, const char *name, uint32_t *site, struct error *err) {
    int found = network_find_site(n, name);
    int rc = found < 0 ? add_site(n, name, err) : 0;
    if (rc == 0) *site = found < 0 ? (uint32_t)n->sites_len - 1 : (uint32_t)found;
    return rc;
}

int network_own_type(struct network *n, const char *name, uint16_t *type, struct error *err) {
    int found = network_find_type(n, name);
    int rc = found < 0 ? add_type(n, &(struct network_type){.name = name, .per_rack = 1}, err) : 0;
    if (rc == 0) *type = found < 0 ? (uint16_t)(n->types_len - 1) : (uint16_t)found;
    return rc;
}

int network_name_type(struct network *n, const char *pattern, struct error *err) {
    return network_name_parse(&n->types[n->types_len - 1].naming, pattern, true, err);
}

void network_set_type_attributes(struct network *n, struct network_range attributes) {
    n->types[n->types_len - 1].attributes = attributes;
}

void network_set_count(struct network *n, size_t site, size_t type, uint32_t count) {
    n->counts = mem_grow(n->counts, &n->counts_cap, n->counts_len + 1, sizeof *n->counts);
    n->counts[n->counts_len++] = (struct network_count){(uint32_t)site, (uint16_t)type, count};
    n->laid_out = false;
}

int network_add_own(struct network *n, const struct network_own *own, struct error *err) {
    if (n->own_len == NETWORK_DEVICES_MAX)
        return error_set(err, "a network has %d devices at most", NETWORK_DEVICES_MAX);
    n->own = mem_grow(n->own, &n->own_cap, n->own_len + 1, sizeof *n->own);
    struct network_own *copy = &n->own[n->own_len++];
    *copy = *own;
    copy->name = texts_keep(&n->texts, own->name);
    if (own->rack != NULL) copy->rack = texts_share(&n->texts, own->rack);
    if (own->platform != NULL) copy->platform = texts_share(&n->texts, own->platform);
    n->laid_out = false;
    return 0;
}

void network_set_policy(struct network *n, const struct policy *policy) {
    policy_deinit(&n->policy);
    n->policy = *policy;
}

void network_add_version(struct network *n, const char *version) {
    n->versions = mem_resize(n->versions, n->versions_len + 1, sizeof *n->versions);
    n->versions[n->versions_len++] = mem_strdup(version);
}

void network_set_latency(struct network *n, struct duration_range all) {
    for (int i = 0; i < OPERATION_COUNT; i++)
        n->latency[i] = all;
}

// --- by name

int network_find_site(const struct network *n, const char *name) {
    return (int)(uintptr_t)strmap_get(&n->sites_by_name, name) - 1;
}

int network_find_type(const struct network *n, const char *name) {
    return (int)(uintptr_t)strmap_get(&n->types_by_name, name) - 1;
}

// --- what stands in

int network_add_defaults(struct network *n, struct error *err) {
    int rc = 0;
    if (n->sites_len == 0)
        for (size_t i = 0; i < COUNT(acme_sites) && rc == 0; i++)
            rc = network_add_site(n, acme_sites[i], err);
    if (n->types_len == 0)
        for (size_t i = 0; i < COUNT(acme_types) && rc == 0; i++)
            rc = network_add_type(n, acme_types[i].name, acme_types[i].count, acme_types[i].rack, 2,
                                  err);
    return rc;
}

// --- overriding

static int by_device(const void *a, const void *b) {
    const struct network_override *x = a, *y = b;
    return (x->device > y->device) - (x->device < y->device);
}

static struct network_override *add_override(struct network *n, uint32_t device) {
    n->overrides =
        mem_grow(n->overrides, &n->overrides_cap, n->overrides_len + 1, sizeof *n->overrides);
    struct network_override *override = &n->overrides[n->overrides_len++];
    *override = (struct network_override){.device = device};
    return override;
}

struct network_override *network_override(struct network *n, uint32_t device, const char *version,
                                          uint16_t port) {
    struct network_override key = {.device = device}, *override = NULL;
    if (n->overrides_sorted > 0)
        override = bsearch(&key, n->overrides, n->overrides_sorted, sizeof key, by_device);
    if (override == NULL) override = add_override(n, device);
    if (version != NULL) {
        free(override->version);
        override->version = mem_strdup(version);
    }
    if (port != 0) override->port = port;
    return override;
}

void network_sort_overrides(struct network *n) {
    if (n->overrides_len > 1)
        qsort(n->overrides, n->overrides_len, sizeof *n->overrides, by_device);
    n->overrides_sorted = n->overrides_len;
}

const struct network_override *network_override_of(const struct network *n, uint32_t device) {
    struct network_override key = {.device = device};
    if (n->overrides_len == 0) return NULL;
    return bsearch(&key, n->overrides, n->overrides_len, sizeof key, by_device);
}

// --- attributes

static int name_pair(struct network *n, const char *name, uint16_t *out, struct error *err) {
    struct network_pairs *p = &n->pairs;
    uintptr_t found = (uintptr_t)strmap_get(&p->by_name, name);
    if (found == 0) {
        if (p->names_len == NETWORK_ATTRIBUTES_MAX)
            return error_set(err, "a network has %d attributes at most", NETWORK_ATTRIBUTES_MAX);
        p->names = mem_resize(p->names, p->names_len + 1, sizeof *p->names);
        p->names[p->names_len] = texts_keep(&n->texts, name);
        found = ++p->names_len;
        strmap_put(&p->by_name, p->names[found - 1], (void *)found);
    }
    *out = (uint16_t)(found - 1);
    return 0;
}

int network_pair(struct network *n, const char *name, const char *value, struct error *err) {
    struct network_pairs *p = &n->pairs;
    uint16_t number = 0;
    int rc = name_pair(n, name, &number, err);
    if (rc != 0) return rc;
    p->name_of = mem_grow(p->name_of, &p->name_of_cap, p->len + 1, sizeof *p->name_of);
    p->values = mem_grow(p->values, &p->values_cap, p->len + 1, sizeof *p->values);
    p->name_of[p->len] = number;
    p->values[p->len++] = texts_share(&n->texts, value);
    return 0;
}

int network_compute(struct network *n, const char *name, const char *pattern, struct error *err) {
    struct network_type *type = &n->types[n->types_len - 1];
    struct network_computed computed = {0};
    int rc = network_name_parse(&computed.value, pattern, false, err);
    if (rc == 0) rc = name_pair(n, name, &computed.name, err);
    if (rc != 0) {
        network_name_deinit(&computed.value);
        return rc;
    }
    type->computed = mem_resize(type->computed, type->computed_len + 1, sizeof *type->computed);
    type->computed[type->computed_len++] = computed;
    return 0;
}

void network_free_groups(struct network_groups *groups) {
    free(groups->list);
    free(groups->of_from);
    free(groups->of);
    texts_deinit(&groups->keys);
    *groups = (struct network_groups){0};
}

// --- what a login must give

static struct credentials keep_login(struct network *n, struct credentials login) {
    return (struct credentials){
        login.username == NULL ? NULL : texts_share(&n->texts, login.username),
        login.password == NULL ? NULL : texts_share(&n->texts, login.password)};
}

void network_set_type_login(struct network *n, struct credentials login) {
    n->types[n->types_len - 1].login = keep_login(n, login);
}

void network_override_login(struct network *n, struct network_override *override,
                            struct credentials login) {
    override->login = keep_login(n, login);
}

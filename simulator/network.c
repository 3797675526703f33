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

void network_deinit(struct network *n) {
    for (size_t i = 0; i < n->sites_len; i++)
        free(n->sites[i].name);
    for (size_t i = 0; i < n->types_len; i++)
        free(n->types[i].name);
    for (size_t i = 0; i < n->overrides_len; i++)
        free(n->overrides[i].version);
    for (size_t i = 0; i < n->versions_len; i++)
        free(n->versions[i]);
    free(n->sites);
    free(n->overrides);
    free(n->versions);
    free(n->username);
    free(n->password);
    strmap_deinit(&n->sites_by_name);
    *n = (struct network){0};
}

// --- building it

static int check_name(const char *name, struct error *err) {
    size_t len = strlen(name);
    if (len == 0 || len > NETWORK_NAME_MAX)
        return error_set(err, "'%.80s': a name has 1 to %d characters", name, NETWORK_NAME_MAX);
    for (const char *c = name; *c != '\0'; c++)
        if (!isalnum((unsigned char)*c) && *c != '-' && *c != '_')
            return error_set(err, "'%.80s': a name is made of letters, digits, - and _", name);
    return 0;
}

int network_add_site(struct network *n, const char *name, struct error *err) {
    int rc = check_name(name, err);
    if (rc != 0) return rc;
    if (n->sites_len == NETWORK_SITES_MAX)
        return error_set(err, "a network has %d sites at most", NETWORK_SITES_MAX);
    n->sites = mem_grow(n->sites, &n->sites_cap, n->sites_len + 1, sizeof *n->sites);
    char *copy = mem_strdup(name);
    // The index + 1, as a pointer: the map cannot hold NULL.
    if (strmap_put(&n->sites_by_name, copy, (void *)(uintptr_t)(n->sites_len + 1)) != NULL) {
        free(copy);
        return error_set(err, "there is a site %s already", name);
    }
    n->sites[n->sites_len++] = (struct network_site){copy, rng_hash(copy)};
    return 0;
}

int network_add_type(struct network *n, const char *name, uint32_t count, uint32_t rack,
                     uint32_t per_rack, struct error *err) {
    int rc = check_name(name, err);
    if (rc != 0) return rc;
    if (isdigit((unsigned char)name[strlen(name) - 1]))
        return error_set(err, "'%s': a device type cannot end in a digit, for numbers follow it",
                         name);
    if (network_find_type(n, name) >= 0)
        return error_set(err, "there is a device type %s already", name);
    if (n->types_len == NETWORK_TYPES_MAX)
        return error_set(err, "a network has %d device types at most", NETWORK_TYPES_MAX);
    n->types[n->types_len++] = (struct network_type){
        .name = mem_strdup(name),
        .hash = rng_hash(name),
        .count = count,
        .rack = rack,
        .per_rack = per_rack,
        .by_rack = strcmp(name, "leaf") == 0,
    };
    return 0;
}

int network_seal(struct network *n, struct error *err) {
    int rc = 0;
    if (n->sites_len == 0)
        for (size_t i = 0; i < COUNT(acme_sites) && rc == 0; i++)
            rc = network_add_site(n, acme_sites[i], err);
    if (n->types_len == 0)
        for (size_t i = 0; i < COUNT(acme_types) && rc == 0; i++)
            rc = network_add_type(n, acme_types[i].name, acme_types[i].count, acme_types[i].rack, 2,
                                  err);
    if (rc != 0) return rc;

    uint64_t devices = 0, groups = 0;
    for (size_t i = 0; i < n->types_len; i++) {
        struct network_type *type = &n->types[i];
        type->first_device = (uint32_t)devices;
        type->first_group = (uint32_t)groups;
        devices += type->count;
        groups += type->by_rack ? (type->count + type->per_rack - 1) / type->per_rack : 1;
        if (devices > NETWORK_DEVICES_MAX) break; // before first_device could overflow
    }
    if (devices * n->sites_len > NETWORK_DEVICES_MAX)
        return error_set(err, "a network has %d devices at most: this one would have more",
                         NETWORK_DEVICES_MAX);
    n->site_devices = (uint32_t)devices;
    n->site_groups = (uint32_t)groups;
    n->devices = (uint32_t)(devices * n->sites_len);
    n->groups = (uint32_t)(groups * n->sites_len);
    return 0;
}

static int by_device(const void *a, const void *b) {
    const struct network_override *x = a, *y = b;
    return (x->device > y->device) - (x->device < y->device);
}

void network_override(struct network *n, uint32_t device, const char *version, uint16_t port) {
    n->overrides =
        mem_grow(n->overrides, &n->overrides_cap, n->overrides_len + 1, sizeof *n->overrides);
    n->overrides[n->overrides_len++] =
        (struct network_override){device, port, version == NULL ? NULL : mem_strdup(version)};
}

void network_sort_overrides(struct network *n) {
    if (n->overrides_len > 1)
        qsort(n->overrides, n->overrides_len, sizeof *n->overrides, by_device);
}

void network_add_version(struct network *n, const char *version) {
    n->versions = mem_resize(n->versions, n->versions_len + 1, sizeof *n->versions);
    n->versions[n->versions_len++] = mem_strdup(version);
}

void network_set_latency(struct network *n, struct duration_range all) {
    for (int i = 0; i < OPERATION_COUNT; i++)
        n->latency[i] = all;
}

// --- devices

int network_find_site(const struct network *n, const char *name) {
    return (int)(uintptr_t)strmap_get(&n->sites_by_name, name) - 1;
}

int network_find_type(const struct network *n, const char *name) {
    for (size_t i = 0; i < n->types_len; i++)
        if (strcmp(n->types[i].name, name) == 0) return (int)i;
    return -1;
}

bool network_find(const struct network *n, const char *host, uint32_t *device) {
    const char *dot = strchr(host, '.');
    if (dot == NULL) return false;
    int site = network_find_site(n, dot + 1);
    const char *digits = dot;
    while (digits > host && isdigit((unsigned char)digits[-1]))
        digits--;
    size_t count = (size_t)(dot - digits), name_len = (size_t)(digits - host);
    if (site < 0 || count < 2 || count > 9 || (count > 2 && *digits == '0')) return false;
    if (name_len > NETWORK_NAME_MAX) return false;

    char name[NETWORK_NAME_MAX + 1];
    memcpy(name, host, name_len);
    name[name_len] = '\0';
    int type = network_find_type(n, name);
    uint32_t number = (uint32_t)strtoul(digits, NULL, 10);
    if (type < 0 || number >= n->types[type].count) return false;
    *device = (uint32_t)site * n->site_devices + n->types[type].first_device + number;
    return true;
}

struct network_place network_place(const struct network *n, uint32_t device) {
    uint32_t within = device % n->site_devices;
    size_t type = n->types_len - 1;
    while (n->types[type].first_device > within)
        type--;
    return (struct network_place){&n->sites[device / n->site_devices], &n->types[type],
                                  within - n->types[type].first_device};
}

void network_host(const struct network *n, uint32_t device, char text[NETWORK_HOST_MAX]) {
    struct network_place at = network_place(n, device);
    snprintf(text, NETWORK_HOST_MAX, "%s%02u.%s", at.type->name, at.number, at.site->name);
}

uint32_t network_rack(const struct network_place *place) {
    return place->type->rack + place->number / place->type->per_rack;
}

uint64_t network_hash(const struct network *n, uint32_t device) {
    struct network_place at = network_place(n, device);
    return rng_mix(rng_mix(at.site->hash, at.type->hash), at.number);
}

const struct network_override *network_override_of(const struct network *n, uint32_t device) {
    struct network_override key = {.device = device};
    if (n->overrides_len == 0) return NULL;
    return bsearch(&key, n->overrides, n->overrides_len, sizeof key, by_device);
}

// --- redundancy groups

uint32_t network_group(const struct network *n, uint32_t device) {
    struct network_place at = network_place(n, device);
    uint32_t within = at.type->by_rack ? at.number / at.type->per_rack : 0;
    return device / n->site_devices * n->site_groups + at.type->first_group + within;
}

static const struct network_type *group_type(const struct network *n, uint32_t within) {
    size_t type = n->types_len - 1;
    while (n->types[type].first_group > within)
        type--;
    return &n->types[type];
}

// Whether another group would be called so too: only where names have underscores of their own, as
// in site a_b with type c and site a with type b_c. The names of racks end in digits, and no type
// does.
static bool is_ambiguous(const struct network *n, const char *name) {
    char site[NETWORK_GROUP_MAX];
    unsigned owners = 0;
    for (const char *c = strchr(name, '_'); c != NULL; c = strchr(c + 1, '_')) {
        snprintf(site, sizeof site, "%.*s", (int)(c - name), name);
        int type = network_find_type(n, c + 1);
        if (network_find_site(n, site) >= 0 && type >= 0 && !n->types[type].by_rack) owners++;
    }
    return owners > 1;
}

void network_group_name(const struct network *n, uint32_t group, char text[NETWORK_GROUP_MAX]) {
    uint32_t within = group % n->site_groups;
    const char *site = n->sites[group / n->site_groups].name;
    const struct network_type *type = group_type(n, within);
    if (type->by_rack) {
        snprintf(text, NETWORK_GROUP_MAX, "%s_%s_%u", site, type->name,
                 type->rack + within - type->first_group);
        return;
    }
    snprintf(text, NETWORK_GROUP_MAX, "%s_%s", site, type->name);
    if (is_ambiguous(n, text))
        snprintf(text, NETWORK_GROUP_MAX, "{site}_{dev_type}: %s, %s", site, type->name);
}

void network_group_devices(const struct network *n, uint32_t group, uint32_t *first,
                           uint32_t *count) {
    uint32_t within = group % n->site_groups, number = 0;
    const struct network_type *type = group_type(n, within);
    *count = type->count;
    if (type->by_rack) {
        number = (within - type->first_group) * type->per_rack;
        *count = type->count - number < type->per_rack ? type->count - number : type->per_rack;
    }
    *first = group / n->site_groups * n->site_devices + type->first_device + number;
}

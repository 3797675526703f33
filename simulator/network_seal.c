// From what was gathered to blocks of devices, their names, and their groups.
#include "common/mem.h"
#include "simulator/network.h"
#include "simulator/network_groups.h"

#include <stdlib.h>

// By site; within a site in the order in which they were added.
static void sort_own(struct network *n) {
    uint32_t *next = mem_array(n->sites_len + 1, sizeof *next);
    struct network_own *sorted = mem_array(n->own_len, sizeof *sorted);
    for (size_t i = 0; i < n->own_len; i++)
        next[n->own[i].site + 1]++;
    for (size_t site = 0; site < n->sites_len; site++)
        next[site + 1] += next[site];
    for (size_t i = 0; i < n->own_len; i++)
        sorted[next[n->own[i].site]++] = n->own[i];
    free(next);
    free(n->own);
    n->own = sorted;
    n->own_cap = n->own_len;
}

static int add_block(struct network *n, struct network_block block, uint64_t count,
                     struct error *err) {
    if (count == 0) return 0;
    if (n->devices + count > NETWORK_DEVICES_MAX)
        return error_set(err, "a network has %d devices at most: this one would have more",
                         NETWORK_DEVICES_MAX);
    n->blocks = mem_grow(n->blocks, &n->blocks_cap, n->blocks_len + 1, sizeof *n->blocks);
    block.first = n->devices;
    n->blocks[n->blocks_len++] = block;
    n->devices += (uint32_t)count;
    return 0;
}

struct layer { // what stands before the site that is next
    size_t counts, own;
    uint32_t *types; // of the site: how many of each
};

static int lay_out_site(struct network *n, struct layer *l, size_t site, struct error *err) {
    int rc = 0;
    for (size_t i = 0; i < n->types_len; i++)
        l->types[i] = n->types[i].count;
    for (; l->counts < n->counts_len && n->counts[l->counts].site == site; l->counts++)
        l->types[n->counts[l->counts].type] = n->counts[l->counts].count;
    n->sites[site].first_block = (uint32_t)n->blocks_len;
    for (size_t i = 0; rc == 0 && i < n->types_len; i++)
        rc = add_block(n, (struct network_block){.site = (uint32_t)site, .type = (uint16_t)i},
                       l->types[i], err);
    size_t first = l->own;
    while (l->own < n->own_len && n->own[l->own].site == site)
        l->own++;
    struct network_block block = {
        .site = (uint32_t)site, .own = true, .first_own = (uint32_t)first};
    return rc == 0 ? add_block(n, block, l->own - first, err) : rc;
}

int network_lay_out(struct network *n, struct error *err) {
    int rc = network_add_defaults(n, err);
    if (rc != 0) return rc;
    n->blocks_len = n->devices = 0;
    struct layer l = {.types = mem_array(n->types_len, sizeof *l.types)};
    sort_own(n);
    for (size_t site = 0; rc == 0 && site < n->sites_len; site++)
        rc = lay_out_site(n, &l, site, err);
    free(l.types);
    if (rc == 0) rc = network_index(n, err);
    n->laid_out = rc == 0;
    return rc;
}

int network_seal(struct network *n, struct error *err) {
    int rc = n->laid_out ? 0 : network_lay_out(n, err);
    if (rc != 0) return rc;
    network_sort_overrides(n);
    if (!n->policy.given) {
        policy_deinit(&n->policy);
        policy_default(&n->policy);
    }
    network_free_groups(&n->groups);
    return network_groups_form(&n->groups, n, err);
}

// The model of the network: sites, device types, and by arithmetic from them every device, its
// name, its rack and its redundancy group. Nothing is stored per device.
//
// A device is an index: the sites in their order, in each the types in theirs, in each the numbers
// from 0. A redundancy group is an index too, and its devices follow each other. Its name is
// site_leaf_rack for type leaf, site_devtype for the others; where two would have one name, it is
// their rule and its values: "{site}_{dev_type}: eu, west_spine".
#pragma once

#include "common/duration.h"
#include "common/error.h"
#include "common/strmap.h"
#include "simulator/operation.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    NETWORK_SITES_MAX = 100 * 1000,
    NETWORK_TYPES_MAX = 64,
    NETWORK_DEVICES_MAX = 2 * 1000 * 1000,
    NETWORK_NO_DEVICE = NETWORK_DEVICES_MAX, // where an index may stand for none
    NETWORK_RACK_MAX = 1000 * 1000 * 1000,
    NETWORK_PORT_UNREACHABLE = 1,     // a device told at that port is one that nobody can reach
    NETWORK_VERSIONS_MAX = 10 * 1000, // to be born with
    NETWORK_NAME_MAX = 63,            // bytes, of a site or a type
    NETWORK_HOST_MAX = 2 * NETWORK_NAME_MAX + 16, // the NUL included
    NETWORK_GROUP_MAX = NETWORK_HOST_MAX + 32,
    NETWORK_RACK_TEXT_MAX = 16
};

struct network_site {
    char *name;
    uint64_t hash;
};

struct network_type {
    char *name;
    uint64_t hash;
    uint32_t count; // in each site
    uint32_t rack;  // of number 0; rack + number / per_rack for the others
    uint32_t per_rack;
    bool by_rack;          // leaf: each rack is a group of its own
    uint32_t first_device; // within a site, as are the groups
    uint32_t first_group;
};

struct network_override { // the odd ones out
    uint32_t device;
    uint16_t port; // 0: that of all others
    char *version; // NULL: as all others
};

struct network {
    struct network_site *sites;
    size_t sites_len, sites_cap;
    struct strmap sites_by_name;
    struct network_type types[NETWORK_TYPES_MAX];
    size_t types_len;
    uint32_t site_devices, site_groups; // in each site
    uint32_t devices, groups;           // in all
    struct network_override *overrides; // by device
    size_t overrides_len, overrides_cap;
    char **versions; // that devices are born with; none: the ACME draw
    size_t versions_len;
    char *username, *password;
    struct duration_range latency[OPERATION_COUNT];
};

struct network_place {
    const struct network_site *site;
    const struct network_type *type;
    uint32_t number;
};

// Zero it, add what it is to have, seal it; the ACME sites and types stand in where none were
// added. An error's text starts with what is wrong, without a place.
void network_init(struct network *n); // admin, admin, 10 ms to 2 s
int network_add_site(struct network *n, const char *name, struct error *err);
int network_add_type(struct network *n, const char *name, uint32_t count, uint32_t rack,
                     uint32_t per_rack, struct error *err);
int network_seal(struct network *n, struct error *err);
void network_deinit(struct network *n);

// Of a sealed network. A device can be overridden once; version may be NULL. Sort when all are
// there.
void network_override(struct network *n, uint32_t device, const char *version, uint16_t port);
void network_sort_overrides(struct network *n);
void network_add_version(struct network *n, const char *version);
void network_set_latency(struct network *n, struct duration_range all);

// Whether the network has the device of that name, spelled exactly so: two digits at least and no
// superfluous zero.
bool network_find(const struct network *n, const char *host, uint32_t *device);
int network_find_site(const struct network *n, const char *name); // -1: none
int network_find_type(const struct network *n, const char *name); // -1: none
struct network_place network_place(const struct network *n, uint32_t device);
void network_host(const struct network *n, uint32_t device, char text[NETWORK_HOST_MAX]);
uint32_t network_rack(const struct network_place *place);
uint64_t network_hash(const struct network *n, uint32_t device); // of the name, not of the index
const struct network_override *network_override_of(const struct network *n, uint32_t device);

uint32_t network_group(const struct network *n, uint32_t device);
void network_group_name(const struct network *n, uint32_t group, char text[NETWORK_GROUP_MAX]);
void network_group_devices(const struct network *n, uint32_t group, uint32_t *first,
                           uint32_t *count);

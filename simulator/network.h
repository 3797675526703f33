// The model of the network: sites, device types, hosts of their own, and from them every device,
// its name, its rack and what else is known of it. Of a regular device, one of many of its type,
// nothing is stored but its groups (network_groups.h).
//
// A device is an index: the sites in their order; in each the types in theirs, in each the numbers
// from 0; then the site's own hosts, as they were added.
#pragma once

#include "common/duration.h"
#include "common/error.h"
#include "common/policy.h"
#include "common/secret.h"
#include "common/strmap.h"
#include "common/texts.h"
#include "simulator/network_name.h"
#include "simulator/operation.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    NETWORK_SITES_MAX = 100 * 1000,
    NETWORK_TYPES_MAX = 1000,
    NETWORK_DEVICES_MAX = 2 * 1000 * 1000,
    NETWORK_NO_DEVICE = NETWORK_DEVICES_MAX, // where an index may stand for none
    NETWORK_RACK_MAX = 1000 * 1000 * 1000,
    NETWORK_PORT_UNREACHABLE = 1,     // a device told at that port is one that nobody can reach
    NETWORK_VERSIONS_MAX = 10 * 1000, // to be born with
    NETWORK_ATTRIBUTES_MAX = 1000,    // names of them, beside the fields
    NETWORK_NAME_MAX = 63,            // bytes, of a site or a type
    NETWORK_HOST_MAX = 256,           // the NUL included
    NETWORK_RACK_TEXT_MAX = 16
};

// In a name's place where a host of another platform has none: it is no value of the attribute.
#define NETWORK_NONE "-"

struct network_site {
    char *name;
    uint64_t hash;
    uint32_t first_block; // its blocks are those to before the next site's first
};

struct network_range { // of pairs
    uint32_t from, to;
};

struct network_computed { // an attribute
    uint16_t name;        // into the pairs' names
    struct network_name value;
};

struct network_type {
    const char *name;
    uint64_t hash;
    uint32_t count; // in each site that does not say otherwise
    uint32_t rack;  // of number 0; rack + number / per_rack for the others
    uint32_t per_rack;
    struct network_name naming; // of names; none: leaf00.earth
    struct credentials login;   // what is NULL of it is the network's
    struct network_range attributes;
    struct network_computed *computed; // attributes that differ from device to device
    size_t computed_len;
};

struct network_count { // of a type in a site, where it is another than the type's
    uint32_t site;
    uint16_t type;
    uint32_t count;
};

struct network_own { // a host that is none of many: all is stored
    const char *name;
    const char *rack;     // NULL: none
    const char *platform; // NULL: acmeos
    uint32_t site;
    uint16_t type;
};

struct network_block { // devices of one site that follow each other: of one type, or own
    uint32_t first;    // device
    uint32_t site;
    uint16_t type;
    bool own;
    uint32_t first_own;
};

struct network_override { // the odd ones out
    uint32_t device;
    uint16_t port;            // 0: that of all others
    bool down;                // from its birth on
    signed char epochs;       // 1: its login takes one, -1: it does not, 0: as the network says
    char *version;            // NULL: as all others
    struct credentials login; // what is NULL of it is its type's
    struct network_range attributes;
};

// Attributes beside the fields, of types and of odd hosts: pairs of name and value, a list as
// several of one name, side by side.
struct network_pairs {
    const char **names; // each once
    size_t names_len;
    struct strmap by_name; // index + 1
    uint16_t *name_of;     // of pair i; its value is values[i]
    const char **values;
    size_t len, name_of_cap, values_cap;
};

struct network_group {
    const char *key; // policy_groups(): of this group alone
    uint32_t limit;  // max_unavailable, or at_once
    bool redundancy; // else a throttle
};

struct network_groups {
    struct network_group *list;
    uint32_t count;
    // Device i is in the groups of[of_from[i]] to before of[of_from[i + 1]].
    uint32_t *of_from, *of;
    struct texts keys;
};

struct network {
    struct network_site *sites;
    size_t sites_len, sites_cap;
    struct strmap sites_by_name;
    struct network_type *types;
    size_t types_len, types_cap;
    struct strmap types_by_name;
    struct network_count *counts;
    size_t counts_len, counts_cap;
    struct network_own *own; // by site, once laid out
    size_t own_len, own_cap;
    struct network_block *blocks;
    size_t blocks_len, blocks_cap;
    uint32_t devices;
    bool laid_out;
    uint32_t *by_name; // hash table of the devices + 1 whose name is no default one; 0: free
    size_t by_name_cap;
    struct network_override *overrides; // by device
    size_t overrides_len, overrides_cap, overrides_sorted;
    struct network_pairs pairs;
    struct texts texts;
    char **versions; // that devices are born with; none: the ACME draw
    size_t versions_len;
    char *username, *password; // of devices that have none of their own, nor their type
    struct duration_range latency[OPERATION_COUNT];
    bool epochs;  // logins take one
    bool reboots; // each install restarts its device, for so long:
    struct duration_range reboot;
    struct policy policy;
    struct network_groups groups;
};

struct network_place {
    const struct network_site *site;
    const struct network_type *type;
    const struct network_own *own; // NULL: a regular device
    uint32_t number;               // among those of its type and site; of own hosts, within them
};

// Initialise it, add what it is to have, lay it out, override, seal it; the ACME sites and types
// stand in where none were added, ACME's policy where none was set. An error's text starts with
// what is wrong, without a place.
void network_init(struct network *n); // admin, admin, 10 ms to 2 s
void network_deinit(struct network *n);
void network_free_groups(struct network_groups *groups);
int network_add_site(struct network *n, const char *name, struct error *err);
int network_add_type(struct network *n, const char *name, uint32_t count, uint32_t rack,
                     uint32_t per_rack, struct error *err);
// ACME's sites and types, where there are none; lays nothing out.
int network_add_defaults(struct network *n, struct error *err);
// The site or type of a host of its own, added where it is new, whatever it is called.
int network_own_site(struct network *n, const char *name, uint32_t *site, struct error *err);
int network_own_type(struct network *n, const char *name, uint16_t *type, struct error *err);
int network_add_own(struct network *n, const struct network_own *own, struct error *err);
// A type's count in a site, once at most; sites ascending.
void network_set_count(struct network *n, size_t site, size_t type, uint32_t count);
// These are for the type that was added last. Patterns: network_name.h.
int network_name_type(struct network *n, const char *pattern, struct error *err);
int network_compute(struct network *n, const char *name, const char *pattern, struct error *err);
void network_set_type_login(struct network *n, struct credentials login); // copied
void network_set_type_attributes(struct network *n, struct network_range attributes);
// Appends to n->pairs. Those of a type or of a host follow each other, a list side by side.
int network_pair(struct network *n, const char *name, const char *value, struct error *err);
void network_set_policy(struct network *n, const struct policy *policy); // takes what it holds
void network_add_version(struct network *n, const char *version);
void network_set_latency(struct network *n, struct duration_range all);

// From here on there are devices; they can be overridden until it is sealed.
int network_lay_out(struct network *n, struct error *err);
int network_index(struct network *n, struct error *err); // a part of it: finds names taken twice
// Lays out, where that was not done, and forms the groups: an error then is one of the policy.
int network_seal(struct network *n, struct error *err);

// version may be NULL, port 0: left as it is. What is returned stands until the next. A device can
// be overridden once before they are sorted, and once more from then on. Sort when all are there.
struct network_override *network_override(struct network *n, uint32_t device, const char *version,
                                          uint16_t port);
void network_override_login(struct network *n, struct network_override *override,
                            struct credentials login); // copied
void network_sort_overrides(struct network *n);

// Whether the network has the device of that name, spelled exactly so: by default, two digits at
// least and no superfluous zero.
bool network_find(const struct network *n, const char *host, uint32_t *device);
int network_find_site(const struct network *n, const char *name); // -1: none
int network_find_type(const struct network *n, const char *name); // -1: none
struct network_place network_place(const struct network *n, uint32_t device);
void network_host(const struct network *n, uint32_t device, char text[NETWORK_HOST_MAX]);
uint32_t network_rack(const struct network_place *place);        // of a regular device
uint64_t network_hash(const struct network *n, uint32_t device); // of the name, not of the index
// What a login to the device must give, and whether it may say an epoch.
struct credentials network_login(const struct network *n, uint32_t device);
bool network_takes_epochs(const struct network *n, uint32_t device);
const struct network_override *network_override_of(const struct network *n, uint32_t device);

// The hosts of a network: what a job may touch, and what else is in its groups. It is read from any
// of three documents (inventory_parse.h). Immutable once parsed, shared by reference between a job
// and what works for it.
#pragma once

#include "common/error.h"
#include "common/secret.h"
#include "common/terms.h"
#include "common/texts.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    INVENTORY_HOSTS_MAX = 4 * 1000 * 1000,
    INVENTORY_NAME_MAX = 255,  // bytes of a name, an address, a platform
    INVENTORY_GLOBS_MAX = 100, // in one request: each is tried on every host
    INVENTORY_PLATFORMS_MAX = (1 << 14) - 1,
    INVENTORY_NO_NAME = UINT16_MAX // as a site or dev_type: the host has none
};

struct host {
    const char *name;       // "spine00.earth": what the device is asked to be
    const char *address;    // an IP address or a name to look up
    const char *rack;       // "": none
    uint16_t port;          // 0: none, and it is of another platform
    uint16_t site;          // into inventory.sites; hosts of another platform may have no name
    uint16_t dev_type;      // into inventory.dev_types; the same
    uint16_t platform : 14; // into inventory.platforms: 0 is acmeos, the one that we speak to
    bool tls : 1;           // it is spoken to over TLS
    bool epochs : 1;        // its login takes an epoch
};

struct names {
    const char **list;
    size_t count;
};

struct inventory {
    struct host *hosts; // in the document's order
    size_t count;
    struct names sites; // in order of appearance, sites without hosts included
    struct names dev_types;
    struct names platforms;  // "acmeos" first
    struct names attributes; // that documents have beside the fields above, "redundancy_groups" too
    // Host i has the attributes from attributes_from[i] to before attributes_from[i + 1], a list as
    // several of the same name, side by side. NULL where no host has any.
    uint32_t *attributes_from;
    uint16_t *attribute_names; // into attributes
    const char **attribute_values;
    struct credentials *credentials; // of its own, by host; NULL where no host has any
    struct texts texts;
    unsigned refs;
};

struct inventory *inventory_ref(struct inventory *inventory);
void inventory_unref(struct inventory *inventory); // takes NULL

const char *inventory_site(const struct inventory *inventory, const struct host *host);
const char *inventory_dev_type(const struct inventory *inventory, const struct host *host);
const char *inventory_platform(const struct inventory *inventory, const struct host *host);

// What a policy may name: the fields that every form has (site, dev_type, rack, host, which is its
// name, and platform), and what else the document has. The number is for inventory_values(), below
// INVENTORY_FIELDS for a field; negative: the document has no such attribute.
enum { INVENTORY_FIELDS = 5 };
extern const char *const inventory_fields[INVENTORY_FIELDS];
int inventory_attribute(const struct inventory *inventory, const char *name);
struct attribute_values inventory_values(const struct inventory *inventory, size_t host,
                                         int attribute);

// What the document says of the host's own. They are no attributes: no policy can name them.
struct credentials inventory_credentials(const struct inventory *inventory, size_t host);
// Of a host that is known from a job's image alone: it has some of its own, and nobody knows which.
void inventory_withhold_credentials(struct inventory *inventory, size_t host);
bool inventory_withholds_credentials(const struct inventory *inventory, size_t host);
// They are known now (copied), or (a struct of NULLs) it has none any more.
void inventory_set_credentials(struct inventory *inventory, size_t host,
                               struct credentials credentials);

// Which hosts a request asks for. all: every one; else those named, none where count is 0.
struct filter {
    const char **names; // borrowed
    size_t count;
    bool all;
};

struct selection {
    uint32_t *hosts; // indices into inventory.hosts, ascending: inventory order
    size_t count;
};

// An error names the site or type that the inventory does not have, and those that it has; its
// field is the filter ("filter_sites" or "filter_dev_types").
int inventory_select(const struct inventory *inventory, const struct filter *sites,
                     const struct filter *dev_types, struct selection *out, struct error *err);
// Leaves in the selection only those hosts that `hosts` names, by name or by glob (glob.h). An
// error, with the field "filter_hosts": an entry that fits no host of the inventory, one that names
// a host of another platform than acmeos (a glob may match it), or more globs than
// INVENTORY_GLOBS_MAX. The selection is as it was then.
int inventory_narrow(const struct inventory *inventory, const struct filter *hosts,
                     struct selection *selection, struct error *err);
void selection_deinit(struct selection *selection);

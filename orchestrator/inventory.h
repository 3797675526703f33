// The hosts that a job may touch, read from ACME's inventory document:
//   {"earth": {"spine00.earth": {"platform": "acmeos", "dev_type": "spine", "rack": "20",
//                                "hostname": "127.0.0.1", "port": 8300}}}
// Immutable once parsed, shared by reference between a job and what works for it.
#pragma once

#include "common/error.h"

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { INVENTORY_HOSTS_MAX = 4 * 1000 * 1000, INVENTORY_NAME_MAX = 255 };

struct host {
    const char *name;    // "spine00.earth": what the device is asked to be
    const char *address; // "hostname" in the document: an IP address or a name to look up
    const char *rack;
    uint16_t port;
    uint16_t site;     // into inventory.sites
    uint16_t dev_type; // into inventory.dev_types
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
    struct inventory_memory *memory;
    unsigned refs;
};

// Errors name the place: "earth.spine00.earth.port: expected a whole number...", and those of
// several hosts are told at once: "earth.a.port: missing; earth.b.port: missing; earth.c.port:
// missing; and 497 more". *out has one reference, the caller's.
int inventory_parse(const cJSON *document, struct inventory **out, struct error *err);
struct inventory *inventory_ref(struct inventory *inventory);
void inventory_unref(struct inventory *inventory); // takes NULL

const char *inventory_site(const struct inventory *inventory, const struct host *host);
const char *inventory_dev_type(const struct inventory *inventory, const struct host *host);

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
void selection_deinit(struct selection *selection);

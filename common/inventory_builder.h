// An inventory under construction: what the readers of the three forms share. They say what a
// document means; this checks names, keeps texts, and gathers what is wrong.
#pragma once

#include "common/inventory.h"

#include "common/buf.h"

#include <cjson/cJSON.h>

struct inventory_builder {
    struct inventory *inventory;
    bool unaddressed;    // hosts need no address and no port, for nobody connects to them
    struct strmap hosts; // name -> anything
    struct strmap sites, dev_types, platforms, attributes;    // name -> index + 1
    size_t credentials_len, credentials_cap;                  // of inventory.credentials
    size_t hosts_cap, from_cap, names_cap, values_cap, pairs; // pairs: attributes of all hosts
    size_t errors;
    struct error first; // what is wrong with the document
    struct buf several; // ... and with a few more hosts, each cut
};

// A host as a reader finds it. Texts are borrowed until it is added; NULL: the document has none.
struct host_fields {
    const char *name, *address, *platform, *site, *dev_type, *rack;
    struct credentials credentials; // of acmeos alone: nobody logs in to others
    uint64_t port;                  // 0: none
    bool tls, epochs;
};

void inventory_builder_init(struct inventory_builder *b);
// What is wrong with one host: it is told together with what is wrong with others.
void inventory_builder_note(struct inventory_builder *b, const struct error *err);
// Ends it, whatever came of it. *out is written where nothing was noted, with one reference.
int inventory_builder_end(struct inventory_builder *b, struct inventory **out, struct error *err);

int inventory_builder_site(struct inventory_builder *b, const char *name, struct error *err);
// What a host of acmeos must have is checked here: address, port, site, dev_type. It has no
// attributes yet. Errors name the field.
int inventory_builder_host(struct inventory_builder *b, const struct host_fields *fields,
                           struct error *err);
// An attribute of the host that was added last: a text, a number, or a list of these. Anything else
// is none, and neither is an empty text, nor what is called username or password, wherever it
// stands: attributes are shown.
int inventory_builder_attribute(struct inventory_builder *b, const cJSON *value, struct error *err);

// Of forms that write numbers where they mean texts: a text or a number as text, which lives as
// long as the inventory. Leaves *out alone where value is NULL, null or empty.
int inventory_builder_text(struct inventory_builder *b, const cJSON *value, const char **out,
                           struct error *err);

// A user name or a password, borrowed. Leaves *out alone where value is NULL; null is wrong. Errors
// name the field, and never quote the value.
int inventory_builder_secret(const cJSON *value, const char **out, struct error *err);
// true or false; leaves *out alone where value is NULL. An error is in the field of the
// value.
int inventory_builder_bool(const cJSON *value, bool *out, struct error *err);

// What can be a name: not empty, not too long, one word. Errors begin with what it is.
int inventory_check_name(const char *name, const char *what, struct error *err);

// Whether somebody who writes this means redundancy_groups: group, groups, redundancy-group.
bool inventory_means_groups(const char *attribute);

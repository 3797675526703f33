// A policy: which hosts stand in for one another, and how many of what may be worked on at a time
// (spec/policy.schema.json). A rule makes a group of all hosts that have the same values in its
// template. Parsed from YAML or JSON; asked host by host. Pure.
#pragma once

#include "common/buf.h"
#include "common/terms.h"
#include "common/yml.h"

#include <stdint.h>

enum {
    POLICY_RULES_MAX = 64,        // in each of the two lists
    POLICY_TEMPLATE_MAX = 255,    // bytes
    POLICY_PLACES_MAX = 8,        // attributes in a template
    POLICY_LIMIT_MAX = 1000000,   // of max_unavailable and at_once
    POLICY_HOST_GROUPS_MAX = 256, // of one host by one rule
};

// A template in pieces: text, then the value of an attribute; the last piece may be text only.
struct policy_piece {
    char *text; // never NULL
    bool has_attribute;
    size_t attribute; // into the policy's names
};

struct policy_rule {
    bool redundancy; // else a throttle
    size_t index;    // in its list: redundancy[2]
    unsigned line;   // in the policy's file; 0: not known
    char *group;     // the template as it was written
    struct policy_piece *pieces;
    size_t pieces_count;
    struct terms match, unless;
    struct terms first; // whose members go before the others; none: nobody does
    uint32_t limit;     // max_unavailable or at_once
};

struct policy {
    struct policy_rule *rules; // first those of redundancy, then the throttles, as written
    size_t count;
    struct attribute_names names; // that any rule names
    bool ungrouped_allowed;
    bool given; // not the default
    char *file; // that it came from, for errors; NULL: none
};

// ACME's: the leaves of a rack, and the devices of any other type of a site, unless the inventory
// itself names redundancy groups.
extern const char policy_default_text[];
void policy_default(struct policy *p);

// value: the document, or the field `policy` of a network file; y: of the document, for lines, or
// NULL. file: told by policy_write_rule(), may be NULL. Errors name the field and err->at; p is
// written on success only, and then the caller's to deinit.
int policy_parse(struct policy *p, const cJSON *value, const struct yml *y, const char *file,
                 struct error *err);
// Errors begin with path:line:column. Negative: it cannot be read.
int policy_load(struct policy *p, const char *path, struct error *err);
void policy_deinit(struct policy *p);

bool policy_names(const struct policy *p, const char *attribute); // whether any rule does

// "policy.yaml:7: redundancy[1] \"{site}_{dev_type}\"", without what is not known.
void policy_write_rule(const struct policy *p, const struct policy_rule *rule, struct buf *out);

// --- a host under a rule; its attributes are asked for by number in p->names

// Whether `match` and `unless` let the host in. The template has a say, too: policy_lacking().
bool policy_wants(const struct policy_rule *rule, const struct attributes *host);
// The name of the template's first attribute that the host has not; NULL: it has all.
const char *policy_lacking(const struct policy *p, const struct policy_rule *rule,
                           const struct attributes *host);
bool policy_goes_first(const struct policy_rule *rule, const struct attributes *host);

// Calls for each group that the rule gives the host: one, or one for each element of a list. None
// where the host is not wanted or lacks an attribute. The key is of this group alone: made of the
// rule and its values, whatever text these join to. It may come twice, where a list has an element
// twice. An error: a value that cannot be part of a name, or too many groups.
typedef void (*policy_group_fn)(void *arg, const char *key);
int policy_groups(const struct policy *p, const struct policy_rule *rule,
                  const struct attributes *host, policy_group_fn fn, void *arg, struct error *err);

// What people call the group of a key: "earth_leaf_131". Names of two groups may coincide.
void policy_write_name(const struct policy *p, const char *key, struct buf *out);
const struct policy_rule *policy_rule_of(const struct policy *p, const char *key);

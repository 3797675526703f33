// One fault: which calls on which devices, how often, and what they get.
#pragma once

#include "common/strmap.h"
#include "simulator/operation.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum fault_effect {
#define X(name, text, on, carried_out, fields) FAULT_##name,
#include "simulator/fault_effects.def"
#undef X
    FAULT_EFFECT_COUNT,
    FAULT_NONE = FAULT_EFFECT_COUNT
};

extern const char *const fault_effect_names[FAULT_EFFECT_COUNT];
bool fault_carried_out(enum fault_effect effect); // true also of FAULT_NONE

enum {
    FAULT_VALUES_MAX = 100 * 1000, // in one list of a match
    FAULT_DOWNTIME_US = 10000000   // where a reboot does not say
};

// What a call gets. Simulated time: the time scale has not been applied.
struct fault_action {
    enum fault_effect effect;
    int code;                  // error
    char *message;             // error
    uint64_t us;               // delay: by; reboot: downtime
    uint64_t bytes_per_second; // slow
};

enum fault_field { FAULT_SITE, FAULT_DEV_TYPE, FAULT_RACK, FAULT_HOST, FAULT_FIELD_COUNT };

// One field of a match: any of these values or globs; empty matches all.
struct fault_pattern {
    bool given;
    char **values;
    size_t len;
    struct strmap exact; // those without *, ? and [
    bool globs;          // whether there are others
};

struct fault_attribute { // a match by anything else that hosts have
    char *name;
    struct fault_pattern pattern;
};

// Which attributes a match may name, beside the fields; zeroed: none.
struct fault_known {
    const char *const *names;
    size_t count;
    bool any; // who asks does not know the network
};

struct fault_counts { // of one device, kept where a rule needs it
    uint32_t device;  // + 1; 0: a free slot
    uint32_t fired;
    uint64_t tried;
};

struct fault_rule {
    uint64_t id, fired;
    struct fault_pattern match[FAULT_FIELD_COUNT];
    struct fault_attribute *attributes;
    size_t attributes_len;
    unsigned on; // bits of operations: where it can act
    double probability;
    uint64_t after, times; // times: UINT64_MAX without limit
    struct fault_action action;
    struct fault_counts *counts; // a hash table by device
    size_t counts_len, counts_cap;
    char *text; // its fields as JSON, without the braces
};

void fault_rule_free(struct fault_rule *rule); // NULL: nothing to do

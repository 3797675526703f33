// Faults as rules: which calls on which devices get which effect. The rules stand in the order they
// were added, and the first that holds for a call applies.
#pragma once

#include "common/buf.h"
#include "common/error.h"
#include "common/strmap.h"
#include "simulator/operation.h"

#include <cjson/cJSON.h>
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
    FAULT_RULES_MAX = 10 * 1000,
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

struct fault_counts { // of one device, kept where a rule needs it
    uint32_t device;  // + 1; 0: a free slot
    uint32_t fired;
    uint64_t tried;
};

struct fault_rule {
    uint64_t id, fired;
    struct fault_pattern match[FAULT_FIELD_COUNT];
    unsigned on; // bits of operations: where it can act
    double probability;
    uint64_t after, times; // times: UINT64_MAX without limit
    struct fault_action action;
    struct fault_counts *counts; // a hash table by device
    size_t counts_len, counts_cap;
    char *text; // its fields as JSON, without the braces
};

struct fault_list { // zeroed it is empty
    struct fault_rule **rules;
    size_t len, cap;
    uint64_t last_id; // ids are not used again before the list is cleared for good
    uint64_t fired[FAULT_EFFECT_COUNT];
};

// Adds the rule, or the array of rules, or, where any of them is wrong, none. The error names the
// path within the value: "[2].match.site: expected a string".
int fault_add(struct fault_list *list, const cJSON *value, struct error *err);
bool fault_remove(struct fault_list *list, uint64_t id);
void fault_remove_all(struct fault_list *list); // ids go on
void fault_deinit(struct fault_list *list);     // ids begin at 1 again, nothing has fired

struct fault_use { // one call
    uint32_t device;
    const char *fields[FAULT_FIELD_COUNT]; // the device's
    enum operation operation;
    uint64_t draw; // draw_call() of it
};

// What the call gets, or NULL. Counts it as fired. Valid until a rule is added or removed.
const struct fault_action *fault_choose(struct fault_list *list, const struct fault_use *use);

// {"faults": [{"id": 1, "fired": 0, ...}, ...]} of the rules with an id above after.
void fault_write(const struct fault_list *list, uint64_t after, struct buf *out);

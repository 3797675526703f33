// Faults as rules: which calls on which devices get which effect. The rules stand in the order they
// were added, and the first that holds for a call applies.
#pragma once

#include "common/buf.h"
#include "common/error.h"
#include "common/terms.h"
#include "simulator/fault_rule.h"

#include <cjson/cJSON.h>

enum { FAULT_RULES_MAX = 10 * 1000 };

struct fault_list { // zeroed it is empty
    struct fault_rule **rules;
    size_t len, cap;
    struct fault_known known;
    uint64_t last_id; // ids are not used again before the list is cleared for good
    uint64_t fired[FAULT_EFFECT_COUNT];
};

// Adds the rule, or the array of rules, or, where any of them is wrong, none. The error names the
// path within the value: "[2].match.site: expected a string".
int fault_add(struct fault_list *list, const cJSON *value, struct error *err);
bool fault_remove(struct fault_list *list, uint64_t id);
void fault_remove_all(struct fault_list *list); // ids go on
// Ids begin at 1 again, nothing has fired, and no attribute is known.
void fault_deinit(struct fault_list *list);
void fault_rewind(struct fault_list *list); // as if no rule had been tried yet

struct fault_use { // one call
    uint32_t device;
    const char *fields[FAULT_FIELD_COUNT]; // the device's; NULL: it has none
    // Any other attribute of the device, by its name; NULL: it has none.
    struct attribute_values (*attribute)(void *device, const char *name);
    void *of_device;
    enum operation operation;
    uint64_t draw; // draw_call() of it
};

// What the call gets, or NULL. Counts it as fired. Valid until a rule is added or removed.
const struct fault_action *fault_choose(struct fault_list *list, const struct fault_use *use);

// Whether any rule is for the device, on whatever call and how seldom it may be. operation and draw
// do not matter.
bool fault_is_for(const struct fault_list *list, const struct fault_use *use);

// {"faults": [{"id": 1, "fired": 0, ...}, ...]} of the rules with an id above after.
void fault_write(const struct fault_list *list, uint64_t after, struct buf *out);

#include "simulator/fault_rule.h"

#include <stdlib.h>

const char *const fault_effect_names[FAULT_EFFECT_COUNT] = {
#define X(name, text, on, carried_out, fields) [FAULT_##name] = #text,
#include "simulator/fault_effects.def"
#undef X
};

bool fault_carried_out(enum fault_effect effect) {
    static const bool table[] = {
#define X(name, text, on, carried_out, fields) [FAULT_##name] = (carried_out),
#include "simulator/fault_effects.def"
#undef X
        [FAULT_NONE] = true,
    };
    return table[effect];
}

void fault_rule_free(struct fault_rule *rule) {
    if (rule == NULL) return;
    for (int i = 0; i < FAULT_FIELD_COUNT; i++) {
        for (size_t v = 0; v < rule->match[i].len; v++)
            free(rule->match[i].values[v]);
        free(rule->match[i].values);
        strmap_deinit(&rule->match[i].exact);
    }
    free(rule->action.message);
    free(rule->counts);
    free(rule->text);
    free(rule);
}

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

static void free_pattern(struct fault_pattern *p) {
    for (size_t i = 0; i < p->len; i++)
        free(p->values[i]);
    free(p->values);
    strmap_deinit(&p->exact);
}

void fault_rule_free(struct fault_rule *rule) {
    if (rule == NULL) return;
    for (int i = 0; i < FAULT_FIELD_COUNT; i++)
        free_pattern(&rule->match[i]);
    for (size_t i = 0; i < rule->attributes_len; i++) {
        free(rule->attributes[i].name);
        free_pattern(&rule->attributes[i].pattern);
    }
    free(rule->attributes);
    free(rule->action.message);
    free(rule->counts);
    free(rule->text);
    free(rule);
}

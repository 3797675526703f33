#include "scenarios/runner/fit.h"

#include "common/buf.h"
#include "common/json.h"
#include "scenarios/runner/scenario.h"
#include "scenarios/runner/schema.h"

#include <stdint.h>
#include <stdlib.h>

static const cJSON *get(const cJSON *object, const char *key) {
    return cJSON_GetObjectItemCaseSensitive(object, key);
}

struct fit { // a part that is made to fit
    const cJSON *schema;
    cJSON *whole;
};

static void check(const struct fit *fit, struct findings *f) {
    *f = (struct findings){0};
    schema_check_part(scenario_shape(), fit->schema, fit->whole, f);
}

static bool is_wrong(const struct fit *fit, const cJSON *value) {
    struct findings f;
    check(fit, &f);
    for (size_t i = 0; i < f.count; i++)
        if (f.list[i].at == value) return true;
    return false;
}

// False: it is no plain value, or its text would not fit either, and it is as it was.
static bool becomes_text(const struct fit *fit, cJSON *value) {
    if (!cJSON_IsNumber(value) && !cJSON_IsBool(value)) return false;
    const cJSON was = *value;
    struct buf text = {0};
    json_add_text(&text, value);
    value->type = cJSON_String;
    value->valuestring = buf_take(&text);
    if (is_wrong(fit, value)) {
        free(value->valuestring);
        value->type = was.type;
        value->valuestring = was.valuestring;
        return false;
    }
    free(was.valuestring);
    return true;
}

static void fit(const struct fit *fit, struct findings *f) {
    bool changed;
    do {
        changed = false;
        check(fit, f);
        for (size_t i = 0; i < f->count && !changed; i++)
            changed = becomes_text(fit, (cJSON *)(uintptr_t)f->list[i].at); // it is of fit->whole
    } while (changed);
}

void fit_step(const char *kind, cJSON *value, struct findings *f) {
    const cJSON *step = get(get(scenario_shape(), "$defs"), "step");
    const struct fit it = {get(get(step, "properties"), kind), value};
    fit(&it, f);
    findings_in(f, 0, "%s", kind);
}

void fit_part(const char *part, cJSON *value, struct findings *f) {
    const struct fit it = {get(get(scenario_shape(), "properties"), part), value};
    fit(&it, f);
    findings_in(f, 0, "%s", part);
}

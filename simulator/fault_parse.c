#include "simulator/fault_parse.h"

#include "common/count.h"
#include "common/duration.h"
#include "common/json.h"
#include "common/mem.h"
#include "common/rpc.h"
#include "common/suggest.h"
#include "common/terms.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    unsigned on;
    const char *fields; // with a space between
} effects[] = {
#define X(name, text, on, carried_out, fields) [FAULT_##name] = {on, fields},
#include "simulator/fault_effects.def"
#undef X
};

static const char *const field_names[FAULT_FIELD_COUNT] = {"site", "dev_type", "rack", "host"};

static int wrong_at(const cJSON *value, struct error *err) {
    err->at = value;
    return ERROR_INPUT;
}

// Puts the field before a text that says only what is wrong with it.
static int wrong_in(const cJSON *value, const char *field, struct error *err) {
    error_in(err, "%s", field);
    return wrong_at(value, err);
}

// "'edgee' is none of edge, spine, leaf; did you mean edge?", over a list of words.
static int unknown_word(const cJSON *field, const char *const *known, size_t count,
                        struct error *err) {
    char list[256] = "";
    for (size_t i = 0; i < count; i++)
        snprintf(list + strlen(list), sizeof list - strlen(list), "%s%s", i == 0 ? "" : ", ",
                 known[i]);
    const char *near = suggest(field->valuestring, known, count);
    error_set(err, "'%.60s' is none of %s%s%s%s", field->valuestring, list,
              near == NULL ? "" : "; did you mean ", near == NULL ? "" : near,
              near == NULL ? "" : "?");
    return wrong_in(field, field->string, err);
}

// --- match

// What a field may have beside texts: a rack is a whole number, an attribute any.
enum numbers { NO_NUMBERS, WHOLE_NUMBERS, ANY_NUMBERS };

static int add_value(struct fault_pattern *p, const cJSON *value, enum numbers numbers,
                     struct error *err) {
    struct buf text = {0};
    uint64_t rack = 0;
    int rc = 0;
    if (numbers == NO_NUMBERS || !cJSON_IsNumber(value)) {
        const char *string;
        rc = json_as_string(value, &string, err);
    } else if (numbers == WHOLE_NUMBERS) {
        rc = json_as_uint(value, 0, UINT32_MAX, &rack, err);
    }
    if (rc != 0) return rc;
    if (numbers == WHOLE_NUMBERS && cJSON_IsNumber(value))
        buf_add_uint(&text, rack);
    else
        json_add_text(&text, value);
    buf_adds(&text, ""); // a text that is empty is one, too
    char *copy = buf_take(&text);
    p->values[p->len++] = copy;
    if (strpbrk(copy, "*?[") != NULL)
        p->globs = true;
    else
        strmap_put(&p->exact, copy, copy);
    return 0;
}

// A value, a list of values, or a glob.
static int parse_pattern(struct fault_pattern *p, const cJSON *field, enum numbers numbers,
                         struct error *err) {
    size_t count = cJSON_IsArray(field) ? (size_t)cJSON_GetArraySize(field) : 1, index = 0;
    if (count > FAULT_VALUES_MAX) {
        error_set(err, "a list has %d values at most", FAULT_VALUES_MAX);
        return wrong_in(field, field->string, err);
    }
    p->given = true;
    p->values = mem_array(count == 0 ? 1 : count, sizeof *p->values);
    if (!cJSON_IsArray(field)) {
        int rc = add_value(p, field, numbers, err);
        return rc == 0 ? 0 : wrong_in(field, field->string, err);
    }
    const cJSON *value;
    cJSON_ArrayForEach(value, field) {
        int rc = add_value(p, value, numbers, err);
        if (rc != 0) {
            error_in(err, "%s[%zu]", field->string, index);
            return wrong_at(value, err);
        }
        index++;
    }
    return 0;
}

// Where the network is not known: any name that is no field's, misspelt.
static int check_any(const cJSON *field, struct error *err) {
    for (int i = 0; i < FAULT_FIELD_COUNT; i++) {
        if (!suggest_slip(field->string, field_names[i])) continue;
        error_set(err, "unknown field; did you mean %s?", field_names[i]);
        return wrong_in(field, field->string, err);
    }
    if (attribute_name_check(field->string, err) == 0) return 0;
    return wrong_in(field, field->string, err);
}

// Refuses what is neither a field nor known as an attribute.
static int check_attribute(const cJSON *field, const struct fault_known *known, struct error *err) {
    if (known->any) return check_any(field, err);
    for (size_t i = 0; i < known->count; i++)
        if (strcmp(field->string, known->names[i]) == 0) return 0;
    size_t count = FAULT_FIELD_COUNT + known->count;
    const char **all = mem_array(count, sizeof *all);
    memcpy(all, field_names, sizeof field_names);
    for (size_t i = 0; i < known->count; i++)
        all[FAULT_FIELD_COUNT + i] = known->names[i];
    const char *near = suggest(field->string, all, count);
    if (near == NULL)
        error_set(err, "unknown field: no device has it");
    else
        error_set(err, "unknown field; did you mean %.64s?", near);
    free(all);
    return wrong_in(field, field->string, err);
}

// One of the fields that all hosts have, or an attribute.
static int parse_field(struct fault_rule *rule, const cJSON *field, const struct fault_known *known,
                       struct error *err) {
    for (int i = 0; i < FAULT_FIELD_COUNT; i++)
        if (strcmp(field->string, field_names[i]) == 0)
            return parse_pattern(&rule->match[i], field,
                                 i == FAULT_RACK ? WHOLE_NUMBERS : NO_NUMBERS, err);
    if (check_attribute(field, known, err) != 0) return ERROR_INPUT;
    struct fault_attribute *attribute = &rule->attributes[rule->attributes_len++];
    attribute->name = mem_strdup(field->string);
    return parse_pattern(&attribute->pattern, field, ANY_NUMBERS, err);
}

static int parse_match(struct fault_rule *rule, const cJSON *object,
                       const struct fault_known *known, struct error *err) {
    const cJSON *match = NULL;
    int rc = json_object_opt(object, "match", &match, err);
    if (rc != 0 || match == NULL) return rc;
    rule->attributes = mem_array((size_t)cJSON_GetArraySize(match), sizeof *rule->attributes);
    const cJSON *field;
    cJSON_ArrayForEach(field, match) {
        rc = parse_field(rule, field, known, err);
        if (rc != 0) break;
    }
    if (rc != 0) error_in(err, "match");
    return rc;
}

// --- effect, and what it needs

static int parse_effect(struct fault_rule *rule, const cJSON *object, struct error *err) {
    const char *name = NULL;
    int rc = json_string(object, "effect", &name, err);
    if (rc != 0) return rc;
    for (int i = 0; i < FAULT_EFFECT_COUNT; i++) {
        if (strcmp(name, fault_effect_names[i]) != 0) continue;
        rule->action.effect = (enum fault_effect)i;
        return 0;
    }
    return unknown_word(cJSON_GetObjectItemCaseSensitive(object, "effect"), fault_effect_names,
                        FAULT_EFFECT_COUNT, err);
}

static int parse_on(struct fault_rule *rule, const cJSON *object, struct error *err) {
    const char *known[OPERATION_COUNT + 1], *name = "any";
    int rc = json_string_opt(object, "on", &name, err);
    if (rc != 0) return rc;
    const cJSON *field = cJSON_GetObjectItemCaseSensitive(object, "on");
    unsigned legal = effects[rule->action.effect].on, wanted = OPERATION_ALL;
    if (strcmp(name, "any") != 0) {
        int operation = operation_parse(name);
        if (operation < 0) {
            memcpy(known, operation_names, sizeof operation_names);
            known[OPERATION_COUNT] = "any";
            return unknown_word(field, known, OPERATION_COUNT + 1, err);
        }
        wanted = OPERATION_BIT((unsigned)operation);
    }
    rule->on = wanted & legal; // any: wherever the effect can act
    if (rule->on != 0) return 0;
    char sensible[128] = "";
    for (unsigned i = 0; i < OPERATION_COUNT; i++)
        if ((legal & OPERATION_BIT(i)) != 0)
            snprintf(sensible + strlen(sensible), sizeof sensible - strlen(sensible), "%s or ",
                     operation_names[i]);
    error_set(err, "%s makes no sense on %s, only on %sany",
              fault_effect_names[rule->action.effect], name, sensible);
    return wrong_in(field, "on", err);
}

static int parse_duration(const cJSON *object, const char *key, uint64_t *us, struct error *err) {
    const char *text = NULL;
    const cJSON *field = cJSON_GetObjectItemCaseSensitive(object, key);
    if (cJSON_IsNumber(field) && field->valuedouble == 0)
        text = "0";
    else {
        int rc = json_string(object, key, &text, err);
        if (rc != 0) return rc;
    }
    return duration_parse(text, us, err) == 0 ? 0 : wrong_in(field, key, err);
}

static int parse_error_fields(struct fault_action *action, const cJSON *object, struct error *err) {
    const char *message = rpc_error_message(RPC_DEVICE);
    double code = rpc_error_code(RPC_DEVICE);
    const cJSON *field = cJSON_GetObjectItemCaseSensitive(object, "code");
    int rc = json_number_opt(object, "code", INT32_MIN, INT32_MAX, &code, err);
    if (rc == 0 && code != (double)(int)code) {
        error_set(err, "expected a whole number, not %g", code);
        rc = wrong_in(field, "code", err);
    }
    if (rc == 0) rc = json_string_opt(object, "message", &message, err);
    if (rc == 0 && strlen(message) > 8192) { // six times as long when escaped, and still one line
        error_set(err, "8192 bytes at most");
        rc = wrong_in(cJSON_GetObjectItemCaseSensitive(object, "message"), "message", err);
    }
    if (rc != 0) return rc;
    action->code = (int)code;
    action->message = mem_strdup(message);
    return 0;
}

static int parse_effect_fields(struct fault_rule *rule, const cJSON *object, struct error *err) {
    struct fault_action *action = &rule->action;
    switch (action->effect) {
    case FAULT_ERROR:
        return parse_error_fields(action, object, err);
    case FAULT_DELAY:
        return parse_duration(object, "by", &action->us, err);
    case FAULT_SLOW:
        return json_uint(object, "bytes_per_second", 1, 1000000000, &action->bytes_per_second, err);
    case FAULT_REBOOT:
        action->us = FAULT_DOWNTIME_US;
        if (!cJSON_HasObjectItem(object, "downtime")) return 0;
        return parse_duration(object, "downtime", &action->us, err);
    default:
        return 0;
    }
}

// --- the rule

// Refuses a field of another effect by saying whose it is, and any other as unknown.
static int check_fields(const struct fault_rule *rule, const cJSON *object, struct error *err) {
    static const char *const own[] = {"code", "message", "by", "bytes_per_second", "downtime"};
    for (size_t i = 0; i < COUNT(own); i++) {
        const cJSON *field = cJSON_GetObjectItemCaseSensitive(object, own[i]);
        if (field == NULL || strstr(effects[rule->action.effect].fields, own[i]) != NULL) continue;
        int owner = 0;
        while (strstr(effects[owner].fields, own[i]) == NULL)
            owner++;
        error_set(err, "belongs to the effect %s, not to %s", fault_effect_names[owner],
                  fault_effect_names[rule->action.effect]);
        return wrong_in(field, own[i], err);
    }
    return JSON_ONLY(object, err, "match", "on", "effect", "probability", "after", "times", "code",
                     "message", "by", "bytes_per_second", "downtime");
}

// The rule as it was given, and what it left to the defaults.
static char *rule_text(const struct fault_rule *rule, const cJSON *object) {
    cJSON *full = cJSON_Duplicate(object, true);
    if (!cJSON_HasObjectItem(full, "match")) cJSON_AddObjectToObject(full, "match");
    if (!cJSON_HasObjectItem(full, "on")) cJSON_AddStringToObject(full, "on", "any");
    if (!cJSON_HasObjectItem(full, "probability")) cJSON_AddNumberToObject(full, "probability", 1);
    if (!cJSON_HasObjectItem(full, "after")) cJSON_AddNumberToObject(full, "after", 0);
    if (rule->action.effect == FAULT_ERROR && !cJSON_HasObjectItem(full, "code"))
        cJSON_AddNumberToObject(full, "code", rule->action.code);
    if (rule->action.effect == FAULT_ERROR && !cJSON_HasObjectItem(full, "message"))
        cJSON_AddStringToObject(full, "message", rule->action.message);
    if (rule->action.effect == FAULT_REBOOT && !cJSON_HasObjectItem(full, "downtime"))
        cJSON_AddStringToObject(full, "downtime", "10s");
    char *text = cJSON_PrintUnformatted(full);
    cJSON_Delete(full);
    char *inner = mem_strndup(text + 1, strlen(text) - 2);
    free(text);
    return inner;
}

int fault_parse(struct fault_rule *rule, const cJSON *value, const struct fault_known *known,
                struct error *err) {
    int rc = json_as_object(value, err);
    if (rc == 0) rc = parse_effect(rule, value, err);
    if (rc == 0) rc = check_fields(rule, value, err);
    if (rc == 0) rc = parse_on(rule, value, err);
    if (rc == 0) rc = parse_match(rule, value, known, err);
    if (rc == 0) rc = parse_effect_fields(rule, value, err);
    rule->probability = 1;
    rule->times = UINT64_MAX;
    if (rc == 0) rc = json_number_opt(value, "probability", 0, 1, &rule->probability, err);
    if (rc == 0) rc = json_uint_opt(value, "after", 0, UINT32_MAX, &rule->after, err);
    if (rc == 0) rc = json_uint_opt(value, "times", 0, UINT32_MAX, &rule->times, err);
    if (rc == 0) rule->text = rule_text(rule, value);
    return rc;
}

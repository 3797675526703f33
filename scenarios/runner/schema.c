#include "scenarios/runner/schema.h"

#include "common/buf.h"
#include "common/json.h"
#include "common/mem.h"
#include "common/suggest.h"

#include <math.h>
#include <regex.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int check(const cJSON *root, const cJSON *schema, const cJSON *value, struct error *err);

static const cJSON *get(const cJSON *schema, const char *key) {
    return cJSON_GetObjectItemCaseSensitive(schema, key);
}

// Follows {"$ref": "#/$defs/name"}; fields beside it only describe.
static const cJSON *resolve(const cJSON *root, const cJSON *schema) {
    static const char prefix[] = "#/$defs/";
    const cJSON *ref = get(schema, "$ref");
    if (ref == NULL) return schema;
    return resolve(root, get(get(root, "$defs"), ref->valuestring + sizeof prefix - 1));
}

static bool is_open(const cJSON *value) {
    return cJSON_IsString(value) && strstr(value->valuestring, "${") != NULL;
}

static bool has_type(const cJSON *value, const char *type) {
    if (strcmp(type, "string") == 0) return cJSON_IsString(value);
    if (strcmp(type, "number") == 0) return cJSON_IsNumber(value) || is_open(value);
    if (strcmp(type, "integer") == 0)
        return is_open(value) ||
               (cJSON_IsNumber(value) && value->valuedouble == floor(value->valuedouble));
    if (strcmp(type, "boolean") == 0) return cJSON_IsBool(value) || is_open(value);
    if (strcmp(type, "array") == 0) return cJSON_IsArray(value);
    if (strcmp(type, "object") == 0) return cJSON_IsObject(value);
    return cJSON_IsNull(value);
}

// Whether the value has a type that the schema takes; adds those it takes to the list.
static bool fits_type(const cJSON *schema, const cJSON *value, struct buf *taken) {
    const cJSON *type = get(schema, "type"), *one;
    if (type == NULL) return true;
    bool fits = false;
    if (cJSON_IsString(type)) {
        buf_addf(taken, "%s%s", taken->len == 0 ? "" : " or ", type->valuestring);
        return has_type(value, type->valuestring);
    }
    cJSON_ArrayForEach(one, type) {
        buf_addf(taken, "%s%s", taken->len == 0 ? "" : " or ", one->valuestring);
        fits = fits || has_type(value, one->valuestring);
    }
    return fits;
}

static int wrong(const cJSON *value, struct error *err, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static int wrong(const cJSON *value, struct error *err, const char *format, ...) {
    struct buf text = {0};
    char line[400];
    va_list args;
    va_start(args, format);
    vsnprintf(line, sizeof line, format, args);
    va_end(args);
    buf_adds(&text, line);
    error_set(err, "%s", text.data);
    err->at = value;
    buf_deinit(&text);
    return ERROR_INPUT;
}

static int check_type(const cJSON *schema, const cJSON *value, struct error *err) {
    struct buf taken = {0};
    int rc = 0;
    if (!fits_type(schema, value, &taken))
        rc = wrong(value, err, "expected %s, not %s", taken.data, json_type_name(value));
    buf_deinit(&taken);
    return rc;
}

// Of several alternatives the one whose type fits is meant.
static int check_one_of(const cJSON *root, const cJSON *alternatives, const cJSON *value,
                        struct error *err) {
    struct buf taken = {0};
    const cJSON *alternative;
    cJSON_ArrayForEach(alternative, alternatives) {
        if (!fits_type(resolve(root, alternative), value, &taken)) continue;
        buf_deinit(&taken);
        return check(root, alternative, value, err);
    }
    int rc = wrong(value, err, "expected %s, not %s", taken.data, json_type_name(value));
    buf_deinit(&taken);
    return rc;
}

static int check_enum(const cJSON *known, const cJSON *value, struct error *err) {
    if (is_open(value)) return 0;
    const cJSON *one;
    struct buf list = {0};
    size_t count = 0;
    const char *names[64] = {0};
    cJSON_ArrayForEach(one, known) {
        if (cJSON_Compare(one, value, true)) {
            buf_deinit(&list);
            return 0;
        }
        if (!cJSON_IsString(one) || count == 64) continue;
        names[count++] = one->valuestring;
        buf_addf(&list, "%s%s", list.len == 0 ? "" : ", ", one->valuestring);
    }
    const char *text = cJSON_IsString(value) ? value->valuestring : json_type_name(value);
    const char *near = suggest(text, names, count);
    int rc = wrong(value, err, "'%.60s' is none of %.200s%s%s%s", text, list.data,
                   near == NULL ? "" : "; did you mean ", near == NULL ? "" : near,
                   near == NULL ? "" : "?");
    buf_deinit(&list);
    return rc;
}

static bool matches(const char *text, const char *pattern) {
    regex_t regex;
    if (regcomp(&regex, pattern, REG_EXTENDED | REG_NOSUB) != 0) abort(); // our own schema
    bool fits = regexec(&regex, text, 0, NULL, 0) == 0;
    regfree(&regex);
    return fits;
}

static int check_string(const cJSON *schema, const cJSON *value, struct error *err) {
    const cJSON *limit = get(schema, "minLength"), *pattern = get(schema, "pattern");
    if (limit != NULL && (double)strlen(value->valuestring) < limit->valuedouble)
        return wrong(value, err, "it is empty");
    limit = get(schema, "maxLength");
    if (limit != NULL && (double)strlen(value->valuestring) > limit->valuedouble)
        return wrong(value, err, "it is longer than %g bytes", limit->valuedouble);
    if (pattern != NULL && !matches(value->valuestring, pattern->valuestring))
        return wrong(value, err, "'%.60s' does not fit the pattern %s", value->valuestring,
                     pattern->valuestring);
    return 0;
}

static int check_number(const cJSON *schema, const cJSON *value, struct error *err) {
    const cJSON *low = get(schema, "minimum"), *high = get(schema, "maximum"),
                *above = get(schema, "exclusiveMinimum");
    double n = value->valuedouble;
    if (low != NULL && n < low->valuedouble)
        return wrong(value, err, "%g is too small: expected %g at least", n, low->valuedouble);
    if (high != NULL && n > high->valuedouble)
        return wrong(value, err, "%g is too large: expected %g at most", n, high->valuedouble);
    if (above != NULL && n <= above->valuedouble)
        return wrong(value, err, "%g is too small: expected more than %g", n, above->valuedouble);
    return 0;
}

static int check_array(const cJSON *root, const cJSON *schema, const cJSON *value,
                       struct error *err) {
    const cJSON *items = get(schema, "items"), *least = get(schema, "minItems"), *element;
    size_t index = 0;
    if (least != NULL && cJSON_GetArraySize(value) < least->valueint)
        return wrong(value, err, "expected %d elements at least", least->valueint);
    if (items == NULL) return 0;
    cJSON_ArrayForEach(element, value) {
        int rc = check(root, items, element, err);
        if (rc != 0) {
            error_in(err, "[%zu]", index);
            return rc;
        }
        index++;
    }
    return 0;
}

// "expected exactly one of request, metrics, ..." or "...any of...".
static int wrong_count(const cJSON *schema, const cJSON *value, const char *what,
                       struct error *err) {
    struct buf names = {0};
    const cJSON *property;
    cJSON_ArrayForEach(property, get(schema, "properties"))
        buf_addf(&names, "%s%s", names.len == 0 ? "" : ", ", property->string);
    int rc = names.len == 0 ? wrong(value, err, "it is empty")
                            : wrong(value, err, "expected %s of %.300s", what, names.data);
    buf_deinit(&names);
    return rc;
}

static int check_names(const cJSON *schema, const cJSON *value, struct error *err) {
    const cJSON *properties = get(schema, "properties"), *additional, *field, *pattern;
    const char *known[64] = {0};
    size_t count = 0;
    cJSON_ArrayForEach(field, properties) if (count < 64) known[count++] = field->string;
    additional = get(schema, "additionalProperties");
    if (cJSON_IsFalse(additional)) {
        int rc = json_only(value, known, count, err);
        if (rc != 0) return rc;
    }
    pattern = get(get(schema, "propertyNames"), "pattern");
    cJSON_ArrayForEach(field, value) {
        if (pattern != NULL && !matches(field->string, pattern->valuestring))
            return wrong(field, err, "%.60s: the name does not fit the pattern %s", field->string,
                         pattern->valuestring);
    }
    return 0;
}

static int check_object(const cJSON *root, const cJSON *schema, const cJSON *value,
                        struct error *err) {
    const cJSON *least = get(schema, "minProperties"), *most = get(schema, "maxProperties");
    const cJSON *additional = get(schema, "additionalProperties"), *field, *name;
    int rc = check_names(schema, value, err);
    if (rc != 0) return rc;
    cJSON_ArrayForEach(name, get(schema, "required")) {
        if (get(value, name->valuestring) == NULL)
            return wrong(value, err, "%s: missing", name->valuestring);
    }
    int count = cJSON_GetArraySize(value);
    if (most != NULL && count != 1) return wrong_count(schema, value, "exactly one", err);
    if (least != NULL && count < least->valueint)
        return wrong_count(schema, value, "at least one", err);
    cJSON_ArrayForEach(field, value) {
        const cJSON *property = get(get(schema, "properties"), field->string);
        if (property == NULL && cJSON_IsObject(additional)) property = additional;
        if (property != NULL) rc = check(root, property, field, err);
        if (rc == 0) continue;
        error_in(err, "%.100s", field->string);
        return rc;
    }
    return 0;
}

static int check(const cJSON *root, const cJSON *schema, const cJSON *value, struct error *err) {
    schema = resolve(root, schema);
    const cJSON *alternatives = get(schema, "oneOf"), *known = get(schema, "enum");
    if (alternatives != NULL) return check_one_of(root, alternatives, value, err);
    if (known != NULL) return check_enum(known, value, err);
    int rc = check_type(schema, value, err);
    if (rc != 0) return rc;
    if (cJSON_IsString(value)) return check_string(schema, value, err);
    if (cJSON_IsNumber(value)) return check_number(schema, value, err);
    if (cJSON_IsArray(value)) return check_array(root, schema, value, err);
    if (cJSON_IsObject(value)) return check_object(root, schema, value, err);
    return 0;
}

int schema_check(const cJSON *root, const cJSON *value, struct error *err) {
    return check(root, root, value, err);
}

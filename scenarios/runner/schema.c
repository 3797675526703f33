// A scalar has one error at most, and fills it as all else does; a container adds the errors of all
// that it holds. Where a field is unknown, the fields that are missing are not told: it may be one
// of them, misspelt.
#include "scenarios/runner/schema.h"

#include "common/buf.h"
#include "common/json.h"
#include "common/suggest.h"

#include <assert.h>
#include <math.h>
#include <regex.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int check_scalar(const cJSON *root, const cJSON *schema, const cJSON *value,
                        struct error *err);
static void check(const cJSON *root, const cJSON *schema, const cJSON *value, struct findings *f);

static const cJSON *get(const cJSON *schema, const char *key) {
    return cJSON_GetObjectItemCaseSensitive(schema, key);
}

static int wrong(const cJSON *value, struct error *err, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static int wrong(const cJSON *value, struct error *err, const char *format, ...) {
    va_list args;
    va_start(args, format);
    error_vset(err, format, args);
    va_end(args);
    err->at = value;
    return ERROR_INPUT;
}

static void add_to_list(struct buf *list, const char *word, const char *joint) {
    buf_addf(list, "%s%s", list->len == 0 ? "" : joint, word);
}

// --- types and alternatives

static const struct {
    const char *name, *told;
} types[] = {
    {"string", "a string"}, {"number", "a number"},  {"integer", "a whole number"},
    {"array", "an array"},  {"object", "an object"}, {"boolean", "true or false"},
    {"null", "null"},
};

static bool has_type(const cJSON *value, const char *type) {
    if (strcmp(type, "string") == 0) return cJSON_IsString(value);
    if (strcmp(type, "number") == 0) return cJSON_IsNumber(value);
    if (strcmp(type, "integer") == 0)
        return cJSON_IsNumber(value) && value->valuedouble == floor(value->valuedouble);
    if (strcmp(type, "array") == 0) return cJSON_IsArray(value);
    if (strcmp(type, "object") == 0) return cJSON_IsObject(value);
    if (strcmp(type, "boolean") == 0) return cJSON_IsBool(value);
    return cJSON_IsNull(value);
}

static bool takes(const cJSON *value, const char *type, struct buf *taken) {
    size_t i = 0;
    while (strcmp(types[i].name, type) != 0)
        i++;
    add_to_list(taken, types[i].told, " or ");
    return has_type(value, type);
}

static const cJSON *referred(const cJSON *root, const cJSON *schema) {
    static const char prefix[] = "#/$defs/";
    const cJSON *ref = get(schema, "$ref");
    if (ref == NULL) return NULL;
    const cJSON *found = get(get(root, "$defs"), ref->valuestring + sizeof prefix - 1);
    assert(found != NULL); // our own schema
    return found;
}

static bool is_variable(const cJSON *schema) {
    const cJSON *ref = get(schema, "$ref");
    return ref != NULL && strcmp(ref->valuestring, "#/$defs/variable") == 0;
}

static bool fits_type(const cJSON *root, const cJSON *schema, const cJSON *value,
                      struct buf *taken);

static bool fits_any_type(const cJSON *root, const cJSON *alternatives, const cJSON *value,
                          struct buf *taken) {
    bool fits = false;
    const cJSON *one;
    cJSON_ArrayForEach(one, alternatives) {
        if (!is_variable(one)) fits = fits_type(root, one, value, taken) || fits;
    }
    return fits;
}

// Whether the value has a type that the schema takes; names those that it takes.
static bool fits_type(const cJSON *root, const cJSON *schema, const cJSON *value,
                      struct buf *taken) {
    const cJSON *target = referred(root, schema), *type = get(schema, "type"), *one;
    if (target != NULL) return fits_type(root, target, value, taken);
    if (get(schema, "anyOf") != NULL)
        return fits_any_type(root, get(schema, "anyOf"), value, taken);
    if (type == NULL) return true;
    if (cJSON_IsString(type)) return takes(value, type->valuestring, taken);
    bool fits = false;
    cJSON_ArrayForEach(one, type) fits = takes(value, one->valuestring, taken) || fits;
    return fits;
}

// What a text lacks that YAML reads as something else.
static const char *remedy(const cJSON *value, const char *taken) {
    bool is_plain = cJSON_IsNumber(value) || cJSON_IsBool(value) || cJSON_IsNull(value);
    return is_plain && strstr(taken, "a string") != NULL ? ": put it in quotes" : "";
}

static int check_type(const cJSON *root, const cJSON *schema, const cJSON *value,
                      struct error *err) {
    struct buf taken = {0}, got = {0};
    int rc = 0;
    buf_adds(&taken, "");
    if (!fits_type(root, schema, value, &taken)) {
        if (cJSON_IsNumber(value))
            buf_addf(&got, "%.15g", value->valuedouble);
        else
            buf_adds(&got, json_type_name(value));
        rc = wrong(value, err, "expected %s, not %s%s", taken.data, got.data,
                   remedy(value, taken.data));
    }
    buf_deinit(&taken);
    buf_deinit(&got);
    return rc;
}

static bool holds_variable(const cJSON *value) {
    return cJSON_IsString(value) && strstr(value->valuestring, "${") != NULL;
}

static bool has_required(const cJSON *root, const cJSON *schema, const cJSON *value) {
    const cJSON *target = referred(root, schema), *name;
    cJSON_ArrayForEach(name, get(target == NULL ? schema : target, "required")) {
        if (get(value, name->valuestring) == NULL) return false;
    }
    return true;
}

// The alternative that was meant, or NULL where no type fits. Objects are told apart by the fields
// that they must have.
static const cJSON *meant(const cJSON *root, const cJSON *alternatives, const cJSON *value) {
    const cJSON *one, *first = NULL;
    cJSON_ArrayForEach(one, alternatives) {
        struct buf ignored = {0};
        bool fits =
            is_variable(one) ? holds_variable(value) : fits_type(root, one, value, &ignored);
        buf_deinit(&ignored);
        if (fits && first == NULL) first = one;
        if (fits && has_required(root, one, value)) return one;
    }
    return first;
}

static int check_any_of(const cJSON *root, const cJSON *schema, const cJSON *value,
                        struct error *err) {
    const cJSON *alternatives = get(schema, "anyOf"), *one;
    const cJSON *chosen = meant(root, alternatives, value);
    if (chosen == NULL) return check_type(root, schema, value, err);
    int rc = check_scalar(root, chosen, value, err);
    if (rc == 0) return 0;
    cJSON_ArrayForEach(one, alternatives) {
        struct error ignored;
        if (check_scalar(root, one, value, &ignored) == 0) return 0;
        if (is_variable(one) && holds_variable(value)) return check_scalar(root, one, value, err);
    }
    return rc;
}

// --- scalars

static int check_enum(const cJSON *known, const cJSON *value, struct error *err) {
    enum { KNOWN_MAX = 32 };
    const cJSON *one;
    const char *names[KNOWN_MAX] = {0};
    struct buf list = {0};
    size_t count = 0;
    bool found = false;
    cJSON_ArrayForEach(one, known) { // they are strings all
        assert(count < KNOWN_MAX);
        names[count++] = one->valuestring;
        add_to_list(&list, one->valuestring, ", ");
        found = found || cJSON_Compare(one, value, true);
    }
    const char *near = found ? NULL : suggest(value->valuestring, names, count);
    int rc = 0;
    if (!found && near != NULL)
        rc = wrong(value, err, "'%.60s' is none of %.200s; did you mean %s?", value->valuestring,
                   list.data, near);
    else if (!found)
        rc = wrong(value, err, "'%.60s' is none of %.200s", value->valuestring, list.data);
    buf_deinit(&list);
    return rc;
}

static bool matches(const char *text, const char *pattern) {
    regex_t regex;
    int rc = regcomp(&regex, pattern, REG_EXTENDED | REG_NOSUB);
    assert(rc == 0); // our own schema
    bool fits = regexec(&regex, text, 0, NULL, 0) == 0;
    regfree(&regex);
    return fits;
}

static double characters(const char *text) {
    double count = 0;
    for (; *text != '\0'; text++)
        if (((unsigned char)*text & 0xc0) != 0x80) count++;
    return count;
}

static int check_string(const cJSON *schema, const cJSON *value, struct error *err) {
    const cJSON *least = get(schema, "minLength"), *most = get(schema, "maxLength"),
                *pattern = get(schema, "pattern");
    if (least != NULL && characters(value->valuestring) < least->valuedouble)
        return wrong(value, err, "it is empty: expected some text");
    if (most != NULL && characters(value->valuestring) > most->valuedouble)
        return wrong(value, err, "it is too long: expected %g characters at most",
                     most->valuedouble);
    if (pattern != NULL && !matches(value->valuestring, pattern->valuestring))
        return wrong(value, err, "'%.60s': expected %s", value->valuestring,
                     get(schema, "title")->valuestring);
    return 0;
}

static int check_number(const cJSON *schema, const cJSON *value, struct error *err) {
    const cJSON *low = get(schema, "minimum"), *high = get(schema, "maximum"),
                *above = get(schema, "exclusiveMinimum"), *title = get(schema, "title");
    double n = value->valuedouble;
    if (above != NULL && n <= above->valuedouble)
        return wrong(value, err, "expected more than %.16g, not %.16g", above->valuedouble, n);
    bool is_low = low != NULL && n < low->valuedouble,
         is_high = high != NULL && n > high->valuedouble;
    if (!is_low && !is_high) return 0;
    if (title != NULL) return wrong(value, err, "'%.15g': expected %s", n, title->valuestring);
    if (low != NULL && high != NULL)
        return wrong(value, err, "expected a number from %.16g to %.16g, not %.16g",
                     low->valuedouble, high->valuedouble, n);
    return wrong(value, err, "expected %.16g at %s, not %.16g",
                 is_low ? low->valuedouble : high->valuedouble, is_low ? "least" : "most", n);
}

static int check_scalar(const cJSON *root, const cJSON *schema, const cJSON *value,
                        struct error *err) {
    const cJSON *target = referred(root, schema), *known = get(schema, "enum");
    if (target != NULL) // fields beside it only describe
        return check_scalar(root, target, value, err);
    if (get(schema, "anyOf") != NULL) return check_any_of(root, schema, value, err);
    int rc = check_type(root, schema, value, err);
    if (rc != 0) return rc;
    if (known != NULL) return check_enum(known, value, err);
    if (cJSON_IsString(value)) return check_string(schema, value, err);
    if (cJSON_IsNumber(value)) return check_number(schema, value, err);
    return 0;
}

// --- containers

static int check_length(const cJSON *schema, const cJSON *value, struct error *err) {
    const cJSON *least = get(schema, "minItems");
    int count = cJSON_GetArraySize(value);
    if (least == NULL || count >= least->valueint) return 0;
    return count == 0
               ? wrong(value, err, "it is empty: expected one element at least")
               : wrong(value, err, "expected %d elements at least, not %d", least->valueint, count);
}

static void check_array(const cJSON *root, const cJSON *schema, const cJSON *value,
                        struct findings *f) {
    const cJSON *items = get(schema, "items"), *element;
    struct error err;
    int index = 0;
    if (check_length(schema, value, &err) != 0) findings_add(f, &err);
    if (items == NULL) return;
    cJSON_ArrayForEach(element, value) {
        size_t since = f->count;
        check(root, items, element, f);
        findings_in(f, since, "[%d]", index++);
    }
}

static void list_names(const cJSON *properties, struct buf *list) {
    const cJSON *property;
    cJSON_ArrayForEach(property, properties) add_to_list(list, property->string, ", ");
}

static void unknown_field(const cJSON *properties, const cJSON *field, struct findings *f) {
    enum { KNOWN_MAX = 32 };
    const char *known[KNOWN_MAX] = {0};
    size_t count = 0;
    const cJSON *property;
    cJSON_ArrayForEach(property, properties) {
        assert(count < KNOWN_MAX);
        known[count++] = property->string;
    }
    const char *near = suggest(field->string, known, count);
    struct buf list = {0};
    struct error err;
    list_names(properties, &list);
    if (near != NULL)
        wrong(field, &err, "unknown field; did you mean %s?", near);
    else
        wrong(field, &err, "unknown field; known are %.300s", list.data);
    error_in(&err, "%.100s", field->string);
    findings_add(f, &err);
    buf_deinit(&list);
}

// Whether all are right.
static bool check_names(const cJSON *root, const cJSON *schema, const cJSON *value,
                        struct findings *f) {
    const cJSON *properties = get(schema, "properties"), *rule = get(schema, "propertyNames");
    bool closed = cJSON_IsFalse(get(schema, "additionalProperties"));
    const cJSON *target = rule == NULL ? NULL : referred(root, rule), *field;
    bool right = true;
    cJSON_ArrayForEach(field, value) {
        struct error err;
        if (closed && get(properties, field->string) == NULL) {
            unknown_field(properties, field, f);
        } else if (target != NULL && !matches(field->string, get(target, "pattern")->valuestring)) {
            wrong(field, &err, "'%.60s': expected %s", field->string,
                  get(target, "title")->valuestring);
            findings_add(f, &err);
        } else {
            continue;
        }
        right = false;
    }
    return right;
}

// How many fields there are, and which must be.
static int check_fields(const cJSON *schema, const cJSON *value, struct error *err) {
    const cJSON *least = get(schema, "minProperties"), *most = get(schema, "maxProperties"), *name;
    cJSON_ArrayForEach(name, get(schema, "required")) {
        if (get(value, name->valuestring) == NULL)
            return wrong(value, err, "expected the field %s, which is missing", name->valuestring);
    }
    int count = cJSON_GetArraySize(value);
    bool few = least != NULL && count < least->valueint,
         many = most != NULL && count > most->valueint;
    if (!few && !many) return 0;
    struct buf names = {0};
    list_names(get(schema, "properties"), &names);
    if (names.len == 0)
        wrong(value, err, "it is empty: expected one field at least");
    else
        wrong(value, err, "expected %s of %.300s, not %d of them",
              most != NULL ? "exactly one" : "one at least", names.data, count);
    buf_deinit(&names);
    return ERROR_INPUT;
}

static void check_object(const cJSON *root, const cJSON *schema, const cJSON *value,
                         struct findings *f) {
    const cJSON *additional = get(schema, "additionalProperties"), *field;
    struct error err;
    if (check_names(root, schema, value, f) && check_fields(schema, value, &err) != 0)
        findings_add(f, &err);
    cJSON_ArrayForEach(field, value) {
        const cJSON *property = get(get(schema, "properties"), field->string);
        if (property == NULL && cJSON_IsObject(additional)) property = additional;
        if (property == NULL) continue;
        size_t since = f->count;
        check(root, property, field, f);
        findings_in(f, since, "%.100s", field->string);
    }
}

// Containers are told apart by their type and their required fields alone: to try all alternatives
// at every depth would take for ever.
static void check_container(const cJSON *root, const cJSON *schema, const cJSON *value,
                            struct findings *f) {
    const cJSON *target = referred(root, schema), *alternatives = get(schema, "anyOf");
    struct error err;
    if (alternatives != NULL) target = meant(root, alternatives, value);
    if (target != NULL)
        check_container(root, target, value, f);
    else if (check_type(root, schema, value, &err) != 0)
        findings_add(f, &err);
    else if (cJSON_IsArray(value))
        check_array(root, schema, value, f);
    else
        check_object(root, schema, value, f);
}

// --- all of it

static void check(const cJSON *root, const cJSON *schema, const cJSON *value, struct findings *f) {
    struct error err;
    if (cJSON_IsArray(value) || cJSON_IsObject(value))
        check_container(root, schema, value, f);
    else if (check_scalar(root, schema, value, &err) != 0)
        findings_add(f, &err);
}

void schema_check(const cJSON *root, const cJSON *value, struct findings *f) {
    check(root, root, value, f);
}

void schema_check_part(const cJSON *root, const cJSON *schema, const cJSON *value,
                       struct findings *f) {
    check(root, schema, value, f);
}

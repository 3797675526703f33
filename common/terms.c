#include "common/terms.h"

#include "common/glob.h"
#include "common/json.h"
#include "common/mem.h"

#include <stdlib.h>
#include <string.h>

// --- names

size_t attribute_names_add(struct attribute_names *names, const char *name) {
    for (size_t i = 0; i < names->count; i++)
        if (strcmp(names->list[i], name) == 0) return i;
    names->list = mem_resize(names->list, names->count + 1, sizeof *names->list);
    names->list[names->count] = mem_strdup(name);
    return names->count++;
}

void attribute_names_deinit(struct attribute_names *names) {
    for (size_t i = 0; i < names->count; i++)
        free(names->list[i]);
    free(names->list);
    *names = (struct attribute_names){0};
}

int attribute_name_check(const char *name, struct error *err) {
    if (*name == '\0') return error_set(err, "the name of an attribute is empty");
    if (strlen(name) > TERMS_ATTRIBUTE_MAX)
        return error_set(err, "the name of an attribute is longer than %d bytes",
                         TERMS_ATTRIBUTE_MAX);
    for (const char *c = name; *c != '\0'; c++)
        if ((unsigned char)*c < 0x20 || *c == 0x7f)
            return error_set(err, "the name of an attribute holds a control character");
    return 0;
}

// --- parsing

static int at(const cJSON *value, struct error *err) {
    err->at = value;
    return ERROR_INPUT;
}

static int add_value(struct term *t, const cJSON *value, struct error *err) {
    if (!cJSON_IsString(value) && !cJSON_IsNumber(value)) {
        error_set(err, "expected a text or a number, not %s", json_type_name(value));
        return at(value, err);
    }
    struct buf text = {0};
    json_add_text(&text, value);
    if (text.len == 0 || text.len > TERMS_VALUE_MAX) {
        buf_deinit(&text);
        error_set(err, "expected a text of 1 to %d bytes", TERMS_VALUE_MAX);
        return at(value, err);
    }
    char *copy = buf_take(&text);
    t->values[t->count++] = copy;
    if (glob_is(copy))
        t->globs = true;
    else
        strmap_put(&t->exact, copy, copy);
    return 0;
}

static int add_list(struct term *t, const cJSON *list, struct error *err) {
    int count = cJSON_GetArraySize(list), index = 0;
    if (count == 0 || count > TERMS_VALUES_MAX) {
        error_set(err, "expected 1 to %d values, not %d", TERMS_VALUES_MAX, count);
        return at(list, err);
    }
    t->values = mem_array((size_t)count, sizeof *t->values);
    const cJSON *value;
    cJSON_ArrayForEach(value, list) {
        if (add_value(t, value, err) != 0) {
            error_in(err, "[%d]", index);
            return ERROR_INPUT;
        }
        index++;
    }
    return 0;
}

static int parse_term(struct term *t, const cJSON *field, struct attribute_names *names,
                      struct error *err) {
    if (attribute_name_check(field->string, err) != 0) return at(field, err);
    t->attribute = attribute_names_add(names, field->string);
    if (cJSON_IsArray(field)) return add_list(t, field, err);
    t->values = mem_array(1, sizeof *t->values);
    return add_value(t, field, err);
}

int terms_parse(struct terms *t, const cJSON *object, struct attribute_names *names,
                struct error *err) {
    if (object == NULL) return 0;
    if (json_as_object(object, err) != 0) return ERROR_INPUT;
    int count = cJSON_GetArraySize(object);
    if (count > TERMS_MAX) {
        error_set(err, "%d attributes, %d at most", count, TERMS_MAX);
        return at(object, err);
    }
    t->list = mem_array((size_t)count, sizeof *t->list);
    const cJSON *field;
    cJSON_ArrayForEach(field, object) {
        if (parse_term(&t->list[t->count++], field, names, err) == 0) continue;
        error_in(err, "%.100s", field->string);
        return ERROR_INPUT;
    }
    return 0;
}

void terms_deinit(struct terms *t) {
    for (size_t i = 0; i < t->count; i++) {
        for (size_t v = 0; v < t->list[i].count; v++)
            free(t->list[i].values[v]);
        free(t->list[i].values);
        strmap_deinit(&t->list[i].exact);
    }
    free(t->list);
    *t = (struct terms){0};
}

// --- asking a host

static bool value_fits(const struct term *t, const char *value) {
    if (strmap_get(&t->exact, value) != NULL) return true;
    for (size_t i = 0; t->globs && i < t->count; i++)
        if (glob_matches(t->values[i], value)) return true;
    return false;
}

// A list holds where any of its elements does.
static bool holds(const struct term *t, const struct attributes *host) {
    struct attribute_values has = host->get(host->host, t->attribute);
    for (size_t i = 0; i < has.count; i++)
        if (value_fits(t, has.list[i])) return true;
    return false;
}

bool terms_all_hold(const struct terms *t, const struct attributes *host) {
    for (size_t i = 0; i < t->count; i++)
        if (!holds(&t->list[i], host)) return false;
    return true;
}

bool terms_any_holds(const struct terms *t, const struct attributes *host) {
    for (size_t i = 0; i < t->count; i++)
        if (holds(&t->list[i], host)) return true;
    return false;
}

#include "simulator/network_grammar.h"

#include "common/acmeos.h"
#include "common/count.h"
#include "common/inventory_builder.h"
#include "common/json.h"
#include "common/suggest.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int network_wrong_at(const cJSON *value, struct error *err) {
    err->at = value;
    return ERROR_INPUT;
}

int network_wrong_in(const cJSON *value, struct error *err, const char *format, ...) {
    char place[320];
    va_list args;
    va_start(args, format);
    vsnprintf(place, sizeof place, format, args);
    va_end(args);
    error_in(err, "%s", place);
    return network_wrong_at(value, err);
}

const cJSON *network_field(const cJSON *object, const char *name) {
    return cJSON_GetObjectItemCaseSensitive(object, name);
}

int network_parse_version(const cJSON *value, const char **version, struct error *err) {
    int rc = json_as_string(value, version, err);
    if (rc == 0 && !acmeos_version_valid(*version))
        rc = error_set(err, "'%.40s': expected a version in the format X.Y.Z, such as 5.2.1",
                       *version);
    return rc;
}

int network_parse_login(const cJSON *object, struct credentials *out, struct error *err) {
    int rc = inventory_builder_secret(network_field(object, "username"), &out->username, err);
    return rc == 0
               ? inventory_builder_secret(network_field(object, "password"), &out->password, err)
               : rc;
}

// --- attributes

// What an attribute of that name would stand beside.
static const char *const of_devices[] = {"platform", "dev_type", "hostname", "port"};

static int check_key(const char *key, const char *const *known, size_t count, struct error *err) {
    if (inventory_means_groups(key))
        return error_set(err, "unknown field; did you mean redundancy_groups?");
    if (strcasecmp(key, "tls") == 0)
        return error_set(err, "unknown field; --devices-tls FILE makes all devices speak TLS");
    for (size_t i = 0; i < count; i++)
        if (suggest_slip(key, known[i]))
            return error_set(err, "unknown field; did you mean %s?", known[i]);
    for (size_t i = 0; i < COUNT(of_devices); i++)
        if (strcasecmp(key, of_devices[i]) == 0)
            return error_set(err, "unknown field; the inventory says %s of each device by itself",
                             of_devices[i]);
    if (strcasecmp(key, "epochs") == 0)
        return error_set(err, "unknown field; epochs is a setting of the network or of a host");
    return attribute_name_check(key, err);
}

static int add_value(struct network *n, const char *key, const cJSON *value, struct error *err) {
    struct buf text = {0};
    if (!cJSON_IsString(value) && !cJSON_IsNumber(value))
        return error_set(err, "expected a text or a number, not %s", json_type_name(value));
    json_add_text(&text, value);
    int rc = text.len == 0 || text.len > TERMS_VALUE_MAX
                 ? error_set(err, "expected a text of 1 to %d bytes", TERMS_VALUE_MAX)
                 : network_pair(n, key, text.data, err);
    buf_deinit(&text);
    return rc;
}

static int add_list(struct network *n, const cJSON *field, struct error *err) {
    size_t index = 0;
    const cJSON *value;
    cJSON_ArrayForEach(value, field) {
        if (add_value(n, field->string, value, err) != 0)
            return network_wrong_in(value, err, "%.64s[%zu]", field->string, index);
        index++;
    }
    return 0;
}

static int add_attribute(struct network *n, const cJSON *field, bool computes, struct error *err) {
    if (cJSON_IsArray(field)) return add_list(n, field, err);
    if (computes && cJSON_IsString(field) && strpbrk(field->valuestring, "{}") != NULL) {
        if (network_compute(n, field->string, field->valuestring, err) == 0) return 0;
        return network_wrong_in(field, err, "%.64s", field->string);
    }
    int rc = strcmp(field->string, "redundancy_groups") == 0
                 ? error_set(err, "expected an array of names, not %s", json_type_name(field))
                 : add_value(n, field->string, field, err);
    return rc == 0 ? 0 : network_wrong_in(field, err, "%.64s", field->string);
}

static bool is_known(const char *key, const char *const *known, size_t count) {
    for (size_t i = 0; i < count; i++)
        if (strcmp(key, known[i]) == 0) return true;
    return false;
}

int network_parse_attributes(struct network *n, const cJSON *object, const char *const *known,
                             size_t count, bool computes, struct network_range *out,
                             struct error *err) {
    struct network_range range = {.from = (uint32_t)n->pairs.len};
    const cJSON *field;
    cJSON_ArrayForEach(field, object) {
        if (is_known(field->string, known, count)) continue;
        if (check_key(field->string, known, count, err) != 0)
            return network_wrong_in(field, err, "%.80s", field->string);
        if (add_attribute(n, field, computes, err) != 0) return ERROR_INPUT;
    }
    range.to = (uint32_t)n->pairs.len;
    *out = range;
    return 0;
}

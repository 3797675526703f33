// A host for conditions and policies: a JSON object, of texts and lists of texts.
#pragma once

#include "common/terms.h"
#include "tests/unit/support.h"

struct json_host {
    const struct attribute_names *names;
    const cJSON *object;
};

static inline struct attribute_values json_attribute(const void *arg, size_t attribute) {
    enum { VALUES_MAX = 20 };
    static const char *list[4][VALUES_MAX]; // of several attributes at a time
    static size_t turn;
    const struct json_host *host = arg;
    const cJSON *value =
        cJSON_GetObjectItemCaseSensitive(host->object, host->names->list[attribute]);
    struct attribute_values values = {.list = list[++turn % 4]};
    if (cJSON_IsString(value)) {
        list[turn % 4][0] = value->valuestring;
        values.count = 1;
    }
    for (const cJSON *c = cJSON_IsArray(value) ? value->child : NULL; c != NULL; c = c->next) {
        ck_assert_uint_lt(values.count, VALUES_MAX);
        list[turn % 4][values.count++] = c->valuestring;
    }
    return values;
}

static inline struct attributes json_attributes(const struct json_host *host) {
    return (struct attributes){json_attribute, host};
}

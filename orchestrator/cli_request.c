#include "orchestrator/cli_request.h"

#include "common/mem.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DIGITS_MAX = 15 }; // a double has them all

static bool is_number(const char *value) {
    const size_t digits = strspn(value, "0123456789");
    return digits > 0 && digits <= DIGITS_MAX && value[digits] == '\0';
}

static void put(cJSON *body, const char *field, cJSON *value) {
    cJSON_DeleteItemFromObjectCaseSensitive(body, field);
    cJSON_AddItemToObject(body, field, value);
}

// Where an entry ends. A ] right behind the [, or behind [!, is one of its characters.
static size_t entry_len(const char *value) {
    const char *c = value;
    while (*c != '\0' && *c != ',') {
        const char *inside = *c == '[' ? c + 1 + (c[1] == '!') : NULL;
        const char *end = inside == NULL || *inside == '\0' ? NULL : strchr(inside + 1, ']');
        c = end == NULL ? c + 1 : end + 1;
    }
    return (size_t)(c - value);
}

int cli_request_add(cJSON *body, const char *field, const char *value, struct error *err) {
    cJSON *list = cJSON_GetObjectItemCaseSensitive(body, field);
    if (!cJSON_IsArray(list)) {
        list = cJSON_CreateArray();
        put(body, field, list);
    }
    for (const char *at = value;; at++) {
        const size_t len = entry_len(at);
        if (len == 0) return error_set(err, "'%.100s': expected one or more, with commas", value);
        char *entry = mem_strndup(at, len);
        cJSON_AddItemToArray(list, cJSON_CreateString(entry));
        free(entry);
        at += len;
        if (*at == '\0') return 0;
    }
}

int cli_request_set(cJSON *body, const char *field, const char *value, struct error *err) {
    if (*value == '\0') return error_set(err, "expected a value");
    put(body, field,
        is_number(value) ? cJSON_CreateNumber(strtod(value, NULL)) : cJSON_CreateString(value));
    return 0;
}

int cli_request_set_or_add(cJSON *body, const char *field, const char *value, struct error *err) {
    return is_number(value) ? cli_request_set(body, field, value, err)
                            : cli_request_add(body, field, value, err);
}

void cli_request_explain(const struct cli_field *fields, size_t count, const char *detail,
                         char *out, size_t size) {
    for (size_t i = 0; i < count; i++) {
        const size_t len = strlen(fields[i].field);
        if (strncmp(detail, fields[i].field, len) != 0 || strchr(":[.", detail[len]) == NULL)
            continue;
        const char *rest = detail + len + strcspn(detail + len, ":");
        snprintf(out, size, "--%s%s", fields[i].option, rest);
        return;
    }
    snprintf(out, size, "%s", detail);
}

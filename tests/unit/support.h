// What several suites need. JSON is written with 'single' quotes in the tests.
#pragma once

#include "common/buf.h"
#include "common/count.h"
#include "common/inventory_parse.h"
#include "common/json.h"
#include "common/mem.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

static inline char *double_quoted(const char *text) {
    char *copy = mem_strdup(text);
    for (char *c = copy; *c != '\0'; c++)
        if (*c == '\'') *c = '"';
    return copy;
}

static inline cJSON *json_of(const char *text) {
    char *quoted = double_quoted(text);
    cJSON *json = NULL;
    struct error err;
    int rc = json_parse(quoted, strlen(quoted), &json, &err);
    ck_assert_msg(rc == 0, "%s: %s", text, err.text);
    free(quoted);
    return json;
}

static inline struct inventory *inventory_of(const char *text) {
    cJSON *json = json_of(text);
    struct inventory *inventory = NULL;
    struct error err;
    int rc = inventory_parse(json, &inventory, &err);
    ck_assert_msg(rc == 0, "%s: %s", text, err.text);
    cJSON_Delete(json);
    return inventory;
}

// One host of an inventory text.
#define HOST(name, type, rack)                                                                     \
    "'" name "': {'platform': 'acmeos', 'dev_type': '" type "', 'rack': '" rack                    \
    "', 'hostname': '127.0.0.1', 'port': 8300}"

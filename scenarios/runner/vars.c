#include "scenarios/runner/vars.h"

#include "common/buf.h"
#include "common/mem.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const cJSON *find(const cJSON *vars, const char *name, size_t len) {
    char *key = mem_strndup(name, len);
    const cJSON *value = cJSON_GetObjectItemCaseSensitive(vars, key);
    free(key);
    return value;
}

static void add_text(struct buf *out, const cJSON *value) {
    if (cJSON_IsString(value)) {
        buf_adds(out, value->valuestring);
        return;
    }
    char *text = cJSON_PrintUnformatted(value);
    buf_adds(out, text);
    cJSON_free(text);
}

static int expand_text(const char *text, const cJSON *vars, struct buf *out, struct error *err) {
    buf_adds(out, "");
    for (const char *open; (open = strstr(text, "${")) != NULL;) {
        const char *close = strchr(open, '}');
        if (close == NULL) return error_set(err, "'%.60s': ${ without }", text);
        const cJSON *value = find(vars, open + 2, (size_t)(close - open) - 2);
        if (value == NULL)
            return error_set(err, "there is no value for %.*s", (int)(close - open) + 1, open);
        buf_add(out, text, (size_t)(open - text));
        add_text(out, value);
        text = close + 1;
    }
    buf_adds(out, text);
    return 0;
}

// The one ${name} that a string consists of, or NULL.
static const cJSON *whole(const char *text, const cJSON *vars) {
    size_t len = strlen(text);
    if (len < 4 || strncmp(text, "${", 2) != 0 || strchr(text, '}') != text + len - 1) return NULL;
    return find(vars, text + 2, len - 3);
}

static int expand_string(cJSON *value, const cJSON *vars, struct error *err) {
    const cJSON *same = whole(value->valuestring, vars);
    if (cJSON_IsNumber(same) || cJSON_IsBool(same)) {
        free(value->valuestring);
        value->valuestring = NULL;
        value->type = same->type;
        value->valuedouble = same->valuedouble;
        value->valueint = same->valueint;
        return 0;
    }
    struct buf text = {0};
    int rc = expand_text(value->valuestring, vars, &text, err);
    if (rc == 0) {
        free(value->valuestring);
        value->valuestring = buf_take(&text);
    }
    buf_deinit(&text);
    return rc;
}

static int expand(cJSON *value, const cJSON *vars, struct error *err) {
    if (cJSON_IsString(value) && strstr(value->valuestring, "${") != NULL) {
        int rc = expand_string(value, vars, err);
        if (rc != 0) return rc;
    }
    if (value->string != NULL && strstr(value->string, "${") != NULL) {
        struct buf text = {0};
        int rc = expand_text(value->string, vars, &text, err);
        if (rc == 0) {
            free(value->string);
            value->string = buf_take(&text);
        }
        buf_deinit(&text);
        if (rc != 0) return rc;
    }
    for (cJSON *child = value->child; child != NULL; child = child->next) {
        int rc = expand(child, vars, err);
        if (rc != 0) return rc;
    }
    return 0;
}

int vars_expand(const cJSON *value, const cJSON *vars, cJSON **out, struct error *err) {
    cJSON *copy = cJSON_Duplicate(value, true);
    int rc = expand(copy, vars, err);
    if (rc != 0)
        cJSON_Delete(copy);
    else
        *out = copy;
    return rc;
}

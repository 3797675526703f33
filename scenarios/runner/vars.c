// Values are put in once, from the outside: what a ${name} stands for is taken as it is, so that a
// captured text that holds ${ changes nothing.
#include "scenarios/runner/vars.h"

#include "common/buf.h"
#include "common/json.h"
#include "common/mem.h"
#include "common/suggest.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool vars_are_in(const cJSON *value) {
    if (cJSON_IsString(value)) return strstr(value->valuestring, "${") != NULL;
    const cJSON *child;
    cJSON_ArrayForEach(child, value) if (vars_are_in(child)) return true;
    return false;
}

static const cJSON *find(const cJSON *vars, const char *name, size_t len) {
    char *key = mem_strndup(name, len);
    const cJSON *value = cJSON_GetObjectItemCaseSensitive(vars, key);
    free(key);
    return value;
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
        json_add_text(out, value);
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

static void become(cJSON *value, const cJSON *other) {
    cJSON *copy = cJSON_Duplicate(other, true);
    free(value->valuestring);
    value->type = copy->type;
    value->valuestring = copy->valuestring;
    value->valuedouble = copy->valuedouble;
    value->valueint = copy->valueint;
    value->child = copy->child;
    copy->valuestring = NULL;
    copy->child = NULL;
    cJSON_Delete(copy);
}

static int expand_into(char **text, const cJSON *vars, struct error *err) {
    struct buf expanded = {0};
    if (strstr(*text, "${") == NULL) return 0;
    int rc = expand_text(*text, vars, &expanded, err);
    if (rc == 0) {
        free(*text);
        *text = buf_take(&expanded);
    }
    buf_deinit(&expanded);
    return rc;
}

static int expand(cJSON *value, const cJSON *vars, struct error *err) {
    if (value->string != NULL) {
        int rc = expand_into(&value->string, vars, err);
        if (rc != 0) return rc;
    }
    if (cJSON_IsString(value)) { // what it stands for is taken as it is, ${ included
        const cJSON *same = whole(value->valuestring, vars);
        if (same == NULL) return expand_into(&value->valuestring, vars, err);
        become(value, same);
        return 0;
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

// --- before it runs

static int unknown(const char *name, const char *const *known, size_t count, struct error *err) {
    const char *near = suggest(name, known, count);
    if (near != NULL)
        return error_set(err, "there is no ${%.60s} here; did you mean ${%s}?", name, near);
    struct buf list = {0};
    for (size_t i = 0; i < count; i++)
        buf_addf(&list, "%s${%s}", i == 0 ? "" : ", ", known[i]);
    error_set(err, "there is no ${%.60s} here; known are %.300s", name, list.data);
    buf_deinit(&list);
    return ERROR_INPUT;
}

static int check_text(const char *text, const char *const *known, size_t count, struct error *err) {
    while ((text = strstr(text, "${")) != NULL) {
        size_t len = strcspn(text, "}"), i = 0;
        if (text[len] == '\0') return error_set(err, "'%.60s': expected a } behind ${", text);
        char *name = mem_strndup(text + 2, len - 2);
        while (i < count && strcmp(known[i], name) != 0)
            i++;
        int rc = i < count ? 0 : unknown(name, known, count, err);
        free(name);
        if (rc != 0) return rc;
        text += len;
    }
    return 0;
}

// A text that is a value, or the name of that value.
static void check_text_of(const cJSON *value, const char *text, const char *const *known,
                          size_t count, struct findings *f) {
    struct error err;
    if (check_text(text, known, count, &err) == 0) return;
    err.at = value;
    findings_add(f, &err);
}

void vars_check(const cJSON *value, const char *const *known, size_t count, struct findings *f) {
    const cJSON *child;
    int index = 0;
    if (cJSON_IsString(value)) check_text_of(value, value->valuestring, known, count, f);
    cJSON_ArrayForEach(child, value) {
        if (child->string != NULL) check_text_of(child, child->string, known, count, f);
        size_t since = f->count;
        vars_check(child, known, count, f);
        if (child->string != NULL)
            findings_in(f, since, "%.100s", child->string);
        else
            findings_in(f, since, "[%d]", index++);
    }
}

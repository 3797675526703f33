#include "scenarios/runner/scenario.h"

#include "common/json.h"
#include "common/mem.h"
#include "scenarios/runner/embedded.h"
#include "scenarios/runner/schema.h"
#include "simulator/network_file.h"

#include <stdlib.h>
#include <string.h>

static const cJSON *schema(void) {
    static cJSON *parsed;
    struct error err;
    if (parsed == NULL && json_parse(scenario_schema, scenario_schema_len, &parsed, &err) != 0)
        abort(); // our own
    return parsed;
}

// Strings that hold ${...} are known only when it runs: such a part is left to that moment.
static bool is_open(const cJSON *value) {
    if (cJSON_IsString(value)) return strstr(value->valuestring, "${") != NULL;
    const cJSON *child;
    cJSON_ArrayForEach(child, value) if (is_open(child)) return true;
    return false;
}

// A fault without the fields that are the scenario's own.
cJSON *scenario_plain_fault(const cJSON *fault) {
    cJSON *plain = cJSON_Duplicate(fault, true);
    cJSON_DeleteItemFromObjectCaseSensitive(plain, "name");
    cJSON_DeleteItemFromObjectCaseSensitive(plain, "may_not_fire");
    return plain;
}

static int check_faults(const cJSON *faults, struct error *err) {
    const cJSON *fault;
    size_t index = 0;
    cJSON_ArrayForEach(fault, faults) {
        int rc = 0;
        if (!is_open(fault)) {
            cJSON *plain = scenario_plain_fault(fault);
            struct fault_list list = {0};
            rc = fault_add(&list, plain, err);
            fault_deinit(&list);
            cJSON_Delete(plain);
        }
        if (rc != 0) {
            err->at = fault;
            error_in(err, "faults[%zu]", index);
            return rc;
        }
        index++;
    }
    return 0;
}

// The faults of steps, however deep.
static int check_steps(const cJSON *steps, struct error *err) {
    const cJSON *step;
    cJSON_ArrayForEach(step, steps) {
        if (cJSON_IsArray(step)) { // a branch of parallel
            int rc = check_steps(step, err);
            if (rc != 0) return rc;
            continue;
        }
        const cJSON *eventually = cJSON_GetObjectItemCaseSensitive(step, "eventually");
        int rc = check_faults(cJSON_GetObjectItemCaseSensitive(step, "faults"), err);
        if (rc == 0) rc = check_steps(cJSON_GetObjectItemCaseSensitive(step, "parallel"), err);
        if (rc == 0) rc = check_steps(cJSON_GetObjectItemCaseSensitive(eventually, "steps"), err);
        if (rc != 0) return rc;
    }
    return 0;
}

static int check_network(const cJSON *network, struct error *err) {
    if (!cJSON_IsObject(network) || is_open(network)) return 0;
    struct network n = {0};
    struct fault_list faults = {0};
    network_init(&n);
    int rc = network_file_read(&n, &faults, network, err);
    network_deinit(&n);
    fault_deinit(&faults);
    if (rc != 0) error_in(err, "network");
    return rc;
}

static int check(const cJSON *root, struct error *err) {
    int rc = schema_check(schema(), root, err);
    if (rc == 0) rc = check_network(cJSON_GetObjectItemCaseSensitive(root, "network"), err);
    if (rc == 0) rc = check_faults(cJSON_GetObjectItemCaseSensitive(root, "faults"), err);
    if (rc == 0) rc = check_steps(cJSON_GetObjectItemCaseSensitive(root, "steps"), err);
    if (rc == 0) rc = check_steps(cJSON_GetObjectItemCaseSensitive(root, "finally"), err);
    return rc;
}

int scenario_load(const char *path, struct scenario *s, struct error *err) {
    struct yml file = {0};
    int rc = yml_load(&file, path, err);
    if (rc != 0) return rc;
    rc = check(file.root, err);
    if (rc != 0) {
        yml_place(&file, path, err);
        yml_deinit(&file);
        return rc;
    }
    *s = (struct scenario){.path = mem_strdup(path), .file = file, .seed = 1};
    s->name = cJSON_GetObjectItemCaseSensitive(file.root, "name")->valuestring;
    const cJSON *seed = cJSON_GetObjectItemCaseSensitive(file.root, "seed");
    if (seed != NULL) s->seed = (uint64_t)seed->valuedouble;
    return 0;
}

void scenario_deinit(struct scenario *s) {
    free(s->path);
    yml_deinit(&s->file);
    *s = (struct scenario){0};
}

bool scenario_tagged(const struct scenario *s, const char *tags) {
    const cJSON *tag;
    cJSON_ArrayForEach(tag, cJSON_GetObjectItemCaseSensitive(s->file.root, "tags")) {
        size_t len = strlen(tag->valuestring);
        for (const char *t = tags; t != NULL; t = strchr(t, ',')) {
            if (*t == ',') t++;
            if (strncmp(t, tag->valuestring, len) == 0 && (t[len] == ',' || t[len] == '\0'))
                return true;
        }
    }
    return false;
}

size_t scenario_combinations(const struct scenario *s) {
    size_t count = 1;
    const cJSON *axis;
    cJSON_ArrayForEach(axis, cJSON_GetObjectItemCaseSensitive(s->file.root, "matrix")) count *=
        (size_t)cJSON_GetArraySize(axis);
    return count;
}

cJSON *scenario_combination(const struct scenario *s, size_t number) {
    cJSON *values = cJSON_CreateObject();
    const cJSON *axis;
    cJSON_ArrayForEach(axis, cJSON_GetObjectItemCaseSensitive(s->file.root, "matrix")) {
        size_t size = (size_t)cJSON_GetArraySize(axis);
        const cJSON *value = cJSON_GetArrayItem(axis, (int)(number % size));
        cJSON_AddItemToObject(values, axis->string, cJSON_Duplicate(value, true));
        number /= size;
    }
    return values;
}

// A scenario is checked from the outside in, and the first error is told: the schema; the matrix
// and every ${name}; then the network and the faults, by the simulator's own loaders, so that what
// is valid here is what the simulator takes. A part that holds ${...} is known only when it is
// played, and is left to that moment.
#include "scenarios/runner/scenario.h"

#include "common/count.h"
#include "common/file.h"
#include "common/json.h"
#include "common/mem.h"
#include "common/suggest.h"
#include "scenarios/runner/embedded.h"
#include "scenarios/runner/schema.h"
#include "scenarios/runner/vars.h"
#include "simulator/network_file.h"

#include <stdlib.h>
#include <string.h>

static const cJSON *get(const cJSON *object, const char *key) {
    return cJSON_GetObjectItemCaseSensitive(object, key);
}

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

cJSON *scenario_plain_fault(const cJSON *fault) {
    cJSON *plain = cJSON_Duplicate(fault, true);
    cJSON_DeleteItemFromObjectCaseSensitive(plain, "name");
    cJSON_DeleteItemFromObjectCaseSensitive(plain, "may_not_fire");
    return plain;
}

// --- what the simulator's own loaders say

// The simulator's rule of a fault, with the fault's own values below its fields: so an error's
// place can be found again.
static int check_fault(const cJSON *fault, struct error *err) {
    cJSON *plain = cJSON_CreateObject(), *field;
    struct fault_list list = {.known = {.any = true}};
    for (field = fault->child; field != NULL; field = field->next)
        if (strcmp(field->string, "name") != 0 && strcmp(field->string, "may_not_fire") != 0)
            cJSON_AddItemReferenceToObject(plain, field->string, field);
    int rc = fault_add(&list, plain, err);
    if (rc != 0 && err->at == plain) err->at = fault;
    cJSON_ArrayForEach(field, plain) {
        if (rc != 0 && err->at == field) err->at = get(fault, field->string);
    }
    fault_deinit(&list);
    cJSON_Delete(plain);
    return rc;
}

static int check_faults(const cJSON *faults, struct error *err) {
    const cJSON *fault;
    int index = 0;
    cJSON_ArrayForEach(fault, faults) {
        int rc = is_open(fault) ? 0 : check_fault(fault, err);
        if (rc != 0) {
            error_in(err, "faults[%d]", index);
            return rc;
        }
        index++;
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

// --- steps, however deep

typedef int (*check_step)(const cJSON *step, void *arg, struct error *err);

static int each_step(const cJSON *steps, check_step check, void *arg, struct error *err);

static int step_and_inner(const cJSON *step, check_step check, void *arg, struct error *err) {
    if (cJSON_IsArray(step)) return each_step(step, check, arg, err); // a branch of parallel
    int rc = check(step, arg, err);
    if (rc != 0) return rc;
    rc = each_step(get(step, "parallel"), check, arg, err);
    if (rc != 0) {
        error_in(err, "parallel");
        return rc;
    }
    rc = each_step(get(get(step, "eventually"), "steps"), check, arg, err);
    if (rc != 0) error_in(err, "eventually.steps");
    return rc;
}

static int each_step(const cJSON *steps, check_step check, void *arg, struct error *err) {
    const cJSON *step;
    int index = 0;
    cJSON_ArrayForEach(step, steps) {
        int rc = step_and_inner(step, check, arg, err);
        if (rc != 0) {
            error_in(err, "[%d]", index);
            return rc;
        }
        index++;
    }
    return 0;
}

static int each_step_of(const cJSON *root, check_step check, void *arg, struct error *err) {
    static const char *const lists[] = {"steps", "finally"};
    for (size_t i = 0; i < COUNT(lists); i++) {
        int rc = each_step(get(root, lists[i]), check, arg, err);
        if (rc != 0) {
            error_in(err, "%s", lists[i]);
            return rc;
        }
    }
    return 0;
}

static int check_step_faults(const cJSON *step, void *arg, struct error *err) {
    (void)arg;
    return check_faults(get(step, "faults"), err);
}

// --- names

struct names {
    const char **list;
    size_t count;
};

static void add_name(struct names *names, const char *name) {
    names->list = mem_resize(names->list, names->count + 1, sizeof *names->list);
    names->list[names->count++] = name;
}

static int add_captures(const cJSON *step, void *names, struct error *err) {
    const cJSON *capture;
    (void)err;
    cJSON_ArrayForEach(capture, get(get(step, "request"), "capture"))
        add_name(names, capture->string);
    return 0;
}

static void add_fault_names(const cJSON *faults, struct names *names) {
    const cJSON *fault;
    cJSON_ArrayForEach(fault, faults) {
        const cJSON *name = get(fault, "name");
        if (name != NULL) add_name(names, name->valuestring);
    }
}

static int add_step_fault_names(const cJSON *step, void *names, struct error *err) {
    (void)err;
    add_fault_names(get(step, "faults"), names);
    return 0;
}

static int check_part(const cJSON *root, const char *part, const struct names *known,
                      struct error *err) {
    const cJSON *value = get(root, part);
    int rc = value == NULL ? 0 : vars_check(value, known->list, known->count, err);
    if (rc != 0) error_in(err, "%s", part);
    return rc;
}

// The name is told before anything runs: it knows the matrix and the seed.
static int check_title(const cJSON *root, struct error *err) {
    struct names known = {0};
    const cJSON *axis;
    add_name(&known, "seed");
    cJSON_ArrayForEach(axis, get(root, "matrix")) add_name(&known, axis->string);
    int rc = check_part(root, "name", &known, err);
    free(known.list);
    return rc;
}

// Every ${name}: what the programs are started with knows the matrix, what comes later captures
// too.
static int check_variables(const cJSON *root, struct error *err) {
    static const char *const first[] = {"network", "simulator", "orchestrator", "faults"},
                             *const later[] = {"steps", "always", "finally"};
    struct names known = {0};
    const cJSON *axis;
    int rc = 0;
    add_name(&known, "seed");
    add_name(&known, "dir");
    cJSON_ArrayForEach(axis, get(root, "matrix")) add_name(&known, axis->string);
    for (size_t i = 0; rc == 0 && i < COUNT(first); i++)
        rc = check_part(root, first[i], &known, err);
    if (rc == 0) rc = each_step_of(root, add_captures, &known, err);
    for (size_t i = 0; rc == 0 && i < COUNT(later); i++)
        rc = check_part(root, later[i], &known, err);
    free(known.list);
    return rc;
}

static int check_removed(const cJSON *step, void *arg, struct error *err) {
    const struct names *known = arg;
    const cJSON *name;
    int index = 0;
    cJSON_ArrayForEach(name, get(step, "remove_faults")) {
        size_t i = 0;
        while (i < known->count && strcmp(known->list[i], name->valuestring) != 0)
            i++;
        if (i == known->count && !is_open(name)) {
            const char *near = suggest(name->valuestring, known->list, known->count);
            error_set(err, "no fault of this scenario is named '%.60s'%s%.60s%s", name->valuestring,
                      near == NULL ? "" : "; did you mean ", near == NULL ? "" : near,
                      near == NULL ? "" : "?");
            error_in(err, "remove_faults[%d]", index);
            err->at = name;
            return ERROR_INPUT;
        }
        index++;
    }
    return 0;
}

static int check_fault_names(const cJSON *root, struct error *err) {
    struct names known = {0};
    add_fault_names(get(root, "faults"), &known);
    each_step_of(root, add_step_fault_names, &known, err);
    int rc = each_step_of(root, check_removed, &known, err);
    free(known.list);
    return rc;
}

static int check_matrix(const cJSON *matrix, struct error *err) {
    double combinations = 1;
    const cJSON *axis;
    cJSON_ArrayForEach(axis, matrix) combinations *= cJSON_GetArraySize(axis);
    if (combinations <= SCENARIO_COMBINATIONS_MAX) return 0;
    error_set(err, "expected %d combinations at most, not %.6g", SCENARIO_COMBINATIONS_MAX,
              combinations);
    error_in(err, "matrix");
    err->at = matrix;
    return ERROR_INPUT;
}

static int check(const cJSON *root, struct error *err) {
    int rc = schema_check(schema(), root, err);
    if (rc == 0) rc = check_matrix(get(root, "matrix"), err);
    if (rc == 0) rc = check_title(root, err);
    if (rc == 0) rc = check_variables(root, err);
    if (rc == 0) rc = check_network(get(root, "network"), err);
    if (rc == 0) rc = check_faults(get(root, "faults"), err);
    if (rc == 0) rc = each_step_of(root, check_step_faults, NULL, err);
    if (rc == 0) rc = check_fault_names(root, err);
    return rc;
}

// --- the file

int scenario_parse(struct scenario *s, const char *path, const char *text, size_t len,
                   struct error *err) {
    struct yml file = {0};
    int rc = yml_parse(&file, path, text, len, err);
    if (rc != 0) return rc;
    rc = check(file.root, err);
    if (rc != 0) {
        yml_place(&file, path, err);
        yml_deinit(&file);
        return rc;
    }
    *s = (struct scenario){.path = mem_strdup(path), .file = file, .seed = 1};
    s->name = get(file.root, "name")->valuestring;
    const cJSON *seed = get(file.root, "seed");
    if (seed != NULL) s->seed = (uint64_t)seed->valuedouble;
    return 0;
}

// A network file's own error: the scenario's place, and the place in that file.
static int check_network_file(const struct scenario *s, struct error *err) {
    const cJSON *network = get(s->file.root, "network");
    if (!cJSON_IsString(network) || is_open(network)) return 0;
    struct network n = {0};
    struct fault_list faults = {0};
    char *path = scenario_beside(s, network->valuestring);
    network_init(&n);
    int rc = network_file_load(&n, &faults, path, err);
    network_deinit(&n);
    fault_deinit(&faults);
    free(path);
    if (rc == 0) return 0;
    error_from(err, "network");
    err->at = network;
    yml_place(&s->file, s->path, err);
    return ERROR_INPUT;
}

int scenario_load(struct scenario *s, const char *path, struct error *err) {
    struct buf text = {0};
    int rc = file_read(path, &text, err);
    if (rc == 0) rc = scenario_parse(s, path, text.len == 0 ? "" : text.data, text.len, err);
    buf_deinit(&text);
    if (rc != 0) return rc;
    rc = check_network_file(s, err);
    if (rc != 0) scenario_deinit(s);
    return rc;
}

bool scenario_is_other(const char *path) {
    struct yml file = {0};
    struct error ignored;
    if (yml_load(&file, path, &ignored) != 0) return false;
    const cJSON *root = file.root;
    bool other = cJSON_IsObject(root) && root->child != NULL && get(root, "name") == NULL &&
                 get(root, "steps") == NULL;
    yml_deinit(&file);
    return other;
}

char *scenario_beside(const struct scenario *s, const char *path) {
    const char *slash = strrchr(s->path, '/');
    struct buf beside = {0};
    if (path[0] != '/' && slash != NULL) buf_add(&beside, s->path, (size_t)(slash - s->path) + 1);
    buf_adds(&beside, path);
    return buf_take(&beside);
}

void scenario_deinit(struct scenario *s) {
    free(s->path);
    yml_deinit(&s->file);
    *s = (struct scenario){0};
}

bool scenario_tagged(const struct scenario *s, const char *tags) {
    const cJSON *tag;
    cJSON_ArrayForEach(tag, get(s->file.root, "tags")) {
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
    cJSON_ArrayForEach(axis, get(s->file.root, "matrix")) count *= (size_t)cJSON_GetArraySize(axis);
    return count;
}

cJSON *scenario_combination(const struct scenario *s, size_t number) {
    cJSON *values = cJSON_CreateObject();
    const cJSON *axis;
    cJSON_ArrayForEach(axis, get(s->file.root, "matrix")) {
        size_t size = (size_t)cJSON_GetArraySize(axis);
        const cJSON *value = cJSON_GetArrayItem(axis, (int)(number % size));
        cJSON_AddItemToObject(values, axis->string, cJSON_Duplicate(value, true));
        number /= size;
    }
    return values;
}

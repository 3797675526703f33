// A scenario is checked from the outside in: the schema; the matrix and every ${name}; then the
// network, the policy (setup.c) and the faults, by the simulator's own loaders, so that what is
// valid here is what the simulator takes. All that is wrong is told at once; but a part that the
// schema finds wrong is not asked for more, nor is what depends on it, for that would only be the
// same error again. A part that holds ${...} is known only when it is played, and is left to that
// moment.
#include "scenarios/runner/scenario.h"

#include "common/count.h"
#include "common/file.h"
#include "common/json.h"
#include "common/mem.h"
#include "common/suggest.h"
#include "scenarios/runner/embedded.h"
#include "scenarios/runner/schema.h"
#include "scenarios/runner/setup.h"
#include "scenarios/runner/vars.h"
#include "simulator/fault.h"

#include <stdlib.h>
#include <string.h>

static const cJSON *get(const cJSON *object, const char *key) {
    return cJSON_GetObjectItemCaseSensitive(object, key);
}

const cJSON *scenario_shape(void) {
    static cJSON *parsed;
    struct error err;
    if (parsed == NULL && json_parse(scenario_schema, scenario_schema_len, &parsed, &err) != 0)
        abort(); // our own
    return parsed;
}

cJSON *scenario_plain_fault(const cJSON *fault) {
    cJSON *plain = cJSON_Duplicate(fault, true);
    cJSON_DeleteItemFromObjectCaseSensitive(plain, "name");
    cJSON_DeleteItemFromObjectCaseSensitive(plain, "may_not_fire");
    return plain;
}

// --- what the simulator's own loader says of faults

// The simulator's rule of a fault, with the fault's own values below its fields: so an error's
// place can be found again.
static void check_fault(const cJSON *fault, struct findings *f) {
    cJSON *plain = cJSON_CreateObject(), *field;
    struct fault_list list = {.known = {.any = true}};
    struct error err;
    for (field = fault->child; field != NULL; field = field->next)
        if (strcmp(field->string, "name") != 0 && strcmp(field->string, "may_not_fire") != 0)
            cJSON_AddItemReferenceToObject(plain, field->string, field);
    if (fault_add(&list, plain, &err) != 0) {
        if (err.at == plain) err.at = fault;
        cJSON_ArrayForEach(field, plain) {
            if (err.at == field) err.at = get(fault, field->string);
        }
        findings_add(f, &err);
    }
    fault_deinit(&list);
    cJSON_Delete(plain);
}

static void check_faults(const cJSON *faults, struct findings *f) {
    const cJSON *fault;
    int index = 0;
    if (!cJSON_IsArray(faults)) return;
    cJSON_ArrayForEach(fault, faults) {
        size_t since = f->count;
        if (!vars_are_in(fault) && !findings_within(f, fault)) check_fault(fault, f);
        findings_in(f, since, "faults[%d]", index++);
    }
}

// --- steps, however deep

typedef void (*check_step)(const cJSON *step, void *arg, struct findings *f);

static void each_step(const cJSON *steps, check_step check, void *arg, struct findings *f);

static void step_and_inner(const cJSON *step, check_step check, void *arg, struct findings *f) {
    if (cJSON_IsArray(step)) { // a branch of parallel
        each_step(step, check, arg, f);
        return;
    }
    check(step, arg, f);
    size_t since = f->count;
    each_step(get(step, "parallel"), check, arg, f);
    findings_in(f, since, "parallel");
    since = f->count;
    each_step(get(get(step, "eventually"), "steps"), check, arg, f);
    findings_in(f, since, "eventually.steps");
}

static void each_step(const cJSON *steps, check_step check, void *arg, struct findings *f) {
    const cJSON *step;
    int index = 0;
    cJSON_ArrayForEach(step, steps) {
        size_t since = f->count;
        step_and_inner(step, check, arg, f);
        findings_in(f, since, "[%d]", index++);
    }
}

static void each_step_of(const cJSON *root, check_step check, void *arg, struct findings *f) {
    static const char *const lists[] = {"steps", "finally"};
    for (size_t i = 0; i < COUNT(lists); i++) {
        size_t since = f->count;
        each_step(get(root, lists[i]), check, arg, f);
        findings_in(f, since, "%s", lists[i]);
    }
}

static void check_step_faults(const cJSON *step, void *arg, struct findings *f) {
    (void)arg;
    check_faults(get(step, "faults"), f);
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

static void add_captures(const cJSON *step, void *names, struct findings *f) {
    const cJSON *capture;
    (void)f;
    cJSON_ArrayForEach(capture, get(get(step, "request"), "capture"))
        add_name(names, capture->string);
}

static void add_fault_names(const cJSON *faults, struct names *names) {
    const cJSON *fault;
    cJSON_ArrayForEach(fault, faults) {
        const cJSON *name = get(fault, "name");
        if (name != NULL) add_name(names, name->valuestring);
    }
}

static void add_step_fault_names(const cJSON *step, void *names, struct findings *f) {
    (void)f;
    add_fault_names(get(step, "faults"), names);
}

static void check_part(const cJSON *root, const char *part, const struct names *known,
                       struct findings *f) {
    const cJSON *value = get(root, part);
    size_t since = f->count;
    if (value != NULL) vars_check(value, known->list, known->count, f);
    findings_in(f, since, "%s", part);
}

static void add_axes(const cJSON *root, struct names *known) {
    const cJSON *axis;
    add_name(known, "seed");
    cJSON_ArrayForEach(axis, get(root, "matrix")) add_name(known, axis->string);
}

// The name is told before anything runs: it knows the matrix and the seed. What the programs are
// started with knows their folder, too.
static void check_first_names(const cJSON *root, struct findings *f) {
    static const char *const parts[] = {"network", "policy", "simulator", "orchestrator", "faults"};
    struct names known = {0};
    add_axes(root, &known);
    check_part(root, "name", &known, f);
    add_name(&known, "dir");
    for (size_t i = 0; i < COUNT(parts); i++)
        check_part(root, parts[i], &known, f);
    free(known.list);
}

// What comes later knows captures, too.
static void check_later_names(const cJSON *root, struct findings *f) {
    static const char *const parts[] = {"files", "steps", "always", "finally"};
    struct names known = {0};
    add_axes(root, &known);
    add_name(&known, "dir");
    add_name(&known, "simulator");
    if (get(root, "files") != NULL) add_name(&known, "devices_port");
    each_step_of(root, add_captures, &known, f);
    for (size_t i = 0; i < COUNT(parts); i++)
        check_part(root, parts[i], &known, f);
    free(known.list);
}

static void check_removed(const cJSON *step, void *arg, struct findings *f) {
    const struct names *known = arg;
    const cJSON *name;
    int index = 0;
    cJSON_ArrayForEach(name, get(step, "remove_faults")) {
        size_t i = 0, since = f->count;
        while (i < known->count && strcmp(known->list[i], name->valuestring) != 0)
            i++;
        if (i == known->count && !vars_are_in(name)) {
            const char *near = suggest(name->valuestring, known->list, known->count);
            struct error err;
            error_set(&err, "no fault of this scenario is named '%.60s'%s%.60s%s",
                      name->valuestring, near == NULL ? "" : "; did you mean ",
                      near == NULL ? "" : near, near == NULL ? "" : "?");
            err.at = name;
            findings_add(f, &err);
        }
        findings_in(f, since, "remove_faults[%d]", index++);
    }
}

static void check_fault_names(const cJSON *root, struct findings *f) {
    struct names known = {0};
    add_fault_names(get(root, "faults"), &known);
    each_step_of(root, add_step_fault_names, &known, f);
    each_step_of(root, check_removed, &known, f);
    free(known.list);
}

// What stands for a value without a matrix would be hidden by it: two seeds of a matrix would both
// play the scenario's own.
static void check_axis(const cJSON *axis, struct findings *f) {
    static const char *const taken[] = {"seed", "dir", "simulator", "devices_port"};
    struct error err;
    for (size_t i = 0; i < COUNT(taken); i++) {
        if (strcmp(axis->string, taken[i]) != 0) continue;
        error_set(&err, "${%s} has its value without a matrix%s: give it another name", taken[i],
                  i == 0 ? ", by --seed" : "");
        error_in(&err, "matrix.%s", taken[i]);
        err.at = axis;
        findings_add(f, &err);
    }
}

static void check_matrix(const cJSON *matrix, struct findings *f) {
    double combinations = 1;
    const cJSON *axis;
    struct error err;
    cJSON_ArrayForEach(axis, matrix) check_axis(axis, f);
    cJSON_ArrayForEach(axis, matrix) combinations *= cJSON_GetArraySize(axis);
    if (combinations <= SCENARIO_COMBINATIONS_MAX) return;
    error_set(&err, "expected %d combinations at most, not %.6g", SCENARIO_COMBINATIONS_MAX,
              combinations);
    error_in(&err, "matrix");
    err.at = matrix;
    findings_add(f, &err);
}

// Whether a part of the file has an error, or a field that may be that part, misspelt.
static bool is_doubtful(const cJSON *root, const char *part, const struct findings *f) {
    const cJSON *field, *known = get(scenario_shape(), "properties");
    cJSON_ArrayForEach(field, root) {
        bool concerns = strcmp(field->string, part) == 0 || get(known, field->string) == NULL;
        if (concerns && findings_within(f, field)) return true;
    }
    return false;
}

static void check(const struct scenario *s, bool with_files, struct findings *f) {
    const cJSON *root = s->file.root;
    schema_check(scenario_shape(), root, f);
    if (f->more > 0 || !cJSON_IsObject(root)) return;
    bool has_axes = !is_doubtful(root, "matrix", f);
    bool has_steps = !is_doubtful(root, "steps", f) && !is_doubtful(root, "finally", f);
    bool has_faults = has_steps && !is_doubtful(root, "faults", f);
    if (has_axes) check_matrix(get(root, "matrix"), f);
    if (has_axes) check_first_names(root, f);
    if (has_axes && has_steps) check_later_names(root, f);
    setup_check(&s->file, s->path, with_files, f);
    check_faults(get(root, "faults"), f);
    each_step_of(root, check_step_faults, NULL, f);
    if (has_faults) check_fault_names(root, f);
}

// --- the file

// In the order of the file, each with its line and column.
static void place(const struct scenario *s, struct findings *f) {
    for (size_t i = 1; i < f->count; i++) {
        struct error moved = f->list[i];
        size_t at = i;
        for (; at > 0 && yml_before(&s->file, moved.at, f->list[at - 1].at); at--)
            f->list[at] = f->list[at - 1];
        f->list[at] = moved;
    }
    for (size_t i = 0; i < f->count; i++)
        yml_place(&s->file, s->path, &f->list[i]);
}

static int parse(struct scenario *s, const char *path, const char *text, size_t len,
                 bool with_files, struct findings *f) {
    struct scenario parsed = {.seed = 1};
    struct error err;
    int rc = yml_parse(&parsed.file, path, text, len, &err);
    if (rc != 0) {
        findings_add(f, &err);
        return rc;
    }
    parsed.path = mem_strdup(path);
    check(&parsed, with_files, f);
    if (f->count > 0) {
        place(&parsed, f);
        scenario_deinit(&parsed);
        return ERROR_INPUT;
    }
    parsed.name = get(parsed.file.root, "name")->valuestring;
    const cJSON *seed = get(parsed.file.root, "seed");
    if (seed != NULL) parsed.seed = (uint64_t)seed->valuedouble;
    *s = parsed;
    return 0;
}

int scenario_parse(struct scenario *s, const char *path, const char *text, size_t len,
                   struct findings *f) {
    return parse(s, path, text, len, false, f);
}

int scenario_load(struct scenario *s, const char *path, struct findings *f) {
    struct buf text = {0};
    struct error err;
    int rc = file_read(path, &text, &err);
    if (rc == 0)
        rc = parse(s, path, text.len == 0 ? "" : text.data, text.len, true, f);
    else
        findings_add(f, &err);
    buf_deinit(&text);
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
    return file_beside(s->path, path);
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

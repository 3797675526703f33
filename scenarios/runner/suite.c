// Every file is loaded before anything is played: a typo in the last file of a long suite is told
// at once. Files are in the order of their paths, whatever the order of the folder.
#include "scenarios/runner/suite.h"

#include "common/json.h"
#include "common/mem.h"
#include "common/text.h"
#include "scenarios/runner/vars.h"

#include <errno.h>
#include <fts.h>
#include <stdlib.h>
#include <string.h>

struct names {
    char **list;
    size_t count;
};

static void add_name(struct names *names, const char *path) {
    names->list = mem_resize(names->list, names->count + 1, sizeof(char *));
    names->list[names->count++] = mem_strdup(path);
}

static int by_name(const void *a, const void *b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static bool is_yaml(const char *path) {
    const char *dot = strrchr(path, '.');
    return dot != NULL && strcmp(dot, ".yaml") == 0;
}

static int find_files(const char *path, struct names *names, FILE *errors) {
    char *copy = mem_strdup(path);
    size_t len = strlen(copy);
    while (len > 1 && copy[len - 1] == '/')
        copy[--len] = '\0';
    char *const roots[] = {copy, NULL};
    FTS *tree = fts_open(roots, FTS_LOGICAL | FTS_NOCHDIR, NULL);
    int rc = 0;
    for (FTSENT *entry; tree != NULL && (entry = fts_read(tree)) != NULL;) {
        const bool is_dangling =
            entry->fts_info == FTS_SLNONE && (entry->fts_level == 0 || is_yaml(entry->fts_path));
        if (is_dangling) {
            fprintf(errors, "%s: %s\n", entry->fts_path, strerror(ENOENT));
            rc = ERROR_INPUT;
        } else if (entry->fts_info == FTS_NS || entry->fts_info == FTS_ERR ||
                   entry->fts_info == FTS_DNR) {
            fprintf(errors, "%s: %s\n", entry->fts_path, strerror(entry->fts_errno));
            rc = ERROR_INPUT;
        } else if (entry->fts_info == FTS_F &&
                   (entry->fts_level == 0 ||
                    (is_yaml(entry->fts_path) && !scenario_is_other(entry->fts_path)))) {
            add_name(names, entry->fts_path);
        }
    }
    if (tree != NULL) fts_close(tree);
    free(copy);
    return rc;
}

static char *make_title(const struct run *run) {
    struct buf title = {0};
    cJSON *name = NULL, *vars = cJSON_Duplicate(run->values, true);
    const cJSON *given = cJSON_GetObjectItemCaseSensitive(run->scenario->file.root, "name");
    struct error ignored; // its variables were checked when it was loaded
    cJSON_AddNumberToObject(vars, "seed", (double)run->seed);
    buf_addf(&title, "%s: ", run->scenario->path);
    if (vars_expand(given, vars, &name, &ignored) == 0) json_add_text(&title, name);
    cJSON_Delete(name);
    cJSON_Delete(vars);
    if (cJSON_GetArraySize(run->values) > 0) buf_adds(&title, " ");
    run_add_values(run, &title);
    if (run->repetition > 0) buf_addf(&title, " #%u", run->repetition + 1);
    text_line(title.data);
    return buf_take(&title);
}

static void add_run(struct suite *suite, const struct scenario *s, size_t combination,
                    unsigned repetition, const struct suite_filter *filter) {
    struct run run = {.scenario = s,
                      .values = scenario_combination(s, combination),
                      .repetition = repetition,
                      .seed = filter->seed_given ? filter->seed : s->seed};
    run.title = make_title(&run);
    if (filter->text != NULL && strstr(run.title, filter->text) == NULL) {
        free(run.title);
        cJSON_Delete(run.values);
        return;
    }
    suite->runs = mem_resize(suite->runs, suite->runs_count + 1, sizeof *suite->runs);
    suite->runs[suite->runs_count++] = run;
}

static void tell(const char *path, const struct findings *found, FILE *errors) {
    for (size_t i = 0; i < found->count; i++)
        fprintf(errors, "%s\n", found->list[i].text);
    if (found->more > 0) fprintf(errors, "%s: and %zu more\n", path, found->more);
}

int suite_load(struct suite *suite, const char *const *paths, size_t count,
               const struct suite_filter *filter, unsigned repeat, FILE *errors) {
    struct names names = {0};
    int rc = 0;
    *suite = (struct suite){0};
    for (size_t i = 0; i < count; i++)
        if (find_files(paths[i], &names, errors) != 0) rc = ERROR_INPUT;
    if (names.count > 0) qsort(names.list, names.count, sizeof(char *), by_name);
    suite->scenarios = mem_array(names.count, sizeof *suite->scenarios);
    for (size_t i = 0; i < names.count; i++) {
        struct findings found = {0};
        if (scenario_load(&suite->scenarios[suite->scenarios_count], names.list[i], &found) == 0) {
            suite->scenarios_count++;
        } else {
            tell(names.list[i], &found, errors);
            rc = ERROR_INPUT;
        }
        free(names.list[i]);
    }
    free(names.list);
    for (unsigned r = 0; r < repeat; r++)
        for (size_t i = 0; i < suite->scenarios_count; i++) {
            const struct scenario *s = &suite->scenarios[i];
            if (filter->tags != NULL && !scenario_tagged(s, filter->tags)) continue;
            for (size_t k = 0; k < scenario_combinations(s); k++)
                add_run(suite, s, k, r, filter);
        }
    return rc;
}

void suite_deinit(struct suite *suite) {
    for (size_t i = 0; i < suite->runs_count; i++) {
        cJSON_Delete(suite->runs[i].values);
        cJSON_Delete(suite->runs[i].result);
        free(suite->runs[i].title);
    }
    free(suite->runs);
    for (size_t i = 0; i < suite->scenarios_count; i++)
        scenario_deinit(&suite->scenarios[i]);
    free(suite->scenarios);
}

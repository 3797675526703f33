// What the steps of a scenario share. Branches of `parallel` and the thread that watches `always`
// play at the same time, so all that changes stands under one lock, which is never held while a
// program is asked.
//
// The kernel kills a program when the thread that started it ends, and a branch ends before its
// scenario does: so only the main thread starts programs. A branch hands its wish to `wanted` and
// waits; the main thread, which waits for its branches in stage_await() meanwhile, carries it out.
#include "scenarios/runner/stage.h"

#include "common/client.h"
#include "common/file.h"
#include "common/json.h"
#include "common/mem.h"
#include "scenarios/runner/expect.h"
#include "scenarios/runner/scenario.h"
#include "scenarios/runner/vars.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const cJSON *get(const cJSON *object, const char *key) {
    return cJSON_GetObjectItemCaseSensitive(object, key);
}

void stage_init(struct stage *s, const char *dir, const char *const *binaries, cJSON *scenario,
                cJSON *vars, uint64_t seed) {
    *s = (struct stage){.main = pthread_self(), .options = scenario, .vars = vars};
    programs_init(&s->programs, dir, binaries, scenario, seed);
    pthread_mutex_init(&s->lock, NULL);
    pthread_cond_init(&s->changed, NULL);
    for (size_t i = 0; i < PROGRAM_COUNT; i++)
        s->looked[i] = cJSON_CreateObject();
    s->answers = cJSON_CreateArray();
    s->told = cJSON_CreateObject();
}

void stage_deinit(struct stage *s) {
    for (size_t i = 0; i < s->rules_count; i++)
        free(s->rules[i].text);
    free(s->rules);
    cJSON_Delete(s->vars);
    for (size_t i = 0; i < PROGRAM_COUNT; i++)
        cJSON_Delete(s->looked[i]);
    cJSON_Delete(s->answers);
    cJSON_Delete(s->born);
    cJSON_Delete(s->told);
}

int stage_expand(struct stage *s, const cJSON *value, cJSON **out, struct error *err) {
    pthread_mutex_lock(&s->lock);
    int rc = vars_expand(value, s->vars, out, err);
    pthread_mutex_unlock(&s->lock);
    return rc;
}

void stage_url(struct stage *s, enum program_name name, const char *path, char url[512]) {
    char base[64];
    programs_url(&s->programs, name, base);
    snprintf(url, 512, "%s%s", base, path);
}

int stage_get_json(struct stage *s, enum program_name name, const char *path, cJSON **out,
                   struct error *err) {
    char base[64];
    programs_url(&s->programs, name, base);
    return client_get_json(base, NULL, path, out, err);
}

char *stage_read_log(const struct stage *s) {
    char path[512];
    struct buf text = {0};
    struct error ignored;
    programs_log_path(&s->programs, path);
    buf_adds(&text, "");
    file_read(path, &text, &ignored);
    return buf_take(&text);
}

// --- faults

static void remember_rule(struct stage *s, const cJSON *fault, double id) {
    const cJSON *name = get(fault, "name");
    struct rule rule = {.id = id, .named = name != NULL};
    rule.may_not_fire = cJSON_IsTrue(get(fault, "may_not_fire"));
    if (name != NULL) {
        rule.text = mem_strdup(name->valuestring);
    } else {
        char *json = cJSON_PrintUnformatted(fault);
        rule.text = mem_strdup(json);
        cJSON_free(json);
    }
    pthread_mutex_lock(&s->lock);
    s->rules = mem_resize(s->rules, s->rules_count + 1, sizeof *s->rules);
    s->rules[s->rules_count++] = rule;
    pthread_mutex_unlock(&s->lock);
}

static int add_fault(struct stage *s, const cJSON *fault, struct error *err) {
    char url[512];
    stage_url(s, PROGRAM_SIMULATOR, "/faults/", url);
    cJSON *plain = scenario_plain_fault(fault), *answer = NULL;
    char *body = cJSON_PrintUnformatted(plain);
    struct reply reply = {0};
    const struct client_request request = {
        .method = "POST", .url = url, .body = body, .body_len = strlen(body), .is_json = true};
    int rc = client_send(&request, &reply, err);
    if (rc == 0 && reply.status != 201)
        rc = error_set(err, "the simulator refused a fault: %.300s", reply.body);
    if (rc == 0) rc = json_parse(reply.body, reply.body_len, &answer, err);
    if (rc == 0) remember_rule(s, fault, expect_find(answer, "faults[0].id")->valuedouble);
    reply_deinit(&reply);
    cJSON_free(body);
    cJSON_Delete(plain);
    cJSON_Delete(answer);
    return rc;
}

// --- files

static int make_folder(const char *path, struct error *err) {
    char *folder = mem_strdup(path);
    int rc = 0;
    *strrchr(folder, '/') = '\0';
    if (mkdir(folder, 0700) != 0 && errno != EEXIST) rc = error_system(err, -errno, "%s", folder);
    free(folder);
    return rc;
}

// Whoever reads it meanwhile finds the old one or the new one.
static int replace_file(const char *path, const char *text, struct error *err) {
    char *beside = mem_alloc(strlen(path) + sizeof ".new");
    sprintf(beside, "%s.new", path);
    const int fd = open(beside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    FILE *file = fd < 0 ? NULL : fdopen(fd, "w");
    int rc = file == NULL ? error_system(err, -errno, "%s", beside) : 0;
    if (rc == 0) fputs(text, file);
    if (rc == 0 && fclose(file) != 0) rc = error_system(err, -errno, "%s", beside);
    if (rc == 0 && rename(beside, path) != 0) rc = error_system(err, -errno, "%s", path);
    free(beside);
    return rc;
}

static int write_one(const char *path, const cJSON *file, struct error *err) {
    if (cJSON_IsNull(file)) return unlink(path) == 0 ? 0 : error_system(err, -errno, "%s", path);
    char *json = cJSON_IsString(file) ? NULL : cJSON_Print(file);
    int rc = make_folder(path, err);
    if (rc == 0) rc = replace_file(path, json == NULL ? file->valuestring : json, err);
    cJSON_free(json);
    return rc;
}

int stage_write_files(struct stage *s, const cJSON *files, struct error *err) {
    const cJSON *file;
    cJSON_ArrayForEach(file, files) {
        char path[512];
        snprintf(path, sizeof path, "%s/%s", s->programs.dir, file->string);
        int rc = write_one(path, file, err);
        if (rc != 0) return rc;
    }
    return 0;
}

// --- faults in force

int stage_add_faults(struct stage *s, const cJSON *faults, struct error *err) {
    const cJSON *fault;
    cJSON_ArrayForEach(fault, faults) {
        int rc = add_fault(s, fault, err);
        if (rc != 0) return rc;
    }
    return 0;
}

void stage_count_faults(struct stage *s) {
    cJSON *answer = NULL;
    const cJSON *one;
    struct error ignored;
    if (stage_get_json(s, PROGRAM_SIMULATOR, "/faults/", &answer, &ignored) != 0) return;
    pthread_mutex_lock(&s->lock);
    cJSON_ArrayForEach(one, get(answer, "faults")) {
        for (size_t i = 0; i < s->rules_count; i++)
            if (!s->rules[i].gone && s->rules[i].id == get(one, "id")->valuedouble)
                s->rules[i].fired = get(one, "fired")->valuedouble;
    }
    pthread_mutex_unlock(&s->lock);
    cJSON_Delete(answer);
}

void stage_forget_faults(struct stage *s) {
    pthread_mutex_lock(&s->lock);
    for (size_t i = 0; i < s->rules_count; i++)
        s->rules[i].gone = true;
    pthread_mutex_unlock(&s->lock);
}

void stage_forget_fault(struct stage *s, double id) {
    pthread_mutex_lock(&s->lock);
    for (size_t i = 0; i < s->rules_count; i++)
        if (s->rules[i].id == id) s->rules[i].gone = true;
    pthread_mutex_unlock(&s->lock);
}

// Marks one rule of that name as gone. False: there is none left.
static bool take_rule(struct stage *s, const char *name, double *id) {
    bool found = false;
    pthread_mutex_lock(&s->lock);
    for (size_t i = 0; i < s->rules_count && !found; i++) {
        struct rule *rule = &s->rules[i];
        if (rule->gone || !rule->named || strcmp(rule->text, name) != 0) continue;
        rule->gone = found = true;
        *id = rule->id;
    }
    pthread_mutex_unlock(&s->lock);
    return found;
}

int stage_remove_fault(struct stage *s, const char *name, struct error *err) {
    double id = 0;
    int rc = 0;
    bool found = false;
    stage_count_faults(s);
    while (rc == 0 && take_rule(s, name, &id)) {
        char path[64], url[512];
        struct reply reply = {0};
        found = true;
        snprintf(path, sizeof path, "/faults/%.0f/", id);
        stage_url(s, PROGRAM_SIMULATOR, path, url);
        const struct client_request request = {.method = "DELETE", .url = url};
        rc = client_send(&request, &reply, err);
        if (rc == 0 && reply.status / 100 != 2)
            rc = error_set(err, "the simulator did not remove fault %s: %.300s", name, reply.body);
        reply_deinit(&reply);
    }
    if (rc == 0 && !found) rc = error_set(err, "no fault named %s is in force", name);
    return rc;
}

// --- starting programs, and waiting for branches

struct stage_start { // asked for by a branch, done by the main thread
    enum program_name name;
    bool done;
    int rc;
    struct error error;
};

void stage_set_options(struct stage *s, const cJSON *options) {
    const char *const name = program_names[PROGRAM_ORCHESTRATOR];
    const cJSON *option;
    if (options == NULL) return;
    if (get(s->options, name) == NULL) cJSON_AddObjectToObject(s->options, name);
    cJSON *all = cJSON_GetObjectItemCaseSensitive(s->options, name);
    cJSON_ArrayForEach(option, options) {
        cJSON_DeleteItemFromObjectCaseSensitive(all, option->string);
        cJSON_AddItemToObject(all, option->string, cJSON_Duplicate(option, true));
    }
}

int stage_start(struct stage *s, enum program_name name, struct error *err) {
    if (pthread_equal(pthread_self(), s->main)) return programs_start(&s->programs, name, err);
    struct stage_start start = {.name = name};
    pthread_mutex_lock(&s->lock);
    while (s->wanted != NULL) // another branch's turn
        pthread_cond_wait(&s->changed, &s->lock);
    s->wanted = &start; // cppcheck-suppress autoVariables ; it is awaited below
    pthread_cond_broadcast(&s->changed);
    while (!start.done)
        pthread_cond_wait(&s->changed, &s->lock);
    pthread_mutex_unlock(&s->lock);
    *err = start.error;
    return start.rc;
}

// With the lock held, which it lets go meanwhile.
static void start_wanted(struct stage *s) {
    struct stage_start *start = s->wanted;
    pthread_mutex_unlock(&s->lock);
    start->rc = programs_start(&s->programs, start->name, &start->error);
    pthread_mutex_lock(&s->lock);
    start->done = true;
    s->wanted = NULL;
    pthread_cond_broadcast(&s->changed);
}

void stage_await(struct stage *s, const size_t *left) {
    bool main = pthread_equal(pthread_self(), s->main);
    pthread_mutex_lock(&s->lock);
    while (*left > 0) {
        if (main && s->wanted != NULL)
            start_wanted(s);
        else
            pthread_cond_wait(&s->changed, &s->lock);
    }
    pthread_mutex_unlock(&s->lock);
}

void stage_leave(struct stage *s, size_t *left) {
    pthread_mutex_lock(&s->lock);
    (*left)--;
    pthread_cond_broadcast(&s->changed);
    pthread_mutex_unlock(&s->lock);
}

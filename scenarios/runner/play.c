// A run from its start to its verdict: the simulator and the orchestrator start, the steps are
// played in turn until one fails, `finally` is played whatever happened, the invariants of `always`
// are checked once more, the programs are asked to end, and a fault rule that never fired is told.
//
// The outcome only ever goes from pass to the first thing that went wrong: what follows may add
// text, but not another outcome. An invariant that scenarios give is looked at during the run too,
// by a thread of its own; the referee remembers what it saw, so to ask it at the end is enough, and
// before its simulator is told to end. So are the jobs (told.h), and whenever one is over.
#include "scenarios/runner/play.h"

#include "common/count.h"
#include "common/file.h"
#include "common/mem.h"
#include "common/text.h"
#include "scenarios/runner/fit.h"
#include "scenarios/runner/step.h"
#include "scenarios/runner/steps.h"
#include "scenarios/runner/told.h"
#include "scenarios/runner/vars.h"

#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum {
    WATCH_INTERVAL_NS = 100 * 1000 * 1000,
    LOG_LINES_SHOWN = 10,
    STDIO_LINES_SHOWN = 40,
    TAIL_BYTES = 16384
};

struct show { // one scenario, while it plays
    const struct play_config *config;
    struct stage stage;
    cJSON *referee;  // its silence, which is to hold beside `always`; or NULL
    struct buf text; // why it failed
    const char *outcome;
    // of the thread that watches over `always`
    pthread_t watcher;
    pthread_cond_t over;
    bool watched, is_over;
    struct buf seen;
};

static const cJSON *part(const struct show *s, const char *name) {
    return cJSON_GetObjectItemCaseSensitive(s->config->scenario->file.root, name);
}

static void fail(struct show *s, const char *outcome) {
    if (strcmp(s->outcome, "pass") == 0) s->outcome = outcome;
}

// --- invariants

// Whether an audit of the scenario's own says which violations there may be.
static bool judges_violations(const cJSON *always) {
    const cJSON *check;
    cJSON_ArrayForEach(check, always) {
        const cJSON *audit = cJSON_GetObjectItemCaseSensitive(check, "audit");
        if (cJSON_HasObjectItem(audit, "violations") || cJSON_HasObjectItem(audit, "allow"))
            return true;
    }
    return false;
}

// The referee's silence is an invariant unless the scenario says what it may see.
static void make_referee(struct show *s) {
    if (judges_violations(part(s, "always"))) return;
    s->referee = cJSON_CreateObject();
    cJSON *audit = cJSON_AddObjectToObject(s->referee, "audit");
    cJSON_AddItemToObject(audit, "violations", cJSON_CreateArray());
}

static int check_always(struct show *s, bool strict, struct buf *failure) {
    const cJSON *check;
    int index = 0;
    cJSON_ArrayForEach(check, part(s, "always")) {
        char where[32];
        snprintf(where, sizeof where, "always[%d]", index++);
        int rc = steps_check(&s->stage, check, where, strict, failure);
        if (rc != 0) return rc;
    }
    return s->referee == NULL ? 0 : steps_check(&s->stage, s->referee, "always", strict, failure);
}

// The stage is the show's own.
static void judge(struct stage *stage, struct buf *failure) {
    struct show *s = (struct show *)((char *)stage - offsetof(struct show, stage));
    check_always(s, false, failure);
}

static void *watch(void *arg) {
    struct show *s = arg;
    struct stage *stage = &s->stage;
    pthread_mutex_lock(&stage->lock);
    while (!s->is_over) {
        struct timespec until;
        clock_gettime(CLOCK_REALTIME, &until);
        until.tv_nsec += WATCH_INTERVAL_NS;
        if (until.tv_nsec >= 1000000000) {
            until.tv_sec++;
            until.tv_nsec -= 1000000000;
        }
        pthread_cond_timedwait(&s->over, &stage->lock, &until);
        pthread_mutex_unlock(&stage->lock);
        bool held = check_always(s, false, &s->seen) == 0;
        pthread_mutex_lock(&stage->lock);
        if (!held) break;
    }
    pthread_mutex_unlock(&stage->lock);
    return NULL;
}

// What the referee saw it tells at the end; only other invariants have to be watched.
static void start_watching(struct show *s) {
    if (part(s, "always") == NULL) return;
    pthread_cond_init(&s->over, NULL);
    s->watched = pthread_create(&s->watcher, NULL, watch, s) == 0;
}

static void stop_watching(struct show *s) {
    if (!s->watched) return;
    pthread_mutex_lock(&s->stage.lock);
    s->is_over = true;
    pthread_cond_signal(&s->over);
    pthread_mutex_unlock(&s->stage.lock);
    pthread_join(s->watcher, NULL);
    if (s->seen.len == 0) return;
    buf_addf(&s->text, "during the run: %s", s->seen.data);
    fail(s, "fail");
}

// --- the beginning and the end

static void begin_network(struct show *s) {
    char url[64];
    programs_url(&s->stage.programs, PROGRAM_SIMULATOR, url);
    cJSON_AddStringToObject(s->stage.vars, "simulator", url);
    told_begin(&s->stage);
}

// ${devices_port}: where devices listen; those that cannot be reached are told at another.
static int know_port(struct show *s, struct error *err) {
    cJSON *inventory = NULL;
    const cJSON *site, *host;
    int rc = stage_get_json(&s->stage, PROGRAM_SIMULATOR, "/inventory/", &inventory, err);
    double port = 0;
    cJSON_ArrayForEach(site, inventory) {
        cJSON_ArrayForEach(host, site) {
            const cJSON *told = cJSON_GetObjectItemCaseSensitive(host, "port");
            if (port <= 1 && cJSON_IsNumber(told)) port = told->valuedouble;
        }
    }
    if (rc == 0) cJSON_AddNumberToObject(s->stage.vars, "devices_port", port);
    cJSON_Delete(inventory);
    return rc;
}

// A field of the scenario with its ${...} replaced; the caller's.
static int expand_part(const struct show *s, const char *name, const cJSON *vars, cJSON **out,
                       struct error *err) {
    struct findings f = {0};
    cJSON *expanded = NULL;
    int rc = vars_expand(part(s, name), vars, &expanded, err);
    if (rc == 0 && vars_are_in(part(s, name))) fit_part(name, expanded, &f);
    if (f.count > 0) {
        *err = f.list[0];
        rc = ERROR_INPUT;
    }
    if (rc == 0)
        *out = expanded;
    else
        cJSON_Delete(expanded);
    return rc;
}

static int write_files(struct show *s, struct error *err) {
    cJSON *files = NULL;
    int rc = know_port(s, err);
    if (rc == 0) rc = expand_part(s, "files", s->stage.vars, &files, err);
    if (rc == 0) rc = stage_write_files(&s->stage, files, err);
    cJSON_Delete(files);
    return rc;
}

static int start_programs(struct show *s) {
    struct error err;
    int rc = programs_start(&s->stage.programs, PROGRAM_SIMULATOR, &err);
    if (rc == 0) begin_network(s);
    if (rc == 0 && part(s, "files") != NULL) rc = write_files(s, &err);
    if (rc == 0) rc = programs_start(&s->stage.programs, PROGRAM_ORCHESTRATOR, &err);
    if (rc == 0)
        rc = stage_add_faults(&s->stage,
                              cJSON_GetObjectItemCaseSensitive(s->stage.options, "faults"), &err);
    if (rc == 0) return 0;
    buf_addf(&s->text, "%s\n", err.text);
    fail(s, "environment");
    return rc;
}

static void check_fired(struct show *s) {
    for (size_t i = 0; i < s->stage.rules_count; i++) {
        const struct rule *rule = &s->stage.rules[i];
        if (rule->fired > 0 || rule->may_not_fire) continue;
        buf_addf(&s->text,
                 "a fault never fired, so it tested nothing: %s\n"
                 "  correct its match, or give it may_not_fire: true\n",
                 rule->text);
        fail(s, "fail");
    }
}

// In order: the orchestrator first, so that it can still speak to its devices. One that belongs to
// a failed scenario may hang, and is not waited for.
static void end_programs(struct show *s) {
    static const enum program_name order[] = {PROGRAM_ORCHESTRATOR, PROGRAM_SIMULATOR};
    struct programs *p = &s->stage.programs;
    bool passed = strcmp(s->outcome, "pass") == 0;
    for (size_t i = 0; i < PROGRAM_COUNT; i++) {
        struct error err;
        int rc = 0;
        if (!programs_running(p, order[i])) continue;
        if (!passed) {
            programs_kill(p, order[i], &err);
            continue;
        }
        rc = programs_signal(p, order[i], SIGTERM, &err);
        if (rc == 0) rc = programs_await_end(p, order[i], 0, &err);
        if (rc == 0) continue;
        buf_addf(&s->text, "%s\n", err.text);
        fail(s, "fail");
    }
}

static void add_tail(struct buf *out, const char *title, const struct buf *text, int lines) {
    if (text->len == 0) return;
    const char *start = text->data + text->len;
    for (int seen = 0; start > text->data && text->data + text->len - start < TAIL_BYTES; start--)
        if (start[-1] == '\n' && seen++ == lines) break;
    buf_addf(out, "%s\n%s", title, start);
    if (out->data[out->len - 1] != '\n') buf_adds(out, "\n");
}

static void show_tail(struct buf *out, const char *title, const char *path, int lines) {
    struct buf text = {0};
    struct error ignored;
    if (file_read(path, &text, &ignored) == 0) add_tail(out, title, &text, lines);
    buf_deinit(&text);
}

// Whether a line of the log tells of a host that the failure names.
static bool is_of_named(const char *line, size_t len, const char *failure) {
    static const char mark[] = " host:";
    const char *at = memmem(line, len, mark, sizeof mark - 1);
    if (at == NULL) return false;
    const char *name = at + sizeof mark - 1;
    char *host = mem_strndup(name, strcspn(name, ": \n"));
    bool named = strstr(failure, host) != NULL;
    free(host);
    return named;
}

// The log lines of the hosts that the failure names; where it names none, the last of all.
static void show_log(struct show *s, const char *path) {
    struct buf text = {0}, named = {0};
    struct error ignored;
    if (file_read(path, &text, &ignored) == 0 && text.len > 0) {
        for (const char *line = text.data; *line != '\0';) {
            size_t len = strcspn(line, "\n") + 1;
            if (line[len - 1] == '\0') break; // torn
            if (is_of_named(line, len, s->text.data)) buf_add(&named, line, len);
            line += len;
        }
        if (named.len > 0)
            add_tail(&s->text, "the last log lines of these hosts:", &named, LOG_LINES_SHOWN);
        else
            add_tail(&s->text, "the orchestrator's last log lines:", &text, LOG_LINES_SHOWN);
    }
    buf_deinit(&text);
    buf_deinit(&named);
}

static void show_logs(struct show *s) {
    char path[512];
    programs_log_path(&s->stage.programs, path);
    show_log(s, path);
    for (int i = 0; i < PROGRAM_COUNT; i++) {
        char title[64];
        snprintf(title, sizeof title, "the %s's stderr:", program_names[i]);
        programs_stderr_path(&s->stage.programs, (enum program_name)i, path);
        show_tail(&s->text, title, path, STDIO_LINES_SHOWN);
        snprintf(title, sizeof title, "the %s's stdout:", program_names[i]);
        programs_stdout_path(&s->stage.programs, (enum program_name)i, path);
        show_tail(&s->text, title, path, STDIO_LINES_SHOWN);
    }
}

static cJSON *make_vars(const struct play_config *config) {
    cJSON *vars = cJSON_Duplicate(config->values, true);
    cJSON_AddNumberToObject(vars, "seed", (double)config->seed);
    cJSON_AddStringToObject(vars, "dir", config->dir);
    return vars;
}

static cJSON *make_result(struct show *s) {
    cJSON *result = cJSON_CreateObject();
    cJSON_AddStringToObject(result, "outcome", s->outcome);
    if (s->text.len > 0) text_lines(s->text.data);
    cJSON_AddStringToObject(result, "text", s->text.len == 0 ? "" : s->text.data);
    cJSON_AddItemToObject(result, "answers", cJSON_Duplicate(s->stage.answers, true));
    cJSON_AddNumberToObject(result, "jobs", (double)s->stage.told_jobs);
    cJSON_AddNumberToObject(result, "hosts", (double)s->stage.told_hosts);
    cJSON *faults = cJSON_AddArrayToObject(result, "faults");
    for (size_t i = 0; i < s->stage.rules_count; i++) {
        cJSON *fault = cJSON_CreateObject();
        cJSON_AddStringToObject(fault, "rule", s->stage.rules[i].text);
        cJSON_AddNumberToObject(fault, "fired", s->stage.rules[i].fired);
        cJSON_AddItemToArray(faults, fault);
    }
    return result;
}

// What went wrong first is told first: of what a failed run says of its jobs too much is false.
static void check_told(struct show *s) {
    struct buf differences = {0};
    if (strcmp(s->outcome, "pass") == 0) told_check(&s->stage, true, &differences);
    if (differences.len > 0) {
        buf_addf(&s->text, "what the orchestrator tells of its jobs is not so:\n%s",
                 differences.data);
        fail(s, "fail");
    }
    buf_deinit(&differences);
}

static void run(struct show *s) {
    if (start_programs(s) != 0) return;
    told_follow(&s->stage);
    start_watching(s);
    if (steps_play_all(&s->stage, part(s, "steps"), "steps", &s->text) != 0) fail(s, "fail");
    stop_watching(s);
    if (steps_play_all(&s->stage, part(s, "finally"), "finally", &s->text) != 0) fail(s, "fail");
    bool simulator_runs = programs_running(&s->stage.programs, PROGRAM_SIMULATOR);
    if (simulator_runs && check_always(s, true, &s->text) != 0) fail(s, "fail");
    check_told(s);
    told_unfollow(&s->stage);
    if (simulator_runs) stage_count_faults(&s->stage);
    if (strcmp(s->outcome, "pass") == 0) check_fired(s);
}

// A URL as it is; a file beside the scenario or, where there is none, where the runner runs.
static char *find_inventory(const struct show *s, const char *given) {
    if (strstr(given, "://") != NULL) return mem_strdup(given);
    char *path = scenario_beside(s->config->scenario, given);
    char *absolute = file_absolute(access(path, F_OK) == 0 ? path : given);
    free(path);
    return absolute;
}

// Takes text.
static void replace(cJSON *object, const char *key, char *text) {
    cJSON_ReplaceItemInObjectCaseSensitive(object, key, cJSON_CreateString(text));
    free(text);
}

// A field that is a text is the path of a file, which lies beside the scenario.
static void find_beside(const struct show *s, cJSON *object, const char *field) {
    const char *name = step_text(object, field, NULL);
    if (name == NULL) return;
    char *path = scenario_beside(s->config->scenario, name);
    replace(object, field, file_absolute(path));
    free(path);
}

// Programs run elsewhere: what they are to read is told from / on.
static void find_files(const struct show *s, cJSON *options) {
    cJSON *orchestrator = cJSON_GetObjectItemCaseSensitive(options, "orchestrator");
    const char *inventory = step_text(orchestrator, "inventory", NULL);
    find_beside(s, options, "network");
    find_beside(s, cJSON_GetObjectItemCaseSensitive(options, "network"), "inventory");
    find_beside(s, options, "policy");
    find_beside(s, orchestrator, "policy");
    find_beside(s, orchestrator, "device_ca");
    if (inventory != NULL) replace(orchestrator, "inventory", find_inventory(s, inventory));
}

// What the programs are started with; steps expand their strings when they come to run.
static int make_options(struct show *s, const cJSON *vars, cJSON **options, struct error *err) {
    static const char *const parts[] = {"network", "policy", "simulator", "orchestrator", "faults"};
    int rc = 0;
    *options = cJSON_CreateObject();
    for (size_t i = 0; rc == 0 && i < COUNT(parts); i++) {
        cJSON *expanded;
        if (part(s, parts[i]) == NULL) continue;
        rc = expand_part(s, parts[i], vars, &expanded, err);
        if (rc == 0) cJSON_AddItemToObject(*options, parts[i], expanded);
    }
    if (rc == 0) find_files(s, *options);
    return rc;
}

cJSON *play(const struct play_config *config) {
    struct show s = {.config = config, .outcome = "pass"};
    cJSON *options = NULL, *vars = make_vars(config);
    struct error err;
    make_referee(&s);
    if (make_options(&s, vars, &options, &err) != 0) {
        buf_addf(&s.text, "%s\n", err.text);
        fail(&s, "fail");
    }
    stage_init(&s.stage, config->dir, config->binaries, options, vars, config->seed);
    s.stage.source = config->scenario;
    s.stage.play_all = steps_play_all;
    s.stage.judge = judge;
    if (strcmp(s.outcome, "pass") == 0) run(&s);
    end_programs(&s);
    if (strcmp(s.outcome, "pass") != 0) show_logs(&s);
    cJSON *result = make_result(&s);
    stage_deinit(&s.stage);
    cJSON_Delete(s.referee);
    cJSON_Delete(options);
    buf_deinit(&s.text);
    buf_deinit(&s.seen);
    return result;
}

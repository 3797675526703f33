#include "scenarios/runner/steps.h"

#include "common/client.h"
#include "common/duration.h"
#include "common/file.h"
#include "common/json.h"
#include "common/mem.h"
#include "scenarios/runner/expect.h"
#include "scenarios/runner/scenario.h"
#include "scenarios/runner/vars.h"

#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { PATIENCE_US = 30 * 1000 * 1000, INTERVAL_US = 50 * 1000, BODY_SHOWN = 400 };

static const cJSON *get(const cJSON *object, const char *key) {
    return cJSON_GetObjectItemCaseSensitive(object, key);
}

static const char *text_or(const cJSON *object, const char *key, const char *otherwise) {
    const cJSON *value = get(object, key);
    return cJSON_IsString(value) ? value->valuestring : otherwise;
}

static void differ(struct buf *differences, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void differ(struct buf *differences, const char *format, ...) {
    char line[2048];
    va_list args;
    va_start(args, format);
    vsnprintf(line, sizeof line, format, args);
    va_end(args);
    buf_addf(differences, "  %s\n", line);
}

static uint64_t now_us(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

static uint64_t duration_or(const cJSON *object, const char *key, uint64_t otherwise) {
    struct error ignored;
    uint64_t us = otherwise;
    const char *text = text_or(object, key, NULL);
    if (text != NULL && duration_parse(text, &us, &ignored) != 0) us = otherwise;
    return us;
}

static enum program_name program_or(const cJSON *object, const char *key,
                                    enum program_name otherwise) {
    const char *name = text_or(object, key, program_names[otherwise]);
    return strcmp(name, "simulator") == 0 ? PROGRAM_SIMULATOR : PROGRAM_ORCHESTRATOR;
}

// --- the stage

void stage_init(struct stage *s, const char *dir, const char *const *binaries,
                const cJSON *scenario, cJSON *vars, uint64_t seed) {
    *s = (struct stage){.main = pthread_self(), .vars = vars, .start_wanted = -1};
    programs_init(&s->programs, dir, binaries, scenario, seed);
    pthread_mutex_init(&s->lock, NULL);
    pthread_cond_init(&s->changed, NULL);
    s->looked = cJSON_CreateObject();
    s->answers = cJSON_CreateArray();
}

void stage_deinit(struct stage *s) {
    for (size_t i = 0; i < s->rules_count; i++)
        free(s->rules[i].text);
    free(s->rules);
    cJSON_Delete(s->vars);
    cJSON_Delete(s->looked);
    cJSON_Delete(s->answers);
}

static int admin_json(struct stage *s, const char *path, cJSON **out, struct error *err) {
    char url[64];
    programs_url(&s->programs, PROGRAM_SIMULATOR, url);
    return client_get_json(url, path, out, err);
}

// --- faults

static void remember_rule(struct stage *s, const cJSON *fault, double id) {
    const char *name = text_or(fault, "name", NULL);
    struct rule rule = {.id = id, .named = name != NULL};
    rule.may_not_fire = cJSON_IsTrue(get(fault, "may_not_fire"));
    if (name != NULL) {
        rule.text = mem_strdup(name);
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
    char url[128];
    programs_url(&s->programs, PROGRAM_SIMULATOR, url);
    strcat(url, "/faults/");
    cJSON *plain = scenario_plain_fault(fault), *headers = cJSON_CreateObject(), *answer = NULL;
    cJSON_AddStringToObject(headers, "Content-Type", "application/json");
    char *body = cJSON_PrintUnformatted(plain);
    struct reply reply = {0};
    const struct client_request request = {
        .method = "POST", .url = url, .headers = headers, .body = body, .body_len = strlen(body)};
    int rc = client_send(&request, &reply, err);
    if (rc == 0 && reply.status != 201)
        rc = error_set(err, "the simulator refused a fault: %.300s", reply.body);
    if (rc == 0) rc = json_parse(reply.body, strlen(reply.body), &answer, err);
    if (rc == 0) remember_rule(s, fault, expect_find(answer, "faults[0].id")->valuedouble);
    reply_deinit(&reply);
    cJSON_free(body);
    cJSON_Delete(plain);
    cJSON_Delete(headers);
    cJSON_Delete(answer);
    return rc;
}

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
    if (s->rules_count == 0 || admin_json(s, "/faults/", &answer, &ignored) != 0) return;
    pthread_mutex_lock(&s->lock);
    cJSON_ArrayForEach(one, get(answer, "faults")) {
        for (size_t i = 0; i < s->rules_count; i++)
            if (!s->rules[i].gone && s->rules[i].id == get(one, "id")->valuedouble)
                s->rules[i].fired = get(one, "fired")->valuedouble;
    }
    pthread_mutex_unlock(&s->lock);
    cJSON_Delete(answer);
}

static void step_faults(struct stage *s, const cJSON *faults, struct buf *differences) {
    struct error err;
    if (stage_add_faults(s, faults, &err) != 0) differ(differences, "%s", err.text);
}

static void step_remove_faults(struct stage *s, const cJSON *names, struct buf *differences) {
    const cJSON *name;
    stage_count_faults(s);
    cJSON_ArrayForEach(name, names) {
        bool found = false;
        for (size_t i = 0; i < s->rules_count; i++) {
            struct rule *rule = &s->rules[i];
            if (rule->gone || !rule->named || strcmp(rule->text, name->valuestring) != 0) continue;
            char url[128];
            struct reply reply = {0};
            struct error err;
            programs_url(&s->programs, PROGRAM_SIMULATOR, url);
            snprintf(url + strlen(url), sizeof url - strlen(url), "/faults/%.0f/", rule->id);
            const struct client_request request = {.method = "DELETE", .url = url};
            if (client_send(&request, &reply, &err) != 0) differ(differences, "%s", err.text);
            reply_deinit(&reply);
            rule->gone = found = true;
        }
        if (!found) differ(differences, "there is no fault named %s", name->valuestring);
    }
}

// --- requests

static char *read_log(const struct stage *s) {
    char path[512];
    struct buf text = {0};
    struct error ignored;
    programs_log_path(&s->programs, path);
    file_read(path, &text, &ignored);
    return buf_take(&text);
}

struct log_lines { // what the log says of hosts, for messages
    char *text;
    char said[300];
};

static const char *why_of(void *arg, const char *host) {
    struct log_lines *log = arg;
    char mark[300];
    const char *found = NULL;
    snprintf(mark, sizeof mark, " host:%s:", host);
    for (const char *at = log->text; (at = strstr(at, mark)) != NULL; at++)
        found = at + strlen(mark);
    if (found == NULL) return NULL;
    snprintf(log->said, sizeof log->said, "%.*s", (int)strcspn(found, "\n"), found);
    return log->said;
}

struct question { // a request, ready to be sent
    const char *method;
    char url[512];
    cJSON *headers;
    struct buf body;
    bool has_body;
};

static void make_question(struct stage *s, const cJSON *request, struct question *q) {
    const cJSON *json = get(request, "json"), *body = get(request, "body"),
                *bytes = get(request, "body_bytes"), *headers = get(request, "headers");
    programs_url(&s->programs, program_or(request, "to", PROGRAM_ORCHESTRATOR), q->url);
    size_t len = strlen(q->url);
    snprintf(q->url + len, sizeof q->url - len, "%s", text_or(request, "path", "/upgrade-os/"));
    q->headers = headers == NULL ? cJSON_CreateObject() : cJSON_Duplicate(headers, true);
    q->has_body = json != NULL || body != NULL || bytes != NULL;
    q->method = text_or(request, "method", q->has_body ? "POST" : "GET");
    if (json != NULL) {
        char *text = cJSON_PrintUnformatted(json);
        buf_adds(&q->body, text);
        cJSON_free(text);
        if (!cJSON_HasObjectItem(q->headers, "Content-Type")) // in any case of letters
            cJSON_AddStringToObject(q->headers, "Content-Type", "application/json");
    }
    buf_adds(&q->body, body == NULL ? "" : body->valuestring);
    for (double i = 0; bytes != NULL && i < bytes->valuedouble; i++)
        buf_add(&q->body, " ", 1);
}

static void check_headers(const cJSON *expected, const struct reply *reply,
                          struct buf *differences) {
    const cJSON *header;
    char value[512];
    cJSON_ArrayForEach(header, expected) {
        bool there = reply_header(reply, header->string, value, sizeof value);
        if (cJSON_IsNull(header) && there)
            differ(differences, "header %s: it is there, and should not be: %s", header->string,
                   value);
        else if (!cJSON_IsNull(header) && !there)
            differ(differences, "header %s: it is not there", header->string);
        else if (!cJSON_IsNull(header) && !expect_fits(header->valuestring, value))
            differ(differences, "header %s: expected %s, is %s", header->string,
                   header->valuestring, value);
    }
}

static void check_texts(const cJSON *texts, const struct reply *reply, struct buf *differences) {
    const cJSON *text;
    cJSON_ArrayForEach(text, texts) {
        if (strstr(reply->body, text->valuestring) == NULL)
            differ(differences, "the body does not hold: %s", text->valuestring);
    }
}

static void check_json(struct stage *s, const cJSON *request, const struct reply *reply,
                       struct buf *differences) {
    const cJSON *expected = get(request, "expect"), *report = get(expected, "report");
    const cJSON *paths = get(expected, "json"), *captures = get(request, "capture"), *capture;
    if (report == NULL && paths == NULL && captures == NULL) return;
    cJSON *json = NULL;
    struct error err;
    if (json_parse(reply->body, strlen(reply->body), &json, &err) != 0) {
        differ(differences, "the body: %s: %.*s", err.text, BODY_SHOWN, reply->body);
        return;
    }
    if (report != NULL) {
        struct log_lines log = {.text = read_log(s)};
        expect_report(report, json, why_of, &log, differences);
        free(log.text);
    }
    if (paths != NULL) expect_paths(paths, json, differences);
    cJSON_ArrayForEach(capture, captures) {
        const cJSON *value = expect_find(json, capture->valuestring);
        if (value == NULL) {
            differ(differences, "capture %s: nothing is at %s", capture->string,
                   capture->valuestring);
            continue;
        }
        pthread_mutex_lock(&s->lock);
        cJSON_DeleteItemFromObjectCaseSensitive(s->vars, capture->string);
        cJSON_AddItemToObject(s->vars, capture->string, cJSON_Duplicate(value, true));
        pthread_mutex_unlock(&s->lock);
    }
    cJSON_Delete(json);
}

static void keep_answer(struct stage *s, const struct question *q, const struct reply *reply) {
    if (strcmp(q->method, "POST") != 0 || strstr(q->url, "/upgrade-os/") == NULL) return;
    pthread_mutex_lock(&s->lock);
    cJSON_AddItemToArray(s->answers, cJSON_CreateString(reply->body));
    pthread_mutex_unlock(&s->lock);
}

static void check_reply(struct stage *s, const cJSON *request, const struct reply *reply,
                        struct buf *differences) {
    const cJSON *expected = get(request, "expect"), *status = get(expected, "status");
    long wanted = status == NULL ? 200 : (long)status->valuedouble;
    if (reply->status != wanted) {
        differ(differences, "status: expected %ld, is %ld: %.*s", wanted, reply->status, BODY_SHOWN,
               reply->body);
        return; // all else would be wrong for that reason
    }
    check_headers(get(expected, "headers"), reply, differences);
    check_texts(get(expected, "body"), reply, differences);
    check_json(s, request, reply, differences);
}

static void step_request(struct stage *s, const cJSON *request, struct buf *differences) {
    struct question q = {0};
    struct reply reply = {0};
    struct error err;
    make_question(s, request, &q);
    const struct client_request asked = {.method = q.method,
                                         .url = q.url,
                                         .headers = q.headers,
                                         .body = q.has_body ? q.body.data : NULL,
                                         .body_len = q.body.len};
    int rc = cJSON_IsTrue(get(request, "abandon")) ? client_abandon(&asked, &err)
                                                   : client_send(&asked, &reply, &err);
    if (rc != 0)
        differ(differences, "%s", err.text);
    else if (reply.body != NULL) {
        keep_answer(s, &q, &reply);
        check_reply(s, request, &reply, differences);
    }
    reply_deinit(&reply);
    cJSON_Delete(q.headers);
    buf_deinit(&q.body);
}

// --- checks

static double looked_before(struct stage *s, const char *key) {
    pthread_mutex_lock(&s->lock);
    const cJSON *before = get(s->looked, key);
    double value = before == NULL ? 0 : before->valuedouble;
    pthread_mutex_unlock(&s->lock);
    return value;
}

static void look(struct stage *s, const char *key, double value) {
    pthread_mutex_lock(&s->lock);
    cJSON_DeleteItemFromObjectCaseSensitive(s->looked, key);
    cJSON_AddNumberToObject(s->looked, key, value);
    pthread_mutex_unlock(&s->lock);
}

static void check_series(struct stage *s, const cJSON *expected, const char *scrape, bool change,
                         struct buf *differences) {
    const cJSON *one;
    cJSON_ArrayForEach(one, expected) {
        double value;
        struct buf what = {0};
        bool found = expect_series(scrape, one->string, &value);
        buf_addf(&what, "%s%s", change ? "change of " : "", one->string);
        if (!found && !change)
            differ(differences, "%s: there is no such series", one->string);
        else
            expect_number(one, change ? value - looked_before(s, one->string) : value, what.data,
                          differences);
        look(s, one->string, value);
        buf_deinit(&what);
    }
}

static void step_metrics(struct stage *s, const cJSON *metrics, struct buf *differences) {
    char url[128];
    struct reply reply = {0};
    struct error err;
    double value;
    programs_url(&s->programs, program_or(metrics, "of", PROGRAM_ORCHESTRATOR), url);
    strcat(url, "/metrics/");
    const struct client_request request = {.method = "GET", .url = url};
    if (client_send(&request, &reply, &err) != 0) {
        differ(differences, "%s", err.text);
        return;
    }
    check_series(s, get(metrics, "changes"), reply.body, true, differences);
    check_series(s, get(metrics, "values"), reply.body, false, differences);
    const cJSON *absent;
    cJSON_ArrayForEach(absent, get(metrics, "absent")) {
        if (expect_series(reply.body, absent->valuestring, &value))
            differ(differences, "%s: the series is there, and should not be", absent->valuestring);
    }
    reply_deinit(&reply);
}

static void step_devices(struct stage *s, const cJSON *devices, struct buf *differences) {
    cJSON *answer = NULL;
    struct error err;
    if (admin_json(s, "/devices/", &answer, &err) != 0)
        differ(differences, "%s", err.text);
    else
        expect_devices(devices, get(answer, "devices"), differences);
    cJSON_Delete(answer);
}

static void step_audit(struct stage *s, const cJSON *audit, struct buf *differences) {
    cJSON *answer = NULL;
    struct error err;
    if (admin_json(s, "/audit/", &answer, &err) != 0)
        differ(differences, "%s", err.text);
    else
        expect_audit(audit, answer, differences);
    cJSON_Delete(answer);
}

static void step_log(struct stage *s, const cJSON *log, struct buf *differences) {
    char *text = read_log(s);
    expect_log(log, text, differences);
    free(text);
}

// --- waiting

static bool event_fits(const cJSON *when, const cJSON *event) {
    return strcmp(get(event, "operation")->valuestring, get(when, "operation")->valuestring) == 0 &&
           strcmp(get(event, "phase")->valuestring, text_or(when, "phase", "begun")) == 0 &&
           expect_fits(text_or(when, "host", "*"), get(event, "host")->valuestring);
}

static void step_when(struct stage *s, const cJSON *when, struct buf *differences) {
    const cJSON *count = get(when, "count"), *event;
    double wanted = count == NULL ? 1 : count->valuedouble, seen = 0, after = 0;
    uint64_t until = now_us() + duration_or(when, "timeout", PATIENCE_US);
    while (now_us() < until) {
        char path[128];
        cJSON *events = NULL;
        struct error err;
        snprintf(path, sizeof path, "/events/?after=%.0f&wait=1s", after);
        if (admin_json(s, path, &events, &err) != 0) {
            differ(differences, "%s", err.text);
            return;
        }
        cJSON_ArrayForEach(event, events) {
            after = get(event, "n")->valuedouble;
            if (event_fits(when, event)) seen++;
        }
        cJSON_Delete(events);
        if (seen >= wanted) return;
    }
    differ(differences, "%s %s came %.0f times, not %.0f", get(when, "operation")->valuestring,
           text_or(when, "phase", "begun"), seen, wanted);
}

static void step_eventually(struct stage *s, const cJSON *eventually, struct buf *differences) {
    uint64_t timeout_us = duration_or(eventually, "timeout", PATIENCE_US);
    uint64_t interval_us = duration_or(eventually, "interval", INTERVAL_US);
    uint64_t until = now_us() + timeout_us;
    struct timespec pause = {.tv_sec = (time_t)(interval_us / 1000000),
                             .tv_nsec = (long)(interval_us % 1000000) * 1000};
    struct buf failure = {0};
    while (steps_run(s, get(eventually, "steps"), "steps", &failure) != 0) {
        if (now_us() >= until) {
            char text[DURATION_TEXT_MAX];
            duration_format(timeout_us, text);
            differ(differences, "not within %s; at last:", text);
            buf_adds(differences, failure.data);
            break;
        }
        buf_clear(&failure);
        nanosleep(&pause, NULL);
    }
    buf_deinit(&failure);
}

// --- programs

static int start_program(struct stage *s, enum program_name name, struct error *err) {
    if (pthread_equal(pthread_self(), s->main)) return programs_start(&s->programs, name, err);
    pthread_mutex_lock(&s->lock);
    while (s->start_wanted >= 0) // another branch's turn
        pthread_cond_wait(&s->changed, &s->lock);
    s->start_wanted = (int)name;
    pthread_cond_broadcast(&s->changed);
    while (s->start_wanted >= 0)
        pthread_cond_wait(&s->changed, &s->lock);
    int rc = s->start_rc;
    *err = s->start_error;
    pthread_mutex_unlock(&s->lock);
    return rc;
}

static int stop_program(struct stage *s, enum program_name name, struct error *err) {
    if (name == PROGRAM_SIMULATOR) stage_count_faults(s);
    int rc = programs_signal(&s->programs, name, SIGTERM, err);
    return rc == 0 ? programs_await_end(&s->programs, name, err) : rc;
}

// The rules of a simulator are gone with it.
static void forget_rules(struct stage *s) {
    pthread_mutex_lock(&s->lock);
    for (size_t i = 0; i < s->rules_count; i++)
        s->rules[i].gone = true;
    pthread_mutex_unlock(&s->lock);
}

static void step_signal(struct stage *s, const cJSON *step, struct buf *differences) {
    enum program_name name = program_or(step, "program", PROGRAM_ORCHESTRATOR);
    const char *what = get(step, "do")->valuestring;
    struct error err;
    int rc = 0;
    if (strcmp(what, "terminate") == 0) {
        rc = programs_signal(&s->programs, name, SIGTERM, &err);
    } else if (strcmp(what, "hangup") == 0) {
        rc = programs_signal(&s->programs, name, SIGHUP, &err);
    } else if (strcmp(what, "await_end") == 0) {
        rc = programs_await_end(&s->programs, name, &err);
    } else if (strcmp(what, "stop") == 0) {
        rc = stop_program(s, name, &err);
    } else if (strcmp(what, "kill") == 0) {
        if (name == PROGRAM_SIMULATOR) stage_count_faults(s);
        rc = programs_kill(&s->programs, name, &err);
    } else { // restart
        if (programs_running(&s->programs, name)) rc = stop_program(s, name, &err);
        if (rc == 0) rc = start_program(s, name, &err);
    }
    if (name == PROGRAM_SIMULATOR) forget_rules(s);
    if (rc != 0) differ(differences, "%s", err.text);
}

// --- branches

struct branches {
    struct stage *stage;
    size_t left; // that have not ended
};

struct branch {
    pthread_t thread;
    struct branches *all;
    const cJSON *steps;
    char where[64];
    struct buf failure;
};

static void *run_branch(void *arg) {
    struct branch *b = arg;
    struct stage *s = b->all->stage;
    steps_run(s, b->steps, b->where, &b->failure);
    pthread_mutex_lock(&s->lock);
    b->all->left--;
    pthread_cond_broadcast(&s->changed);
    pthread_mutex_unlock(&s->lock);
    return NULL;
}

// Until all branches have ended; meanwhile the main thread starts the programs that they want.
static void await_branches(struct branches *all) {
    struct stage *s = all->stage;
    bool main = pthread_equal(pthread_self(), s->main);
    pthread_mutex_lock(&s->lock);
    while (all->left > 0) {
        if (main && s->start_wanted >= 0) {
            enum program_name name = (enum program_name)s->start_wanted;
            pthread_mutex_unlock(&s->lock);
            struct error err = {0};
            int rc = programs_start(&s->programs, name, &err);
            pthread_mutex_lock(&s->lock);
            s->start_rc = rc;
            s->start_error = err;
            s->start_wanted = -1;
            pthread_cond_broadcast(&s->changed);
        } else {
            pthread_cond_wait(&s->changed, &s->lock);
        }
    }
    pthread_mutex_unlock(&s->lock);
}

static void step_parallel(struct stage *s, const cJSON *parallel, struct buf *differences) {
    size_t count = (size_t)cJSON_GetArraySize(parallel), i = 0;
    struct branches all = {.stage = s, .left = count};
    struct branch *list = mem_array(count, sizeof *list);
    cJSON **single = mem_array(count, sizeof(cJSON *)); // a branch of one step, as a list
    const cJSON *one;
    cJSON_ArrayForEach(one, parallel) {
        list[i].all = &all;
        list[i].steps = one;
        if (cJSON_IsObject(one)) {
            single[i] = cJSON_CreateArray();
            cJSON_AddItemToArray(single[i], cJSON_Duplicate(one, true));
            list[i].steps = single[i];
        }
        snprintf(list[i].where, sizeof list[i].where, "branch %zu", i);
        if (pthread_create(&list[i].thread, NULL, run_branch, &list[i]) != 0) abort();
        i++;
    }
    await_branches(&all);
    for (i = 0; i < count; i++) {
        pthread_join(list[i].thread, NULL);
        if (list[i].failure.len > 0) buf_adds(differences, list[i].failure.data);
        buf_deinit(&list[i].failure);
        cJSON_Delete(single[i]);
    }
    free(single);
    free(list);
}

// --- running them

static const struct {
    const char *name;
    void (*run)(struct stage *s, const cJSON *arg, struct buf *differences);
    bool expands_later; // its own steps expand their strings when they come to run
} kinds[] = {
    {"request", step_request, false},
    {"metrics", step_metrics, false},
    {"devices", step_devices, false},
    {"audit", step_audit, false},
    {"log", step_log, false},
    {"faults", step_faults, false},
    {"remove_faults", step_remove_faults, false},
    {"when", step_when, false},
    {"signal", step_signal, false},
    {"parallel", step_parallel, true},
    {"eventually", step_eventually, true},
};

static int expand(struct stage *s, const cJSON *arg, cJSON **out, struct error *err) {
    pthread_mutex_lock(&s->lock);
    int rc = vars_expand(arg, s->vars, out, err);
    pthread_mutex_unlock(&s->lock);
    return rc;
}

static void run_step(struct stage *s, const cJSON *arg, struct buf *differences) {
    size_t i = 0;
    while (strcmp(kinds[i].name, arg->string) != 0) // the schema knows no others
        i++;
    cJSON *expanded = NULL;
    struct error err;
    if (kinds[i].expands_later)
        kinds[i].run(s, arg, differences);
    else if (expand(s, arg, &expanded, &err) != 0)
        differ(differences, "%s", err.text);
    else
        kinds[i].run(s, expanded, differences);
    cJSON_Delete(expanded);
}

int steps_run(struct stage *s, const cJSON *steps, const char *where, struct buf *failure) {
    const cJSON *step;
    size_t index = 0;
    cJSON_ArrayForEach(step, steps) {
        struct buf differences = {0};
        run_step(s, step->child, &differences);
        if (differences.len > 0) {
            char *asked = cJSON_PrintUnformatted(step->child);
            buf_addf(failure, "%s[%zu].%s %.300s%s\n%s", where, index, step->child->string, asked,
                     strlen(asked) > 300 ? "..." : "", differences.data);
            cJSON_free(asked);
            buf_deinit(&differences);
            return ERROR_INPUT;
        }
        index++;
    }
    return 0;
}

int steps_check(struct stage *s, const cJSON *check, const char *where, bool strict,
                struct buf *failure) {
    bool both = programs_running(&s->programs, PROGRAM_SIMULATOR) &&
                programs_running(&s->programs, PROGRAM_ORCHESTRATOR);
    if (!both && !strict) return 0;
    struct buf differences = {0};
    run_step(s, check->child, &differences);
    bool failed = differences.len > 0;
    // A program that just went away cannot be asked; the check at the end will be strict.
    if (failed && !strict && strstr(differences.data, "no answer") != NULL) failed = false;
    if (failed) buf_addf(failure, "%s.%s\n%s", where, check->child->string, differences.data);
    buf_deinit(&differences);
    return failed ? ERROR_INPUT : 0;
}

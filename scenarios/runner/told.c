// Jobs go on while they are read. So the list is read again behind the devices: where it is another
// by then, all is read anew, and what is still in motion after some tries is not held against the
// devices.
#include "scenarios/runner/told.h"

#include "common/client.h"
#include "common/json.h"
#include "common/timestamp.h"
#include "scenarios/runner/expect.h"
#include "scenarios/runner/follower.h"
#include "scenarios/runner/outcomes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { PAGE = 1000, TRIES = 5, NO_JOBS = ERROR_INPUT + 1 };

static const cJSON *get(const cJSON *object, const char *key) {
    return cJSON_GetObjectItemCaseSensitive(object, key);
}

// NO_JOBS: there is no such path.
static int ask(struct stage *s, const char *path, cJSON **out, struct error *err) {
    char url[512];
    struct reply reply = {0};
    stage_url(s, PROGRAM_ORCHESTRATOR, path, url);
    const struct client_request request = {.method = "GET", .url = url};
    int rc = client_send(&request, &reply, err);
    if (rc == 0 && (reply.status == 404 || reply.status == 501)) rc = NO_JOBS;
    if (rc == 0 && reply.status != 200)
        rc = error_set(err, "GET %s: status %ld: %.300s", path, reply.status, reply.body);
    if (rc == 0 && json_parse(reply.body, reply.body_len, out, err) != 0) {
        error_from(err, "GET %s", path);
        rc = ERROR_INPUT;
    }
    reply_deinit(&reply);
    return rc;
}

// All pages of a list; each goes on after the last element of the one before, by that field of it.
static int read_list(struct stage *s, const char *path, const char *name, const char *field,
                     cJSON **out, struct error *err) {
    cJSON *all = cJSON_CreateArray();
    char page[512];
    snprintf(page, sizeof page, "%s?limit=%d", path, PAGE);
    for (int got = PAGE; got == PAGE;) {
        cJSON *answer = NULL;
        int rc = ask(s, page, &answer, err);
        cJSON *list = cJSON_DetachItemFromObjectCaseSensitive(answer, name);
        cJSON_Delete(answer);
        if (rc == 0 && !cJSON_IsArray(list)) rc = error_set(err, "GET %s: no %s", page, name);
        if (rc != 0) {
            cJSON_Delete(list);
            cJSON_Delete(all);
            return rc;
        }
        got = cJSON_GetArraySize(list);
        while (list->child != NULL)
            cJSON_AddItemToArray(all, cJSON_DetachItemViaPointer(list, list->child));
        cJSON_Delete(list);
        if (got > 0)
            snprintf(page, sizeof page, "%s?limit=%d&after=%.300s", path, PAGE,
                     json_text(all->child->prev, field));
    }
    *out = all;
    return 0;
}

int told_read_hosts(struct stage *s, const char *id, cJSON **rows, struct error *err) {
    char path[128];
    snprintf(path, sizeof path, "/jobs/%.60s/hosts/", id);
    int rc = read_list(s, path, "hosts", "name", rows, err);
    return rc == NO_JOBS ? error_set(err, "there is no job %.60s", id) : rc;
}

static int read_job(struct stage *s, cJSON *job, struct error *err) {
    cJSON *rows = NULL, *report = NULL;
    char path[128];
    int rc = told_read_hosts(s, json_text(job, "id"), &rows, err);
    if (rc != 0) return rc;
    cJSON_AddItemToObject(job, "rows", rows);
    snprintf(path, sizeof path, "/jobs/%.60s/report/", json_text(job, "id"));
    rc = ask(s, path, &report, err);
    if (rc == 0) cJSON_AddItemToObject(job, "report", report);
    return rc == NO_JOBS ? error_set(err, "there is no %s", path) : rc;
}

static int read_jobs(struct stage *s, cJSON **list, cJSON **jobs, struct error *err) {
    cJSON *job;
    int rc = read_list(s, "/jobs/", "jobs", "id", list, err);
    if (rc != 0) return rc;
    *jobs = cJSON_Duplicate(*list, true);
    cJSON_ArrayForEach(job, *jobs) {
        rc = read_job(s, job, err);
        if (rc != 0) return rc;
    }
    return 0;
}

struct told {
    cJSON *list, *jobs; // without and with their hosts
    cJSON *devices;     // an answer of the simulator's
    bool is_settled;    // nothing changed while it was read
};

static void told_deinit(struct told *t) {
    cJSON_Delete(t->list);
    cJSON_Delete(t->jobs);
    cJSON_Delete(t->devices);
    *t = (struct told){0};
}

// Where a host is put back and another takes its place, the list has the same counts.
static int compare_rows(struct stage *s, struct told *t, struct error *err) {
    const cJSON *job;
    int rc = 0;
    cJSON_ArrayForEach(job, t->jobs) {
        cJSON *rows = NULL;
        if (strcmp(json_text(job, "state"), "done") == 0) continue;
        rc = told_read_hosts(s, json_text(job, "id"), &rows, err);
        if (rc != 0) return rc;
        if (!cJSON_Compare(rows, get(job, "rows"), true)) t->is_settled = false;
        cJSON_Delete(rows);
    }
    return 0;
}

static int read_once(struct stage *s, struct told *t, struct error *err) {
    cJSON *again = NULL;
    int rc = read_jobs(s, &t->list, &t->jobs, err);
    if (rc == 0) rc = stage_get_json(s, PROGRAM_SIMULATOR, "/devices/", &t->devices, err);
    if (rc == 0) rc = read_list(s, "/jobs/", "jobs", "id", &again, err);
    if (rc == 0) t->is_settled = cJSON_Compare(t->list, again, true);
    if (rc == 0 && t->is_settled) rc = compare_rows(s, t, err);
    cJSON_Delete(again);
    return rc;
}

static int read_settled(struct stage *s, struct told *t, struct error *err) {
    int rc = read_once(s, t, err);
    for (int i = 1; rc == 0 && !t->is_settled && i < TRIES; i++) {
        told_deinit(t);
        rc = read_once(s, t, err);
    }
    return rc;
}

// With --state none a new process knows nothing of the jobs before, and --keep-jobs bounds them.
static bool may_forget(const struct stage *s) {
    const cJSON *options = get(s->programs.scenario, "orchestrator");
    return get(options, "keep_jobs") != NULL || get(options, "state") != NULL;
}

static void write_base(void *arg, char url[64]) {
    struct stage *s = arg;
    programs_url(&s->programs, PROGRAM_ORCHESTRATOR, url);
}

void told_follow(struct stage *s) {
    const struct follower_config config = {
        .base = write_base, .arg = s, .seed = s->programs.seed, .may_forget = may_forget(s)};
    programs_settled(&s->programs, &s->followed_since);
    s->follower = follower_start(&config);
}

void told_unfollow(struct stage *s) {
    follower_stop(s->follower);
    s->follower = NULL;
}

void told_begin(struct stage *s) {
    cJSON *answer = NULL;
    struct error ignored; // the devices are asked again, and then it is told
    struct timespec now;
    char since[TIMESTAMP_MAX];
    clock_gettime(CLOCK_REALTIME, &now);
    timestamp_format((long long)now.tv_sec * 1000 + now.tv_nsec / 1000000, since);
    stage_get_json(s, PROGRAM_SIMULATOR, "/devices/", &answer, &ignored);
    pthread_mutex_lock(&s->lock);
    cJSON_Delete(s->born);
    s->born = cJSON_DetachItemFromObjectCaseSensitive(answer, "devices");
    snprintf(s->since, sizeof s->since, "%s", since);
    pthread_mutex_unlock(&s->lock);
    cJSON_Delete(answer);
}

// Whether the log has all that has happened, and the metrics, too: no program has come or gone.
static bool has_all_of_it(struct stage *s) {
    unsigned changes;
    if (cJSON_IsTrue(get(get(s->programs.scenario, "orchestrator"), "restarts"))) return false;
    return programs_settled(&s->programs, &changes) && changes == s->followed_since;
}

static bool logs_all(const struct stage *s) {
    const char *level = json_text(get(s->programs.scenario, "orchestrator"), "log_level");
    return strcmp(level, "warning") != 0 && strcmp(level, "error") != 0;
}

// What was heard as it happened.
static void check_heard(struct stage *s, const struct told *t, bool strict,
                        struct buf *differences) {
    char *log = NULL, url[512];
    struct buf scrape = {0};
    struct error err;
    if (s->follower == NULL || !t->is_settled) return;
    stage_url(s, PROGRAM_ORCHESTRATOR, "/metrics/", url);
    const struct client_request request = {.method = "GET", .url = url};
    const bool has_all = has_all_of_it(s) && client_expect(&request, 200, &scrape, &err) == 0;
    if (has_all && logs_all(s)) log = stage_read_log(s);
    follower_check(s->follower, t->jobs, log, has_all ? scrape.data : NULL, strict, differences);
    buf_deinit(&scrape);
    free(log);
}

static void count_told(struct stage *s, const cJSON *jobs) {
    const cJSON *job;
    s->told_jobs = s->told_hosts = 0;
    cJSON_ArrayForEach(job, jobs) {
        s->told_jobs++;
        s->told_hosts += (size_t)cJSON_GetArraySize(get(job, "rows"));
    }
}

void told_check(struct stage *s, bool strict, struct buf *differences) {
    struct told t = {0};
    struct error err;
    if (!programs_running(&s->programs, PROGRAM_ORCHESTRATOR) ||
        !programs_running(&s->programs, PROGRAM_SIMULATOR))
        return;
    int rc = read_settled(s, &t, &err);
    pthread_mutex_lock(&s->lock);
    const struct outcomes outcomes = {.jobs = t.jobs,
                                      .devices = t.is_settled ? get(t.devices, "devices") : NULL,
                                      .born = may_forget(s) ? NULL : s->born,
                                      .since = s->since,
                                      .memory = s->told,
                                      .may_forget = may_forget(s)};
    if (rc == 0) outcomes_check(&outcomes, differences);
    if (rc == 0) count_told(s, t.jobs);
    pthread_mutex_unlock(&s->lock);
    if (rc == 0) check_heard(s, &t, strict, differences);
    // Who was told to end cannot be asked any more.
    unsigned changes;
    if (rc != 0 && rc != NO_JOBS && strict && programs_settled(&s->programs, &changes))
        expect_differ(differences, "%s", err.text);
    told_deinit(&t);
}

// One that no node took is asked for at the end. A node that stands still has two seconds to
// answer.
#include "tests/torture/cluster_people.h"

#include "common/client.h"
#include "common/clock.h"
#include "common/json.h"

#include <stdarg.h>
#include <string.h>
#include <unistd.h>

enum {
    PATH_LEN = 200,
    PATIENCE_S = 2,
    TURN_US = 20000,
    TAKEN_MS = 30000, // for a job to be taken when all is well
    DONE_MS = 240000,
};

void people_tell(struct people *p, const char *format, ...) {
    va_list args;
    va_start(args, format);
    fprintf(p->acts, "%6.3f  ", (double)(clock_boot_ms() - p->begun_ms) / 1000);
    vfprintf(p->acts, format, args);
    fputc('\n', p->acts);
    fflush(p->acts);
    va_end(args);
}

int people_pass_time(struct people *p, unsigned ms, struct error *err) {
    const uint64_t until_ms = clock_boot_ms() + ms;
    int rc;
    while ((rc = cluster_tend(&p->cluster, err)) == 0 && clock_boot_ms() < until_ms)
        usleep(TURN_US);
    return rc;
}

// --- requests

unsigned people_any_node(struct people *p) {
    return draw_number(&p->d, 0, p->cluster.count - 1);
}

enum { NO_ANSWER = -1, UNWELL = 503 };

// The status. The answer's JSON, where it has one, in *json, which may be NULL.
static long send(struct people *p, unsigned node, const char *method, const char *path,
                 const cJSON *headers, const char *body, long timeout_s, cJSON **json) {
    char url[300];
    struct reply reply;
    struct error why;
    snprintf(url, sizeof url, "%s%s", p->cluster.nodes[node].url, path);
    const struct client_request request = {.method = method,
                                           .url = url,
                                           .headers = headers,
                                           .body = body,
                                           .body_len = body == NULL ? 0 : strlen(body),
                                           .is_json = body != NULL && *body != '\0',
                                           .timeout_s = timeout_s};
    if (client_send(&request, &reply, &why) != 0) {
        people_tell(p, "node %u: %s", node, why.text);
        return NO_ANSWER;
    }
    const long status = reply.status;
    people_tell(p, "node %u: %s %s: %ld %.150s", node, method, path, status, reply.body);
    if (json != NULL) json_parse(reply.body, reply.body_len, json, &why);
    reply_deinit(&reply);
    return status;
}

static int unexpected(unsigned node, const char *path, long status, struct error *err) {
    return error_set(err, "node %u answered %s with %ld", node, path, status);
}

// --- jobs

static int take_id(struct people *p, unsigned number, const cJSON *job, struct error *err) {
    const char *id = json_text(job, "id");
    if (p->ids[number][0] == '\0') snprintf(p->ids[number], PEOPLE_ID, "%s", id);
    if (*id != '\0' && strcmp(p->ids[number], id) == 0) return 0;
    return error_set(err, "key-%u was job %s, and is job %s now", number, p->ids[number], id);
}

static cJSON *headers_of(unsigned number) {
    char key[32];
    cJSON *headers = cJSON_CreateObject();
    snprintf(key, sizeof key, "key-%u", number);
    cJSON_AddStringToObject(headers, "Idempotency-Key", key);
    cJSON_AddStringToObject(headers, "Prefer", "respond-async");
    return headers;
}

// From that node on, each is asked once at most.
static int ask_for(struct people *p, unsigned number, unsigned first, bool *is_taken,
                   struct error *err) {
    cJSON *headers = headers_of(number);
    int rc = 0;
    *is_taken = false;
    for (unsigned i = 0; i < p->cluster.count && rc == 0 && !*is_taken; i++) {
        const unsigned node = (first + i) % p->cluster.count;
        cJSON *job = NULL;
        const long status =
            send(p, node, "POST", "/upgrade-os/", headers, p->bodies[number], PATIENCE_S, &job);
        *is_taken = status == 202;
        if (*is_taken)
            rc = take_id(p, number, job, err);
        else if (status != NO_ANSWER && status != UNWELL)
            rc = unexpected(node, "/upgrade-os/", status, err);
        cJSON_Delete(job);
    }
    cJSON_Delete(headers);
    return rc;
}

// By somebody who does not wait to hear whether it is taken.
static void abandon(struct people *p, unsigned number, unsigned node) {
    char url[100];
    struct error ignored;
    cJSON *headers = headers_of(number);
    snprintf(url, sizeof url, "%s/upgrade-os/", p->cluster.nodes[node].url);
    client_abandon(&(struct client_request){.method = "POST",
                                            .url = url,
                                            .headers = headers,
                                            .body = p->bodies[number],
                                            .body_len = strlen(p->bodies[number]),
                                            .is_json = true},
                   &ignored);
    people_tell(p, "node %u: POST of key-%u, abandoned", node, number);
    cJSON_Delete(headers);
}

int people_post(struct people *p, struct error *err) {
    bool is_taken;
    if (p->posts == PEOPLE_POSTS) return 0;
    const unsigned number = p->posts++, node = people_any_node(p);
    body_draw_job(&p->d, &p->place, p->bodies[number]);
    body_quote(p->bodies[number]);
    if (!draw_chance(&p->d, 15)) return ask_for(p, number, node, &is_taken, err);
    abandon(p, number, node);
    return 0;
}

// NULL: none is known.
static const char *one_known(struct people *p) {
    const unsigned count = PEOPLE_POSTS + p->retries;
    for (unsigned i = 0, at = draw_number(&p->d, 0, count - 1); i < count; i++)
        if (p->ids[(at + i) % count][0] != '\0') return p->ids[(at + i) % count];
    return NULL;
}

static int control_at(struct people *p, unsigned node, const char *id, const char *verb,
                      struct error *err) {
    char path[PATH_LEN];
    cJSON *job = NULL;
    snprintf(path, sizeof path, "/jobs/%s/%s/", id, verb);
    const bool is_retry = strcmp(verb, "retry") == 0;
    const long status = send(p, node, "POST", path, NULL, "", PATIENCE_S, &job);
    if (status == 202 && is_retry && p->retries < PEOPLE_RETRIES)
        snprintf(p->ids[PEOPLE_POSTS + p->retries++], PEOPLE_ID, "%s", json_text(job, "id"));
    cJSON_Delete(job);
    const bool may_be = status == 202 || status == 409 || status == UNWELL || status == NO_ANSWER;
    return may_be ? 0 : unexpected(node, path, status, err);
}

int people_control(struct people *p, struct error *err) {
    const char *id = one_known(p);
    const char *verb =
        DRAW_ONE(&p->d, "pause", "resume", "cancel", "pause", "resume", "pause", "resume", "retry");
    const unsigned node = people_any_node(p);
    if (id == NULL || (strcmp(verb, "retry") == 0 && p->retries == PEOPLE_RETRIES)) return 0;
    return control_at(p, node, id, verb, err);
}

int people_look(struct people *p, struct error *err) {
    char path[PATH_LEN];
    const char *id = one_known(p);
    const unsigned node = people_any_node(p);
    if (id != NULL && draw_chance(&p->d, 60))
        snprintf(path, sizeof path, "/jobs/%s/%s", id, DRAW_ONE(&p->d, "", "hosts/", "report/"));
    else
        snprintf(path, sizeof path, "%s", DRAW_ONE(&p->d, "/jobs/", "/metrics/", "/nodes/"));
    const long status = send(p, node, "GET", path, NULL, NULL, PATIENCE_S, NULL);
    const bool may_be = status == 200 || status == UNWELL || status == NO_ANSWER;
    return may_be ? 0 : unexpected(node, path, status, err);
}

int people_read_devices(struct people *p, struct error *err) {
    const char *path = DRAW_ONE(&p->d, "/get-version/", "/get-cpu-ram/");
    const unsigned node = people_any_node(p);
    cJSON *headers = cJSON_CreateObject();
    cJSON_AddStringToObject(headers, "Prefer", "respond-async");
    const long status = send(p, node, "POST", path, headers, "{}", PATIENCE_S, NULL);
    cJSON_Delete(headers);
    const bool may_be = status == 202 || status == UNWELL || status == NO_ANSWER;
    return may_be ? 0 : unexpected(node, path, status, err);
}

// --- the end of it

// Also those that none took before.
static int ask_for_all(struct people *p, struct error *err) {
    const uint64_t until_ms = clock_boot_ms() + TAKEN_MS;
    int rc = 0;
    for (unsigned i = 0; i < p->posts && rc == 0; i++) {
        bool is_taken = false;
        while (rc == 0 && !is_taken) {
            rc = ask_for(p, i, people_any_node(p), &is_taken, err);
            if (rc == 0 && !is_taken && clock_boot_ms() >= until_ms)
                rc = error_set(err, "all is well, and no node takes key-%u", i);
            if (rc == 0 && !is_taken) rc = people_pass_time(p, 100, err);
        }
    }
    return rc;
}

// Paused ones are resumed. *open: those that are not done.
static int look_at_all(struct people *p, const cJSON *jobs, unsigned *open, struct error *err) {
    const cJSON *job;
    int rc = 0;
    *open = 0;
    cJSON_ArrayForEach(job, cJSON_GetObjectItemCaseSensitive(jobs, "jobs")) {
        const char *state = json_text(job, "state");
        if (strcmp(state, "done") == 0) continue;
        error_set(err, "job %s is %s still", json_text(job, "id"), state);
        *open += 1;
        if (rc == 0 && strcmp(state, "paused") == 0)
            rc = control_at(p, people_any_node(p), json_text(job, "id"), "resume", err);
    }
    return rc;
}

static int await_done(struct people *p, struct error *err) {
    const uint64_t until_ms = clock_boot_ms() + DONE_MS;
    unsigned open = 1;
    error_set(err, "no node tells its jobs");
    for (int rc = 0; rc == 0;) {
        cJSON *jobs = NULL;
        const long status =
            send(p, people_any_node(p), "GET", "/jobs/?limit=1000", NULL, NULL, PATIENCE_S, &jobs);
        if (status == 200) rc = look_at_all(p, jobs, &open, err);
        cJSON_Delete(jobs);
        if (rc != 0 || open == 0) return rc;
        if (clock_boot_ms() >= until_ms) return ERROR_INPUT; // the text says which
        rc = people_pass_time(p, 300, err);
        if (rc != 0) return rc;
    }
    return 0;
}

// A client who waits is told by any node that it is over.
static int await_reports(struct people *p, struct error *err) {
    for (unsigned i = 0; i < p->posts; i++) {
        cJSON *headers = headers_of(i);
        cJSON_DeleteItemFromObjectCaseSensitive(headers, "Prefer");
        const unsigned node = people_any_node(p);
        const long status = send(p, node, "POST", "/upgrade-os/", headers, p->bodies[i], 20, NULL);
        cJSON_Delete(headers);
        if (status != 200) return unexpected(node, "/upgrade-os/ for a report", status, err);
    }
    return 0;
}

int people_end(struct people *p, struct error *err) {
    int rc = ask_for_all(p, err);
    if (rc == 0) rc = await_done(p, err);
    return rc == 0 ? await_reports(p, err) : rc;
}

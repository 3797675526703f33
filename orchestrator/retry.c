#include "orchestrator/retry.h"

#include "common/count.h"
#include "common/glob.h"
#include "common/json.h"

#include <string.h>

static const unsigned all_states = 1U << HOST_FAILED | 1U << HOST_SKIPPED;

// --- which hosts

static int parse_state(const cJSON *element, unsigned *states, struct error *err) {
    const char *name;
    int rc = json_as_string(element, &name, err);
    if (rc != 0) return rc;
    for (int state = HOST_FAILED; state <= HOST_SKIPPED; state++) {
        if (strcmp(name, host_state_names[state]) != 0) continue;
        *states |= 1U << state;
        return 0;
    }
    return error_set(err, "'%.40s' is none; expected failed or skipped", name);
}

int retry_parse_states(const cJSON *body, unsigned *states, struct error *err) {
    const cJSON *list = cJSON_GetObjectItemCaseSensitive(body, "states"), *element;
    size_t i = 0;
    *states = 0;
    if (body == NULL) {
        *states = all_states;
        return 0;
    }
    int rc = json_as_object(body, err);
    if (rc != 0) {
        error_from(err, "the body");
        return rc;
    }
    rc = JSON_ONLY(body, err, "states");
    if (rc != 0) return rc;
    if (list == NULL) {
        *states = all_states;
        return 0;
    }
    if (!cJSON_IsArray(list) || cJSON_GetArraySize(list) == 0) {
        error_set(err, "expected an array of failed and skipped");
        error_in(err, "states");
        return ERROR_INPUT;
    }
    cJSON_ArrayForEach(element, list) {
        rc = parse_state(element, states, err);
        if (rc != 0) {
            error_in_list(err, "states", i);
            return rc;
        }
        i++;
    }
    return 0;
}

// --- the request

static const struct host *host_at(const struct job *job, size_t place) {
    return &job->inventory->hosts[job->selection.hosts[place]];
}

// A host of another platform is skipped by every job, and no request may name it.
static bool is_left(const struct job *job, size_t place, unsigned states) {
    return (states >> job->hosts[place].state & 1) != 0 && host_at(job, place)->platform == 0;
}

// A name is looked for as it is before it is read as a glob.
static cJSON *names_of(const struct job *job, unsigned states) {
    cJSON *names = cJSON_CreateArray();
    for (size_t i = 0; i < job->selection.count; i++)
        if (is_left(job, i, states))
            cJSON_AddItemToArray(names, cJSON_CreateString(host_at(job, i)->name));
    return names;
}

static bool is_among(const struct job *job, unsigned states, const char *entry) {
    for (size_t i = 0; i < job->selection.count; i++) {
        const char *name = host_at(job, i)->name;
        if (is_left(job, i, states) && job->hosts[i].is_canary &&
            (strcmp(entry, name) == 0 || glob_matches(entry, name)))
            return true;
    }
    return false;
}

static void keep_canaries(cJSON *request, const struct job *job, unsigned states) {
    cJSON *canaries = cJSON_GetObjectItemCaseSensitive(request, "canaries");
    if (!cJSON_IsArray(canaries)) return;
    for (int i = cJSON_GetArraySize(canaries) - 1; i >= 0; i--)
        if (!is_among(job, states, cJSON_GetArrayItem(canaries, i)->valuestring))
            cJSON_DeleteItemFromArray(canaries, i);
    if (cJSON_GetArraySize(canaries) == 0)
        cJSON_DeleteItemFromObjectCaseSensitive(request, "canaries");
}

static bool has_any(const struct job *job, unsigned states) {
    for (size_t i = 0; i < job->selection.count; i++)
        if (is_left(job, i, states)) return true;
    return false;
}

cJSON *retry_request(const struct job *job, unsigned states, int *status, struct error *err) {
    static const char *const gone[] = {"filter_sites", "filter_dev_sites", "filter_dev_types",
                                       "filter_hosts", "expect_hosts"};
    cJSON *request = NULL;
    *status = 409;
    if (job->state != JOB_DONE) {
        error_set(err, "the job is not done; retry takes up what a job that is over has left");
        return NULL;
    }
    if (!has_any(job, states)) {
        error_set(err, "none of its hosts %s",
                  states == all_states          ? "failed or was skipped"
                  : states == 1U << HOST_FAILED ? "failed"
                                                : "was skipped");
        return NULL;
    }
    *status = 503;
    if (json_parse(job->request, strlen(job->request), &request, err) != 0) return NULL;
    for (size_t i = 0; i < COUNT(gone); i++)
        cJSON_DeleteItemFromObjectCaseSensitive(request, gone[i]);
    cJSON_AddItemToObject(request, "filter_hosts", names_of(job, states));
    keep_canaries(request, job, states);
    return request;
}

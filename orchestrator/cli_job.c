#include "orchestrator/cli_job.h"

#include "common/json.h"
#include "common/mem.h"
#include "common/text.h"
#include "common/timestamp.h"
#include "orchestrator/job_view.h"

#include <stdlib.h>
#include <string.h>

// --- values, of which a null says that there is none

static char *text_of(const cJSON *object, const char *key) {
    const char *value = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, key));
    char *text = value == NULL ? NULL : mem_strdup(value);
    if (text != NULL) text_line(text);
    return text;
}

static int read_time(const cJSON *object, const char *key, long long *wall_ms, struct error *err) {
    const cJSON *value = cJSON_GetObjectItemCaseSensitive(object, key);
    if (value == NULL || cJSON_IsNull(value)) return 0;
    if (cJSON_IsString(value) && timestamp_parse(value->valuestring, wall_ms)) return 0;
    error_set(err, "expected a time");
    error_in(err, "%s", key);
    return ERROR_INPUT;
}

// The number of a name, from the first on.
static int read_name(const cJSON *object, const char *key, const char *const *names, int first,
                     int count, int *out, struct error *err) {
    const char *name;
    int rc = json_string(object, key, &name, err);
    if (rc != 0) return rc;
    for (int i = first; i < count; i++) {
        if (strcmp(names[i], name) != 0) continue;
        *out = i;
        return 0;
    }
    error_set(err, "'%.40s' is not known to this program", name);
    error_in(err, "%s", key);
    return ERROR_INPUT;
}

// --- a job

static int read_counts(const cJSON *object, struct cli_job *job, struct error *err) {
    const cJSON *counts;
    int rc = json_object(object, "counts", &counts, err);
    if (rc != 0) return rc;
    rc = json_uint(counts, "hosts", 0, UINT32_MAX, &job->hosts, err);
    for (int state = 0; state < HOST_STATES && rc == 0; state++)
        rc = json_uint(counts, host_state_names[state], 0, UINT32_MAX, &job->counts[state], err);
    if (rc != 0) error_in(err, "counts");
    return rc;
}

static int read_state(const cJSON *object, struct cli_job *job, struct error *err) {
    int state = 0, outcome = JOB_NO_OUTCOME;
    int rc = read_name(object, "state", job_state_names, JOB_WAITING, JOB_DONE + 1, &state, err);
    if (rc == 0 && state == JOB_DONE)
        rc = read_name(object, "outcome", job_outcome_names, JOB_COMPLETED, JOB_STOPPED + 1,
                       &outcome, err);
    job->state = (enum job_state)state;
    job->outcome = (enum job_outcome)outcome;
    return rc;
}

static char *read_why(const cJSON *object, const struct cli_job *job) {
    if (job->state == JOB_WAITING) return text_of(object, "waiting_for");
    if (job->state == JOB_PAUSED) return text_of(object, "paused_because");
    return text_of(cJSON_GetObjectItemCaseSensitive(object, "stopped_by"), "reason");
}

int cli_job_read(const cJSON *object, struct cli_job *job, struct error *err) {
    struct cli_job found = {0};
    const char *id = "";
    int rc = json_as_object(object, err);
    if (rc == 0) rc = json_string(object, "id", &id, err);
    if (rc == 0) rc = read_state(object, &found, err);
    if (rc == 0) rc = read_counts(object, &found, err);
    if (rc == 0) rc = read_time(object, "created", &found.created_ms, err);
    if (rc == 0) rc = read_time(object, "started", &found.started_ms, err);
    if (rc == 0) rc = read_time(object, "ended", &found.ended_ms, err);
    if (rc == 0 && strlen(id) != JOB_ID_MAX - 1) rc = error_set(err, "id: expected a UUID");
    if (rc != 0) return rc;
    memcpy(found.id, id, JOB_ID_MAX);
    text_line(found.id);
    found.task = text_of(object, "task");
    found.version = text_of(object, "version");
    found.why = read_why(object, &found);
    cli_job_deinit(job);
    *job = found;
    return 0;
}

void cli_job_deinit(struct cli_job *job) {
    free(job->task);
    free(job->version);
    free(job->why);
    *job = (struct cli_job){0};
}

uint64_t cli_job_count_over(const struct cli_job *job) {
    uint64_t over = 0;
    for (int state = HOST_IN_HAND + 1; state < HOST_STATES; state++)
        over += job->counts[state];
    return over;
}

const char *cli_job_state_name(const struct cli_job *job) {
    return job->state == JOB_DONE ? job_outcome_names[job->outcome] : job_state_names[job->state];
}

bool cli_job_is_well(const struct cli_job *job) {
    const bool is_open = job->state != JOB_DONE || job->outcome == JOB_COMPLETED;
    return is_open && job->counts[HOST_FAILED] + job->counts[HOST_SKIPPED] == 0;
}

uint64_t cli_job_took_ms(const struct cli_job *job, long long now_wall_ms) {
    const long long end_ms = job->ended_ms > 0 ? job->ended_ms : now_wall_ms;
    return job->started_ms > 0 && end_ms > job->started_ms ? (uint64_t)(end_ms - job->started_ms)
                                                           : 0;
}

// --- a host

static const char *borrowed(cJSON *row, const char *key) {
    cJSON *value = cJSON_GetObjectItemCaseSensitive(row, key);
    if (!cJSON_IsString(value)) return "";
    text_line(value->valuestring);
    return value->valuestring;
}

int cli_host_read(cJSON *row, struct cli_host *host, struct error *err) {
    int state = 0;
    long long started_ms = 0;
    int rc = json_as_object(row, err);
    if (rc == 0) rc = read_name(row, "state", host_state_names, 0, HOST_STATES, &state, err);
    if (rc == 0) rc = read_time(row, "started", &started_ms, err);
    if (rc != 0) return rc;
    *host = (struct cli_host){
        .name = borrowed(row, "name"),
        .reason = state == HOST_FAILED    ? borrowed(row, "error")
                  : state == HOST_SKIPPED ? borrowed(row, "skipped_because")
                                          : "",
        .state = (enum host_state)state,
        .started_ms = started_ms,
        .is_in_doubt = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(row, "in_doubt")),
    };
    return *host->name == '\0' ? error_set(err, "name: expected a name") : 0;
}

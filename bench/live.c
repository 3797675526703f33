#include "bench/live.h"

#include "bench/plan.h"
#include "common/client.h"
#include "common/file.h"
#include "common/json.h"
#include "common/yml.h"
#include "orchestrator/cli_timeline.h"

static int write_file(const char *text, char path[SCRATCH_PATH_MAX], struct error *err) {
    struct buf line = {0};
    buf_addf(&line, "%s\n", text);
    int rc = scratch_file("", path, err);
    if (rc == 0) rc = file_write(path, &line, err);
    buf_deinit(&line);
    return rc;
}

// The policy of a network file, as a file of its own, for the orchestrator. path is empty where
// there is none. JSON is YAML.
static int write_policy(const char *network, char path[SCRATCH_PATH_MAX], struct error *err) {
    struct yml y = {0};
    *path = '\0';
    int rc = network == NULL ? 0 : yml_load(&y, network, err);
    if (rc != 0 || network == NULL) return rc;
    const cJSON *policy = cJSON_GetObjectItemCaseSensitive(y.root, "policy");
    if (policy != NULL) {
        char *text = cJSON_PrintUnformatted(policy);
        rc = write_file(text, path, err);
        cJSON_free(text);
    }
    yml_deinit(&y);
    return rc;
}

// What devices want of their own, for --credentials: an inventory that is served does not tell it.
// path is empty where none wants any.
static int write_credentials(const struct network *n, char path[SCRATCH_PATH_MAX],
                             struct error *err) {
    struct buf text = {0};
    int rc = 0;
    *path = '\0';
    for (uint32_t device = 0; device < n->devices; device++) {
        const struct credentials login = network_login(n, device);
        char name[NETWORK_HOST_MAX];
        if (login.username == n->username && login.password == n->password) continue;
        network_host(n, device, name);
        buf_adds(&text, text.len == 0 ? "{\"hosts\": {" : ", ");
        buf_add_json(&text, name);
        buf_adds(&text, ": {\"username\": ");
        buf_add_json(&text, login.username);
        buf_adds(&text, ", \"password\": ");
        buf_add_json(&text, login.password);
        buf_adds(&text, "}");
    }
    if (text.len > 0) {
        buf_adds(&text, "}}");
        rc = write_file(text.data, path, err);
    }
    buf_deinit(&text);
    return rc;
}

static int upgrade(struct lab *lab, const struct bench_config *config, const char *version,
                   struct lab_run *run, struct error *err) {
    char fault[PLAN_FAILURES_MAX];
    int rc = 0;
    plan_write_failures(config->failure_rate, fault);
    if (config->failure_rate > 0) rc = lab_post(&lab->simulator, "/faults/", fault, 201, NULL, err);
    return rc == 0 ? lab_upgrade(lab, version, run, err) : rc;
}

int live_timeline(const struct lab *lab, struct job_timeline *timeline, struct error *err) {
    cJSON *jobs = NULL;
    const char *id;
    *timeline = (struct job_timeline){0};
    int rc = client_get_json(lab->orchestrator.url, NULL, "/jobs/?limit=1", &jobs, err);
    if (rc != 0) return rc;
    const cJSON *list = cJSON_GetObjectItemCaseSensitive(jobs, "jobs");
    rc = json_string(cJSON_GetArrayItem(list, 0), "id", &id, err);
    if (rc == 0) rc = cli_timeline_load(lab->orchestrator.url, NULL, id, timeline, err);
    cJSON_Delete(jobs);
    return rc;
}

int live_run(const struct bench_config *config, const struct model *model, unsigned workers,
             struct lab_run *run, struct job_timeline *timeline, struct error *err) {
    const struct network_source *source = &config->source;
    const struct session_config *session = &model->session;
    char policy[SCRATCH_PATH_MAX], password[SCRATCH_PATH_MAX], credentials[SCRATCH_PATH_MAX];
    struct lab lab;
    struct error second;
    if (timeline != NULL) *timeline = (struct job_timeline){0};
    int rc = write_policy(source->network, policy, err);
    if (rc == 0) rc = write_file(session->password, password, err);
    if (rc == 0) rc = write_credentials(&model->plan->network, credentials, err);
    if (rc != 0) return rc;
    const struct lab_config lab_config = {
        .network = source->network,
        .inventory = source->inventory,
        .policy = source->policy,
        .orchestrator_policy = source->policy != NULL ? source->policy
                               : *policy != '\0'      ? policy
                                                      : NULL,
        .username = session->username,
        .password_file = password,
        .credentials = *credentials == '\0' ? NULL : credentials,
        .latency = config->latency,
        .time_scale = config->time_scale,
        .addresses = config->addresses,
        .seed = config->seed,
        .workers = workers,
        .peers = &model->peers,
        .connect_timeout_us = session->connect_timeout_ms * 1000, // connecting is real
        .call_timeout_us = session->call_timeout_ms * 1000,
        .install_timeout_us = session->install_timeout_ms * 1000};
    rc = lab_start(&lab, &lab_config, err);
    if (rc != 0) return rc;
    rc = upgrade(&lab, config, model->version, run, err);
    if (rc == 0 && timeline != NULL) rc = live_timeline(&lab, timeline, err);
    int stopped = lab_stop(&lab, rc == 0 ? err : &second);
    return rc != 0 ? rc : stopped;
}

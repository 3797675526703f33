// The network first, then the policies, by the loaders of the programs that will read them. The
// policy that both programs get is laid over the network as the simulator does it, which refuses a
// rule for nobody: so that is told with its line, before anything is started. The orchestrator's
// own policy is not: a scenario may prove that it is refused.
#include "scenarios/runner/setup.h"

#include "common/file.h"
#include "common/policy.h"
#include "scenarios/runner/vars.h"
#include "simulator/network_file.h"

#include <stdlib.h>

struct setup {
    const struct yml *scenario;
    const char *path;
    bool with_files;
    struct findings *found;
};

static const cJSON *get(const cJSON *object, const char *key) {
    return cJSON_GetObjectItemCaseSensitive(object, key);
}

// Whether it can be judged now.
static bool is_known(const struct setup *s, const cJSON *part) {
    bool is_file = cJSON_IsString(part) || get(part, "inventory") != NULL;
    return (cJSON_IsString(part) || cJSON_IsObject(part)) && (s->with_files || !is_file) &&
           !vars_are_in(part) && !findings_within(s->found, part);
}

// The error of a file has its own place; the scenario's is that of its name.
static int place(const cJSON *part, const char *name, int rc, struct error *err) {
    if (rc == 0) return 0;
    if (cJSON_IsString(part)) {
        error_from(err, "%s", name);
        err->at = part;
    } else {
        error_in(err, "%s", name);
    }
    return rc;
}

static int load_network(const struct setup *s, const cJSON *part, struct network *n,
                        struct error *err) {
    struct fault_list faults = {0};
    int rc;
    if (cJSON_IsString(part)) {
        char *path = file_beside(s->path, part->valuestring);
        rc = network_file_load(n, &faults, path, err);
        free(path);
    } else {
        rc = network_file_read(n, &faults, s->path, part, err);
    }
    fault_deinit(&faults);
    return place(part, "network", rc, err);
}

static int load_policy(const struct setup *s, const cJSON *part, const char *name,
                       struct policy *policy, struct error *err) {
    int rc;
    if (cJSON_IsString(part)) {
        char *path = file_beside(s->path, part->valuestring);
        rc = policy_load(policy, path, err);
        free(path);
    } else {
        rc = policy_parse(policy, part, NULL, NULL, err);
    }
    return place(part, name, rc, err);
}

static int lay_over(struct network *n, const struct policy *policy, const cJSON *part,
                    struct error *err) {
    network_set_policy(n, policy);
    if (network_seal(n, err) == 0) return 0;
    error_from(err, "policy");
    err->at = part;
    return ERROR_INPUT;
}

// Without a network there is ACME's.
static void check_network_and_policy(const struct setup *s) {
    const cJSON *network = get(s->scenario->root, "network");
    const cJSON *policy = get(s->scenario->root, "policy");
    bool network_is_known = network == NULL || is_known(s, network);
    bool policy_is_known = is_known(s, policy);
    struct network n = {0};
    struct policy p = {0};
    struct error err;
    network_init(&n);
    if (network != NULL && network_is_known && load_network(s, network, &n, &err) != 0) {
        findings_add(s->found, &err);
        network_is_known = false;
    }
    if (policy_is_known && load_policy(s, policy, "policy", &p, &err) != 0) {
        findings_add(s->found, &err);
        policy_is_known = false;
    }
    if (network_is_known && policy_is_known) {
        if (lay_over(&n, &p, policy, &err) != 0) findings_add(s->found, &err);
    } else {
        policy_deinit(&p);
    }
    network_deinit(&n);
}

static void check_own_policy(const struct setup *s) {
    const cJSON *part = get(get(s->scenario->root, "orchestrator"), "policy");
    struct policy policy = {0};
    struct error err;
    if (!is_known(s, part)) return;
    if (load_policy(s, part, "orchestrator.policy", &policy, &err) != 0)
        findings_add(s->found, &err);
    else
        policy_deinit(&policy);
}

void setup_check(const struct yml *scenario, const char *path, bool with_files,
                 struct findings *f) {
    const struct setup s = {scenario, path, with_files, f};
    check_network_and_policy(&s);
    check_own_policy(&s);
}

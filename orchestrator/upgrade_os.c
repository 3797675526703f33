// upgrade_os: bring a device to a version, and believe only what it says afterwards.
// The rules are in spec/architecture.md, "Upgrade of one device".
#include "common/count.h"
#include "common/json.h"
#include "orchestrator/task.h"

#include <stdio.h>
#include <string.h>

static int parse_version(const cJSON *value, struct task_args *args, struct error *err) {
    const char *version;
    if (value == NULL) return error_set(err, "missing; give the version to install, X.Y.Z");
    int rc = json_as_string(value, &version, err);
    if (rc != 0) return rc;
    if (!acmeos_version_valid(version))
        return error_set(err,
                         "'%.40s' is not a version: it must be X.Y.Z, each a number of one "
                         "to nine digits",
                         version);
    snprintf(args->version, sizeof args->version, "%s", version);
    return 0;
}

static void write_version(const struct task_args *args, struct buf *out) {
    buf_addf(out, "{\"version\": \"%s\"}", args->version);
}

// What the device runs, or NULL and the error where the answer has not the shape of get_version's.
static const char *running_version(const cJSON *result, struct error *err) {
    const char *version = NULL;
    if (json_as_object(result, err) != 0 || json_string(result, "full_version", &version, err) != 0)
        error_in(err, "result");
    return version;
}

static enum task_verdict compare(const struct task_args *args, const cJSON *result,
                                 struct error *err) {
    const char *version = running_version(result, err);
    if (version == NULL) return TASK_FAILED;
    return strcmp(version, args->version) == 0 ? TASK_UNCHANGED : TASK_NEXT_STEP;
}

static enum task_verdict installed(const struct task_args *args, const cJSON *result,
                                   struct error *err) {
    (void)args; // whether it is the right one is for the next step to find out
    return running_version(result, err) == NULL ? TASK_FAILED : TASK_NEXT_STEP;
}

static enum task_verdict verify(const struct task_args *args, const cJSON *result,
                                struct error *err) {
    const char *version = running_version(result, err);
    if (version == NULL) return TASK_FAILED;
    if (strcmp(version, args->version) == 0) return TASK_CHANGED;
    error_set(err, "installed %s but the device runs %.40s", args->version, version);
    return TASK_FAILED;
}

static const struct task_field fields[] = {{"version", parse_version}};

static const struct task_step steps[] = {
    {"get_version", NULL, compare, false},
    {"install_os_version", write_version, installed, true},
    {"get_version", NULL, verify, false},
};

const struct task task_upgrade_os = {
    .name = "upgrade_os",
    .path = "/upgrade-os/",
    .fields = fields,
    .fields_count = COUNT(fields),
    .steps = steps,
    .steps_count = COUNT(steps),
    .resume_step = 2,
    .changed_text = "success!!!",
    .unchanged_text = "nothing to do!!!",
};

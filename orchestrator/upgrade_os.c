// upgrade_os: bring a device to a version, and believe only what it says afterwards.
// The rules are in spec/architecture.md, "Upgrade of one device".
#include "common/count.h"
#include "common/json.h"
#include "orchestrator/task.h"
#include "orchestrator/version_answer.h"

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

int downgrade_parse(const char *word, enum downgrade *out, struct error *err) {
    const bool allows = strcmp(word, "allow") == 0;
    if (!allows && strcmp(word, "refuse") != 0)
        return error_set(err, "'%.40s' is unknown; expected allow or refuse", word);
    *out = allows ? DOWNGRADE_ALLOW : DOWNGRADE_REFUSE;
    return 0;
}

static void write_version(const struct task_args *args, struct buf *out) {
    buf_addf(out, "{\"version\": \"%s\"}", args->version);
}

static int parse_downgrade(const cJSON *value, struct task_args *args, struct error *err) {
    const char *word;
    if (value == NULL) return 0;
    int rc = json_as_string(value, &word, err);
    return rc == 0 ? downgrade_parse(word, &args->downgrade, err) : rc;
}

// Whoever began that install, it will change the device, whatever it runs now.
static enum task_verdict compare(const struct task_args *args, struct task_notes *notes,
                                 const cJSON *result, struct error *err) {
    struct version_answer runs;
    if (version_answer_read_idle(result, notes, &runs, err) != 0) return TASK_FAILED;
    if (args->downgrade == DOWNGRADE_REFUSE && acmeos_version_newer(runs.version, args->version)) {
        error_set(err, "runs %.40s, newer than %s", runs.version, args->version);
        return TASK_FAILED;
    }
    return strcmp(runs.version, args->version) == 0 ? TASK_UNCHANGED : TASK_NEXT_STEP;
}

// Whether it is the right version is for the next step to find out.
static enum task_verdict installed(const struct task_args *args, struct task_notes *notes,
                                   const cJSON *result, struct error *err) {
    struct version_answer runs;
    (void)args;
    if (version_answer_read(result, NULL, &runs, err) != 0) return TASK_FAILED;
    snprintf(notes->installed, sizeof notes->installed, "%s", runs.version);
    return TASK_NEXT_STEP;
}

// "Installed" is the device's own word, or it is not said.
static void set_not_installed(const char *wanted, const char *answered, const char *runs,
                              struct error *err) {
    if (*answered == '\0')
        error_set(err, "the device runs %.40s, not %s", runs, wanted);
    else if (strcmp(answered, wanted) == 0)
        error_set(err, "installed %s but the device runs %.40s", wanted, runs);
    else
        error_set(err, "the install of %s answered %s, and the device runs %.40s", wanted, answered,
                  runs);
}

static enum task_verdict verify(const struct task_args *args, struct task_notes *notes,
                                const cJSON *result, struct error *err) {
    struct version_answer runs;
    if (version_answer_read(result, notes, &runs, err) != 0) return TASK_FAILED;
    if (runs.installing != NULL) {
        error_set(err, "the device runs %.40s and still installs %.40s", runs.version,
                  runs.installing);
        return TASK_FAILED;
    }
    if (strcmp(runs.version, args->version) == 0) return TASK_CHANGED;
    set_not_installed(args->version, notes->installed, runs.version, err);
    return TASK_FAILED;
}

static const struct task_field fields[] = {{"version", parse_version},
                                           {"downgrade", parse_downgrade}};

static const struct task_step steps[] = {
    {"get_version", NULL, compare, .restarts = false},
    {"install_os_version", write_version, installed, .restarts = true},
    {"get_version", NULL, verify, .is_last = true},
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

#include "orchestrator/version_answer.h"

#include "common/json.h"

#include <stdio.h>
#include <string.h>

static int check_parts(const char *os_version, const char *revision, const char *version,
                       struct error *err) {
    size_t len = strlen(os_version);
    if (strncmp(version, os_version, len) == 0 && version[len] == '.' &&
        strcmp(version + len + 1, revision) == 0)
        return 0;
    return error_set(err, "os_version %.40s and revision %.40s disagree with full_version %.40s",
                     os_version, revision, version);
}

// One that is cut could be taken for another.
static void note(struct task_notes *notes, const struct version_answer *answer) {
    const bool fits = strlen(answer->version) < sizeof notes->version;
    snprintf(notes->version, sizeof notes->version, "%s", fits ? answer->version : "");
    notes->is_idle = fits && answer->installing == NULL;
}

int version_answer_read(const cJSON *result, struct task_notes *notes, struct version_answer *out,
                        struct error *err) {
    struct version_answer answer = {0};
    const char *os_version, *revision;
    int rc = json_as_object(result, err);
    if (rc == 0) rc = json_string(result, "full_version", &answer.version, err);
    if (rc == 0) rc = json_string(result, "os_version", &os_version, err);
    if (rc == 0) rc = json_string(result, "revision", &revision, err);
    if (rc == 0) rc = json_string_opt(result, "installing", &answer.installing, err);
    if (rc != 0) {
        error_in(err, "result");
        return rc;
    }
    rc = check_parts(os_version, revision, answer.version, err);
    if (rc != 0) return rc;
    if (notes != NULL) note(notes, &answer);
    *out = answer;
    return 0;
}

int version_answer_read_idle(const cJSON *result, struct task_notes *notes,
                             struct version_answer *out, struct error *err) {
    int rc = version_answer_read(result, notes, out, err);
    if (rc != 0 || out->installing == NULL) return rc;
    return error_set(err, "installs %.40s already", out->installing);
}

// get_version: what each device runs, and whether it is up.
#include "common/count.h"
#include "orchestrator/task.h"
#include "orchestrator/version_answer.h"

static enum task_verdict tell(const struct task_args *args, struct task_notes *notes,
                              const cJSON *result, struct error *err) {
    struct version_answer runs;
    (void)args;
    if (version_answer_read(result, notes, &runs, err) != 0) return TASK_FAILED;
    task_tell(notes, result);
    return TASK_UNCHANGED;
}

static const struct task_step steps[] = {{"get_version", NULL, tell, .is_last = true}};

const struct task task_get_version = {
    .name = "get_version",
    .path = "/get-version/",
    .steps = steps,
    .steps_count = COUNT(steps),
    .reads = true,
};

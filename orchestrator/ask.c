// ask: is the device up, and not being installed? Asked of the other members of a redundancy group
// before one of them is changed (spec/architecture.md, "Peers").
#include "common/count.h"
#include "orchestrator/task.h"
#include "orchestrator/version_answer.h"

static enum task_verdict look(const struct task_args *args, struct task_notes *notes,
                              const cJSON *result, struct error *err) {
    struct version_answer runs;
    (void)args;
    return version_answer_read_idle(result, notes, &runs, err) == 0 ? TASK_UNCHANGED : TASK_FAILED;
}

static const struct task_step kept[] = {{"get_version", NULL, look, .is_last = false}};
static const struct task_step left[] = {{"get_version", NULL, look, .is_last = true}};

const struct task task_ask = {
    .name = "ask",
    .steps = kept,
    .steps_count = COUNT(kept),
    .unchanged_text = "up",
    .keeps = true,
};

const struct task task_ask_and_leave = {
    .name = "ask",
    .steps = left,
    .steps_count = COUNT(left),
    .unchanged_text = "up",
};

// The step `remove_faults`: fault rules are taken back by the names that the scenario gave them.
#include "scenarios/runner/expect.h"
#include "scenarios/runner/step.h"

static void play(struct stage *s, const cJSON *names, struct buf *differences) {
    const cJSON *name;
    cJSON_ArrayForEach(name, names) {
        struct error err;
        if (stage_remove_fault(s, name->valuestring, &err) != 0)
            expect_differ(differences, "%s", err.text);
    }
}

const struct step_kind step_remove_faults = {
    .name = "remove_faults",
    .help = "Removes the fault rules of these names",
    .example = " [slow]\n",
    .play = play,
};

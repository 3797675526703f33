// The step `faults`: more fault rules for the simulator. Each must fire before the scenario ends.
#include "scenarios/runner/expect.h"
#include "scenarios/runner/step.h"

static void play(struct stage *s, const cJSON *faults, struct buf *differences) {
    struct error err;
    if (stage_add_faults(s, faults, &err) != 0) expect_differ(differences, "%s", err.text);
}

const struct step_kind step_faults = {
    .name = "faults",
    .help = "Adds fault rules, also while a job runs",
    .example = "\n"
               "      - {name: slow, match: {site: earth}, on: any, effect: delay, by: 10ms}\n",
    .play = play,
};

// The step `audit`: what the referee inside the simulated network saw.
#include "scenarios/runner/expect.h"
#include "scenarios/runner/step.h"

static void play(struct stage *s, const cJSON *audit, struct buf *differences) {
    cJSON *answer = NULL;
    struct error err;
    if (stage_get_json(s, PROGRAM_SIMULATOR, "/audit/", &answer, &err) != 0)
        expect_differ(differences, "%s", err.text);
    else
        expect_audit(audit, answer, differences);
    cJSON_Delete(answer);
}

const struct step_kind step_audit = {
    .name = "audit",
    .help = "Compares what the referee saw",
    .example = " {violations: [], max_in_flight: {at_most: 100}, max_installing: 12}\n",
    .checks = true,
    .of_network = true,
    .play = play,
};

// The step `devices`: the devices as the simulator knows them, whatever the orchestrator tells.
#include "scenarios/runner/expect.h"
#include "scenarios/runner/step.h"

static void play(struct stage *s, const cJSON *devices, struct buf *differences) {
    cJSON *answer = NULL;
    struct error err;
    if (stage_get_json(s, PROGRAM_SIMULATOR, "/devices/", &answer, &err) != 0)
        expect_differ(differences, "%s", err.text);
    else
        expect_devices(devices, cJSON_GetObjectItemCaseSensitive(answer, "devices"), differences);
    cJSON_Delete(answer);
}

const struct step_kind step_devices = {
    .name = "devices",
    .help = "Compares what the simulated devices run and how they are",
    .example = "\n"
               "      leaf6?.earth: {version: 5.3.1, state: up}\n"
               "      leaf99.earth: {logins: 0}\n",
    .checks = true,
    .of_network = true,
    .play = play,
};

// The step `files`: what a program is to read has changed meanwhile, or is gone.
#include "scenarios/runner/expect.h"
#include "scenarios/runner/step.h"

static void play(struct stage *s, const cJSON *files, struct buf *differences) {
    struct error err;
    if (stage_write_files(s, files, &err) != 0) expect_differ(differences, "%s", err.text);
}

const struct step_kind step_files = {
    .name = "files",
    .help =
        "Writes files into the folder of the run, readable by their owner alone; null removes one",
    .example = "\n"
               "      credentials.yaml: {sites: {earth: {password: new}}}\n"
               "      inventory.yaml: null\n",
    .play = play,
};

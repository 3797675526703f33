// The step `log`: lines of the orchestrator's log file, read anew from its start each time.
#include "scenarios/runner/expect.h"
#include "scenarios/runner/step.h"

#include <stdlib.h>

static void play(struct stage *s, const cJSON *log, struct buf *differences) {
    char *text = stage_read_log(s);
    expect_log(log, text, differences);
    free(text);
}

const struct step_kind step_log = {
    .name = "log",
    .help = "Looks for lines in the orchestrator's log, from its start",
    .example = "\n"
               "      has: [\"WARNING:skipped   host:leaf63.earth:leaf62.earth\"]\n"
               "      lacks: [\"ERROR:*\"]\n",
    .checks = true,
    .play = play,
};

// The step `log`: lines of the orchestrator's log file and stderr, read anew from their start each
// time.
#include "common/file.h"
#include "common/mem.h"
#include "scenarios/runner/expect.h"
#include "scenarios/runner/step.h"

#include <stdlib.h>
#include <string.h>

static bool has_line(const char *text, const char *pattern) {
    for (const char *line = text; *line != '\0';) {
        const size_t len = strcspn(line, "\n");
        char *copy = mem_strndup(line, len);
        const bool fits = expect_fits(pattern, copy);
        free(copy);
        if (fits) return true;
        line += len + (line[len] == '\n');
    }
    return false;
}

static void check_stderr(const struct stage *s, const cJSON *patterns, struct buf *differences) {
    char path[512];
    struct buf text = {0};
    struct error ignored;
    const cJSON *pattern;
    programs_stderr_path(&s->programs, PROGRAM_ORCHESTRATOR, path);
    buf_adds(&text, "");
    file_read(path, &text, &ignored);
    cJSON_ArrayForEach(pattern, patterns) {
        if (!has_line(text.data, pattern->valuestring))
            expect_differ(differences, "stderr has no line: %s", pattern->valuestring);
    }
    buf_deinit(&text);
}

static void play(struct stage *s, const cJSON *log, struct buf *differences) {
    char *text = stage_read_log(s);
    expect_log(log, text, differences);
    free(text);
    check_stderr(s, cJSON_GetObjectItemCaseSensitive(log, "stderr"), differences);
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

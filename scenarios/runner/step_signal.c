// The step `signal`: a program gets a signal, its end is awaited, or it is started anew on the port
// that it had. A simulator that ends takes along its rules and what its referee saw, so it is asked
// for both beforehand.
#include "scenarios/runner/expect.h"
#include "scenarios/runner/step.h"
#include "scenarios/runner/told.h"

#include <signal.h>
#include <string.h>

static int stop(struct programs *p, enum program_name name, struct error *err) {
    int rc = programs_signal(p, name, SIGTERM, err);
    return rc == 0 ? programs_await_end(p, name, 0, err) : rc;
}

static int await_end(struct programs *p, enum program_name name, const cJSON *step,
                     struct error *err) {
    const cJSON *code = cJSON_GetObjectItemCaseSensitive(step, "exit_code");
    return programs_await_end(p, name, code == NULL ? 0 : code->valueint, err);
}

static int act(struct stage *s, enum program_name name, const cJSON *step, struct error *err) {
    const char *what = step_text(step, "do", "");
    struct programs *p = &s->programs;
    if (strcmp(what, "terminate") == 0) return programs_signal(p, name, SIGTERM, err);
    if (strcmp(what, "hangup") == 0) return programs_signal(p, name, SIGHUP, err);
    if (strcmp(what, "await_end") == 0) return await_end(p, name, step, err);
    if (strcmp(what, "stop") == 0) return stop(p, name, err);
    if (strcmp(what, "kill") == 0) return programs_kill(p, name, err);
    int rc = programs_running(p, name) ? stop(p, name, err) : 0; // restart
    stage_set_options(s, cJSON_GetObjectItemCaseSensitive(step, "options"));
    return rc == 0 ? stage_start(s, name, err) : rc;
}

static void play(struct stage *s, const cJSON *step, struct buf *differences) {
    enum program_name name = step_program(step, "program");
    struct error err;
    if (name == PROGRAM_SIMULATOR && programs_running(&s->programs, name)) {
        stage_count_faults(s);
        s->judge(s, differences);
        told_check(s, false, differences);
    }
    if (act(s, name, step, &err) != 0) expect_differ(differences, "%s", err.text);
    if (name == PROGRAM_SIMULATOR) stage_forget_faults(s);
    if (name == PROGRAM_SIMULATOR && programs_running(&s->programs, name)) told_begin(s);
}

const struct step_kind step_signal = {
    .name = "signal",
    .help = "Stops, kills or restarts a program",
    .example = " {program: orchestrator, do: restart}\n",
    .play = play,
};

// The step `signal`: a program gets a signal, its end is awaited, or it is started anew on the port
// that it had. A simulator that ends takes along its rules and what its referee saw, so it is asked
// for both beforehand.
#include "scenarios/runner/expect.h"
#include "scenarios/runner/step.h"
#include "scenarios/runner/told.h"

#include <signal.h>
#include <string.h>
#include <time.h>

enum { SUSPENDED_US = 1000 * 1000 };

static int stop(struct programs *p, enum program_name name, struct error *err) {
    int rc = programs_signal(p, name, SIGTERM, err);
    return rc == 0 ? programs_await_end(p, name, 0, err) : rc;
}

static int await_end(struct programs *p, enum program_name name, const cJSON *step,
                     struct error *err) {
    const cJSON *code = cJSON_GetObjectItemCaseSensitive(step, "exit_code");
    return programs_await_end(p, name, code == NULL ? 0 : code->valueint, err);
}

// How long it stands still is the fault itself, and no wait for something.
static int suspend(struct programs *p, enum program_name name, uint64_t us, struct error *err) {
    struct timespec left = {.tv_sec = (time_t)(us / 1000000),
                            .tv_nsec = (long)(us % 1000000) * 1000};
    int rc = programs_signal(p, name, SIGSTOP, err);
    if (rc != 0) return rc;
    while (nanosleep(&left, &left) != 0)
        ;
    return programs_signal(p, name, SIGCONT, err);
}

static int act(struct stage *s, enum program_name name, const cJSON *step, uint64_t for_us,
               struct error *err) {
    const char *what = step_text(step, "do", "");
    struct programs *p = &s->programs;
    if (strcmp(what, "terminate") == 0) return programs_signal(p, name, SIGTERM, err);
    if (strcmp(what, "hangup") == 0) return programs_signal(p, name, SIGHUP, err);
    if (strcmp(what, "suspend") == 0) return suspend(p, name, for_us, err);
    if (strcmp(what, "await_end") == 0) return await_end(p, name, step, err);
    if (strcmp(what, "stop") == 0) return stop(p, name, err);
    if (strcmp(what, "kill") == 0) return programs_kill(p, name, err);
    int rc = programs_running(p, name) ? stop(p, name, err) : 0; // restart
    stage_set_options(s, cJSON_GetObjectItemCaseSensitive(step, "options"));
    return rc == 0 ? stage_start(s, name, err) : rc;
}

static void play(struct stage *s, const cJSON *step, struct buf *differences) {
    enum program_name name = step_program(step, "program");
    const uint64_t for_us = step_duration(step, "for", SUSPENDED_US, differences);
    struct error err;
    const bool ends = strcmp(step_text(step, "do", ""), "suspend") != 0;
    if (ends && name == PROGRAM_SIMULATOR && programs_running(&s->programs, name)) {
        stage_count_faults(s);
        s->judge(s, differences);
        told_check(s, false, differences);
    }
    if (act(s, name, step, for_us, &err) != 0) expect_differ(differences, "%s", err.text);
    if (ends && name == PROGRAM_SIMULATOR) stage_forget_faults(s);
    if (ends && name == PROGRAM_SIMULATOR && programs_running(&s->programs, name)) told_begin(s);
}

const struct step_kind step_signal = {
    .name = "signal",
    .help = "Stops, kills or restarts a program",
    .example = " {program: orchestrator, do: restart}\n",
    .play = play,
};

// The steps that change something beside requests: faults, signals, and branches that run at once.
#include "common/mem.h"
#include "scenarios/runner/expect.h"
#include "scenarios/runner/step.h"
#include "scenarios/runner/steps.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// --- faults

void step_faults(struct stage *s, const cJSON *faults, struct buf *differences) {
    struct error err;
    if (stage_add_faults(s, faults, &err) != 0) expect_differ(differences, "%s", err.text);
}

void step_remove_faults(struct stage *s, const cJSON *names, struct buf *differences) {
    const cJSON *name;
    cJSON_ArrayForEach(name, names) {
        struct error err;
        if (stage_remove_fault(s, name->valuestring, &err) != 0)
            expect_differ(differences, "%s", err.text);
    }
}

// --- signals

static int stop(struct programs *p, enum program_name name, struct error *err) {
    int rc = programs_signal(p, name, SIGTERM, err);
    return rc == 0 ? programs_await_end(p, name, err) : rc;
}

static int act(struct stage *s, enum program_name name, const char *what, struct error *err) {
    struct programs *p = &s->programs;
    if (strcmp(what, "terminate") == 0) return programs_signal(p, name, SIGTERM, err);
    if (strcmp(what, "hangup") == 0) return programs_signal(p, name, SIGHUP, err);
    if (strcmp(what, "await_end") == 0) return programs_await_end(p, name, err);
    if (strcmp(what, "stop") == 0) return stop(p, name, err);
    if (strcmp(what, "kill") == 0) return programs_kill(p, name, err);
    int rc = programs_running(p, name) ? stop(p, name, err) : 0; // restart
    return rc == 0 ? stage_start(s, name, err) : rc;
}

void step_signal(struct stage *s, const cJSON *step, struct buf *differences) {
    enum program_name name = step_program(step, "program");
    struct error err;
    if (name == PROGRAM_SIMULATOR) stage_count_faults(s); // while it can still tell
    if (act(s, name, step_text(step, "do", ""), &err) != 0)
        expect_differ(differences, "%s", err.text);
    if (name == PROGRAM_SIMULATOR) stage_forget_faults(s);
}

// --- branches

struct branches {
    struct stage *stage;
    size_t left; // that have not ended
};

struct branch {
    pthread_t thread;
    struct branches *all;
    const cJSON *steps;
    char where[64];
    struct buf failure;
};

static void *run_branch(void *arg) {
    struct branch *b = arg;
    struct stage *s = b->all->stage;
    steps_run(s, b->steps, b->where, &b->failure);
    stage_leave(s, &b->all->left);
    return NULL;
}

void step_parallel(struct stage *s, const cJSON *parallel, struct buf *differences) {
    size_t count = (size_t)cJSON_GetArraySize(parallel), i = 0;
    struct branches all = {.stage = s, .left = count};
    struct branch *list = mem_array(count, sizeof *list);
    cJSON **single = mem_array(count, sizeof(cJSON *)); // a branch of one step, as a list
    const cJSON *one;
    cJSON_ArrayForEach(one, parallel) {
        list[i].all = &all;
        list[i].steps = one;
        if (cJSON_IsObject(one)) {
            single[i] = cJSON_CreateArray();
            cJSON_AddItemToArray(single[i], cJSON_Duplicate(one, true));
            list[i].steps = single[i];
        }
        snprintf(list[i].where, sizeof list[i].where, "branch %zu", i);
        if (pthread_create(&list[i].thread, NULL, run_branch, &list[i]) != 0) abort();
        i++;
    }
    stage_await(s, &all.left);
    for (i = 0; i < count; i++) {
        pthread_join(list[i].thread, NULL);
        if (list[i].failure.len > 0) buf_adds(differences, list[i].failure.data);
        buf_deinit(&list[i].failure);
        cJSON_Delete(single[i]);
    }
    free(single);
    free(list);
}

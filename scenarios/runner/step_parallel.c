// The step `parallel`: a thread for each branch, and the step ends when all have ended. The thread
// that waits here starts programs for the branches meanwhile, see stage.c.
#include "common/mem.h"
#include "scenarios/runner/step.h"

#include <stdio.h>
#include <stdlib.h>

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
    s->play_all(s, b->steps, b->where, &b->failure);
    stage_leave(s, &b->all->left);
    return NULL;
}

static void play(struct stage *s, const cJSON *parallel, struct buf *differences) {
    size_t count = (size_t)cJSON_GetArraySize(parallel), i = 0;
    struct branches all = {.stage = s, .left = count};
    struct branch *list = mem_array(count, sizeof *list);
    const cJSON *one;
    cJSON_ArrayForEach(one, parallel) {
        list[i].all = &all;
        list[i].steps = one;
        snprintf(list[i].where, sizeof list[i].where, "branch %zu", i);
        if (pthread_create(&list[i].thread, NULL, run_branch, &list[i]) != 0) abort();
        i++;
    }
    stage_await(s, &all.left);
    for (i = 0; i < count; i++) {
        pthread_join(list[i].thread, NULL);
        if (list[i].failure.len > 0) buf_adds(differences, list[i].failure.data);
        buf_deinit(&list[i].failure);
    }
    free(list);
}

const struct step_kind step_parallel = {
    .name = "parallel",
    .help = "Plays branches at once: each a step or a list of steps",
    .example = "\n"
               "      - request: {json: {version: 5.3.1, filter_sites: [earth]}}\n"
               "      - [when: {operation: login}, signal: {do: hangup}]\n",
    .expands_later = true,
    .play = play,
};

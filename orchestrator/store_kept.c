#include "orchestrator/store_kept.h"

#include "common/mem.h"

#include <stdlib.h>

void store_held_clear(struct store_held *held) {
    held->count = 0;
}

void store_held_add(struct store_held *held, size_t op) {
    held->ops = mem_grow(held->ops, &held->cap, held->count + 1, sizeof *held->ops);
    held->ops[held->count++] = (uint32_t)op;
}

void store_held_deinit(struct store_held *held) {
    free(held->ops);
    *held = (struct store_held){0};
}

bool store_kept_may_repeat(const struct store_op *ops, size_t count) {
    return count == 1 && (ops[0].kind == STORE_FORGET || ops[0].kind == STORE_RETAIN);
}

// A job of the batch, and the number that its next event has, going backwards.
struct countdown {
    uint64_t job, n;
};

struct countdowns {
    struct countdown *list;
    size_t count, cap;
};

static struct countdown *countdown_of(struct countdowns *jobs, uint64_t number, store_last last,
                                      void *db, struct error *err) {
    for (size_t i = 0; i < jobs->count; i++)
        if (jobs->list[i].job == number) return &jobs->list[i];
    struct countdown job = {.job = number};
    if (last(db, number, &job.n, err) != 0) return NULL;
    jobs->list = mem_grow(jobs->list, &jobs->cap, jobs->count + 1, sizeof *jobs->list);
    jobs->list[jobs->count] = job;
    return &jobs->list[jobs->count++];
}

int store_kept_answer(struct store_op *ops, size_t count, const struct store_held *held,
                      store_last last, void *db, struct error *err) {
    struct countdowns jobs = {0};
    size_t held_left = held->count;
    int rc = 0;
    for (size_t i = count; i-- > 0 && rc == 0;) {
        ops[i].status = STORE_OK;
        ops[i].n = 0;
        if (ops[i].kind != STORE_APPEND) continue;
        if (held_left > 0 && held->ops[held_left - 1] == i) {
            ops[i].status = STORE_HELD;
            held_left--;
            continue;
        }
        struct countdown *job = countdown_of(&jobs, ops[i].event.job, last, db, err);
        if (job == NULL)
            rc = ERROR_INPUT;
        else
            ops[i].n = ops[i].event.n = job->n--;
    }
    free(jobs.list);
    return rc;
}

int store_kept_gap(uint64_t beat, uint64_t last, struct error *err) {
    return error_set(err,
                     "batch %llu was written, where this process has come to %llu: somebody "
                     "else writes there",
                     (unsigned long long)last, (unsigned long long)beat - 1);
}

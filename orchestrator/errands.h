// Work that would hold the loop up, on libuv's threads: one after another, in the order of asking,
// so that a queue takes one of the threads at most and others find one, too.
#pragma once

#include <stdbool.h>
#include <uv.h>

struct errand;

struct errands { // zeroed but for loop, which is borrowed
    uv_loop_t *loop;
    struct errand *first, *last; // the first is under way
};

// `work` is called on a thread: it may touch nothing but what arg owns, and what nobody changes.
// `then` is called on the loop's, never from within.
void errands_add(struct errands *errands, void (*work)(void *arg), void (*then)(void *arg),
                 void *arg);
bool errands_is_idle(const struct errands *errands);

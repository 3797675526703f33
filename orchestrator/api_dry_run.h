// The answer to a request that asks what its job would do. Playing a large one is long work, done
// on a thread; one at a time, for others want those threads, too.
#pragma once

#include "orchestrator/gate.h"

#include <uv.h>

struct dry_runs { // zeroed but for loop and gate, which are borrowed
    uv_loop_t *loop;
    const struct gate *gate;
    struct dry_run *first, *last; // the first is being played
};

// Told on the loop's thread, not from within: the answer's body, which is the receiver's.
typedef void (*dry_run_told)(void *arg, struct buf *body);

// Takes over the job, which is new and no other's.
void dry_runs_add(struct dry_runs *runs, struct job *job, dry_run_told told, void *arg);
bool dry_runs_is_idle(const struct dry_runs *runs);

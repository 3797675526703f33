// The answer to a request that asks what its job would do. Playing a large one is long work, done
// on a thread.
#pragma once

#include "orchestrator/errands.h"
#include "orchestrator/gate.h"

// Told on the loop's thread, not from within: the answer's body, which is the receiver's.
typedef void (*dry_run_told)(void *arg, struct buf *body);

// Takes over the job, which is new and no other's.
void dry_run(struct errands *errands, const struct gate *gate, struct job *job, dry_run_told told,
             void *arg);

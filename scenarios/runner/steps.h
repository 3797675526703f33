// The steps of a scenario: how they are played, whatever their kinds. steps.def lists these.
#pragma once

#include "common/buf.h"
#include "scenarios/runner/stage.h"

// Plays the steps, a list or a single one, in turn until one fails: then appends to failure which
// one, what it asked and what came, and returns a value other than 0. where is the place of the
// list: "steps".
int steps_play_all(struct stage *s, const cJSON *steps, const char *where, struct buf *failure);

// A check of `always`. While programs may come and go it is not strict: what cannot be asked then
// is no failure.
int steps_check(struct stage *s, const cJSON *check, const char *where, bool strict,
                struct buf *failure);

// A scenario with one step of each kind, and what each does as a comment.
void steps_write_help(struct buf *out);

// Running the steps of a scenario, and the checks of its `always`.
#pragma once

#include "common/buf.h"
#include "scenarios/runner/stage.h"

// Runs the steps in turn until one fails: then appends to failure which one, what it asked and what
// came, and returns a value other than 0. where is the place of the list: "steps".
int steps_run(struct stage *s, const cJSON *steps, const char *where, struct buf *failure);

// A check of `always`: as a step, but failure is only appended to where programs could be asked.
int steps_check(struct stage *s, const cJSON *check, const char *where, bool strict,
                struct buf *failure);

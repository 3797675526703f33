// What is told of runs that are over: JUnit XML, TAP, JSON, and the command that replays one.
#pragma once

#include "scenarios/runner/runs.h"

void output_junit(struct buf *out, const struct run *list, size_t count, double seconds);
void output_tap(struct buf *out, const struct run *list, size_t count);
void output_json(struct buf *out, const struct run *list, size_t count, double seconds);
// "scenario run scenarios/x.yaml --seed 7"
void output_replay(struct buf *out, const struct run *run);

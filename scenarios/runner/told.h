// What the orchestrator tells of its jobs: read, and held against the devices. It is an invariant
// of every scenario, beside the referee's silence, see outcomes.h.
#pragma once

#include "scenarios/runner/stage.h"

// What /jobs/{id}/hosts/ lists, all pages; the caller's.
int told_read_hosts(struct stage *s, const char *id, cJSON **rows, struct error *err);

// A network has just begun: what its devices run now is what they run unless a job changes it.
void told_begin(struct stage *s);

// Follows the orchestrator's events from now on: what is heard must agree with what is told.
void told_follow(struct stage *s);
void told_unfollow(struct stage *s);

// Appends what does not agree. Where it is not strict, a program that cannot be asked is no
// difference: it may come and go. An orchestrator that has no /jobs/ tells nothing.
void told_check(struct stage *s, bool strict, struct buf *differences);

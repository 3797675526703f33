// Which jobs of an earlier process go on by themselves. Pure. What is left of each of their hosts
// is job_settle()'s, what becomes of those in doubt the gate's.
#pragma once

#include "common/buf.h"
#include "orchestrator/job.h"

enum { RESUME_WITHIN_MS = 10 * 60 * 1000 }; // unless an option says otherwise

struct resume_facts {
    long long now_ms, alive_ms; // wall: now, and when the store was last written
    uint64_t within_ms;         // a window that has been closed for longer is not opened again
};

// Whether the job is to be paused; then why. differs: how the inventory or the policy differs from
// when it began, or why that is not known; NULL: they do not.
bool resume_is_paused(const struct job *job, const struct resume_facts *facts, const char *differs,
                      struct buf *why);

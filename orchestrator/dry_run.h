// What a job would do: which hosts, in which order, for how long, and what decides that. Pure; no
// device is contacted.
#pragma once

#include "orchestrator/foretell.h"
#include "orchestrator/job.h"

// What is known of the selected hosts, from what their devices last told this process. Those that
// run something newer are to change as well, unless downgrades are refused.
struct dry_run_known {
    size_t to_change, as_wanted, unknown, newer;
    bool refuses_newer;
};

// The host's device has told version; NULL: none.
void dry_run_count(struct dry_run_known *known, const char *version, const char *wanted);

// As JSON. The job is new: nothing of it has begun. foretold: of its groups.
void dry_run_write(struct buf *out, const struct job *job, unsigned workers,
                   const struct dry_run_known *known, const struct foretold *foretold);

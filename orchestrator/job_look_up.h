// Whether a job of an earlier process, or of another node, is the same in today's inventory, under
// today's policy: it is made anew from its request, and must be what the store has. Pure.
#pragma once

#include "orchestrator/job.h"
#include "orchestrator/policy.h"

// image: the store's. The same: the job is seen in that inventory from now on (job_see_in()). Else
// what differs is appended. Credentials of hosts in doubt are today's either way.
void job_look_up(struct job *job, const struct policy *policy, struct inventory *inventory,
                 const void *image, size_t image_len, struct buf *differs);

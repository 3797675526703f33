// What has changed between a job as it was stored and the same job made anew, for people. Pure.
#pragma once

#include "orchestrator/job_image.h"

// Appends the first difference of two images, one line: "leaf03.earth is at 10.0.0.4:830, was at
// 10.0.0.3:830". Nothing: they are the same. inventory is all of that which `now` is an excerpt of,
// to tell a host that is gone from one that the job is not about any more; NULL: that is not told.
// An error: one of the two is no image.
int job_difference(const void *was, size_t was_len, const void *now, size_t now_len,
                   const struct inventory *inventory, struct buf *out, struct error *err);

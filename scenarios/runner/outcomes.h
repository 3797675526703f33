// What an orchestrator tells of its jobs, against itself, against what it told before, and against
// the devices: every host of a job that is over has exactly one outcome, that stays, and the device
// runs what the outcome says. Pure: JSON in, differences in words out, as in expect.h.
#pragma once

#include "common/buf.h"

#include <cjson/cJSON.h>
#include <stdbool.h>

struct outcomes {
    // Jobs as GET /jobs/{id}/ answers, each with "rows", what hosts/ lists, and "report".
    const cJSON *jobs;
    const cJSON *devices; // as GET /devices/ lists them; NULL: they are not looked at
    // The same, as they were when the network began; NULL: jobs may have come and gone untold.
    const cJSON *born;
    const char *since; // when it began: the jobs before it were done on another
    // {id: ["host state", ...]} of the jobs that were over when they were last looked at, which is
    // brought up to date. Of a job that may be forgotten, only what is still told has to agree.
    cJSON *memory;
    bool may_forget;
};

void outcomes_check(const struct outcomes *o, struct buf *differences);

// What happens during a job, in Nornir's words, told to every processor in the order of
// registration. A skipped host has a task_instance_completed without a task_instance_started before
// it.
#pragma once

#include "orchestrator/job.h"
#include "orchestrator/session.h"

enum event_kind {
    EVENT_TASK_STARTED,
    EVENT_TASK_COMPLETED,
    EVENT_TASK_INSTANCE_STARTED,      // host
    EVENT_TASK_INSTANCE_COMPLETED,    // host, result, text
    EVENT_SUBTASK_INSTANCE_STARTED,   // host, subtask
    EVENT_SUBTASK_INSTANCE_COMPLETED, // host, subtask, text where it failed
};

struct event {
    enum event_kind kind;
    long long wall_ms; // since the epoch
    const struct job *job;
    const struct host *host;
    const char *subtask; // the device's method
    enum host_result result;
    // What to say of the result: of a failure why; of a skipped host the name of the host whose
    // failure stopped its group, or "shutting down". NULL: nothing to say.
    const char *text;
    uint64_t duration_ms; // of what is completed; 0 for a skipped host
};

// A processor consumes events and never calls back.
struct processor {
    void (*event)(void *self, const struct event *event);
    void *self;
};

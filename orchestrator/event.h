// What happens during a job, in Nornir's words, told to every processor in the order of
// registration. A skipped host has a task_instance_completed without a task_instance_started before
// it.
//
// An event is a record that explains itself: nobody who gets one needs to look at the job.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum host_state {
#define X(name, word) HOST_##name,
#include "orchestrator/host_states.def"
#undef X
    HOST_STATES
};
extern const char *const host_state_names[HOST_STATES];

enum event_kind {
    EVENT_TASK_STARTED,
    EVENT_TASK_COMPLETED,
    EVENT_TASK_INSTANCE_STARTED,      // host
    EVENT_TASK_INSTANCE_COMPLETED,    // host, result, text
    EVENT_SUBTASK_INSTANCE_STARTED,   // host, subtask
    EVENT_SUBTASK_INSTANCE_COMPLETED, // host, subtask, text where it failed
    EVENT_TASK_INSTANCE_PUT_BACK,     // host: as if it had not started; text: for whom it waits
    EVENT_TASK_INSTANCE_IN_DOUBT,     // host: its install may have been sent, by whom text says
    EVENT_TASK_WAITING,               // text: for which job, and why
    EVENT_TASK_RESUMED,               // an earlier process began it; text: how far it has come
    EVENT_TASK_PAUSED,                // text: why
    EVENT_TASK_STOPPING,              // cancelled, or by a brake; text: why
    EVENT_PEER_ASKED,                 // host: who was asked; failed, and text, where it is not up
};

struct event {
    enum event_kind kind;
    long long wall_ms; // since the epoch
    const char *job;   // its id
    const char *task;  // "upgrade_os"
    const char *host, *site, *dev_type;
    const char *subtask; // the device's method
    const char *brake;   // of a task that stops: its name; NULL: it is cancelled
    enum host_state result;
    const char *outcome; // of a task that is completed: "stopped"
    bool started;        // of a skipped host: it was in hand
    bool failed;         // of what is completed; of the task: a host of it has failed
    // What to say of the result: of a failure why; of a skipped host the name of the host whose
    // failure stopped its group, a peer that is not up, "shutting down", or "platform panos". NULL:
    // nothing to say. Of a subtask that has not failed: a warning.
    const char *text;
    uint64_t duration_ms; // of what is completed; 0 for a host that was skipped unstarted
};

// A processor consumes events and never calls back. Strings live as long as the call.
struct processor {
    void (*event)(void *self, const struct event *event);
    void *self;
};

// Who is told. Zeroed it is empty and ready.
enum { PROCESSORS_MAX = 8 };

struct processors {
    struct processor list[PROCESSORS_MAX];
    size_t count;
};

void processors_add(struct processors *processors, struct processor processor);

void processors_tell(const struct processors *processors, const struct event *event);

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
    EVENT_TASK_WAITING,               // text: for which job, and why
    EVENT_PEER_ASKED,                 // host: who was asked; failed, and text, where it is not up
};

struct event {
    enum event_kind kind;
    uint64_t n; // its number in the job, from 1 and without a gap; 0: subtasks and asks have none
    long long wall_ms; // since the epoch
    const char *job;   // its id
    const char *task;  // "upgrade_os"
    const char *host, *site, *dev_type;
    const char *subtask; // the device's method
    enum host_state result;
    bool started; // of a skipped host: it was in hand
    bool failed;  // of what is completed; of the task: a host of it has failed
    // What to say of the result: of a failure why; of a skipped host the name of the host whose
    // failure stopped its group, a peer that is not up, "shutting down", or "platform panos". NULL:
    // nothing to say. Of a
    // subtask that has not failed: a warning.
    const char *text;
    uint64_t duration_ms; // of what is completed; 0 for a host that was skipped unstarted
};

// A processor consumes events and never calls back. Strings live as long as the call.
struct processor {
    void (*event)(void *self, const struct event *event);
    void *self;
};

// The last numbered events of a job. Their texts are copies; all other strings must live as long as
// the ring. Zeroed it is empty and ready.
enum { EVENT_RING_MAX = 1024 };

struct event_ring {
    struct event *events; // number n lies at n % cap
    size_t cap;
    uint64_t last; // number of the newest; 0: none
};

void event_ring_deinit(struct event_ring *ring);
// NULL: there is none of this number, or it is no longer kept.
const struct event *event_ring_get(const struct event_ring *ring, uint64_t n);

// Who is told. Zeroed it is empty and ready.
enum { PROCESSORS_MAX = 8 };

struct processors {
    struct processor list[PROCESSORS_MAX];
    size_t count;
};

void processors_add(struct processors *processors, struct processor processor);

// Stamps the event with the time and, unless it is of a subtask or an ask, with the job's next
// number, under which the ring keeps it; then tells all.
void processors_tell(const struct processors *processors, struct event_ring *ring,
                     struct event *event, long long wall_ms);

// A task is a table of steps: what is asked of a device, and what its answers mean. Pure. A new
// task is one file like get_cpu_ram.c and one line in tasks.def; its endpoint, its checks and its
// log lines follow from there.
#pragma once

#include "common/acmeos.h"
#include "common/buf.h"
#include "common/error.h"

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>

enum downgrade { DOWNGRADE_UNSAID, DOWNGRADE_ALLOW, DOWNGRADE_REFUSE };

struct task_args { // what a request asks for, beside the filters
    char version[ACMEOS_VERSION_MAX + 1];
    enum downgrade downgrade; // of a device that runs a newer version
};

// "allow" or "refuse".
int downgrade_parse(const char *word, enum downgrade *out, struct error *err);

struct task_notes {                         // what one step of a session leaves for a later one
    char installed[2 * ACMEOS_VERSION_MAX]; // what the install answered, cut; empty: nothing yet
    char version[2 * ACMEOS_VERSION_MAX];   // that get_version told last; empty: not known
    bool is_idle;                           // ... and it told of no install that runs
    char *told; // of a task that reads: task_tell(); the session's to free
};

enum task_verdict {
    TASK_NEXT_STEP,
    TASK_UNCHANGED, // done: the device is as wanted and was not touched
    TASK_CHANGED,   // done: the device was changed, and the change verified
    TASK_FAILED,    // the error says why
};

struct task_step {
    const char *method;
    // Writes the params as JSON text; NULL where the method takes none.
    void (*params)(const struct task_args *args, struct buf *out);
    enum task_verdict (*reply)(const struct task_args *args, struct task_notes *notes,
                               const cJSON *result, struct error *err);
    // The device may restart from the sending of this call on: it has the install timeout, and a
    // lost connection is no verdict but leads to a new one, which goes on at the task's resume
    // step.
    bool restarts;
    bool is_last; // no good answer leads to another step: the logout is sent along with the call
};

struct task_field { // of the request, beside the filters
    const char *name;
    int (*parse)(const cJSON *value, struct task_args *args, struct error *err); // NULL: absent
};

struct task {
    const char *name; // "upgrade_os"
    const char *path; // "/upgrade-os/"
    const struct task_field *fields;
    size_t fields_count;
    const struct task_step *steps;
    size_t steps_count;
    size_t resume_step;
    const char *changed_text, *unchanged_text; // of the log line
    bool reads; // it changes nothing: groups hold no host back, and the report is what devices told
    bool keeps; // after its only step, get_version, the session stays: session.h
};

// Of a task that reads: what the device has answered is the host's result, as JSON.
void task_tell(struct task_notes *notes, const cJSON *result);

#define X(name) extern const struct task task_##name;
#include "orchestrator/tasks.def"
#undef X

// Not for requests: is the device up, and not being installed? A device is asked before another one
// of its redundancy group is changed; task_ask keeps the session for the device's own turn.
extern const struct task task_ask, task_ask_and_leave;

extern const struct task *const tasks[];
extern const size_t tasks_count;

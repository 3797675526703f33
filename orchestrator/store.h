// Where what must outlive the process is kept, and whom to ask before anything is done to a device:
// a host's claim and its intent are appended before, its outcome before it is told.
//
// One back so far, memory, which answers at once and forgets with the process.
#pragma once

#include "orchestrator/event.h"

enum store_kind {
    STORE_STARTED,   // the host is claimed
    STORE_INTENT,    // the device is about to be changed
    STORE_WITHDRAWN, // it is not: nothing was sent, and the host is as before its intent
    STORE_OUTCOME,   // what became of it
};

struct store_event {
    enum store_kind kind;
    const char *job;        // its id
    const char *host;       // its name
    enum host_state result; // of STORE_OUTCOME
    const char *text;       // of STORE_OUTCOME
};

enum store_status {
    STORE_OK,   // it is kept
    STORE_HELD, // the job may not go on with this host now: it is to be put back
};

// Called once for each append, in their order, possibly from within.
typedef void (*store_done)(void *arg, enum store_status status);

struct store { // a back; zeroed it is none
    // Strings of the event need live for the call only.
    void (*append)(struct store *store, const struct store_event *event, store_done done,
                   void *arg);
};

void store_memory_init(struct store *store);

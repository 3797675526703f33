// A contact of the orchestrator with a device: a session, and the connections that it wants, one
// after another. What connection.c is live.
#pragma once

#include "orchestrator/session.h"
#include "tests/histories/device.h"

enum talk_state {
    TALK_APART,    // none is wanted before the deadline
    TALK_DIALLING, // due: it is there, or refused
    TALK_IDLE,     // connected; no call is with the device
    TALK_BUSY,     // due: the device has done what was asked
    TALK_SILENT,   // the device will not answer
};

struct talk {
    struct talk *next;
    struct session session;
    struct device *device; // the orchestrator's
    unsigned host;
    bool is_alias; // at its other address
    uint32_t serial;
    int job; // whose upgrade it is; NOBODY: an ask
    enum talk_state state;
    struct buf sent; // calls that the device has not come to
    size_t sent_at;
    struct buf reply;
    int op, mishap; // of the call that the device has
    uint32_t id;    // likewise
    bool closes;    // behind its answer, or in place of it
    bool is_look;   // the answer says as it should what the device runs
    bool is_logged_in;
    bool is_lost;                 // its process stands still, and does not know
    uint64_t due_ms, deadline_ms; // UINT64_MAX: never
};

// Clients that do not behave: a table of kinds, and where each of them goes.
#pragma once

#include "tests/rude/talk.h"

enum client_target { CLIENT_API, CLIENT_ADMIN, CLIENT_DEVICES, CLIENT_TARGETS };

struct client_kind {
    const char *name;
    unsigned targets; // bits: 1 << CLIENT_API ...
    const struct act *acts;
    unsigned weight;   // how often it comes, beside the others; 0: once
    bool takes_little; // its window is small
    bool stays;        // several of it come before the job, and stay until its end
    unsigned ended; // bits: where it must be ended before the job is, for it does not leave itself
    const char *answer; // how what it is told begins; NULL: it is not looked at
    const char *log; // a line of the orchestrator's log that must be there for it, or a part of one
};

// How much of what happens a client may leave unread.
#define CLIENT_BACKLOG "64KiB"

extern const struct client_kind client_kinds[];
extern const size_t client_kinds_count;

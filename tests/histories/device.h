// A device as it really is, whatever anybody believes of it; and the referee, which looks at all of
// them whenever an install arrives.
#pragma once

#include "tests/histories/plan.h"

enum { VERSIONS = 3, NOBODY = -1 };
extern const char *const versions[VERSIONS]; // [0]: all run it at first

struct truth {             // of a device
    unsigned version;      // into versions
    int installing;        // the version, or NOBODY
    int job;               // whose install that is
    uint64_t installed_ms; // when that ends
    uint64_t booting_ms;   // no connection until then
    uint64_t coming_up_ms; // errors until then
    bool is_dead;
    unsigned logins[2]; // sessions that are logged in, by address: which the inventory changes
    // By address: a get_version as it should be, to the process that lives; 0: none. What is known
    // of a device is known of it at that address.
    uint64_t answered_ms[PLAN_NODES][2];       // of several processes, to each
    bool asked_since_install;                  // a get_version was answered
    unsigned sent[PLAN_JOBS], done[PLAN_JOBS]; // installs, by job
    unsigned calls[8];                         // by operation, for the draws
    // As the orchestrator has told, process by process.
    enum { NOT_IN_HAND, IN_HAND, IN_DOUBT } hand[PLAN_JOBS];
    unsigned hand_of[PLAN_JOBS]; // of which of several
};

// A host of a run, as a timeline shows it.
#pragma once

#include <stdint.h>

enum timeline_end {
    TIMELINE_CHANGED,
    TIMELINE_UNCHANGED,
    TIMELINE_FAILED,
    TIMELINE_SKIPPED,
    TIMELINE_IN_HAND,
    TIMELINE_WAITING,
    TIMELINE_ENDS
};

#define TIMELINE_NEVER UINT64_MAX

struct timeline_host { // texts are borrowed, and may hold anything
    const char *name;
    const char *site, *group;  // NULL: none; one without a group has a row of its own
    const char *reason;        // why it failed or was skipped; NULL: not known
    uint64_t start_us, end_us; // since the start of the run; start_us TIMELINE_NEVER: not begun
    // Of a run that is laid over its forecast: that host there. Else both TIMELINE_NEVER.
    uint64_t foretold_start_us, foretold_end_us;
    enum timeline_end end;
};

// The time axis of a timeline: linear, with ticks where people would put them. Pure.
#pragma once

#include <stdint.h>

enum { TIMELINE_TICKS_MAX = 12, TIMELINE_LABEL_MAX = 32 };

struct timeline_axis {
    uint64_t step_us;  // from tick to tick; the first is at 0
    const char *clock; // how its labels are to be read: "seconds", "hours:minutes"
};

// Of a run that long; TIMELINE_TICKS_MAX ticks at most.
struct timeline_axis timeline_axis_of(uint64_t end_us);
void timeline_axis_label(const struct timeline_axis *axis, uint64_t at_us,
                         char text[TIMELINE_LABEL_MAX]);

// A moment of the run, or how long something took: "3.42 s", "5:07", "1:02:33"; of runs of two
// minutes and more without parts of a second.
void timeline_clock(uint64_t us, char text[TIMELINE_LABEL_MAX]);

#include "common/timeline_axis.h"

#include "common/count.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#define MS     UINT64_C(1000)
#define SECOND (1000 * MS)
#define MINUTE (60 * SECOND)
#define HOUR   (60 * MINUTE)
#define DAY    (24 * HOUR)

// Each is a whole part of a larger one, so that round moments have a tick.
static const uint64_t steps[] = {
    1,           2,           5,          10,       20,         50,         100,
    200,         500,         MS,         2 * MS,   5 * MS,     10 * MS,    20 * MS,
    50 * MS,     100 * MS,    200 * MS,   500 * MS, SECOND,     2 * SECOND, 5 * SECOND,
    10 * SECOND, 20 * SECOND, MINUTE / 2, MINUTE,   2 * MINUTE, 5 * MINUTE, 10 * MINUTE,
    20 * MINUTE, HOUR / 2,    HOUR,       2 * HOUR, 4 * HOUR,   8 * HOUR,   DAY,
    2 * DAY,     4 * DAY,     8 * DAY,    20 * DAY, 50 * DAY,   100 * DAY,  200 * DAY,
    400 * DAY,
};

struct timeline_axis timeline_axis_of(uint64_t end_us) {
    size_t i = 0;
    while (i + 1 < COUNT(steps) && end_us / steps[i] >= TIMELINE_TICKS_MAX)
        i++;
    const bool fits = end_us / steps[i] < TIMELINE_TICKS_MAX;
    const struct timeline_axis axis = {.step_us = fits ? steps[i] : end_us / 10,
                                       .clock = end_us < 2 * MINUTE ? "seconds"
                                                : end_us < 2 * HOUR ? "minutes:seconds"
                                                                    : "hours:minutes"};
    return axis;
}

void timeline_axis_label(const struct timeline_axis *axis, uint64_t at_us,
                         char text[TIMELINE_LABEL_MAX]) {
    if (axis->clock[0] == 's')
        snprintf(text, TIMELINE_LABEL_MAX, "%.9g", (double)at_us / (double)SECOND);
    else if (axis->clock[0] == 'm')
        snprintf(text, TIMELINE_LABEL_MAX, "%" PRIu64 ":%02" PRIu64, at_us / MINUTE,
                 at_us % MINUTE / SECOND);
    else
        snprintf(text, TIMELINE_LABEL_MAX, "%" PRIu64 ":%02" PRIu64, at_us / HOUR,
                 at_us % HOUR / MINUTE);
}

void timeline_clock(uint64_t us, char text[TIMELINE_LABEL_MAX]) {
    const uint64_t minutes = us / MINUTE, seconds = us % MINUTE / SECOND;
    if (us < 2 * MINUTE)
        snprintf(text, TIMELINE_LABEL_MAX, us < 10 * SECOND ? "%.3f s" : "%.2f s",
                 (double)us / (double)SECOND);
    else if (minutes < 60)
        snprintf(text, TIMELINE_LABEL_MAX, "%" PRIu64 ":%02" PRIu64, minutes, seconds);
    else
        snprintf(text, TIMELINE_LABEL_MAX, "%" PRIu64 ":%02" PRIu64 ":%02" PRIu64, minutes / 60,
                 minutes % 60, seconds);
}

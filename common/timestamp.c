#include "common/timestamp.h"

#include <stdio.h>
#include <time.h>

enum { MS_PER_S = 1000 };

void timestamp_format(long long wall_ms, char text[TIMESTAMP_MAX]) {
    const long long ms = (wall_ms % MS_PER_S + MS_PER_S) % MS_PER_S;
    const time_t seconds = (time_t)((wall_ms - ms) / MS_PER_S);
    struct tm utc;
    char day[TIMESTAMP_MAX - 5];
    if (gmtime_r(&seconds, &utc) == NULL ||
        strftime(day, sizeof day, "%Y-%m-%dT%H:%M:%S", &utc) == 0)
        snprintf(day, sizeof day, "1970-01-01T00:00:00"); // no year that long can be written
    snprintf(text, TIMESTAMP_MAX, "%s.%03dZ", day, (int)ms);
}

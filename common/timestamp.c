#include "common/timestamp.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { MS_PER_S = 1000 };

void timestamp_format(long long wall_ms, char text[TIMESTAMP_MAX]) {
    const bool is_before = wall_ms % MS_PER_S < 0; // of a second that began before the epoch
    const long long ms = wall_ms % MS_PER_S + (is_before ? MS_PER_S : 0);
    const time_t seconds = (time_t)(wall_ms / MS_PER_S - is_before);
    struct tm utc;
    char day[TIMESTAMP_MAX - 5];
    if (gmtime_r(&seconds, &utc) == NULL ||
        strftime(day, sizeof day, "%Y-%m-%dT%H:%M:%S", &utc) == 0)
        snprintf(day, sizeof day, "1970-01-01T00:00:00"); // no year that long can be written
    snprintf(text, TIMESTAMP_MAX, "%s.%03uZ", day, (unsigned)ms % MS_PER_S);
}

// What is written back is the same text: no field was out of its range.
bool timestamp_parse(const char *text, long long *wall_ms) {
    struct tm utc = {0};
    char again[TIMESTAMP_MAX];
    const char *rest = strptime(text, "%Y-%m-%dT%H:%M:%S", &utc);
    if (rest == NULL || *rest != '.') return false;
    const long long ms = strtol(rest + 1, NULL, 10), found = timegm(&utc) * (long long)MS_PER_S + ms;
    timestamp_format(found, again);
    if (strcmp(again, text) != 0) return false;
    *wall_ms = found;
    return true;
}

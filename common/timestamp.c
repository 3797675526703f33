#include "common/timestamp.h"

#include <stdio.h>
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

// What it stands for is written anew and must be the same text: so no day is taken that a month
// does not have, and no sign, space or digit too many.
bool timestamp_parse(const char *text, long long *wall_ms) {
    struct tm utc = {0};
    char again[TIMESTAMP_MAX];
    const char *rest = strptime(text, "%Y-%m-%dT%H:%M:%S", &utc);
    unsigned ms;
    if (rest == NULL || sscanf(rest, ".%3uZ", &ms) != 1) return false;
    const long long moment = (long long)timegm(&utc) * MS_PER_S + (long long)ms;
    timestamp_format(moment, again);
    if (strcmp(again, text) != 0) return false;
    *wall_ms = moment;
    return true;
}

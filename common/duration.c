#include "common/duration.h"

#include "common/count.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    const char *name;
    double us;
} units[] = {{"us", 1}, {"ms", 1e3}, {"s", 1e6}, {"m", 60e6}, {"h", 3600e6}};

static int wrong(const char *text, struct error *err) {
    return error_set(err, "'%.40s' is not a duration: write 250us, 10ms, 1.5s, 5m or 1h", text);
}

int duration_parse(const char *text, uint64_t *us, struct error *err) {
    size_t digits = strspn(text, "0123456789.");
    if (digits == 0 || digits > 20 || text[0] == '.') return wrong(text, err);
    char *end;
    double value = strtod(text, &end);
    if (end != text + digits) return wrong(text, err);
    double scale = 0;
    for (size_t i = 0; i < COUNT(units); i++)
        if (strcmp(end, units[i].name) == 0) scale = units[i].us;
    if (*end == '\0' && value == 0) scale = 1; // a plain 0 needs no unit
    if (scale == 0) return wrong(text, err);
    if (value * scale > (double)DURATION_MAX_US)
        return error_set(err, "'%.40s' is longer than a year", text);
    *us = (uint64_t)(value * scale + 0.5);
    return 0;
}

int duration_timeout_parse(const char *text, uint64_t *ms, struct error *err) {
    uint64_t us;
    int rc = duration_parse(text, &us, err);
    if (rc == 0 && us == 0) rc = error_set(err, "a timeout of 0 would fail every device");
    if (rc == 0) *ms = (us + 999) / 1000;
    return rc;
}

int duration_range_parse(const char *text, struct duration_range *range, struct error *err) {
    struct duration_range r = {0};
    const char *dots = strstr(text, "..");
    if (dots == NULL) {
        int rc = duration_parse(text, &r.low_us, err);
        if (rc != 0) return rc;
        range->low_us = range->high_us = r.low_us;
        return 0;
    }
    char low[32];
    size_t len = (size_t)(dots - text);
    if (len >= sizeof low) return wrong(text, err);
    memcpy(low, text, len);
    low[len] = '\0';
    int rc = duration_parse(low, &r.low_us, err);
    if (rc == 0) rc = duration_parse(dots + 2, &r.high_us, err);
    if (rc != 0) return rc;
    if (r.low_us > r.high_us)
        return error_set(err, "'%.60s' runs backwards: write the shorter duration first", text);
    *range = r;
    return 0;
}

void duration_format(uint64_t us, char text[DURATION_TEXT_MAX]) {
    if (us < 1000)
        snprintf(text, DURATION_TEXT_MAX, "%uus", (unsigned)us);
    else if (us < 1000000)
        snprintf(text, DURATION_TEXT_MAX, "%.14gms", (double)us / 1e3);
    else
        snprintf(text, DURATION_TEXT_MAX, "%.14gs", (double)us / 1e6);
}

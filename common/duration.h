// Durations as people write them: 250us, 10ms, 1.5s, 5m, 1h, 0. Kept in whole microseconds.
#pragma once

#include "common/error.h"

#include <stdint.h>

#define DURATION_MAX_US (366ULL * 24 * 3600 * 1000000) // one year: more is a typing error

struct duration_range { // both ends included
    uint64_t low_us;
    uint64_t high_us;
};

int duration_parse(const char *text, uint64_t *us, struct error *err);
// Of a timeout: in whole milliseconds, rounded up. 0 is refused.
int duration_timeout_parse(const char *text, uint64_t *ms, struct error *err);
// "10ms..2s", or one duration for both ends.
int duration_range_parse(const char *text, struct duration_range *range, struct error *err);

enum { DURATION_TEXT_MAX = 32 };
void duration_format(uint64_t us, char text[DURATION_TEXT_MAX]); // "250us", "1.5s", "30s"

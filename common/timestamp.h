// Moments as APIs write them: RFC 3339, in UTC, always with milliseconds.
#pragma once

#include <stdbool.h>

enum { TIMESTAMP_MAX = 32 };

void timestamp_format(long long wall_ms, char text[TIMESTAMP_MAX]); // "2026-03-01T23:59:59.007Z"
bool timestamp_parse(const char *text, long long *wall_ms); // of that form alone

// Reading the clocks. Pure code gets what they say as an argument instead.
#pragma once

#include <stdint.h>

uint64_t clock_monotonic_us(void); // since some moment before: for durations
double clock_monotonic_s(void);
uint64_t clock_boot_ms(void);  // the same while the machine sleeps, too
long long clock_wall_ms(void); // since the epoch: for people

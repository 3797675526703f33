// What a scrape says, the answer of a /metrics/ in Prometheus' text format.
#pragma once

#include <stdbool.h>

// The sum of all samples that the selector matches: name, or name{label="value"}, where labels that
// it does not name may have any value. False: nothing matches, and the sum is 0.
bool scrape_sum(const char *scrape, const char *selector, double *sum);

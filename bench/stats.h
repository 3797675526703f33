// Medians and other quantiles.
#pragma once

#include <stddef.h>

void stats_sort(double *values, size_t count);
// Of sorted values, between two of them in proportion (the definition that R and NumPy take unless
// told otherwise). count > 0, 0 <= q <= 1.
double stats_quantile(const double *sorted, size_t count, double q);
double stats_median(double *values, size_t count); // sorts them

#include "bench/stats.h"

#include <assert.h>
#include <stdlib.h>

static int by_value(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

void stats_sort(double *values, size_t count) {
    if (count > 1) qsort(values, count, sizeof *values, by_value);
}

double stats_quantile(const double *sorted, size_t count, double q) {
    assert(count > 0 && q >= 0 && q <= 1);
    double at = q * (double)(count - 1);
    size_t below = (size_t)at;
    if (below + 1 >= count) return sorted[count - 1];
    return sorted[below] + (at - (double)below) * (sorted[below + 1] - sorted[below]);
}

double stats_median(double *values, size_t count) {
    stats_sort(values, count);
    return stats_quantile(values, count, 0.5);
}

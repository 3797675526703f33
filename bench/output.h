// What becomes of a result: on the terminal, in files, and in RESULTS.md.
#pragma once

#include "bench/bench.h"

void output_terminal(const struct bench_result *result);
int output_csv(const struct bench_result *result, const char *path, struct error *err);
int output_json(const struct bench_result *result, const char *path, struct error *err);
// NAME.svg and NAME.png of each plot into an existing folder, by gnuplot.
int output_plots(const struct bench_result *result, const char *folder, struct error *err);
// RESULTS.md in the folder, which holds the plots in plots/: the goals of all results first.
int output_markdown(const struct bench_result *results, size_t count, const char *folder,
                    double seconds, struct error *err);

// What the subcommands of the bench share: options, progress, and what they hand back.
#pragma once

#include "bench/lab.h"
#include "bench/table.h"
#include "common/duration.h"
#include "orchestrator/peers_config.h"
#include "simulator/network_source.h"

#include <stdbool.h>

enum {
    BENCH_NODES_MAX = 8,
    BENCH_TABLES_MAX = 4,
    BENCH_GOALS_MAX = 8,
    BENCH_PLOTS_MAX = 2,
    BENCH_NOTES_MAX = 16
};

struct bench_config {
    const char *peers; // the folder of the peers' scripts
    struct network_source source;
    const char *latency; // as given; NULL: the network's own
    struct duration_range latency_range;
    double time_scale;
    unsigned workers; // 0: the subcommand's own choice
    unsigned addresses;
    uint64_t seed;
    unsigned runs;                   // 0: the subcommand's own choice
    bool nodes[BENCH_NODES_MAX + 1]; // cluster: how many orchestrators; none: its own choice
    unsigned devices;                // cluster: 0: its own choice
    double failure_rate;
    uint64_t connect_timeout_ms, call_timeout_ms, install_timeout_ms; // of the orchestrator
    struct peers_config peers_config;                                 // likewise
    const char *metrics;  // a saved scrape to learn durations from
    bool verify;          // whatif: against a live run
    const char *timeline; // whatif: the file for the picture of a run; NULL: none
    bool tiny;            // only to show that all of it works
    bool progress;        // is shown
};

struct bench_goal {
    const char *what;
    const char *unit;
    double wanted, measured;
    bool at_least; // wanted is a lower bound; an upper one otherwise
};

struct bench_plot {
    const char *name;  // of its files
    unsigned panels;   // beside one another
    struct buf script; // gnuplot's, without terminal and output
};

struct bench_result {
    const char *name;
    char command[384]; // that gives it again
    struct table tables[BENCH_TABLES_MAX];
    size_t tables_count;
    struct bench_goal goals[BENCH_GOALS_MAX];
    size_t goals_count;
    struct bench_plot plots[BENCH_PLOTS_MAX];
    size_t plots_count;
    char *notes[BENCH_NOTES_MAX]; // how it was measured, and what it means
    size_t notes_count;
};

// A measurement. commands.def lists them; each has a file of its own.
struct bench_command {
    const char *name, *summary;
    bool forecasts; // its options are those of a forecast, too
    bool clusters;  // ... and those of several orchestrators
    int (*run)(const struct bench_config *config, struct bench_result *result, struct error *err);
};

#define X(name) extern const struct bench_command bench_##name;
#include "bench/commands.def"
#undef X

struct table *bench_table(struct bench_result *result, const char *title,
                          const struct table_column *columns, size_t count);
void bench_goal(struct bench_result *result, struct bench_goal goal);
// To write the script to.
struct buf *bench_plot(struct bench_result *result, const char *name, unsigned panels);
void bench_note(struct bench_result *result, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void bench_result_deinit(struct bench_result *result);

// A bar on a terminal, a line elsewhere, on stderr. total 0: only what is being done.
void bench_progress(const struct bench_config *config, size_t done, size_t total,
                    const char *format, ...) __attribute__((format(printf, 4, 5)));

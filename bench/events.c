// What it costs that hundreds follow a run by its events: how much longer it takes, and what a
// client that does not read costs in memory.
#include "bench/bench.h"
#include "bench/followers.h"
#include "bench/stats.h"
#include "common/count.h"

#include <math.h>

enum { STREAMS = 200, UNREAD = 50, RUNS = 5, RUNS_TINY = 1, UNREAD_RUNS = 8 };

static const char *const versions[] = {"5.3.1", "5.4.1"};

struct outcome {
    double wall_s, cpu_s, memory_bytes;
    struct followed followed;
};

// So many upgrades of the ACME network, one after another, which so many follow.
static int play(const struct bench_config *config, uint64_t seed, size_t streams, bool read,
                unsigned upgrades, struct outcome *out, struct error *err) {
    struct lab lab;
    struct error second;
    struct followers *followers = NULL;
    const struct lab_config lab_config = {.latency = read ? NULL : "0",
                                          .time_scale = config->tiny ? 0.01 : 0.25,
                                          .addresses = config->addresses,
                                          .seed = seed,
                                          .workers = config->workers == 0 ? 100 : config->workers,
                                          .keeps = true};
    int rc = lab_start(&lab, &lab_config, err);
    if (rc != 0) return rc;
    if (streams > 0) rc = followers_start(&followers, lab.orchestrator.url, streams, read, err);
    *out = (struct outcome){0};
    for (unsigned i = 0; rc == 0 && i < upgrades; i++) {
        struct lab_run run;
        rc = lab_upgrade(&lab, versions[i % COUNT(versions)], &run, err);
        out->wall_s += run.wall_s;
        out->cpu_s += run.cpu_s;
    }
    out->memory_bytes = (double)process_memory(&lab.orchestrator.process).peak;
    out->followed = followers_end(followers);
    int stopped = lab_stop(&lab, rc == 0 ? err : &second);
    return rc == 0 ? stopped : rc;
}

static const struct table_column columns[] = {
    {"streams", 0},         {"runs", 0},           {"makespan s", 2}, {"CPU s", 2}, {"lost", 0},
    {"read per run MB", 1}, {"peak memory MB", 1},
};

static void add_row(struct table *table, double streams, unsigned runs, const struct outcome *sum) {
    table_row(table, streams, (double)runs, sum->wall_s / runs, sum->cpu_s / runs,
              (double)sum->followed.lost, (double)sum->followed.bytes / runs / 1e6,
              sum->memory_bytes / 1e6);
}

static void sum_up(struct outcome *sum, const struct outcome *one) {
    sum->wall_s += one->wall_s;
    sum->cpu_s += one->cpu_s;
    sum->followed.lost += one->followed.lost;
    sum->followed.bytes += one->followed.bytes;
    sum->memory_bytes = fmax(sum->memory_bytes, one->memory_bytes);
}

// Pairs with the same seed, by turns first: what the machine does beside falls on both.
static int followed(const struct bench_config *config, struct bench_result *result,
                    struct table *table, struct error *err) {
    const unsigned runs = config->tiny ? RUNS_TINY : config->runs == 0 ? RUNS : config->runs;
    struct outcome alone = {0}, watched = {0};
    double ratios[64];
    int rc = 0;
    for (unsigned i = 0; rc == 0 && i < runs && i < COUNT(ratios); i++) {
        struct outcome one[2];
        for (unsigned half = 0; rc == 0 && half < 2; half++) {
            const unsigned which = (half + i) % 2;
            bench_progress(config, 2 * i + half, 2 * (size_t)runs, "an upgrade that %d follow",
                           which == 0 ? 0 : STREAMS);
            rc =
                play(config, config->seed + i, which == 0 ? 0 : STREAMS, true, 1, &one[which], err);
        }
        if (rc != 0) return rc;
        sum_up(&alone, &one[0]);
        sum_up(&watched, &one[1]);
        ratios[i] = one[1].wall_s / one[0].wall_s;
    }
    add_row(table, 0, runs, &alone);
    add_row(table, STREAMS, runs, &watched);
    stats_sort(ratios, runs);
    bench_goal(result, (struct bench_goal){"makespan of an upgrade that 200 clients follow, over "
                                           "one that nobody does",
                                           "", 1.03, stats_quantile(ratios, runs, 0.5), false});
    bench_goal(result, (struct bench_goal){"clients that read, and whose stream ended before", "",
                                           0, (double)watched.followed.lost, false});
    return 0;
}

static int unread(const struct bench_config *config, struct bench_result *result,
                  struct table *table, struct error *err) {
    const unsigned upgrades = config->tiny ? 1 : UNREAD_RUNS;
    struct outcome alone, watched;
    bench_progress(config, 0, 0, "upgrades whose events nobody reads");
    int rc = play(config, config->seed, 0, false, upgrades, &alone, err);
    if (rc == 0) rc = play(config, config->seed, UNREAD, false, upgrades, &watched, err);
    if (rc != 0) return rc;
    add_row(table, 0, upgrades, &alone);
    add_row(table, UNREAD, upgrades, &watched);
    bench_goal(result, (struct bench_goal){
                           "memory of a stream that is not read", " MiB", 1.25,
                           (watched.memory_bytes - alone.memory_bytes) / UNREAD / 1048576, false});
    return 0;
}

static int run_command(const struct bench_config *config, struct bench_result *result,
                       struct error *err) {
    struct table *table =
        bench_table(result, "The ACME network, followed by its events", columns, COUNT(columns));
    int rc = followed(config, result, table, err);
    if (rc == 0) rc = unread(config, result, table, err);
    bench_note(
        result,
        "Jobs in a store, real latencies at a quarter, pairs with the same seed; the ratio is "
        "their median. All clients are one thread of the bench, on the same machine. The "
        "last two rows: at latency 0, %d upgrades one after another by one service; a "
        "stream that is not read may hold 1 MiB, and a piece that is on its way.",
        config->tiny ? 1 : UNREAD_RUNS);
    return rc;
}

const struct bench_command bench_events = {
    .name = "events",
    .summary = "what it costs that hundreds follow a run",

    .run = run_command,
};

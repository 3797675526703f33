// What it costs that the devices speak TLS: CPU of both ends, devices a second, and how long a
// handshake, or many at once, keep the loops.
#include "bench/bench.h"
#include "bench/stats.h"
#include "common/count.h"
#include "common/process.h"

#include <errno.h>
#include <unistd.h>

enum { PATIENCE_US = 60 * 1000 * 1000 }; // handshakes wait for their turn at both ends
enum { RUNS = 10, RUNS_MAX = 64, ENDS = 2 };

static const char version[] = "9.1.1"; // that none runs

struct series { // of the runs with TLS, or of those without
    double rate[RUNS_MAX], orchestrator_us[RUNS_MAX], simulator_us[RUNS_MAX];
    double orchestrator_turn_ms[RUNS_MAX], simulator_turn_ms[RUNS_MAX];
};

static int play(const struct bench_config *config, bool tls, uint64_t seed, const char *turns,
                struct series *s, unsigned i, struct error *err) {
    struct lab lab;
    struct lab_run run = {0};
    struct lab_counts counts;
    struct error second;
    const struct lab_config lab_config = {.latency = "0",
                                          .time_scale = 1,
                                          .addresses = config->addresses,
                                          .seed = seed,
                                          .workers = config->workers == 0 ? 100 : config->workers,
                                          .turns = turns,
                                          .connect_timeout_us = PATIENCE_US,
                                          .tls = tls};
    int rc = lab_start(&lab, &lab_config, err);
    if (rc != 0) return rc;
    rc = lab_count(&lab, &counts, err);
    if (rc == 0) rc = lab_upgrade(&lab, version, &run, err);
    if (rc == 0) rc = lab_check(&lab, &counts, &run, err);
    const int stopped = lab_stop(&lab, rc == 0 ? err : &second);
    if (rc != 0 || stopped != 0) return rc != 0 ? rc : stopped;
    s->rate[i] = (double)run.completed / run.wall_s;
    s->orchestrator_us[i] = run.cpu_s / (double)run.completed * 1e6;
    s->simulator_us[i] = run.simulator_cpu_s / (double)run.completed * 1e6;
    s->orchestrator_turn_ms[i] = lab.orchestrator_turn_us / 1e3;
    s->simulator_turn_ms[i] = lab.simulator_turn_us / 1e3;
    return 0;
}

static const struct table_column columns[] = {
    {"devices", TABLE_TEXT},
    {"runs", 0},
    {"devices/s", 0},
    {"orchestrator us/device", 0},
    {"simulator us/device", 0},
    {"orchestrator's longest turn ms", 1},
    {"simulator's longest turn ms", 1},
};

static void add_row(struct table *table, const char *name, struct series *s, unsigned runs) {
    table_row(table, name, (double)runs, stats_median(s->rate, runs),
              stats_median(s->orchestrator_us, runs), stats_median(s->simulator_us, runs),
              stats_median(s->orchestrator_turn_ms, runs),
              stats_median(s->simulator_turn_ms, runs));
}

static int find_turns(char turns[512], struct error *err) {
    process_beside("turns.so", turns);
    if (access(turns, R_OK) == 0) return 0;
    return error_system(err, -errno, "%s, which make bench-programs makes", turns);
}

static int run_command(const struct bench_config *config, struct bench_result *result,
                       struct error *err) {
    static const char *const names[ENDS] = {"plain text", "TLS 1.3"};
    struct table *table = bench_table(result, "The ACME network at latency 0, without TLS and with",
                                      columns, COUNT(columns));
    const unsigned given = config->runs == 0 ? RUNS : config->runs;
    const unsigned runs = config->tiny ? 1 : given < RUNS_MAX ? given : RUNS_MAX;
    struct series all[ENDS] = {0};
    char turns[512];
    int rc = find_turns(turns, err);
    for (unsigned i = 0; rc == 0 && i < runs; i++)
        for (unsigned half = 0; rc == 0 && half < ENDS; half++) { // each first by turns
            const unsigned which = (half + i) % ENDS;
            bench_progress(config, 2 * i + half, 2 * (size_t)runs, "an upgrade over %s",
                           names[which]);
            rc = play(config, which == 1, config->seed + i, turns, &all[which], i, err);
        }
    if (rc != 0) return rc;
    for (unsigned which = 0; which < ENDS; which++)
        add_row(table, names[which], &all[which], runs);
    bench_goal(result, (struct bench_goal){
                           "the orchestrator's longest turn with TLS over that without", "", 2,
                           stats_median(all[1].orchestrator_turn_ms, runs) /
                               stats_median(all[0].orchestrator_turn_ms, runs),
                           false});
    bench_goal(result,
               (struct bench_goal){"the simulator's longest turn with TLS over that without", "", 3,
                                   stats_median(all[1].simulator_turn_ms, runs) /
                                       stats_median(all[0].simulator_turn_ms, runs),
                                   false});
    bench_note(
        result,
        "848 devices, %u workers, medians. Each device is connected to once, or twice where "
        "its session was not kept. A turn is from one wait for events to the next, in CPU of "
        "the main thread. ECDSA P-256 at the devices, one certificate for all of an address.",
        config->workers == 0 ? 100 : config->workers);
    return 0;
}

const struct bench_command bench_tls = {
    .name = "tls",
    .summary = "what TLS to devices costs at both ends",

    .run = run_command,
};

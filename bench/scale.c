// From a thousand devices to a million: what a device costs at each size, and the memory of a host
// that waits for its turn.
#include "bench/bench.h"
#include "bench/controlled.h"
#include "bench/interrupted.h"
#include "bench/networks.h"
#include "bench/stats.h"
#include "common/count.h"
#include "common/mem.h"

#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const char version[] = "5.3.1";
enum { WORKERS = 1000, SMALL = 1000, MEDIUM = 10000, MEDIUM_RUNS = 5, QUEUE_S = 600 };

struct size { // one row
    uint32_t devices;
    double wall_s, cpu_us, simulator_cpu_us;
    double peak_mb, after_mb, simulator_mb; // resident
};

static int run(const struct bench_config *config, const char *network, struct size *size,
               struct error *err) {
    struct lab lab;
    struct lab_run run;
    struct lab_counts counts;
    const struct lab_config lab_config = {.network = network,
                                          .time_scale = 1,
                                          .addresses = config->addresses,
                                          .seed = config->seed,
                                          .workers =
                                              config->workers == 0 ? WORKERS : config->workers};
    int rc = lab_start(&lab, &lab_config, err);
    if (rc != 0) return rc;
    rc = lab_count(&lab, &counts, err);
    if (rc == 0) rc = lab_upgrade(&lab, version, &run, err);
    struct process_memory memory = process_memory(&lab.orchestrator.process);
    size->simulator_mb = (double)process_memory(&lab.simulator.process).resident / 1e6;
    if (rc == 0) rc = lab_check(&lab, &counts, &run, err);
    if (rc == 0) rc = lab_check_versions(&lab, version, size->devices, err);
    struct error second;
    int stopped = lab_stop(&lab, rc == 0 ? err : &second);
    if (rc != 0 || stopped != 0) return rc != 0 ? rc : stopped;
    size->wall_s = run.wall_s;
    size->cpu_us = run.cpu_s / size->devices * 1e6;
    size->simulator_cpu_us = run.simulator_cpu_s / size->devices * 1e6;
    size->peak_mb = (double)memory.peak / 1e6;
    size->after_mb = (double)memory.resident / 1e6;
    return 0;
}

// The run of the median wall time, out of several.
static int run_median(const struct bench_config *config, const char *network, unsigned runs,
                      struct size *size, struct error *err) {
    struct size all[MEDIUM_RUNS];
    double walls[MEDIUM_RUNS];
    for (unsigned i = 0; i < runs; i++) {
        all[i] = *size;
        int rc = run(config, network, &all[i], err);
        if (rc != 0) return rc;
        walls[i] = all[i].wall_s;
    }
    double median = stats_median(walls, runs);
    for (unsigned i = 0; i < runs; i++)
        if (all[i].wall_s == median) *size = all[i]; // the runs are odd in number
    return 0;
}

static const struct table_column columns[] = {
    {"devices", 0},
    {"seconds", 2},
    {"devices/s", 0},
    {"us/device", 1},
    {"orchestrator CPU us/device", 1},
    {"simulator CPU us/device", 1},
    {"orchestrator peak MB", 1},
    {"MB after the run", 1},
    {"simulator MB", 1},
};

static int sizes(const struct bench_config *config, struct bench_result *result,
                 struct error *err) {
    static const uint32_t all[] = {SMALL, MEDIUM, 100000, 1000000};
    struct table *table = bench_table(result, "Latency 0, 1000 workers", columns, COUNT(columns));
    size_t count = config->tiny ? 1 : COUNT(all);
    double at_medium = NAN, at_last = NAN;
    for (size_t i = 0; i < count; i++) {
        char network[SCRATCH_PATH_MAX];
        struct size size = {.devices = all[i]};
        bench_progress(config, i, count, "%u devices", all[i]);
        int rc = networks_make(all[i], "0", network, err);
        if (rc != 0) return rc;
        rc = run_median(config, network, all[i] <= MEDIUM && !config->tiny ? MEDIUM_RUNS : 1, &size,
                        err);
        if (rc != 0) {
            error_from(err, "%u devices", all[i]);
            return rc;
        }
        double each_us = size.wall_s / size.devices * 1e6;
        if (all[i] == MEDIUM) at_medium = each_us;
        at_last = each_us;
        table_row(table, (double)size.devices, size.wall_s, size.devices / size.wall_s, each_us,
                  size.cpu_us, size.simulator_cpu_us, size.peak_mb, size.after_mb,
                  size.simulator_mb);
    }
    if (config->tiny) return 0;
    bench_goal(result, (struct bench_goal){"a million devices: time per device over that at ten "
                                           "thousand",
                                           "", 1.3, at_last / at_medium, false});
    return 0;
}

// --- memory of what waits

struct queued {
    double simulator_rest, orchestrator, peak; // bytes
};

// One worker, and a device that never answers: all others wait.
static int measure_queue(const struct bench_config *config, uint32_t devices, struct queued *q,
                         struct error *err) {
    char network[SCRATCH_PATH_MAX], inventory[64];
    struct lab lab;
    struct buf events = {0};
    struct error ignored;
    int rc = networks_make(devices, "1h", network, err);
    if (rc != 0) return rc;
    const struct lab_config lab_config = {
        .network = network, .time_scale = 1, .addresses = 1, .seed = config->seed, .workers = 1};
    rc = lab_start(&lab, &lab_config, err);
    if (rc != 0) return rc;
    snprintf(inventory, sizeof inventory, "/events/?after=0&wait=%ds", 60);
    q->simulator_rest = (double)process_memory(&lab.simulator.process).resident;
    int connection = -1;
    rc = lab_begin_upgrade(&lab, version, &connection, err);
    for (int i = 0; rc == 0 && strstr(events.len == 0 ? "" : events.data, "login") == NULL; i++) {
        buf_clear(&events);
        rc = i == QUEUE_S / 60 ? error_set(err, "no host was started within %d s", QUEUE_S)
                               : lab_get(&lab.simulator, inventory, &events, err);
    }
    struct process_memory memory = process_memory(&lab.orchestrator.process);
    q->orchestrator = (double)memory.resident;
    q->peak = (double)memory.peak;
    buf_deinit(&events);
    if (connection >= 0) close(connection);
    process_end(&lab.orchestrator.process, SIGKILL, 60, NULL,
                &ignored); // its device will not answer
    int stopped = lab_stop(&lab, rc == 0 ? err : &ignored);
    return rc != 0 ? rc : stopped;
}

static int queues(const struct bench_config *config, struct bench_result *result,
                  struct error *err) {
    static const struct table_column memory_columns[] = {
        {"program", TABLE_TEXT}, {"bytes per device", 1}, {"peak, bytes per device", 1}};
    struct table *table = bench_table(result,
                                      "Memory per device: the difference between a million "
                                      "and a thousand",
                                      memory_columns, 3);
    uint32_t many = config->tiny ? 2 * SMALL : 1000000;
    struct queued small, large;
    bench_progress(config, 0, 0, "memory of queued hosts");
    int rc = measure_queue(config, SMALL, &small, err);
    if (rc == 0) rc = measure_queue(config, many, &large, err);
    if (rc != 0) return rc;
    double devices = many - SMALL;
    double simulator = (large.simulator_rest - small.simulator_rest) / devices;
    double orchestrator = (large.orchestrator - small.orchestrator) / devices;
    table_row(table, "simulator, at rest", simulator, NAN);
    table_row(table, "orchestrator, hosts queued", orchestrator,
              (large.peak - small.peak) / devices);
    if (config->tiny) return 0;
    bench_goal(result, (struct bench_goal){"memory of the simulator per device at rest", " bytes",
                                           200, simulator, false});
    bench_goal(result, (struct bench_goal){"memory of the orchestrator per queued host", " bytes",
                                           300, orchestrator, false});
    return 0;
}

static int run_command(const struct bench_config *config, struct bench_result *result,
                       struct error *err) {
    int rc = sizes(config, result, err);
    if (rc == 0) rc = queues(config, result, err);
    if (rc == 0) rc = interrupted_measure(config, result, err);
    if (rc == 0) rc = controlled_measure(config, result, err);
    if (rc != 0) return rc;
    bench_note(result,
               "After each run every device ran the wanted version, the simulator had "
               "counted one install for each, and one login at least (peers are asked, too), and "
               "the referee had seen no violation. The seconds are those of the request, the "
               "inventory included. The "
               "peak is reached while the inventory is parsed.");
    return 0;
}

const struct bench_command bench_scale = {
    .name = "scale",
    .summary = "from a thousand devices to a million: time and memory per device",

    .run = run_command,
};

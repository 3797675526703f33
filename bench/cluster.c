// The same job on one orchestrator that keeps nothing, on one with a file, and on one to three that
// share a PostgreSQL server of the bench's own; then how long a take-over takes. Every arrangement
// is started anew for each run, one after another, so that none has a warmer machine.
#include "bench/bench.h"
#include "bench/cluster_nodes.h"
#include "bench/database.h"
#include "bench/networks.h"
#include "bench/stats.h"
#include "bench/takeover.h"
#include "common/count.h"
#include "common/mem.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static const char version[] = "5.3.1";
enum { DEVICES = 20000, SLOW_DEVICES = 6000, TINY = 1000, WORKERS = 100, RUNS = 3, RUNS_MAX = 50 };
enum { ARRANGEMENTS_MAX = BENCH_NODES_MAX + 2, IDLE_MS = 4000, IDLE_TINY_MS = 200 };
static const char slow[] = "100ms";

struct arrangement {
    const char *name;
    unsigned nodes;
    bool keeps, is_shared; // in a file; in the database
};

enum figure {
    DEVICES_PER_S,
    NODES_US,
    SERVER_US,
    SIMULATOR_US,
    KEPT_BYTES,
    WAL_BYTES,
    PEAK_MB,
    AFTER_MB,
    IDLE_NODE_MS,
    IDLE_SERVER_MS,
    LOAD,
    FIGURES
};

static const struct table_column columns[] = {
    {"jobs in", TABLE_TEXT},
    {"nodes", 0},
    {"runs", 0},
    {"devices/s", 0},
    {"nodes CPU us/device", 1},
    {"server CPU us/device", 1},
    {"simulator CPU us/device", 1},
    {"server keeps bytes/device", 0},
    {"WAL bytes/device", 0},
    {"peak MB of a node", 1},
    {"MB after the run", 1},
    {"idle: a node CPU ms/s", 1},
    {"idle: server CPU ms/s", 1},
    {"load before", 1},
};

struct series {
    double figures[FIGURES][RUNS_MAX];
    unsigned runs;
};

struct contest {
    const struct bench_config *config;
    struct database database;
    char network[SCRATCH_PATH_MAX];
    uint32_t devices;
    bool idles; // what is used without a job is measured, too
};

// Nothing, where there is no server.
static int use_of(const struct contest *c, const struct arrangement *a, struct database_use *use,
                  struct error *err) {
    *use = (struct database_use){NAN, NAN, NAN};
    return a->is_shared ? database_use(&c->database, use, err) : 0;
}

static int idle(const struct contest *c, const struct arrangement *a, struct cluster *cluster,
                double figures[FIGURES], struct error *err) {
    const unsigned ms = c->config->tiny ? IDLE_TINY_MS : IDLE_MS;
    struct database_use before, after;
    const double cpu_s = cluster_cpu_s(cluster);
    int rc = use_of(c, a, &before, err);
    if (rc != 0) return rc;
    usleep(ms * 1000);
    const double used_s = cluster_cpu_s(cluster) - cpu_s;
    rc = use_of(c, a, &after, err);
    figures[IDLE_NODE_MS] = used_s * 1e6 / ms / a->nodes;
    figures[IDLE_SERVER_MS] = (after.cpu_s - before.cpu_s) * 1e6 / ms;
    return rc;
}

static int upgrade(const struct contest *c, const struct arrangement *a, struct cluster *cluster,
                   double figures[FIGURES], struct error *err) {
    struct database_use before, after;
    struct lab_counts counts;
    struct lab_run run;
    const double devices = c->devices;
    int rc = lab_count(&cluster->lab, &counts, err);
    if (rc == 0) rc = use_of(c, a, &before, err);
    if (rc != 0) return rc;
    const double cpu_s = cluster_cpu_s(cluster);
    rc = lab_upgrade(&cluster->lab, version, &run, err);
    const double used_s = cluster_cpu_s(cluster) - cpu_s;
    if (rc == 0) rc = use_of(c, a, &after, err);
    if (rc == 0) rc = lab_check(&cluster->lab, &counts, &run, err);
    if (rc == 0) rc = lab_check_versions(&cluster->lab, version, c->devices, err);
    if (rc != 0) return rc;
    const struct process_memory memory = cluster_memory(cluster);
    figures[DEVICES_PER_S] = devices / run.wall_s;
    figures[NODES_US] = used_s / devices * 1e6;
    figures[SERVER_US] = (after.cpu_s - before.cpu_s) / devices * 1e6;
    figures[SIMULATOR_US] = run.simulator_cpu_s / devices * 1e6;
    figures[KEPT_BYTES] = (after.kept_bytes - before.kept_bytes) / devices;
    figures[WAL_BYTES] = (after.wal_bytes - before.wal_bytes) / devices;
    figures[PEAK_MB] = (double)memory.peak / 1e6;
    figures[AFTER_MB] = (double)memory.resident / 1e6;
    return 0;
}

static int run(struct contest *c, const struct arrangement *a, struct series *s,
               struct error *err) {
    const struct bench_config *config = c->config;
    const struct lab_config lab_config = {.network = c->network,
                                          .time_scale = 1,
                                          .addresses = config->addresses,
                                          .seed = config->seed,
                                          .workers =
                                              config->workers == 0 ? WORKERS : config->workers,
                                          .keeps = a->keeps,
                                          .state = a->is_shared ? c->database.uri : NULL};
    struct cluster cluster;
    struct error second;
    double figures[FIGURES];
    for (size_t i = 0; i < FIGURES; i++)
        figures[i] = NAN;
    getloadavg(&figures[LOAD], 1);
    int rc =
        cluster_start(&cluster, &lab_config, a->is_shared ? &c->database : NULL, a->nodes, err);
    if (rc != 0) return rc;
    if (c->idles) rc = idle(c, a, &cluster, figures, err);
    if (rc == 0) rc = upgrade(c, a, &cluster, figures, err);
    int stopped = cluster_stop(&cluster, rc == 0 ? err : &second);
    if (rc != 0 || stopped != 0) return rc != 0 ? rc : stopped;
    for (size_t i = 0; i < FIGURES; i++)
        s->figures[i][s->runs] = figures[i];
    s->runs++;
    return 0;
}

static double median(struct series *s, enum figure figure) {
    return stats_median(s->figures[figure], s->runs);
}

static void add_row(struct table *table, const struct arrangement *a, struct series *s) {
    table_row(table, a->name, (double)a->nodes, (double)s->runs, median(s, DEVICES_PER_S),
              median(s, NODES_US), median(s, SERVER_US), median(s, SIMULATOR_US),
              median(s, KEPT_BYTES), median(s, WAL_BYTES), median(s, PEAK_MB), median(s, AFTER_MB),
              median(s, IDLE_NODE_MS), median(s, IDLE_SERVER_MS), median(s, LOAD));
}

static int compare(struct contest *c, const struct arrangement *all, size_t count, unsigned runs,
                   struct table *table, struct error *err) {
    struct series *series = mem_array(count, sizeof *series);
    int rc = 0;
    for (size_t i = 0; i < count; i++)
        series[i].runs = 0;
    for (size_t i = 0; rc == 0 && i < runs * count; i++) {
        const struct arrangement *a = &all[i % count];
        bench_progress(c->config, i, runs * count, "%u devices, jobs in %s, nodes: %u", c->devices,
                       a->name, a->nodes);
        rc = run(c, a, &series[i % count], err);
        if (rc != 0) error_from(err, "jobs in %s, nodes: %u", a->name, a->nodes);
    }
    for (size_t i = 0; rc == 0 && i < count; i++)
        add_row(table, &all[i], &series[i]);
    free(series);
    return rc;
}

static size_t arrange(const struct bench_config *config, struct arrangement *all) {
    size_t count = 0;
    bool is_given = false;
    all[count++] = (struct arrangement){.name = "memory", .nodes = 1};
    all[count++] = (struct arrangement){.name = "a file", .nodes = 1, .keeps = true};
    for (unsigned n = 1; n <= BENCH_NODES_MAX; n++)
        is_given = is_given || config->nodes[n];
    for (unsigned n = 1; n <= BENCH_NODES_MAX; n++)
        if (is_given ? config->nodes[n] : n <= 3)
            all[count++] =
                (struct arrangement){.name = "PostgreSQL", .nodes = n, .is_shared = true};
    return count;
}

static unsigned runs_of(const struct bench_config *config) {
    if (config->tiny) return 1;
    if (config->runs == 0) return RUNS;
    return config->runs < RUNS_MAX ? config->runs : RUNS_MAX;
}

// What the processors allow, and what the workers allow.
static int measure(struct contest *c, struct bench_result *result, struct error *err) {
    const struct bench_config *config = c->config;
    struct arrangement all[ARRANGEMENTS_MAX];
    const size_t count = arrange(config, all);
    struct table *table = bench_table(result, "The same job on one node and on several, latency 0",
                                      columns, COUNT(columns));
    c->devices = config->tiny ? TINY : config->devices == 0 ? DEVICES : config->devices;
    c->idles = true;
    int rc = networks_make(c->devices, "0", c->network, err);
    if (rc == 0) rc = compare(c, all, count, runs_of(config), table, err);
    if (rc != 0 || config->tiny) return rc;
    table = bench_table(result, "... at 100 ms a call, where the workers are the limit", columns,
                        COUNT(columns));
    c->devices = SLOW_DEVICES;
    c->idles = false;
    rc = networks_make(c->devices, slow, c->network, err);
    return rc == 0 ? compare(c, all + 2, count - 2, 1, table, err) : rc;
}

static int run_command(const struct bench_config *config, struct bench_result *result,
                       struct error *err) {
    struct contest c = {.config = config};
    int rc = database_start(&c.database, err);
    if (rc == 0) rc = measure(&c, result, err);
    if (rc == 0) rc = takeover_measure(config, &c.database, result, err);
    database_stop(&c.database);
    bench_note(result,
               "%u workers a node, medians. The job is posted at the first node, and its answer "
               "awaited. The server is one of the bench's own, on the same machine, with Debian's "
               "settings; its CPU is that of all its processes, in ticks of 10 ms. All share the "
               "processors: nodes, server and simulator. After each run every device ran the "
               "wanted version, the simulator had counted one install for each, and the referee "
               "had seen no violation.",
               config->workers == 0 ? WORKERS : config->workers);
    return rc;
}

const struct bench_command bench_cluster = {
    .name = "cluster",
    .summary = "several orchestrators over one PostgreSQL, and how soon a dead one's work is taken",
    .clusters = true,
    .run = run_command,
};

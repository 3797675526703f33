// CPU per device of the orchestrator, as users run it, against the floor (floor.c: the same bytes
// with the same devices, and no decision) and against clients in Python. All in turn on the same
// simulator, without latency; what is compared is each pair's ratio, because the cost of a
// connection drifts with the state of the kernel's ports.
#include "bench/bench.h"
#include "bench/networks.h"
#include "bench/processors.h"
#include "bench/stats.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const char version[] = "5.3.1";
static const char python[] = "/usr/bin/python3"; // Debian's
enum { DEVICES = 5000, PAIRS = 21, PEER_ROUNDS = 5, RUNS_MAX = 256, WORKERS = 100 };

struct contest {
    const struct bench_config *config;
    struct lab lab;
    unsigned workers;
    char network[NETWORKS_PATH_MAX];
};

static int start(struct contest *c, const struct bench_config *config, struct error *err) {
    c->config = config;
    c->workers = config->workers == 0 ? WORKERS : config->workers;
    int rc = networks_make(config->tiny ? 1000 : DEVICES, "0", c->network, err);
    if (rc != 0) return rc;
    const struct lab_config lab_config = {.binaries = config->binaries,
                                          .network = c->network,
                                          .time_scale = 1,
                                          .addresses = config->addresses,
                                          .seed = config->seed,
                                          .workers = c->workers};
    rc = lab_start(&c->lab, &lab_config, err);
    if (rc != 0) unlink(c->network);
    return rc;
}

static int stop(struct contest *c, int rc, struct error *err) {
    struct error second;
    int stopped = lab_stop(&c->lab, rc == 0 ? err : &second);
    unlink(c->network);
    return rc != 0 ? rc : stopped;
}

// One run from the network as born; argv NULL: of the orchestrator. Checked against what the
// simulator counted.
static int run(struct contest *c, const char *const *argv, double *cpu_us, double *wall_us,
               struct error *err) {
    struct lab_counts before;
    struct lab_run run;
    int rc = lab_reset(&c->lab, c->config->seed, err);
    if (rc == 0) rc = lab_count(&c->lab, &before, err);
    if (rc == 0)
        rc = argv == NULL ? lab_upgrade(&c->lab, version, &run, err)
                          : lab_client(&c->lab, argv, version, c->workers, &run, err);
    if (rc == 0) rc = lab_check(&c->lab, &before, &run, err);
    if (rc != 0) return rc;
    *cpu_us = run.cpu_s / (double)run.completed * 1e6;
    *wall_us = run.wall_s / (double)run.completed * 1e6;
    return 0;
}

static const struct table_column columns[] = {
    {"client", TABLE_TEXT}, {"runs", 0},         {"CPU us/device", 1}, {"wall us/device", 1},
    {"ratio 25 %", 3},      {"ratio median", 3}, {"ratio 75 %", 3},
};

static void add_row(struct table *table, const char *name, unsigned runs, double *cpu, double *wall,
                    double *ratios) {
    double quartiles[3] = {NAN, NAN, NAN};
    for (int i = 0; ratios != NULL && i < 3; i++) {
        stats_sort(ratios, runs);
        quartiles[i] = stats_quantile(ratios, runs, 0.25 * (i + 1));
    }
    table_row(table, name, (double)runs, stats_median(cpu, runs), stats_median(wall, runs),
              quartiles[0], quartiles[1], quartiles[2]);
}

// --- the floor

static int against_floor(struct contest *c, struct bench_result *result, double *floor_us,
                         struct error *err) {
    struct table *table =
        bench_table(result, "Against the floor: CPU per device, and the paired ratio to it",
                    columns, sizeof columns / sizeof *columns);
    char path[512];
    const char *const floor[] = {path, NULL};
    double cpu[2][RUNS_MAX], wall[2][RUNS_MAX], ratios[RUNS_MAX];
    unsigned pairs = c->config->tiny ? 1 : c->config->runs == 0 ? PAIRS : c->config->runs;
    if (pairs > RUNS_MAX) pairs = RUNS_MAX;
    snprintf(path, sizeof path, "%s/floor", c->config->binaries);
    double ignored;
    int rc = run(c, floor, &ignored, &ignored, err); // warms up
    if (rc == 0) rc = run(c, NULL, &ignored, &ignored, err);
    for (unsigned i = 0; rc == 0 && i < pairs; i++) {
        bench_progress(c->config, i, pairs, "pairs of floor and orchestrator");
        const char *const *order[2] = {i % 2 == 0 ? floor : NULL, i % 2 == 0 ? NULL : floor};
        for (int turn = 0; rc == 0 && turn < 2; turn++) {
            int which = order[turn] == NULL;
            rc = run(c, order[turn], &cpu[which][i], &wall[which][i], err);
        }
        ratios[i] = cpu[1][i] / cpu[0][i];
    }
    if (rc != 0) return rc;
    add_row(table, "floor", pairs, cpu[0], wall[0], NULL);
    add_row(table, "orchestrator", pairs, cpu[1], wall[1], ratios);
    *floor_us = stats_quantile(cpu[0], pairs, 0.5);
    bench_goal(result,
               (struct bench_goal){"CPU per device over the raw-epoll floor, latency 0, all "
                                   "processors on, median of the pairs",
                                   "", 1.45, stats_quantile(ratios, pairs, 0.5), false});
    return 0;
}

// --- the peers

struct peer {
    const char *name, *script;
};

static const struct peer peers[] = {
    {"Python asyncio", "asyncio_client.py"},
    {"Python thread pool", "threads_client.py"},
    {"Nornir", "nornir_client.py"},
};
enum { PEERS = sizeof peers / sizeof *peers };

static bool has_nornir(void) {
    return access("/usr/lib/python3/dist-packages/nornir", R_OK) == 0;
}

static int against_peers(struct contest *c, struct bench_result *result, struct error *err) {
    struct table *table =
        bench_table(result, "Against peers: CPU per device, and the orchestrator's share of theirs",
                    columns, sizeof columns / sizeof *columns);
    double cpu[PEERS + 1][RUNS_MAX], wall[PEERS + 1][RUNS_MAX], ratios[PEERS][RUNS_MAX];
    unsigned rounds = c->config->tiny ? 1 : PEER_ROUNDS;
    double worst = 0;
    for (unsigned i = 0; i < rounds; i++) {
        bench_progress(c->config, i, rounds, "rounds with the Python clients");
        int rc = run(c, NULL, &cpu[PEERS][i], &wall[PEERS][i], err);
        for (size_t p = 0; rc == 0 && p < PEERS; p++) {
            char path[512];
            const char *const argv[] = {python, path, NULL};
            if (strcmp(peers[p].name, "Nornir") == 0 && !has_nornir()) continue;
            snprintf(path, sizeof path, "%s/%s", c->config->peers, peers[p].script);
            rc = run(c, argv, &cpu[p][i], &wall[p][i], err);
            ratios[p][i] = cpu[PEERS][i] / cpu[p][i];
        }
        if (rc != 0) return rc;
    }
    add_row(table, "orchestrator", rounds, cpu[PEERS], wall[PEERS], NULL);
    for (size_t p = 0; p < PEERS; p++) {
        if (strcmp(peers[p].name, "Nornir") == 0 && !has_nornir()) {
            bench_note(result, "Nornir is not installed here and was not measured.");
            continue;
        }
        add_row(table, peers[p].name, rounds, cpu[p], wall[p], ratios[p]);
        double median = stats_quantile(ratios[p], rounds, 0.5);
        if (median > worst) worst = median;
    }
    bench_goal(result, (struct bench_goal){"CPU per device, share of the cheaper Python peer's", "",
                                           1.0 / 6, worst, false});
    return 0;
}

int bench_overhead(const struct bench_config *config, struct bench_result *result,
                   struct error *err) {
    struct contest c;
    double floor_us = 0, processors_us = 0;
    int rc = start(&c, config, err);
    if (rc != 0) return rc;
    rc = against_floor(&c, result, &floor_us, err);
    if (rc == 0) rc = against_peers(&c, result, err);
    rc = stop(&c, rc, err);
    if (rc == 0) rc = processors_cost(config->tiny ? 1000 : 20000, &processors_us, err);
    if (rc != 0) return rc;
    bench_goal(result, (struct bench_goal){"of it, the processors (log, metrics, report), over the "
                                           "floor",
                                           "", 0.15, processors_us / floor_us, false});
    bench_note(result,
               "%d devices, %u workers, %u addresses, latency 0. The floor's figures leave out the "
               "fetching of the inventory; the orchestrator's are its whole job, from the request "
               "to the report. After every run the simulator had counted one login and one install "
               "for each device, and no violation.",
               config->tiny ? 1000 : DEVICES, c.workers, config->addresses);
    bench_note(result,
               "The processors cost %.2f us of CPU per device: the same events as a run makes, fed "
               "to them in this process, with the log written to a file.",
               processors_us);
    return 0;
}

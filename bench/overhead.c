// CPU per device of the orchestrator, as users run it, against the floor (floor.c: the same bytes
// with the same devices, and no decision) and against clients in Python. All in turn on the same
// simulator, without latency; what is compared is each pair's ratio, because the cost of a
// connection drifts with the state of the kernel's ports.
#include "bench/bench.h"
#include "bench/networks.h"
#include "bench/processors.h"
#include "bench/stats.h"
#include "common/count.h"
#include "common/mem.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char version[] = "5.3.1";
static const char python[] = "/usr/bin/python3"; // Debian's
enum { DEVICES = 5000, PAIRS = 21, PEER_ROUNDS = 5, RUNS_MAX = 256, WORKERS = 100 };

struct contest {
    const struct bench_config *config;
    struct lab lab;
    unsigned workers;
    char network[SCRATCH_PATH_MAX];
};

static int start_lab(const struct contest *c, bool keeps, struct lab *lab, struct error *err) {
    const struct lab_config lab_config = {.network = c->network,
                                          .time_scale = 1,
                                          .addresses = c->config->addresses,
                                          .seed = c->config->seed,
                                          .workers = c->workers,
                                          .keeps = keeps};
    return lab_start(lab, &lab_config, err);
}

static int start(struct contest *c, const struct bench_config *config, struct error *err) {
    c->config = config;
    c->workers = config->workers == 0 ? WORKERS : config->workers;
    int rc = networks_make(config->tiny ? 1000 : DEVICES, "0", c->network, err);
    return rc == 0 ? start_lab(c, false, &c->lab, err) : rc;
}

static int stop(struct contest *c, int rc, struct error *err) {
    struct error second;
    int stopped = lab_stop(&c->lab, rc == 0 ? err : &second);
    return rc != 0 ? rc : stopped;
}

struct series {                                 // runs of one client
    double cpu_us[RUNS_MAX], wall_us[RUNS_MAX]; // per device
    double ratios[RUNS_MAX];                    // to another client's run beside it
    double logins, installs;                    // that the simulator counted, of all runs
    unsigned runs;
};

// One run from the network as born; argv NULL: of the orchestrator. Checked against what the
// simulator counted.
static int run_in(struct contest *c, struct lab *lab, const char *const *argv, struct series *s,
                  struct error *err) {
    struct lab_counts counts;
    struct lab_run run;
    assert(s->runs < RUNS_MAX);
    int rc = lab_reset(lab, c->config->seed, err);
    if (rc == 0) rc = lab_count(lab, &counts, err);
    if (rc == 0)
        rc = argv == NULL ? lab_upgrade(lab, version, &run, err)
                          : lab_client(lab, argv, version, c->workers, &run, err);
    if (rc == 0) rc = lab_check(lab, &counts, &run, err);
    if (rc != 0) return rc;
    s->cpu_us[s->runs] = run.cpu_s / (double)run.completed * 1e6;
    s->wall_us[s->runs] = run.wall_s / (double)run.completed * 1e6;
    s->logins += counts.logins;
    s->installs += counts.installs;
    s->runs++;
    return 0;
}

static int run(struct contest *c, const char *const *argv, struct series *s, struct error *err) {
    return run_in(c, &c->lab, argv, s, err);
}

static const struct table_column columns[] = {
    {"client", TABLE_TEXT}, {"runs", 0},          {"logins", 0},
    {"installs", 0},        {"CPU us/device", 1}, {"wall us/device", 1},
    {"ratio 25 %", 3},      {"ratio median", 3},  {"ratio 75 %", 3},
};

// The median ratio; NAN where the series has none.
static double add_row(struct table *table, const char *name, struct series *s, bool has_ratios) {
    double quartiles[3] = {NAN, NAN, NAN};
    if (has_ratios) stats_sort(s->ratios, s->runs);
    for (int i = 0; has_ratios && i < 3; i++)
        quartiles[i] = stats_quantile(s->ratios, s->runs, 0.25 * (i + 1));
    table_row(table, name, (double)s->runs, s->logins, s->installs,
              stats_median(s->cpu_us, s->runs), stats_median(s->wall_us, s->runs), quartiles[0],
              quartiles[1], quartiles[2]);
    return quartiles[1];
}

// --- the floor

static int run_pairs(struct contest *c, unsigned pairs, struct series *floor,
                     struct series *orchestrator, struct error *err) {
    char path[512];
    const char *const argv[] = {path, NULL};
    struct series warm_up = {0};
    process_beside("floor", path);
    int rc = run(c, argv, &warm_up, err);
    if (rc == 0) rc = run(c, NULL, &warm_up, err);
    for (unsigned i = 0; rc == 0 && i < pairs; i++) {
        bench_progress(c->config, i, pairs, "pairs of floor and orchestrator");
        bool floor_first = i % 2 == 0;
        if (floor_first) rc = run(c, argv, floor, err);
        if (rc == 0) rc = run(c, NULL, orchestrator, err);
        if (rc == 0 && !floor_first) rc = run(c, argv, floor, err);
        if (rc == 0) orchestrator->ratios[i] = orchestrator->cpu_us[i] / floor->cpu_us[i];
    }
    return rc;
}

static int against_floor(struct contest *c, struct bench_result *result, double *floor_us,
                         struct error *err) {
    struct table *table =
        bench_table(result, "Against the floor: CPU per device, and the paired ratio to it",
                    columns, COUNT(columns));
    struct series floor = {0}, orchestrator = {0};
    unsigned pairs = c->config->tiny ? 1 : c->config->runs == 0 ? PAIRS : c->config->runs;
    int rc = run_pairs(c, pairs < RUNS_MAX ? pairs : RUNS_MAX, &floor, &orchestrator, err);
    if (rc != 0) return rc;
    add_row(table, "floor", &floor, false);
    double ratio = add_row(table, "orchestrator", &orchestrator, true);
    *floor_us = stats_median(floor.cpu_us, floor.runs);
    bench_goal(result, (struct bench_goal){"CPU per device over the raw-epoll floor, latency 0, "
                                           "all processors on, median of the pairs",
                                           "", 1.45, ratio, false});
    return 0;
}

// --- the store

// Each over a simulator of its own, so that neither finds the other's jobs or connections.
static int run_store_pairs(struct contest *c, unsigned pairs, struct lab *keeping,
                           struct series *kept, struct series *none, struct error *err) {
    struct series warm_up = {0};
    int rc = run(c, NULL, &warm_up, err);
    if (rc == 0) rc = run_in(c, keeping, NULL, &warm_up, err);
    for (unsigned i = 0; rc == 0 && i < pairs; i++) {
        bench_progress(c->config, i, pairs, "pairs of --state none and a file");
        bool none_first = i % 2 == 0;
        if (none_first) rc = run(c, NULL, none, err);
        if (rc == 0) rc = run_in(c, keeping, NULL, kept, err);
        if (rc == 0 && !none_first) rc = run(c, NULL, none, err);
        if (rc == 0) kept->ratios[i] = kept->cpu_us[i] / none->cpu_us[i];
    }
    return rc;
}

static int with_store(struct contest *c, struct bench_result *result, struct error *err) {
    struct table *table = bench_table(
        result, "The store: CPU per device with --state FILE, and the paired ratio to --state none",
        columns, COUNT(columns));
    struct series kept = {0}, none = {0};
    struct lab keeping;
    struct error second;
    unsigned pairs = c->config->tiny ? 1 : c->config->runs == 0 ? PAIRS : c->config->runs;
    int rc = start_lab(c, true, &keeping, err);
    if (rc != 0) return rc;
    rc = run_store_pairs(c, pairs < RUNS_MAX ? pairs : RUNS_MAX - 1, &keeping, &kept, &none, err);
    int stopped = lab_stop(&keeping, rc == 0 ? err : &second);
    if (rc == 0) rc = stopped;
    if (rc != 0) return rc;
    add_row(table, "--state none", &none, false);
    double ratio = add_row(table, "--state FILE", &kept, true);
    bench_goal(result, (struct bench_goal){"CPU per device with a store over that without, latency "
                                           "0, median of the pairs",
                                           "", 1.12, ratio, false});
    return 0;
}

// --- the peers

static const struct peer {
    const char *name, *script, *goal;
} peers[] = {
    {"Python asyncio", "asyncio_client.py", "CPU per device over that of the asyncio peer"},
    {"Python thread pool", "threads_client.py", "CPU per device over that of the thread-pool peer"},
    {"Nornir", "nornir_client.py", "CPU per device over that of Nornir"},
};
enum { PEERS = COUNT(peers) };

// Nornir is no package of Debian's: where it is, Python finds it.
static bool is_there(const struct peer *peer) {
    if (strcmp(peer->name, "Nornir") != 0) return true;
    return system("/usr/bin/python3 -c 'import nornir' 2>/dev/null") == 0; // NOLINT
}

static int run_rounds(struct contest *c, unsigned rounds, struct series *orchestrator,
                      struct series *all, struct error *err) {
    for (unsigned i = 0; i < rounds; i++) {
        bench_progress(c->config, i, rounds, "rounds with the Python clients");
        int rc = run(c, NULL, orchestrator, err);
        for (size_t p = 0; rc == 0 && p < PEERS; p++) {
            char path[512];
            const char *const argv[] = {python, path, NULL};
            if (!is_there(&peers[p])) continue;
            snprintf(path, sizeof path, "%s/%s", c->config->peers, peers[p].script);
            rc = run(c, argv, &all[p], err);
            all[p].ratios[i] = orchestrator->cpu_us[i] / all[p].cpu_us[i];
        }
        if (rc != 0) return rc;
    }
    return 0;
}

static int against_peers(struct contest *c, struct bench_result *result, double floor_us,
                         struct error *err) {
    struct table *table = bench_table(
        result, "Against peers: CPU per device, and the orchestrator's in proportion to theirs",
        columns, COUNT(columns));
    struct series orchestrator = {0}, *all = mem_array(PEERS, sizeof *all);
    int rc = run_rounds(c, c->config->tiny ? 1 : PEER_ROUNDS, &orchestrator, all, err);
    if (rc == 0) add_row(table, "orchestrator", &orchestrator, false);
    for (size_t p = 0; rc == 0 && p < PEERS; p++) {
        if (all[p].runs == 0) {
            bench_note(result, "%s is not installed here and was not measured.", peers[p].name);
            continue;
        }
        double ratio = add_row(table, peers[p].name, &all[p], true);
        bench_goal(result, (struct bench_goal){peers[p].goal, "", 1.0 / 6, ratio, false});
        double floor_ratio = floor_us / stats_median(all[p].cpu_us, all[p].runs);
        if (floor_ratio > 1.0 / 6)
            bench_note(
                result,
                "One sixth of %s is out of reach here: the floor itself, which decides "
                "nothing, takes %.2f of its CPU: the kernel's TCP, which all clients pay. "
                "Next would be fewer system calls a device (io_uring), for the floor as for the "
                "orchestrator.",
                peers[p].name, floor_ratio);
    }
    free(all);
    return rc;
}

static int run_command(const struct bench_config *config, struct bench_result *result,
                       struct error *err) {
    struct contest c;
    double floor_us = 0, processors_us = 0;
    int rc = start(&c, config, err);
    if (rc != 0) return rc;
    rc = against_floor(&c, result, &floor_us, err);
    if (rc == 0) rc = with_store(&c, result, err);
    if (rc == 0) rc = against_peers(&c, result, floor_us, err);
    rc = stop(&c, rc, err);
    if (rc == 0) rc = processors_cost(config->tiny ? 1000 : 20000, &processors_us, err);
    if (rc != 0) return rc;
    bench_goal(result, (struct bench_goal){"the processors (log, metrics, report) alone, over the "
                                           "floor",
                                           "", 0.15, processors_us / floor_us, false});
    bench_note(
        result,
        "%d devices, %u workers, %u addresses, latency 0. The floor's figures leave out the "
        "fetching of the inventory; the orchestrator's are its whole job, from the request "
        "to the report, with its peer check: the floor asks nobody. After every run the "
        "simulator had counted one install for each device, one login (of the orchestrator's "
        "runs one at least), and no violation.",
        config->tiny ? 1000 : DEVICES, c.workers, config->addresses);
    bench_note(result,
               "The processors cost %.2f us of CPU per device: the same events as a run makes, fed "
               "to them in this process, with the log written to a file.",
               processors_us);
    return 0;
}

const struct bench_command bench_overhead = {
    .name = "overhead",
    .summary = "CPU per device against a client that decides nothing, and against Python",

    .run = run_command,
};

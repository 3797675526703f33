// How near to the physical limit the runner comes: makespan over max(device time / workers, longest
// group). Device times are the simulator's own draws for the seed, so nothing that the orchestrator
// adds is counted to the limit.
#include "bench/bars.h"
#include "bench/bench.h"
#include "bench/knee.h"
#include "bench/live.h"
#include "bench/networks.h"
#include "bench/order.h"
#include "bench/stats.h"
#include "common/count.h"
#include "common/mem.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char version[] = "5.3.1";
enum { SEEDS = 5, LIVE_S = 3, BIG = 10000 };

struct point {           // one row of the sweep
    const char *network; // as the table names it
    const char *path;
    unsigned workers;
    struct peers_config peers;
    double time_scale; // of a live run; 0: the virtual clock
    bool bar_by_bar;   // its hosts are held against those of the virtual clock
};

struct measure {
    double makespan_s, bound_s, virtual_s, ratio, busy_share;
    double cpu_us, resident_mb; // NAN on the virtual clock
    double bars_off;  // bar by bar: the start or end that is off most, in parts of the run
    double hosts_off; // how many are off by more than OFF_SHARE
};

static const double OFF_SHARE = 0.01;

static int compare(const struct lab *lab, const struct point *point,
                   const struct timeline_host *foretold, struct measure *m, struct error *err) {
    struct job_timeline live;
    struct bars_distance distance;
    int rc = live_timeline(lab, &live, err);
    if (rc == 0) {
        const double end_us = (double)job_timeline_drawn(&live).end_us / point->time_scale;
        bars_stretch(live.hosts, live.count, 1 / point->time_scale);
        bars_lay_over(live.hosts, live.count, (uint64_t)end_us, foretold, live.count, OFF_SHARE,
                      &distance);
        m->bars_off = distance.most;
        m->hosts_off = (double)distance.hosts_off;
        free(distance.off);
    }
    job_timeline_deinit(&live);
    return rc;
}

static int measure_live(const struct point *point, uint64_t seed,
                        const struct timeline_host *foretold, struct measure *m,
                        struct error *err) {
    struct lab lab;
    struct lab_run run;
    struct lab_counts counts = {0};
    const struct lab_config lab_config = {.network = point->path,
                                          .time_scale = point->time_scale,
                                          .addresses = 16,
                                          .seed = seed,
                                          .workers = point->workers,
                                          .peers = &point->peers};
    int rc = lab_start(&lab, &lab_config, err);
    if (rc != 0) return rc;
    rc = lab_upgrade(&lab, version, &run, err);
    if (rc == 0 && (run.failed > 0 || run.skipped > 0))
        rc = error_set(err, "%s: not every host completed", point->network);
    if (rc == 0) rc = lab_count(&lab, &counts, err);
    if (rc == 0 && counts.violations > 0)
        rc = error_set(err, "%s: the referee saw %.0f violations", point->network,
                       counts.violations);
    if (rc == 0 && foretold != NULL) rc = compare(&lab, point, foretold, m, err);
    m->resident_mb = (double)process_memory(&lab.orchestrator.process).resident / 1e6;
    struct error second;
    int stopped = lab_stop(&lab, rc == 0 ? err : &second);
    if (rc != 0 || stopped != 0) return rc != 0 ? rc : stopped;
    m->makespan_s = run.wall_s / point->time_scale;
    m->cpu_us = run.cpu_s / (double)run.completed * 1e6;
    return 0;
}

// The same seed on the virtual clock, and live where the point says so. The bound is that of a run
// whose hosts do all five calls in hand.
static int measure(struct model *model, const struct point *point, uint64_t seed, struct measure *m,
                   struct error *err) {
    struct virtual_result result;
    struct virtual_host *hosts = NULL;
    struct timeline_host *foretold = NULL;
    model_seed(model, seed);
    model->peers.check = false;
    model_run(model, point->workers, &result);
    *m = (struct measure){.cpu_us = NAN, .resident_mb = NAN};
    m->bound_s = virtual_bound_us(&result, point->workers) / 1e6;
    model->peers = point->peers;
    if (point->bar_by_bar) hosts = mem_array(model->plan->inventory->count, sizeof *hosts);
    if (point->peers.check || point->bar_by_bar)
        model_run_hosts(model, point->workers, hosts, &result);
    if (point->bar_by_bar) foretold = bars_foretold(model->plan, hosts);
    m->virtual_s = m->makespan_s = (double)result.makespan_us / 1e6;
    int rc = point->time_scale > 0 ? measure_live(point, seed, foretold, m, err) : 0;
    free(foretold);
    free(hosts);
    m->ratio = m->makespan_s / m->bound_s;
    m->busy_share = (double)result.busy_us / 1e6 / (m->makespan_s * point->workers);
    return rc;
}

// --- the sweep

static const struct table_column columns[] = {
    {"network", TABLE_TEXT}, {"workers", 0},       {"clock", TABLE_TEXT},
    {"makespan s", 2},       {"bound s", 2},       {"ratio", 3},
    {"utilisation %", 1},    {"CPU us/device", 1}, {"resident MB", 1},
};

static void add_row(struct table *table, const struct point *point, const struct measure *m) {
    char clock[32] = "virtual";
    if (point->time_scale > 0) snprintf(clock, sizeof clock, "live x%.3g", point->time_scale);
    table_row(table, point->network, (double)point->workers, clock, m->makespan_s, m->bound_s,
              m->ratio, 100 * m->busy_share, m->cpu_us, m->resident_mb);
}

// Live where the limit is ten seconds at most; else live with shortened delays where asked to, or
// on the virtual clock.
static double scale_for(struct model *model, const struct point *point, uint64_t seed) {
    struct virtual_result result;
    model_seed(model, seed);
    model_run(model, point->workers, &result);
    double bound_s = virtual_bound_us(&result, point->workers) / 1e6;
    return bound_s <= 10 ? 1 : LIVE_S / bound_s;
}

static int sweep_network(const struct bench_config *config, const char *name, const char *path,
                         const unsigned *workers, size_t count, struct table *table,
                         struct error *err) {
    struct plan plan;
    struct model model;
    int rc = plan_init(&plan, &(struct network_source){.network = path}, NULL, err);
    if (rc != 0) return rc;
    model_init(&model, &plan, version, NULL);
    model.peers.check = false; // workers alone
    for (size_t i = 0; rc == 0 && i < 2 * count; i++) {
        struct measure m;
        struct point point = {.network = name, .path = path, .workers = workers[i / 2]};
        if (i % 2 == 1) point.time_scale = scale_for(&model, &point, config->seed);
        if (i % 2 == 1 && point.workers < 10 && !config->tiny) continue; // delays far too short
        bench_progress(config, i, 2 * count, "%s, %u workers", name, point.workers);
        rc = measure(&model, &point, config->seed, &m, err);
        if (rc == 0) add_row(table, &point, &m);
    }
    model_deinit(&model);
    plan_deinit(&plan);
    return rc;
}

static int sweep(const struct bench_config *config, struct table *table, struct error *err) {
    static const unsigned small[] = {1, 10, 20, 50, 100, 200, 400},
                          big[] = {100, 1000, 2000, 5000, 10000};
    char path[SCRATCH_PATH_MAX];
    unsigned tiny[] = {200};
    int rc = config->tiny ? sweep_network(config, "acme", NULL, tiny, 1, table, err)
                          : sweep_network(config, "acme", NULL, small, COUNT(small), table, err);
    if (rc != 0 || config->tiny) return rc;
    rc = networks_make(BIG, "10ms..2s", path, err);
    if (rc != 0) return rc;
    return sweep_network(config, "10,000 devices", path, big, COUNT(big), table, err);
}

static const char *const networks[] = {"acme", "10,000 devices"};

static bool is_of(const struct table *table, size_t row, const char *network) {
    return strcmp(table_text(table, row, 0), network) == 0 &&
           strcmp(table_text(table, row, 2), "virtual") == 0;
}

struct curve {
    bool any;
    double device_s; // of all devices together
    double least_s;  // with the most workers: the longest group
    double most;     // workers that were tried
    double knee;     // the number of workers at which both limits are the same
};

static struct curve curve_of(const struct table *table, const char *network) {
    struct curve curve = {0};
    for (size_t row = 0; row < table->rows; row++) {
        if (!is_of(table, row, network)) continue;
        const double workers = table_number(table, row, 1), bound_s = table_number(table, row, 4);
        if (!curve.any) curve.device_s = workers * bound_s;
        curve.least_s = bound_s;
        curve.most = workers;
        curve.any = true;
    }
    if (curve.any) curve.knee = curve.device_s / curve.least_s;
    return curve;
}

static void add_data(const struct table *table, struct buf *out) {
    for (size_t n = 0; n < COUNT(networks); n++) {
        buf_addf(out, "$n%zu << EOD\n", n);
        for (size_t row = 0; row < table->rows; row++)
            if (is_of(table, row, networks[n]))
                buf_addf(out, "%g %g\n", table_number(table, row, 1), table_number(table, row, 3));
        buf_adds(out, "EOD\n");
    }
}

// What was measured are points; between them only the bound is known.
static void add_lines(size_t n, const struct curve *curve, bool first, struct buf *out) {
    buf_addf(out,
             "%s $n%zu using 1:2 with points linetype %zu title '%s', "
             "(x * %g > %g ? %g : %g / x) with lines linetype %zu dashtype 2 title 'its bound'",
             first ? "plot" : ",", n, n + 1, networks[n], curve->least_s, curve->device_s,
             curve->least_s, curve->device_s, n + 1);
}

// All of it on logarithmic axes, and each network's knee on linear ones.
static void plot(struct bench_result *result, const struct table *table) {
    struct curve curves[COUNT(networks)];
    unsigned panels = 1;
    bool first = true;
    double most = 1;
    for (size_t n = 0; n < COUNT(networks); n++) {
        curves[n] = curve_of(table, networks[n]);
        panels += curves[n].any;
        if (curves[n].most > most) most = curves[n].most;
    }
    struct buf *out = bench_plot(result, "concurrency", panels);
    add_data(table, out);
    buf_addf(out,
             "set multiplot layout 1,%u title 'The window, and the least it could be: what limits "
             "it on either side of the knee'\n"
             "set xlabel 'workers'\nset ylabel 'seconds'\nset samples 500\nset logscale xy\n"
             "set xrange [1:%g]\n",
             panels, most);
    for (size_t n = 0; n < COUNT(networks); n++) {
        if (!curves[n].any) continue;
        add_lines(n, &curves[n], first, out);
        first = false;
    }
    buf_adds(out, "\nunset logscale\n");
    for (size_t n = 0; n < COUNT(networks); n++) {
        if (!curves[n].any) continue;
        const struct knee knee = {curves[n].knee, "the workers", "the longest group", 0.05};
        buf_addf(out, "unset label\nunset arrow\nset xrange [0:%g]\nset yrange [0:%g]\n",
                 2.2 * knee.workers, 6 * curves[n].least_s);
        knee_write(out, &knee);
        add_lines(n, &curves[n], true, out);
        buf_adds(out, "\n");
    }
    buf_adds(out, "unset multiplot");
}

// --- the goals: ACME at its real latencies

static const struct table_column seed_columns[] = {
    {"peers", TABLE_TEXT},   {"seed", 0},
    {"makespan s", 2},       {"virtual s", 2},
    {"bound s", 2},          {"ratio", 3},
    {"virtual ratio", 3},    {"live/virtual", 4},
    {"CPU us/device", 1},    {"bars off, most %", 3},
    {"hosts off by 1 %", 0},
};

enum { MANY_ASKS = 1000, SEEDS_MAX = 64, MODES = 3 };

static const struct mode {
    const char *name, *goal, *bars_goal;
    double wanted;
    bool check;
    unsigned asks;
} modes[MODES] = {
    {"not asked", "peer check off: makespan over the five-call bound",
     "peer check off: the start or end of any host, off from the virtual clock by", 1.12, false, 0},
    {"asked", "peer check on: makespan over the five-call bound",
     "peer check on: the start or end of any host, off from the virtual clock by", 1.0, true, 0},
    {"asked, --asks 1000", "peer check on, --asks 1000: makespan over the five-call bound",
     "peer check on, --asks 1000: the start or end of any host, off from the virtual clock by",
     0.93, true, MANY_ASKS},
};

struct seeds { // what they all came to
    double ratios[SEEDS_MAX];
    double off[MODES * SEEDS_MAX];
    double bars_off; // most
    unsigned count;
    size_t off_count;
};

static int measure_seed(const struct bench_config *config, struct model *model,
                        const struct mode *mode, struct table *table, struct seeds *seeds,
                        struct error *err) {
    const uint64_t seed = config->seed + seeds->count;
    const struct point point = {
        .network = "acme",
        .workers = config->workers == 0 ? 100 : config->workers,
        .peers = {.check = mode->check, .max_age_ms = PEERS_MAX_AGE_MS, .asks = mode->asks},
        .time_scale = config->tiny ? 0.01 : 1,
        .bar_by_bar = true};
    struct measure m = {0};
    int rc = measure(model, &point, seed, &m, err);
    if (rc != 0) return rc;
    seeds->ratios[seeds->count++] = m.ratio;
    seeds->off[seeds->off_count++] = fabs(m.makespan_s / m.virtual_s - 1) * 100;
    if (m.bars_off > seeds->bars_off) seeds->bars_off = m.bars_off;
    table_row(table, mode->name, (double)seed, m.makespan_s, m.virtual_s, m.bound_s, m.ratio,
              m.virtual_s / m.bound_s, m.makespan_s / m.virtual_s, m.cpu_us, 100 * m.bars_off,
              m.hosts_off);
    return 0;
}

static int measure_modes(const struct bench_config *config, struct model *model,
                         struct table *table, struct bench_result *result, struct error *err) {
    const unsigned count = config->tiny ? 1 : config->runs == 0 ? SEEDS : config->runs;
    struct seeds seeds = {0};
    for (size_t i = 0; i < MODES; i++) {
        seeds.count = 0;
        seeds.bars_off = 0;
        while (seeds.count < count && seeds.count < SEEDS_MAX) {
            bench_progress(config, i * count + seeds.count, (size_t)MODES * count,
                           "acme at its real latencies, peers %s, seed %llu", modes[i].name,
                           (unsigned long long)config->seed + seeds.count);
            int rc = measure_seed(config, model, &modes[i], table, &seeds, err);
            if (rc != 0) return rc;
        }
        bench_goal(result, (struct bench_goal){modes[i].goal, "", modes[i].wanted,
                                               stats_median(seeds.ratios, seeds.count), false});
        bench_goal(result, (struct bench_goal){modes[i].bars_goal, " % of the run", 100 * OFF_SHARE,
                                               100 * seeds.bars_off, false});
    }
    stats_sort(seeds.off, seeds.off_count);
    bench_goal(result, (struct bench_goal){
                           "the same live run against the virtual clock, largest difference", " %",
                           1, seeds.off[seeds.off_count - 1], false});
    return 0;
}

static int real_latencies(const struct bench_config *config, struct bench_result *result,
                          struct error *err) {
    struct table *table = bench_table(
        result, "The ACME network at its real latencies, live: with and without asking peers",
        seed_columns, COUNT(seed_columns));
    struct plan plan;
    struct model model;
    int rc = plan_init(&plan, NULL, NULL, err);
    if (rc != 0) return rc;
    model_init(&model, &plan, version, NULL);
    rc = measure_modes(config, &model, table, result, err);
    model_deinit(&model);
    plan_deinit(&plan);
    return rc;
}

static int run_command(const struct bench_config *config, struct bench_result *result,
                       struct error *err) {
    struct table *table =
        bench_table(result,
                    "Workers against the limit (peer check off; live: seconds divided by the time "
                    "scale)",
                    columns, COUNT(columns));
    int rc = sweep(config, table, err);
    if (rc == 0) rc = order_table(config, result, err);
    if (rc == 0) rc = real_latencies(config, result, err);
    if (rc != 0) return rc;
    plot(result, table);
    bench_note(result,
               "bound: max(sum of device times / workers, longest redundancy group); device times "
               "are what the simulator draws. Where it exceeds ten seconds, a live run has its "
               "delays shortened so that it is %d s, and the programs' own time weighs more. "
               "utilisation: the share of the workers' time in which a device is worked "
               "on. More workers than redundancy groups (416 in acme) gain nothing.",
               LIVE_S);
    bench_note(
        result,
        "The bound counts all five calls of a host as its own turn's. With the peer check "
        "on, the login and the get_version of a host whose session was kept are done "
        "beforehand, beside the workers: so the window may be shorter than the bound. "
        "848 devices, latencies of 10 ms to 2 s; the goals are medians of the seeds. "
        "live/virtual sees what this machine adds, and bars off what it adds to the start and the "
        "end of each host, in parts of the run. Where the peers are asked and places for that "
        "are short, which session is kept is a matter of milliseconds, and now and then two "
        "hosts change their turns: with --asks 1000 none do.");
    return 0;
}

const struct bench_command bench_concurrency = {
    .name = "concurrency",
    .summary = "makespan against the limit, over workers and networks",

    .run = run_command,
};

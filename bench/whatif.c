// The same schedule on a virtual clock, thousands of times: how long the window will be, and how
// many hosts will fail or be skipped.
#include "bench/bench.h"
#include "bench/deciding.h"
#include "bench/knee.h"
#include "bench/model.h"
#include "bench/picture.h"
#include "bench/stats.h"
#include "bench/verify.h"
#include "common/count.h"
#include "common/file.h"
#include "common/mem.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static const char version[] = "5.3.1";
enum {
    RUNS = 4000,
    RUNS_MIN = 100, // where there are more visits than
    VISITS = 200 * 1000,
    SWEEP_RUNS = 60,
    SWEEP_RUNS_MIN = 5,
    LIMIT_RUNS = 20,
    WORKERS = 100
};

struct distribution {                                            // of many runs
    double *window_s, *failed, *timed_out, *skipped, *longest_s; // sorted
    uint32_t *longest_runs; // of each group: in how many it was the longest
    uint64_t median_seed;   // of the run whose window is nearest to the median one
    size_t runs;
};

// The first of those that are equally near.
static uint64_t seed_nearest(const double *window_s, size_t runs, uint64_t first, double wanted_s) {
    size_t nearest = 0;
    for (size_t i = 1; i < runs; i++)
        if (fabs(window_s[i] - wanted_s) < fabs(window_s[nearest] - wanted_s)) nearest = i;
    return first + nearest;
}

static void distribution_init(struct distribution *d, struct model *model, unsigned workers,
                              uint64_t seed, size_t runs) {
    *d = (struct distribution){.window_s = mem_array(runs, sizeof(double)),
                               .failed = mem_array(runs, sizeof(double)),
                               .timed_out = mem_array(runs, sizeof(double)),
                               .skipped = mem_array(runs, sizeof(double)),
                               .longest_s = mem_array(runs, sizeof(double)),
                               .longest_runs =
                                   mem_array(model->plan->grouping.count, sizeof(uint32_t)),
                               .runs = runs};
    double *unsorted_s = mem_array(runs, sizeof(double));
    for (size_t i = 0; i < runs; i++) {
        struct virtual_result result;
        model_seed(model, seed + i);
        model_run(model, workers, &result);
        unsorted_s[i] = d->window_s[i] = virtual_window_s(&result);
        d->failed[i] = result.failed;
        d->timed_out[i] = result.timed_out;
        d->skipped[i] = result.skipped;
        d->longest_s[i] = (double)result.longest_group_us / 1e6;
        d->longest_runs[result.longest_group]++;
    }
    stats_sort(d->window_s, runs);
    d->median_seed = seed_nearest(unsorted_s, runs, seed, stats_quantile(d->window_s, runs, 0.5));
    free(unsorted_s);
    stats_sort(d->failed, runs);
    stats_sort(d->timed_out, runs);
    stats_sort(d->skipped, runs);
    stats_sort(d->longest_s, runs);
}

static void distribution_deinit(struct distribution *d) {
    free(d->window_s);
    free(d->failed);
    free(d->timed_out);
    free(d->skipped);
    free(d->longest_s);
    free(d->longest_runs);
}

// --- the answer

static const struct table_column columns[] = {
    {"", TABLE_TEXT}, {"50 %", 1}, {"95 %", 1}, {"99 %", 1}, {"worst", 1},
};

static void add_quantiles(struct table *table, const char *what, const double *sorted,
                          size_t runs) {
    table_row(table, what, stats_quantile(sorted, runs, 0.5), stats_quantile(sorted, runs, 0.95),
              stats_quantile(sorted, runs, 0.99), sorted[runs - 1]);
}

// The group that most often needed longest: no number of workers makes the window shorter than it.
static void note_longest(const struct plan *plan, const struct distribution *d,
                         struct bench_result *result) {
    const struct grouping *grouping = &plan->grouping;
    size_t longest = 0;
    if (grouping->count == 0) return;
    for (size_t g = 1; g < grouping->count; g++)
        if (d->longest_runs[g] > d->longest_runs[longest]) longest = g;
    const struct constraint *group = &grouping->constraints[longest];
    bench_note(result,
               "The longest %s is most often %s, with %u hosts, %u at once: in %.0f %% of the "
               "runs. No number of workers makes the window shorter than the longest.",
               group->redundancy ? "group" : "throttle", group->name, group->members, group->limit,
               100.0 * d->longest_runs[longest] / (double)d->runs);
}

static void note_deciding(const struct bench_config *config, struct model *model, struct plan *plan,
                          unsigned workers, struct bench_result *result) {
    struct deciding d;
    struct buf text = {0};
    deciding_find(model, &plan->grouping, workers, config->seed, config->tiny ? 3 : SWEEP_RUNS, &d);
    deciding_write(&d, &plan->grouping, &text);
    bench_note(result, "%s", text.data);
    buf_deinit(&text);
}

static size_t between(size_t low, size_t high, size_t n) {
    return n > high ? high : n < low ? low : n;
}

// A visit to an odd device takes as long as fifty contacts with others.
static size_t count_runs(const struct bench_config *config, const struct plan *plan) {
    if (config->tiny) return 20;
    if (config->runs != 0) return config->runs;
    const size_t visited = config->metrics == NULL ? plan->odd_count : 0;
    return visited == 0 ? RUNS : between(RUNS_MIN, RUNS, VISITS / visited);
}

// Of each of which all numbers of workers are tried.
static size_t count_sweep_runs(const struct bench_config *config, const struct plan *plan,
                               size_t tried) {
    if (config->tiny) return 3;
    const size_t visited = config->metrics == NULL ? plan->odd_count : 0;
    return visited == 0 ? SWEEP_RUNS
                        : between(SWEEP_RUNS_MIN, SWEEP_RUNS, VISITS / (visited * tried));
}

static void note_size(const struct bench_config *config, const struct plan *plan, unsigned workers,
                      size_t runs, struct bench_result *result) {
    size_t groups = 0;
    for (size_t i = 0; i < plan->grouping.count; i++)
        groups += plan->grouping.constraints[i].redundancy;
    bench_note(result,
               "%u hosts in %zu redundancy groups under %zu throttles, %u workers, %zu runs, "
               "failure rate %g.",
               plan->network.devices, groups, plan->grouping.count - groups, workers, runs,
               config->failure_rate);
}

// What else there is to know of the hosts.
static void note_plan(const struct bench_config *config, const struct plan *plan,
                      struct bench_result *result) {
    if (plan->foreign_count > 0)
        bench_note(result,
                   "Hosts of another platform than acmeos: %u. Nobody upgrades them; they are "
                   "counted as skipped.",
                   plan->foreign_count);
    if (plan->odd_count == 0) return;
    if (config->metrics == NULL && plan->down_count > 0)
        bench_note(result,
                   "Hosts that are down, or told at a port of their own where nobody listens: %u. "
                   "They fail.",
                   plan->down_count);
    if (config->metrics != NULL)
        bench_note(result,
                   "The durations are those of %s: faults, restarts and hosts that are "
                   "down, of which the network has some, are left out.",
                   config->metrics);
}

struct median {
    double window_s;
    uint64_t seed;
    size_t runs;
};

static struct median add_forecast(const struct bench_config *config, struct model *model,
                                  unsigned workers, struct bench_result *result) {
    struct distribution d;
    size_t runs = count_runs(config, model->plan);
    struct table *table = bench_table(result, "The window forecast", columns, COUNT(columns));
    bench_progress(config, 0, 0, "%zu runs on the virtual clock", runs);
    distribution_init(&d, model, workers, config->seed, runs);
    add_quantiles(table, "window s", d.window_s, runs);
    add_quantiles(table, "longest group s", d.longest_s, runs);
    add_quantiles(table, "failed hosts", d.failed, runs);
    add_quantiles(table, "by a timeout", d.timed_out, runs);
    add_quantiles(table, "skipped hosts", d.skipped, runs);
    const struct median median = {stats_quantile(d.window_s, runs, 0.5), d.median_seed, runs};
    note_size(config, model->plan, workers, runs, result);
    note_longest(model->plan, &d, result);
    if (model->histogram != NULL)
        bench_note(result,
                   "Durations from a saved run have the timeouts of that run in them, and what it "
                   "asked of peers: those given here are not counted, and nobody is asked.");
    distribution_deinit(&d);
    return median;
}

// --- window against workers

static const struct table_column sweep_columns[] = {
    {"workers", 0},
    {"median window s", 1},
    {"95 %", 1},
    {"99 %", 1},
    {"time saved by doubling the workers %", 1},
};

// The knee: from there on twice as many workers shorten the median window by less than a tenth.
enum { KNEE_PERCENT = 10, SWEEP_MAX = 48, PER_OCTAVE = 2 };

struct sweep {
    unsigned workers[SWEEP_MAX];
    double p50[SWEEP_MAX], p95[SWEEP_MAX], p99[SWEEP_MAX];
    double saved_percent[SWEEP_MAX]; // of the median, by twice as many
    size_t count;
};

// More hosts than these are never in hand: each has a redundancy group.
static uint64_t most_at_once(const struct grouping *grouping) {
    uint64_t most = 0;
    for (size_t i = 0; i < grouping->count; i++) {
        const struct constraint *c = &grouping->constraints[i];
        if (c->redundancy) most += c->members < c->limit ? c->members : c->limit;
    }
    return most;
}

// 1, 2, 3, 4, 6, 8, 11, ... as many as may be of use, where the knee is passed.
static void choose_workers(const struct plan *plan, struct sweep *s) {
    const uint64_t most = most_at_once(&plan->grouping);
    s->count = 0;
    for (unsigned octave = 0; s->count < SWEEP_MAX; octave++) {
        unsigned workers = (unsigned)lround(pow(2, (double)octave / PER_OCTAVE));
        if (s->count > 0 && s->workers[s->count - 1] == workers) continue;
        s->workers[s->count++] = workers;
        if (workers >= most) break;
    }
}

static double window_of(struct model *model, unsigned workers) {
    struct virtual_result result;
    model_run(model, workers, &result);
    return virtual_window_s(&result);
}

static void sweep_seed(struct model *model, const struct sweep *s, size_t run, size_t runs,
                       double *window_s, double *doubled_s) {
    for (size_t i = 0; i < s->count; i++) {
        const size_t at = i * runs + run;
        window_s[at] = window_of(model, s->workers[i]);
        doubled_s[at] = window_of(model, 2 * s->workers[i]);
    }
}

static void run_sweep(const struct bench_config *config, struct model *model, struct sweep *s) {
    choose_workers(model->plan, s);
    const size_t runs = count_sweep_runs(config, model->plan, 2 * s->count);
    double *window_s = mem_array(s->count * runs, sizeof(double));
    double *doubled_s = mem_array(s->count * runs, sizeof(double));
    for (size_t run = 0; run < runs; run++) {
        model_seed(model, config->seed + run);
        sweep_seed(model, s, run, runs, window_s, doubled_s);
    }
    for (size_t i = 0; i < s->count; i++) {
        double *window = window_s + i * runs, *doubled = doubled_s + i * runs;
        stats_sort(window, runs);
        stats_sort(doubled, runs);
        s->p50[i] = stats_quantile(window, runs, 0.5);
        s->p95[i] = stats_quantile(window, runs, 0.95);
        s->p99[i] = stats_quantile(window, runs, 0.99);
        s->saved_percent[i] = 100 * (1 - stats_quantile(doubled, runs, 0.5) / s->p50[i]);
    }
    free(window_s);
    free(doubled_s);
}

// From so many workers on, doubling them shortens the window by little; 0: never.
static unsigned find_knee(const struct sweep *s) {
    unsigned knee = 0;
    for (size_t i = 0; i < s->count; i++)
        if (!(s->saved_percent[i] < KNEE_PERCENT))
            knee = 0; // not yet
        else if (knee == 0)
            knee = s->workers[i];
    return knee;
}

// What decides with so many workers, in a word or two.
static void add_limit(const struct bench_config *config, struct model *model,
                      struct grouping *grouping, unsigned workers, struct buf *out) {
    struct deciding d;
    deciding_find(model, grouping, workers, config->seed, config->tiny ? 3 : LIMIT_RUNS, &d);
    deciding_write_short(&d, grouping, out);
}

// The whole on logarithmic axes, where the workers make a straight line; and beside it the knee on
// linear ones, where a second is as long as another.
static void plot_sweep(const struct sweep *s, unsigned at, const char *left, const char *right,
                       struct buf *script) {
    static const char lines[] = "plot $w using 1:2 with linespoints title 'median', "
                                "$w using 1:3 with lines dashtype 2 title '95 %', "
                                "$w using 1:4 with lines dashtype 3 title '99 %'\n";
    const size_t last = s->count - 1;
    struct knee knee = {at, left, right, 0.04};
    buf_adds(script, "$w << EOD\n");
    for (size_t i = 0; i < s->count; i++)
        buf_addf(script, "%u %g %g %g\n", s->workers[i], s->p50[i], s->p95[i], s->p99[i]);
    buf_addf(script,
             "EOD\nset multiplot layout 1,2 title 'The maintenance window against workers: what "
             "limits it on either side of %u'\n"
             "set xlabel 'workers'\nset ylabel 'seconds'\nset logscale xy\nset xrange [1:%u]\n",
             at, 64 * s->workers[last]);
    knee_write(script, &knee);
    buf_adds(script, lines);
    buf_addf(script,
             "unset logscale\nunset label\nunset arrow\nset xrange [0:%u]\nset yrange [0:%g]\n",
             3 * at, 5 * s->p99[last]);
    knee_write(script, &knee);
    buf_adds(script, lines);
    buf_adds(script, "unset multiplot");
}

static void sweep(const struct bench_config *config, struct model *model, struct grouping *grouping,
                  struct bench_result *result) {
    struct table *table =
        bench_table(result, "The window against workers", sweep_columns, COUNT(sweep_columns));
    struct buf left = {0}, right = {0};
    struct sweep s;
    run_sweep(config, model, &s);
    for (size_t i = 0; i < s.count; i++)
        table_row(table, (double)s.workers[i], s.p50[i], s.p95[i], s.p99[i], s.saved_percent[i]);
    const unsigned knee = find_knee(&s), last = s.workers[s.count - 1];
    const unsigned at = knee == 0 ? last : knee;
    add_limit(config, model, grouping, at > 2 ? at / 2 : 1, &left);
    add_limit(config, model, grouping, 2 * last, &right);
    plot_sweep(&s, at, left.data, right.data, bench_plot(result, "window", 2));
    bench_note(result,
               "The knee is at %u workers: doubling them shortens the window by less than %d %%.",
               knee, KNEE_PERCENT);
    bench_note(result, "To its left the window is limited by %s, to its right by %s.", left.data,
               right.data);
    buf_deinit(&left);
    buf_deinit(&right);
}

static int load_histogram(const char *path, struct model_histogram *histogram, struct error *err) {
    struct buf scrape = {0};
    int rc = file_read(path, &scrape, err);
    if (rc == 0) {
        buf_adds(&scrape, "");
        rc = model_histogram_parse(scrape.data, histogram, err);
        if (rc != 0) error_from(err, "%s", path);
    }
    buf_deinit(&scrape);
    return rc;
}

static int forecast(const struct bench_config *config, struct plan *plan,
                    const struct model_histogram *histogram, struct bench_result *result,
                    struct error *err) {
    struct model model;
    const unsigned workers = config->workers == 0 ? WORKERS : config->workers;
    int rc = plan_add_failures(plan, config->failure_rate, err);
    if (rc != 0) return rc;
    model_init(&model, plan, version, histogram);
    model.session.connect_timeout_ms = config->connect_timeout_ms;
    model.session.call_timeout_ms = config->call_timeout_ms;
    model.session.install_timeout_ms = config->install_timeout_ms;
    model.peers = config->peers_config;
    const struct median median = add_forecast(config, &model, workers, result);
    note_plan(config, plan, result);
    note_deciding(config, &model, plan, workers, result);
    sweep(config, &model, &plan->grouping, result);
    if (config->verify)
        rc = verify_forecast(config, &model, workers, median.window_s, result, err);
    else if (config->timeline != NULL)
        rc = picture_foretold(config, &model, workers, median.seed, median.runs, err);
    model_deinit(&model);
    return rc;
}

static int run_command(const struct bench_config *config, struct bench_result *result,
                       struct error *err) {
    struct plan plan;
    struct model_histogram histogram;
    if (config->verify && config->metrics != NULL)
        return error_set(err, "--verify and --metrics: a live run here has the network's own "
                              "latencies, not those of the saved scrape");
    int rc = config->metrics == NULL ? 0 : load_histogram(config->metrics, &histogram, err);
    if (rc == 0)
        rc = plan_init(&plan, &config->source,
                       config->latency == NULL ? NULL : &config->latency_range, err);
    if (rc != 0) return rc;
    if (config->timeline != NULL && plan.network.devices > TIMELINE_HOSTS_MAX)
        rc = error_set(err, "--timeline: it shows %d hosts at most, and the network has %u",
                       TIMELINE_HOSTS_MAX, plan.network.devices);
    if (rc == 0)
        rc = forecast(config, &plan, config->metrics == NULL ? NULL : &histogram, result, err);
    plan_deinit(&plan);
    return rc;
}

const struct bench_command bench_whatif = {
    .name = "whatif",
    .summary = "how long a maintenance window will be, before it opens",
    .forecasts = true,
    .run = run_command,
};

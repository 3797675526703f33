// How fast the orchestrator answers while it works: scrapes and requests with thousands of devices
// in flight, and what a scrape costs.
#include "bench/bench.h"
#include "bench/networks.h"
#include "bench/stats.h"
#include "common/clock.h"
#include "common/count.h"
#include "common/mem.h"
#include "common/scrape.h"

#include <errno.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static const char version[] = "5.3.1";
enum { SAMPLES_MAX = 4096 };

// --- a job in the background

struct background {
    struct lab *lab;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t ended;
    bool over;
    int rc;
    struct lab_run run;
    struct error err;
};

static void *work(void *arg) {
    struct background *b = arg;
    b->rc = lab_upgrade(b->lab, version, &b->run, &b->err);
    pthread_mutex_lock(&b->lock);
    b->over = true;
    pthread_cond_signal(&b->ended);
    pthread_mutex_unlock(&b->lock);
    return NULL;
}

static void background_start(struct background *b, struct lab *lab) {
    *b = (struct background){.lab = lab};
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_mutex_init(&b->lock, NULL);
    pthread_cond_init(&b->ended, &attributes);
    pthread_condattr_destroy(&attributes);
    if (pthread_create(&b->thread, NULL, work, b) != 0) abort();
}

// Waits until that time, or until the job is over: then true.
static bool over_by(struct background *b, double due_s) {
    struct timespec due = {(time_t)due_s, (long)((due_s - (double)(time_t)due_s) * 1e9)};
    pthread_mutex_lock(&b->lock);
    while (!b->over && pthread_cond_timedwait(&b->ended, &b->lock, &due) == 0)
        ;
    bool over = b->over;
    pthread_mutex_unlock(&b->lock);
    return over;
}

static int background_end(struct background *b, struct error *err) {
    pthread_join(b->thread, NULL);
    pthread_cond_destroy(&b->ended);
    pthread_mutex_destroy(&b->lock);
    if (b->rc != 0) *err = b->err;
    return b->rc;
}

// --- samples

struct samples {
    double ms[SAMPLES_MAX];
    size_t count;
    size_t bytes; // of the last
};

// json NULL: a scrape, which counts where it saw so many devices in flight.
static int sample(const struct lab *lab, const char *json, double in_flight, struct samples *s,
                  struct error *err) {
    struct buf text = {0};
    double started = clock_monotonic_s(), busy = 0;
    int rc = json == NULL ? lab_get(&lab->orchestrator, "/metrics/", &text, err)
                          : lab_post(&lab->orchestrator, "/upgrade-os/", json, 200, &text, err);
    double ms = (clock_monotonic_s() - started) * 1e3;
    if (rc == 0 && json == NULL) scrape_sum(text.data, "orchestrator_workers_busy", &busy);
    if (rc == 0 && busy >= in_flight && s->count < SAMPLES_MAX) {
        s->ms[s->count++] = ms;
        s->bytes = text.len;
    }
    buf_deinit(&text);
    return rc;
}

static const struct table_column columns[] = {
    {"request", TABLE_TEXT}, {"while", TABLE_TEXT}, {"samples", 0},  {"per second", 0},
    {"50 % ms", 2},          {"99 % ms", 2},        {"worst ms", 2}, {"bytes", 0},
};

static double add_row(struct table *table, const char *request, const char *when,
                      struct samples *s) {
    stats_sort(s->ms, s->count);
    double p99 = stats_quantile(s->ms, s->count, 0.99), sum_ms = 0;
    for (size_t i = 0; i < s->count; i++)
        sum_ms += s->ms[i];
    table_row(table, request, when, (double)s->count, (double)s->count / sum_ms * 1e3,
              stats_quantile(s->ms, s->count, 0.5), p99, s->ms[s->count - 1], (double)s->bytes);
    return p99;
}

// --- under load

struct load {
    const char *name;
    unsigned workers, sites, per_rack, repeats;
    const char *latency;
    double every_s;   // a scrape
    double in_flight; // devices; a scrape that saw fewer does not count
    bool posts;       // requests for an empty job, too
    bool keeps;       // jobs in a store
    bool stalls;      // ... on a slow disk: slow_disk.c
};

// Scrapes while the job runs; how long the job took is in wall_s.
static int scrape_under_load(struct lab *lab, const struct load *load, struct samples *scrapes,
                             struct samples *posts, double *wall_s, struct error *err) {
    struct background job;
    int rc = 0;
    background_start(&job, lab);
    double due = clock_monotonic_s();
    for (size_t i = 0; rc == 0; i++) {
        due = fmax(due + load->every_s, clock_monotonic_s());
        if (over_by(&job, due)) break;
        rc = sample(lab, NULL, load->in_flight, scrapes, err);
        if (rc == 0 && load->posts && i % 10 == 9)
            rc = sample(lab, "{\"version\": \"5.3.1\", \"filter_sites\": []}", 0, posts, err);
    }
    struct error second;
    int job_rc = background_end(&job, rc == 0 ? err : &second);
    *wall_s = job.run.wall_s;
    return rc != 0 ? rc : job_rc;
}

// The 99th percentile of the scrapes; wall_s of the last run.
static int under_load(const struct bench_config *config, const struct load *load,
                      struct table *table, double *p99, double *wall_s, struct error *err) {
    char network[SCRATCH_PATH_MAX], slow_disk[512];
    struct lab lab;
    struct samples *scrapes = mem_zalloc(sizeof *scrapes), *posts = mem_zalloc(sizeof *posts);
    process_beside("slow_disk.so", slow_disk);
    int rc = networks_make_racks(load->sites, load->per_rack, load->latency, network, err);
    if (rc == 0 && load->stalls && access(slow_disk, R_OK) != 0)
        rc = error_system(err, -errno, "%s, which make bench-programs makes", slow_disk);
    if (rc != 0) goto out;
    const struct lab_config lab_config = {.network = network,
                                          .time_scale = 1,
                                          .addresses = config->addresses,
                                          .seed = config->seed,
                                          .workers = load->workers,
                                          .keeps = load->keeps,
                                          .preload = load->stalls ? slow_disk : NULL};
    rc = lab_start(&lab, &lab_config, err);
    if (rc != 0) goto out;
    for (unsigned i = 0; rc == 0 && i < load->repeats; i++) {
        if (i > 0) rc = lab_reset(&lab, config->seed, err);
        if (rc == 0) rc = scrape_under_load(&lab, load, scrapes, posts, wall_s, err);
    }
    struct error second;
    int stopped = lab_stop(&lab, rc == 0 ? err : &second);
    if (rc == 0) rc = stopped;
    if (rc == 0 && table != NULL && scrapes->count == 0)
        rc = error_set(err, "no scrape saw %.0f devices in flight", load->in_flight);
    if (rc == 0 && table != NULL) *p99 = add_row(table, "GET /metrics/", load->name, scrapes);
    if (rc == 0 && table != NULL && posts->count > 0)
        add_row(table, "POST /upgrade-os/ (no host)", load->name, posts);
out:
    free(scrapes);
    free(posts);
    return rc;
}

// --- a store, on a disk that stalls

// What is asked of a slow disk keeps hosts waiting, and nobody else.
static int stalled(const struct bench_config *config, const struct load *load, struct table *table,
                   double *ratio, struct error *err) {
    struct load kept = *load, stalls = *load;
    double kept_ms = NAN, stalls_ms = NAN, wall_s;
    kept.name = "... in a store";
    kept.keeps = stalls.keeps = stalls.stalls = true;
    stalls.name = "... on a disk that takes 50 ms longer";
    int rc = under_load(config, &kept, table, &kept_ms, &wall_s, err);
    if (rc == 0) rc = under_load(config, &stalls, table, &stalls_ms, &wall_s, err);
    if (rc == 0) *ratio = stalls_ms / kept_ms;
    return rc;
}

// --- what scraping costs a run

static int slowdown(const struct bench_config *config, const struct load *load, double *percent,
                    struct error *err) {
    struct load without = *load, with = *load;
    double p99, base_s = 0, scraped_s = 0;
    without.every_s = 3600;
    with.every_s = 1;
    bench_progress(config, 0, 0, "the same run, not scraped and scraped every second");
    int rc = under_load(config, &without, NULL, &p99, &base_s, err);
    if (rc == 0) rc = under_load(config, &with, NULL, &p99, &scraped_s, err);
    *percent = 100 * (scraped_s / base_s - 1);
    return rc;
}

// --- the scrape alone

static const struct table_column idle_columns[] = {
    {"devices", 0}, {"scrapes/s", 1}, {"50 % ms", 2},
    {"99 % ms", 2}, {"bytes", 0},     {"CPU us/series", 3},
};

static int idle(const struct bench_config *config, const char *network, double devices,
                struct table *table, struct error *err) {
    struct lab lab;
    struct lab_run run;
    struct samples *s = mem_zalloc(sizeof *s);
    size_t count = config->tiny ? 5 : devices > 50000 ? 30 : 200;
    const struct lab_config lab_config = {.network = network,
                                          .latency = "0",
                                          .time_scale = 1,
                                          .addresses = config->addresses,
                                          .seed = config->seed,
                                          .workers = 400};
    int rc = lab_start(&lab, &lab_config, err);
    if (rc != 0) goto out;
    rc = lab_upgrade(&lab, version, &run, err);
    double cpu_s = process_cpu_s(&lab.orchestrator.process), started = clock_monotonic_s();
    for (size_t i = 0; rc == 0 && i < count; i++)
        rc = sample(&lab, NULL, 0, s, err);
    double seconds = clock_monotonic_s() - started;
    cpu_s = process_cpu_s(&lab.orchestrator.process) - cpu_s;
    struct error second;
    int stopped = lab_stop(&lab, rc == 0 ? err : &second);
    if (rc == 0) rc = stopped;
    if (rc != 0) goto out;
    stats_sort(s->ms, s->count);
    table_row(table, devices, (double)count / seconds, stats_quantile(s->ms, s->count, 0.5),
              stats_quantile(s->ms, s->count, 0.99), (double)s->bytes,
              cpu_s / (double)count / devices * 1e6);
out:
    free(s);
    return rc;
}

static int scrapes_alone(const struct bench_config *config, struct bench_result *result,
                         struct error *err) {
    struct table *table =
        bench_table(result, "A scrape of an idle orchestrator, one series a device", idle_columns,
                    COUNT(idle_columns));
    static const unsigned sites[] = {0, 10, 100};
    for (size_t i = 0; i < (config->tiny ? 1 : COUNT(sites)); i++) {
        char network[SCRATCH_PATH_MAX];
        bench_progress(config, i, 3, "scrapes of an idle orchestrator");
        int rc = sites[i] == 0 ? 0 : networks_make_racks(sites[i], 2, "0", network, err);
        if (rc == 0)
            rc = idle(config, sites[i] == 0 ? NULL : network, sites[i] == 0 ? 848 : sites[i] * 1000,
                      table, err);
        if (rc != 0) return rc;
    }
    return 0;
}

static int run_command(const struct bench_config *config, struct bench_result *result,
                       struct error *err) {
    static const struct load real = {.name = "10,000 in flight, 10ms..2s",
                                     .workers = 10000,
                                     .sites = 10,
                                     .per_rack = 1,
                                     .repeats = 6,
                                     .latency = "10ms..2s",
                                     .every_s = 0.04,
                                     .in_flight = 9000,
                                     .posts = true};
    static const struct load saturated = {.name = "1,000 in flight, latency 0",
                                          .workers = 1000,
                                          .sites = 10,
                                          .per_rack = 5,
                                          .repeats = 15,
                                          .latency = "0",
                                          .every_s = 0.02,
                                          .in_flight = 900};
    // Long enough for a scrape every second to weigh something.
    static const struct load steady = {.name = "10,000 in flight, 10ms..2s",
                                       .workers = 10000,
                                       .sites = 50,
                                       .per_rack = 5,
                                       .repeats = 1,
                                       .latency = "10ms..2s"};
    static const struct load tiny = {.name = "tiny",
                                     .workers = 200,
                                     .sites = 1,
                                     .per_rack = 5,
                                     .repeats = 1,
                                     .latency = "10ms..50ms",
                                     .every_s = 0.02,
                                     .posts = true};
    struct table *table =
        bench_table(result, "While devices are in flight", columns, COUNT(columns));
    double p99 = NAN, wall_s, percent, ratio;
    if (config->tiny) {
        int rc = under_load(config, &tiny, table, &p99, &wall_s, err);
        if (rc == 0) rc = stalled(config, &tiny, table, &ratio, err);
        return rc != 0 ? rc : scrapes_alone(config, result, err);
    }
    bench_progress(config, 0, 5, "10,000 devices in flight at real latencies");
    int rc = under_load(config, &real, table, &p99, &wall_s, err);
    if (rc != 0) return rc;
    bench_goal(result, (struct bench_goal){"/metrics/ with 10,000 devices in flight at real "
                                           "latencies, 99th percentile",
                                           " ms", 20, p99, false});
    bench_progress(config, 1, 5, "10,000 devices in flight, in a store, and on a slow disk");
    rc = stalled(config, &real, table, &ratio, err);
    if (rc != 0) return rc;
    bench_goal(result, (struct bench_goal){"/metrics/ with 10,000 devices in flight, 99th "
                                           "percentile: with a store on a disk that takes 50 ms "
                                           "longer over one on this disk",
                                           "", 1.2, ratio, false});
    bench_progress(config, 2, 5, "1,000 devices in flight without latency");
    rc = under_load(config, &saturated, table, &p99, &wall_s, err);
    if (rc != 0) return rc;
    bench_goal(result, (struct bench_goal){"/metrics/ with 1,000 devices in flight at latency 0, "
                                           "99th percentile",
                                           " ms", 20, p99, false});
    rc = slowdown(config, &steady, &percent, err);
    if (rc != 0) return rc;
    bench_goal(result,
               (struct bench_goal){"slowdown of a run with 10,000 in flight by a scrape every "
                                   "second",
                                   " %", 2, percent, false});
    bench_note(result,
               "One request at a time, each on a connection of its own, from the same "
               "machine; per second: one behind the other. A scrape counts while so many "
               "devices are in flight. POST: a job "
               "without hosts, which fetches and parses the whole inventory. The cost of "
               "being scraped is that of one pair of runs with the same seed, 50,000 devices.");
    return scrapes_alone(config, result, err);
}

const struct bench_command bench_http = {
    .name = "http",
    .summary = "how fast it answers while thousands of devices are worked on",

    .run = run_command,
};

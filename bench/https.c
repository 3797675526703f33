// What TLS of the service costs: requests a second and CPU, over a connection that is kept and over
// a new one each time; and what others wait while handshakes keep coming.
#include "bench/bench.h"
#include "bench/stats.h"
#include "common/clock.h"
#include "common/count.h"
#include "common/mem.h"

#include <curl/curl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

enum { KEPT = 4000, NEW = 1000, OTHERS = 2000, STORM = 2, RUNS = 5, RUNS_MAX = 32 };

struct series { // of the runs over http, or of those over https
    double kept_rate[RUNS_MAX], kept_us[RUNS_MAX], new_rate[RUNS_MAX], new_us[RUNS_MAX];
    double calm_ms[RUNS_MAX], storm_ms[RUNS_MAX];
};

struct target {
    char url[128], ca[SCRATCH_PATH_MAX + 32];
    const struct process *process;
};

static size_t drop(const char *data, size_t size, size_t count, void *arg) {
    (void)data;
    (void)arg;
    return size * count;
}

static CURL *client_of(const struct target *t, bool is_kept) {
    CURL *curl = curl_easy_init();
    if (curl == NULL) abort(); // it only allocates
    curl_easy_setopt(curl, CURLOPT_URL, t->url);
    curl_easy_setopt(curl, CURLOPT_CAINFO, t->ca);
    curl_easy_setopt(curl, CURLOPT_CAPATH, NULL);
    curl_easy_setopt(curl, CURLOPT_PROXY, "");
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, drop);
    curl_easy_setopt(curl, CURLOPT_FORBID_REUSE, is_kept ? 0L : 1L);
    curl_easy_setopt(curl, CURLOPT_SSL_SESSIONID_CACHE, 0L); // each handshake a whole one
    curl_easy_setopt(curl, CURLOPT_FAILONERROR, 1L);
    return curl;
}

// So many requests, one after another: how many a second, and the service's CPU for each.
static int measure(const struct target *t, bool is_kept, unsigned count, double *rate, double *us,
                   struct error *err) {
    CURL *curl = client_of(t, is_kept);
    CURLcode rc = curl_easy_perform(curl);
    const double cpu_s = process_cpu_s(t->process), begun_s = clock_monotonic_s();
    for (unsigned i = 0; rc == CURLE_OK && i < count; i++)
        rc = curl_easy_perform(curl);
    *rate = count / (clock_monotonic_s() - begun_s);
    *us = (process_cpu_s(t->process) - cpu_s) / count * 1e6;
    curl_easy_cleanup(curl);
    return rc == CURLE_OK ? 0 : error_set(err, "%s: %s", t->url, curl_easy_strerror(rc));
}

// --- what others wait

struct storm {
    const struct target *target;
    atomic_bool is_over;
};

static void *connect_anew(void *arg) {
    struct storm *s = arg;
    CURL *curl = client_of(s->target, false);
    while (!atomic_load(&s->is_over))
        curl_easy_perform(curl);
    curl_easy_cleanup(curl);
    return NULL;
}

// The 99th percentile of the times of requests over a kept connection.
static int ask_meanwhile(const struct target *t, unsigned count, double *ms, struct error *err) {
    double *times = mem_array(count, sizeof *times);
    CURL *curl = client_of(t, true);
    CURLcode rc = curl_easy_perform(curl);
    for (unsigned i = 0; rc == CURLE_OK && i < count; i++) {
        const double begun_s = clock_monotonic_s();
        rc = curl_easy_perform(curl);
        times[i] = (clock_monotonic_s() - begun_s) * 1e3;
    }
    stats_median(times, count); // sorts them
    *ms = stats_quantile(times, count, 0.99);
    curl_easy_cleanup(curl);
    free(times);
    return rc == CURLE_OK ? 0 : error_set(err, "%s: %s", t->url, curl_easy_strerror(rc));
}

static int ask_in_storm(const struct target *t, unsigned count, double *ms, struct error *err) {
    pthread_t threads[STORM];
    struct storm storm = {.target = t};
    for (size_t i = 0; i < STORM; i++)
        if (pthread_create(&threads[i], NULL, connect_anew, &storm) != 0) abort();
    const int rc = ask_meanwhile(t, count, ms, err);
    atomic_store(&storm.is_over, true);
    for (size_t i = 0; i < STORM; i++)
        pthread_join(threads[i], NULL);
    return rc;
}

// --- the runs

static int play(const struct bench_config *config, bool https, struct series *s, unsigned i,
                struct error *err) {
    struct lab lab;
    struct error second;
    const unsigned part = config->tiny ? 100 : 1;
    const struct lab_config lab_config = {.latency = "0",
                                          .time_scale = 1,
                                          .addresses = config->addresses,
                                          .seed = config->seed,
                                          .workers = 1,
                                          .https = https};
    int rc = lab_start(&lab, &lab_config, err);
    if (rc != 0) return rc;
    struct target t = {.process = &lab.orchestrator.process};
    snprintf(t.url, sizeof t.url, "%.60s/livez", lab.orchestrator.url);
    snprintf(t.ca, sizeof t.ca, "%s/https-ca.pem", lab.dir);
    rc = measure(&t, true, KEPT / part, &s->kept_rate[i], &s->kept_us[i], err);
    if (rc == 0) rc = measure(&t, false, NEW / part, &s->new_rate[i], &s->new_us[i], err);
    if (rc == 0) rc = ask_meanwhile(&t, OTHERS / part, &s->calm_ms[i], err);
    if (rc == 0) rc = ask_in_storm(&t, OTHERS / part, &s->storm_ms[i], err);
    const int stopped = lab_stop(&lab, rc == 0 ? err : &second);
    return rc != 0 ? rc : stopped;
}

static const struct table_column columns[] = {
    {"over", TABLE_TEXT},
    {"runs", 0},
    {"requests/s, kept", 0},
    {"us CPU each", 0},
    {"requests/s, a connection each", 0},
    {"us CPU each", 0},
    {"99th percentile ms", 2},
    {"... while others connect", 2},
};

static int run_command(const struct bench_config *config, struct bench_result *result,
                       struct error *err) {
    static const char *const names[] = {"http", "https"};
    struct table *table =
        bench_table(result, "The service without TLS and with", columns, COUNT(columns));
    const unsigned given = config->runs == 0 ? RUNS : config->runs;
    const unsigned runs = config->tiny ? 1 : given < RUNS_MAX ? given : RUNS_MAX;
    struct series all[COUNT(names)] = {0};
    int rc = 0;
    for (unsigned i = 0; rc == 0 && i < runs; i++)
        for (unsigned half = 0; rc == 0 && half < COUNT(names); half++) { // each first by turns
            const unsigned which = (half + i) % COUNT(names);
            bench_progress(config, 2 * i + half, 2 * (size_t)runs, "requests over %s",
                           names[which]);
            rc = play(config, which == 1, &all[which], i, err);
        }
    if (rc != 0) return rc;
    for (unsigned i = 0; i < COUNT(names); i++) {
        struct series *s = &all[i];
        table_row(table, names[i], (double)runs, stats_median(s->kept_rate, runs),
                  stats_median(s->kept_us, runs), stats_median(s->new_rate, runs),
                  stats_median(s->new_us, runs), stats_median(s->calm_ms, runs),
                  stats_median(s->storm_ms, runs));
    }
    bench_note(result,
               "GET /livez by one client, one request after another; medians. CPU is the "
               "orchestrator's. The last column is of a client with a kept connection while %d "
               "others connect anew without a pause. ECDSA P-256, TLS 1.3, no session is resumed.",
               STORM);
    return 0;
}

const struct bench_command bench_https = {
    .name = "https",
    .summary = "what TLS of the service costs",
    .run = run_command,
};

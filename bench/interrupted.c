// The job is posted and not waited for, and its orchestrator is killed when half of its hosts are
// done. Another one takes it up: at last every device runs the version, each host has its outcome,
// and the referee has seen nothing.
#include "bench/interrupted.h"

#include "bench/networks.h"
#include "common/client.h"
#include "common/clock.h"
#include "common/count.h"
#include "common/json.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const char version[] = "5.3.1";
enum { DEVICES = 1000000, TINY = 2000, WORKERS = 1000, PATIENCE_S = 1800, LOOK_US = 20000 };
// Hosts in doubt whose install was not sent wait for it.
enum { INSTALL_TIMEOUT_US = 10000000, INSTALL_TIMEOUT_TINY_US = 4000000 };

struct run {
    struct lab lab;
    struct lab_config lab_config;
    struct table *table;
    unsigned devices;
    char id[LAB_JOB_ID_MAX];
    double started_s; // of the post, or of the second start
};

static void add_row(const struct run *r, const char *moment) {
    const struct process_memory memory = process_memory(&r->lab.orchestrator.process);
    table_row(r->table, moment, clock_monotonic_s() - r->started_s, (double)memory.resident / 1e6,
              (double)memory.peak / 1e6, lab_store_bytes(&r->lab) / 1e6);
}

// More installs than there were.
static int await_install(const struct run *r, double before, struct error *err) {
    struct lab_counts counts = {0};
    int rc = 0;
    while (rc == 0 && counts.installs <= before) {
        if (clock_monotonic_s() > r->started_s + PATIENCE_S)
            return error_set(err, "no host was started within %d s", PATIENCE_S);
        usleep(LOOK_US);
        rc = lab_count(&r->lab, &counts, err);
    }
    return rc;
}

static int get_changed(const struct run *r, double *changed, struct error *err) {
    char path[96];
    cJSON *job = NULL;
    snprintf(path, sizeof path, "/jobs/%s/", r->id);
    int rc = client_get_json(r->lab.orchestrator.url, NULL, path, &job, err);
    if (rc != 0) return rc;
    const cJSON *counts = cJSON_GetObjectItemCaseSensitive(job, "counts");
    *changed = cJSON_GetNumberValue(cJSON_GetObjectItemCaseSensitive(counts, "changed"));
    for (size_t i = 0; i < 2 && rc == 0; i++) {
        static const char *const bad[] = {"failed", "skipped"};
        const double hosts = cJSON_GetNumberValue(cJSON_GetObjectItemCaseSensitive(counts, bad[i]));
        if (hosts != 0) rc = error_set(err, "%.0f hosts are %s", hosts, bad[i]);
    }
    cJSON_Delete(job);
    return rc;
}

static int await_changed(const struct run *r, double wanted, struct error *err) {
    double changed = 0;
    int rc = get_changed(r, &changed, err);
    while (rc == 0 && changed < wanted) {
        if (clock_monotonic_s() > r->started_s + PATIENCE_S)
            return error_set(err, "%.0f hosts are done after %d s", changed, PATIENCE_S);
        usleep(LOOK_US);
        rc = get_changed(r, &changed, err);
    }
    return rc;
}

static int until_killed(struct run *r, struct error *err) {
    r->started_s = clock_monotonic_s();
    int rc = lab_begin_job(&r->lab, version, r->id, err);
    if (rc == 0) add_row(r, "kept: 202");
    if (rc == 0) rc = await_install(r, 0, err);
    if (rc == 0) add_row(r, "the first install");
    if (rc == 0) rc = await_changed(r, r->devices * 0.5, err);
    if (rc == 0) add_row(r, "half are done: killed");
    return rc == 0 ? lab_kill(&r->lab, err) : rc;
}

static int since_restart(struct run *r, struct error *err) {
    struct lab_counts counts;
    int rc = lab_count(&r->lab, &counts, err);
    r->started_s = clock_monotonic_s();
    if (rc == 0) rc = lab_start_again(&r->lab, &r->lab_config, err);
    if (rc == 0) add_row(r, "started again: ready");
    if (rc == 0) rc = await_install(r, counts.installs, err);
    if (rc == 0) add_row(r, "the first install since");
    if (rc == 0) rc = await_changed(r, r->devices, err);
    if (rc == 0) add_row(r, "all are done");
    return rc;
}

static int check(const struct run *r, struct error *err) {
    struct lab_counts counts;
    int rc = lab_check_versions(&r->lab, version, r->devices, err);
    if (rc == 0) rc = lab_count(&r->lab, &counts, err);
    if (rc == 0 && counts.violations > 0)
        rc = error_set(err, "the referee saw %.0f violations", counts.violations);
    return rc;
}

int interrupted_measure(const struct bench_config *config, struct bench_result *result,
                        struct error *err) {
    static const struct table_column columns[] = {{"moment", TABLE_TEXT},
                                                  {"seconds", 2},
                                                  {"resident MB", 1},
                                                  {"peak MB", 1},
                                                  {"store MB", 1}};
    char network[SCRATCH_PATH_MAX];
    struct run r = {.devices = config->tiny ? TINY : DEVICES};
    struct error second;
    int rc = networks_make(r.devices, "0", network, err);
    if (rc != 0) return rc;
    r.table = bench_table(result, "A job in a store, killed when half of its hosts are done",
                          columns, COUNT(columns));
    r.lab_config = (struct lab_config){.network = network,
                                       .time_scale = 1,
                                       .addresses = config->addresses,
                                       .seed = config->seed,
                                       .workers = config->workers == 0 ? WORKERS : config->workers,
                                       .keeps = true,
                                       .install_timeout_us = config->tiny ? INSTALL_TIMEOUT_TINY_US
                                                                          : INSTALL_TIMEOUT_US};
    bench_progress(config, 0, 0, "a job of %u hosts that is killed", r.devices);
    rc = lab_start(&r.lab, &r.lab_config, err);
    if (rc != 0) return rc;
    rc = until_killed(&r, err);
    if (rc == 0) rc = since_restart(&r, err);
    if (rc == 0) rc = check(&r, err);
    int stopped = lab_stop(&r.lab, rc == 0 ? err : &second);
    bench_note(
        result,
        "The killed job has %u hosts; its seconds are those since its post, then those since "
        "the second start. Hosts that were in doubt then, whose install had not been sent, "
        "wait for --install-timeout, 10 s here, before they are installed.",
        r.devices);
    return rc != 0 ? rc : stopped;
}

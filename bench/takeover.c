// Each of three nodes in turn is killed in the midst of a job. Another of them is asked who has
// what until the dead one's shards are theirs; then the job must come to its end: every device runs
// the version, and the referee has seen nothing.
#include "bench/takeover.h"

#include "bench/cluster_nodes.h"
#include "bench/networks.h"
#include "common/client.h"
#include "common/clock.h"
#include "common/count.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static const char version[] = "5.3.1";
enum { NODES = 3, DEVICES = 4000, TINY = 1000, WORKERS = 40, LOOK_US = 20000, PATIENCE_S = 300 };
// Hosts in doubt whose install was not sent wait for it.
enum { INSTALL_TIMEOUT_US = 10000000 };
static const double GOAL_S = 15;

struct kill {
    double shards;       // that the dead one had
    double since_kill_s; // until the others had them all
    double since_beat_s; // likewise, since its last beat that another saw
    double job_s;        // since its post, until all hosts were done
    double load;
};

static int await_installs(const struct cluster *c, double wanted, struct error *err) {
    const double until_s = clock_monotonic_s() + PATIENCE_S;
    struct lab_counts counts = {0};
    int rc = lab_count(&c->lab, &counts, err);
    while (rc == 0 && counts.installs < wanted) {
        if (clock_monotonic_s() > until_s)
            return error_set(err, "%.0f installs after %d s", counts.installs, PATIENCE_S);
        usleep(LOOK_US);
        rc = lab_count(&c->lab, &counts, err);
    }
    return rc;
}

static int await_taken(const struct daemon *witness, const char *dead, struct kill *k,
                       struct error *err) {
    const double killed_s = clock_monotonic_s();
    double beat_s = killed_s, now_s = killed_s, beat = -1;
    struct cluster_view view = {0};
    while (view.shards_of_others < CLUSTER_SHARDS) {
        if (now_s > killed_s + PATIENCE_S)
            return error_set(err, "the others have %.0f shards after %d s", view.shards_of_others,
                             PATIENCE_S);
        usleep(LOOK_US);
        int rc = cluster_look(witness, dead, &view, err);
        if (rc != 0) return rc;
        now_s = clock_monotonic_s();
        if (view.beat > beat && beat >= 0) beat_s = now_s;
        if (view.beat > beat) beat = view.beat;
    }
    k->since_kill_s = now_s - killed_s;
    k->since_beat_s = now_s - beat_s;
    return 0;
}

static int await_end(const struct daemon *witness, const char *id, double devices,
                     struct error *err) {
    const double until_s = clock_monotonic_s() + PATIENCE_S;
    char path[96];
    snprintf(path, sizeof path, "/jobs/%s/", id);
    for (;;) {
        cJSON *job = NULL;
        int rc = client_get_json(witness->url, NULL, path, &job, err);
        if (rc != 0) return rc;
        const cJSON *counts = cJSON_GetObjectItemCaseSensitive(job, "counts");
        const double changed =
            cJSON_GetNumberValue(cJSON_GetObjectItemCaseSensitive(counts, "changed"));
        cJSON_Delete(job);
        if (changed == devices) return 0;
        if (clock_monotonic_s() > until_s)
            return error_set(err, "%.0f hosts are done after %d s", changed, PATIENCE_S);
        usleep(LOOK_US);
    }
}

static int check(const struct cluster *c, unsigned devices, struct error *err) {
    struct lab_counts counts;
    int rc = lab_check_versions(&c->lab, version, devices, err);
    if (rc == 0) rc = lab_count(&c->lab, &counts, err);
    if (rc == 0 && counts.violations > 0)
        rc = error_set(err, "the referee saw %.0f violations", counts.violations);
    return rc;
}

static int kill_one(struct cluster *c, unsigned devices, unsigned i, struct kill *k,
                    struct error *err) {
    struct daemon *dead = cluster_node(c, i), *witness = cluster_node(c, (i + 1) % NODES);
    struct cluster_view view = {0};
    struct lab_counts counts;
    char id[LAB_JOB_ID_MAX];
    const double started_s = clock_monotonic_s();
    *k = (struct kill){0};
    getloadavg(&k->load, 1);
    int rc = lab_count(&c->lab, &counts, err);
    if (rc == 0) rc = lab_begin_job(&c->lab, version, id, err);
    if (rc == 0) rc = await_installs(c, counts.installs + devices * 0.4, err);
    if (rc == 0) rc = cluster_look(dead, NULL, &view, err);
    k->shards = view.shards;
    if (rc == 0) rc = process_end(&dead->process, SIGKILL, PATIENCE_S, NULL, err);
    if (rc == 0) rc = await_taken(witness, view.id, k, err);
    if (rc == 0) rc = await_end(witness, id, devices, err);
    k->job_s = clock_monotonic_s() - started_s;
    return rc == 0 ? check(c, devices, err) : rc;
}

static const struct table_column columns[] = {
    {"killed", TABLE_TEXT}, {"shards", 0},          {"seconds since its last beat", 2},
    {"since the kill", 2},  {"the whole job's", 2}, {"load before", 1}};

static int play(const struct bench_config *config, const struct lab_config *lab_config,
                struct database *database, unsigned devices, unsigned i, struct kill *k,
                struct error *err) {
    struct cluster c;
    struct error second;
    bench_progress(config, i, NODES, "nodes that are killed");
    int rc = cluster_start(&c, lab_config, database, NODES, err);
    if (rc != 0) return rc;
    rc = kill_one(&c, devices, i, k, err);
    int stopped = cluster_stop(&c, rc == 0 ? err : &second);
    return rc != 0 ? rc : stopped;
}

static int kill_all(const struct bench_config *config, const struct lab_config *lab_config,
                    struct database *database, unsigned devices, struct bench_result *result,
                    struct error *err) {
    struct table *table =
        bench_table(result, "A node of three is killed: until the others have its shards", columns,
                    COUNT(columns));
    double worst_s = 0;
    for (unsigned i = 0; i < (config->tiny ? 1 : NODES); i++) {
        struct kill k;
        int rc = play(config, lab_config, database, devices, i, &k, err);
        if (rc != 0) return rc;
        table_row(table, i == 0 ? "the first, posted at" : "another", k.shards, k.since_beat_s,
                  k.since_kill_s, k.job_s, k.load);
        if (k.since_kill_s > worst_s) worst_s = k.since_kill_s;
    }
    bench_goal(result, (struct bench_goal){"a node is killed: until the others have its shards, "
                                           "the longest",
                                           " s", GOAL_S, worst_s, false});
    return 0;
}

int takeover_measure(const struct bench_config *config, struct database *database,
                     struct bench_result *result, struct error *err) {
    char network[SCRATCH_PATH_MAX];
    const unsigned devices = config->tiny ? TINY : DEVICES;
    int rc = networks_make(devices, "150ms..250ms", network, err);
    if (rc != 0) return rc;
    const struct lab_config lab_config = {.network = network,
                                          .time_scale = 1,
                                          .addresses = config->addresses,
                                          .seed = config->seed,
                                          .workers = WORKERS,
                                          .install_timeout_us = INSTALL_TIMEOUT_US};
    rc = kill_all(config, &lab_config, database, devices, result, err);
    bench_note(
        result,
        "The killed nodes were in the midst of a job of %u hosts at 150 to 250 ms a call, %d "
        "workers each. Another was asked by GET /nodes/ every 20 ms. At the end of each job "
        "every device ran the wanted version, and the referee had seen no violation. Hosts "
        "in doubt wait for --install-timeout, 10 s here.",
        devices, WORKERS);
    return rc;
}

#include "bench/cluster_nodes.h"

#include "common/client.h"
#include "common/clock.h"
#include "common/json.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { SHARED_S = 60, LOOK_US = 20000, END_S = 60 };

struct daemon *cluster_node(struct cluster *c, unsigned i) {
    return i == 0 ? &c->lab.orchestrator : &c->others[i - 1];
}

double cluster_cpu_s(struct cluster *c) {
    double cpu_s = 0;
    for (unsigned i = 0; i < c->count; i++)
        cpu_s += process_cpu_s(&cluster_node(c, i)->process);
    return cpu_s;
}

struct process_memory cluster_memory(struct cluster *c) {
    struct process_memory most = {0};
    for (unsigned i = 0; i < c->count; i++) {
        const struct process_memory one = process_memory(&cluster_node(c, i)->process);
        if (one.resident > most.resident) most.resident = one.resident;
        if (one.peak > most.peak) most.peak = one.peak;
    }
    return most;
}

// --- who has what

static double number_of(const cJSON *node, const char *name) {
    return cJSON_GetNumberValue(cJSON_GetObjectItemCaseSensitive(node, name));
}

static bool is_meant(const cJSON *node, const char *wanted, const char *id) {
    if (wanted != NULL) return strcmp(wanted, id) == 0;
    return cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(node, "this"));
}

int cluster_look(const struct daemon *node, const char *id, struct cluster_view *view,
                 struct error *err) {
    cJSON *answer = NULL, *one;
    int rc = client_get_json(node->url, NULL, "/nodes/", &answer, err);
    if (rc != 0) return rc;
    *view = (struct cluster_view){0};
    cJSON_ArrayForEach(one, cJSON_GetObjectItemCaseSensitive(answer, "nodes")) {
        const char *name = NULL;
        if (rc == 0) rc = json_string(one, "id", &name, err);
        if (rc != 0) break;
        const double shards = number_of(one, "shards");
        if (is_meant(one, id, name)) {
            snprintf(view->id, sizeof view->id, "%s", name);
            view->beat = number_of(one, "beat");
            view->shards = shards;
        } else {
            view->shards_of_others += shards;
            view->others += shards > 0;
        }
    }
    cJSON_Delete(answer);
    return rc;
}

// Within a hundredth of all.
static bool is_shared(const struct cluster *c, const struct cluster_view *view) {
    const double even = (double)CLUSTER_SHARDS / c->count, off = CLUSTER_SHARDS / 100.0;
    return view->shards + view->shards_of_others == CLUSTER_SHARDS &&
           view->others == c->count - 1 && view->shards > even - off && view->shards < even + off;
}

static int await_shared(struct cluster *c, struct error *err) {
    const double until_s = clock_monotonic_s() + SHARED_S;
    for (unsigned i = 0; i < c->count;) {
        struct cluster_view view;
        int rc = cluster_look(cluster_node(c, i), NULL, &view, err);
        if (rc != 0) return rc;
        if (is_shared(c, &view)) {
            i++;
            continue;
        }
        if (clock_monotonic_s() > until_s)
            return error_set(err,
                             "the shards are not shared out after %d s: node %u has %.0f, %u "
                             "others have %.0f",
                             SHARED_S, i + 1, view.shards, view.others, view.shards_of_others);
        usleep(LOOK_US);
    }
    return 0;
}

// --- life

int cluster_start(struct cluster *c, const struct lab_config *config, struct database *database,
                  unsigned count, struct error *err) {
    struct error ignored;
    int rc = 0;
    *c = (struct cluster){.config = *config, .count = count};
    if (database != NULL) {
        rc = database_start_again(database, err);
        c->config.state = database->uri;
    }
    if (rc == 0) rc = lab_start(&c->lab, &c->config, err);
    if (rc != 0) return rc;
    for (unsigned i = 1; rc == 0 && i < count; i++)
        rc = lab_start_node(&c->lab, &c->config, i + 1, cluster_node(c, i), err);
    if (rc == 0 && database != NULL) rc = await_shared(c, err);
    if (rc != 0) cluster_stop(c, &ignored);
    return rc;
}

int cluster_stop(struct cluster *c, struct error *err) {
    struct error second;
    int rc = 0;
    for (unsigned i = 1; i < c->count; i++) {
        struct daemon *node = cluster_node(c, i);
        if (node->process.pid <= 0) continue;
        int ended = daemon_end(node, SIGTERM, 0, END_S, rc == 0 ? err : &second);
        if (rc == 0) rc = ended;
    }
    int stopped = lab_stop(&c->lab, rc == 0 ? err : &second);
    return rc != 0 ? rc : stopped;
}

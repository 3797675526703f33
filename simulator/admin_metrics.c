#include "simulator/admin_metrics.h"

#include "common/prom.h"
#include "common/prom_process.h"
#include "common/version.h"

#include <stdio.h>

static void one(struct prom_writer *w, const char *name, enum prom_type type, const char *help,
                double value) {
    char sample[128];
    prom_family(w, name, type, help);
    snprintf(sample, sizeof sample, "%s%s", name, type == PROM_COUNTER ? "_total" : "");
    prom_sample(w, sample, NULL, value);
}

static void sample(struct prom_writer *w, const char *name, const char *label, const char *value,
                   double n) {
    struct buf labels = {0};
    prom_label(&labels, label, value);
    prom_sample(w, name, labels.data, n);
    buf_deinit(&labels);
}

static void write_requests(struct prom_writer *w, const struct world *world) {
    prom_family(w, "simulator_requests", PROM_COUNTER,
                "Calls that devices were asked for, by what became of them.");
    for (int operation = 0; operation < OPERATION_COUNT; operation++)
        for (int outcome = 0; outcome < WORLD_OUTCOME_COUNT; outcome++) {
            struct buf labels = {0};
            prom_label(&labels, "operation", operation_names[operation]);
            prom_label(&labels, "outcome", world_outcome_names[outcome]);
            prom_sample(w, "simulator_requests_total", labels.data,
                        (double)world->requests[operation][outcome]);
            buf_deinit(&labels);
        }
}

static void write_world(struct prom_writer *w, const struct world *world) {
    prom_family(w, "simulator_devices", PROM_GAUGE, "Devices by their state.");
    for (int i = 0; i < DEVICE_STATE_COUNT; i++)
        sample(w, "simulator_devices", "state", device_state_names[i], world->states[i]);
    prom_family(w, "simulator_faults_fired", PROM_COUNTER, "Calls that a fault took hold of.");
    for (int i = 0; i < FAULT_EFFECT_COUNT; i++)
        sample(w, "simulator_faults_fired_total", "effect", fault_effect_names[i],
               (double)world_faults_fired(world, (enum fault_effect)i));
    prom_family(w, "simulator_violations", PROM_COUNTER, "What the referee found.");
    for (int i = 0; i < REFEREE_KIND_COUNT; i++)
        sample(w, "simulator_violations_total", "kind", referee_kind_names[i],
               (double)world_violations(world, (enum referee_kind)i));
}

void admin_metrics_get(const struct world *world, size_t connections, struct http_request *r) {
    struct buf text = {0};
    enum prom_format format = prom_negotiate(http_accept(r));
    struct prom_writer w = {&text, format};
    prom_family(&w, "simulator_build_info", PROM_GAUGE, "The version, as a label.");
    sample(&w, "simulator_build_info", "version", PROJECT_VERSION, 1);
    one(&w, "simulator_logins", PROM_COUNTER, "Logins that succeeded.", (double)world->logins);
    write_requests(&w, world);
    one(&w, "simulator_bad_requests", PROM_COUNTER,
        "Requests refused before they reached a device.", (double)world->bad_requests);
    write_world(&w, world);
    one(&w, "simulator_connections", PROM_GAUGE, "Connections that are open.", (double)connections);
    one(&w, "simulator_connections_accepted", PROM_COUNTER, "Connections that were taken.",
        (double)world->last_connection);
    one(&w, "simulator_connections_kept", PROM_COUNTER,
        "Connections that the client had not closed 2 s after the last answer.",
        (double)world->connections_kept);
    one(&w, "simulator_delay_seconds", PROM_COUNTER,
        "Time that calls were made to take, by latencies and delays.",
        (double)world->delays_us / 1e6);
    one(&w, "simulator_faults", PROM_GAUGE, "Fault rules in force.", (double)world->faults.len);
    one(&w, "simulator_logged_in", PROM_GAUGE, "Connections that are logged in.",
        (double)world->referee.in_flight);
    one(&w, "simulator_events", PROM_COUNTER, "Events in the journal, kept or not.",
        (double)world->journal.last);
    prom_process(&w);
    prom_end(&w);
    size_t len = text.len;
    http_answer(r, 200, prom_content_type(format), buf_take(&text), len);
}

#include "bench/plan.h"

#include "common/inventory_parse.h"
#include "common/json.h"
#include "common/mem.h"
#include "orchestrator/policy_grouping.h"
#include "simulator/console_call.h"
#include "simulator/listing.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int read_inventory(struct plan *plan, struct error *err) {
    static const char *const addresses[] = {"127.0.0.1"};
    const struct listing_addresses at = {.hosts = addresses, .count = 1, .port = 1};
    const struct filter all = {.all = true};
    struct listing_filter everything;
    struct buf text = {0};
    cJSON *document = NULL;
    int rc = listing_filter_init(&everything, &plan->network, NULL, NULL, err);
    if (rc != 0) return rc;
    listing_write(&plan->network, &everything, &at, &text);
    listing_filter_deinit(&everything);
    rc = json_parse(text.data, text.len, &document, err);
    if (rc == 0) rc = inventory_parse(document, &plan->inventory, err);
    if (rc == 0) rc = inventory_select(plan->inventory, &all, &all, &plan->selection, err);
    cJSON_Delete(document);
    buf_deinit(&text);
    return rc;
}

// Of the others the latencies tell all.
static bool is_odd(const struct plan *plan, uint32_t device) {
    const struct network_override *override = network_override_of(&plan->network, device);
    return plan->network.reboots || (override != NULL && (override->down || override->port != 0)) ||
           (plan->faults.len > 0 && console_call_has_faults(&plan->network, &plan->faults, device));
}

static void look_at(struct plan *plan, uint32_t device) {
    const struct network_override *override = network_override_of(&plan->network, device);
    if (plan->inventory->hosts[device].platform != 0) {
        plan->foreign_count++;
        return;
    }
    if (!is_odd(plan, device)) return;
    if (plan->odd == NULL) plan->odd = mem_array(plan->network.devices, sizeof *plan->odd);
    plan->odd[device] = true;
    plan->odd_count++;
    if (override != NULL && (override->down || override->port != 0)) plan->down_count++;
}

int plan_init(struct plan *plan, const struct network_source *source,
              const struct duration_range *latency, struct error *err) {
    static const struct network_source acme;
    *plan = (struct plan){0};
    int rc =
        network_source_load(source == NULL ? &acme : source, &plan->network, &plan->faults, err);
    if (rc == 0) rc = read_inventory(plan, err);
    if (rc == 0)
        rc = policy_grouping(&plan->grouping, &plan->network.policy, plan->inventory,
                             &plan->selection, err);
    if (rc != 0) {
        plan_deinit(plan);
        return rc;
    }
    if (latency != NULL) network_set_latency(&plan->network, *latency);
    plan->hashes = mem_array(plan->network.devices, sizeof *plan->hashes);
    for (uint32_t device = 0; device < plan->network.devices; device++) {
        plan->hashes[device] = network_hash(&plan->network, device);
        look_at(plan, device);
    }
    return 0;
}

void plan_deinit(struct plan *plan) {
    grouping_deinit(&plan->grouping);
    selection_deinit(&plan->selection);
    inventory_unref(plan->inventory);
    fault_deinit(&plan->faults);
    network_deinit(&plan->network);
    free(plan->hashes);
    free(plan->odd);
    *plan = (struct plan){0};
}

void plan_write_failures(double rate, char json[PLAN_FAILURES_MAX]) {
    snprintf(json, PLAN_FAILURES_MAX,
             "{\"on\": \"install_os_version\", \"effect\": \"error\", \"probability\": %.17g}",
             rate);
}

int plan_add_failures(struct plan *plan, double rate, struct error *err) {
    char json[PLAN_FAILURES_MAX];
    cJSON *rule = NULL;
    if (rate == 0) return 0;
    plan_write_failures(rate, json);
    int rc = json_parse(json, strlen(json), &rule, err);
    if (rc == 0) rc = fault_add(&plan->faults, rule, err);
    cJSON_Delete(rule);
    plan->failure_rate = rate;
    plan->failure_rule = plan->faults.last_id;
    return rc;
}

#include "bench/plan.h"

#include "common/inventory_parse.h"
#include "common/json.h"
#include "common/mem.h"
#include "orchestrator/policy_grouping.h"
#include "simulator/listing.h"
#include "simulator/network_file.h"

#include <stdlib.h>

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

int plan_init(struct plan *plan, const char *path, const struct duration_range *latency,
              struct error *err) {
    *plan = (struct plan){0};
    struct fault_list faults = {0}; // what a file has of them is not played here
    network_init(&plan->network);
    int rc = path == NULL ? network_seal(&plan->network, err)
                          : network_file_load(&plan->network, &faults, path, err);
    plan->has_faults = faults.len > 0;
    for (size_t i = 0; i < plan->network.overrides_len; i++)
        plan->has_faults = plan->has_faults || plan->network.overrides[i].port != 0;
    fault_deinit(&faults);
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
    for (uint32_t device = 0; device < plan->network.devices; device++)
        plan->hashes[device] = network_hash(&plan->network, device);
    return 0;
}

void plan_deinit(struct plan *plan) {
    grouping_deinit(&plan->grouping);
    selection_deinit(&plan->selection);
    inventory_unref(plan->inventory);
    network_deinit(&plan->network);
    free(plan->hashes);
    *plan = (struct plan){0};
}

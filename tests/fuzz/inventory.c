// An inventory file, in YAML or JSON, up to its redundancy groups.
#include "orchestrator/inventory.h"
#include "common/yml.h"
#include "orchestrator/group.h"
#include "tests/fuzz/fuzz.h"

static void check_hosts(const struct inventory *inventory) {
    for (size_t i = 0; i < inventory->count; i++) {
        const struct host *host = &inventory->hosts[i];
        assert(host->port > 0 && host->address[0] != '\0' && host->rack[0] != '\0');
        assert(host->name[0] != '\0' && strlen(host->name) <= INVENTORY_NAME_MAX);
        assert(strpbrk(host->name, "\r\n\t ") == NULL); // it goes into the log
        assert(inventory_site(inventory, host) != NULL);
        assert(inventory_dev_type(inventory, host) != NULL);
    }
}

// Each host stands in exactly one group, and the groups in inventory order.
static void check_groups(const struct inventory *inventory) {
    struct filter all = {.all = true};
    struct selection selection;
    struct grouping grouping;
    struct error err;
    int rc = inventory_select(inventory, &all, &all, &selection, &err);
    assert(rc == 0 && selection.count == inventory->count);
    grouping_init(&grouping, inventory, &selection);
    bool *seen = mem_array(inventory->count, sizeof *seen);
    size_t hosts = 0;
    assert(grouping.cohorts_count == grouping.count);
    for (size_t g = 0; g < grouping.count; g++) {
        const struct constraint *constraint = &grouping.constraints[g];
        const struct cohort *group = &grouping.cohorts[constraint->cohorts];
        assert(group->count > 0 && group->first == hosts && constraint->members == group->count);
        assert(constraint->key[0] != '\0' && constraint->name[0] != '\0');
        for (uint32_t i = 0; i < group->count; i++) {
            uint32_t host = grouping.order[group->first + i];
            assert(host < inventory->count && !seen[host]);
            assert(i == 0 || host > grouping.order[group->first + i - 1]);
            seen[host] = true;
            hosts++;
        }
    }
    assert(hosts == inventory->count);
    free(seen);
    grouping_deinit(&grouping);
    selection_deinit(&selection);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct yml y = {0};
    struct inventory *inventory = NULL;
    struct error err = {0};
    mem_init();
    if (yml_parse(&y, "inventory.yaml", (const char *)data, size, &err) != 0) {
        assert(strncmp(err.text, "inventory.yaml:", 15) == 0);
        return 0;
    }
    int rc = inventory_parse(y.root, &inventory, &err);
    if (rc != 0) {
        yml_place(&y, "inventory.yaml", &err);
        assert(rc == ERROR_INPUT && err.text[0] != '\0');
    }
    yml_deinit(&y);
    if (rc != 0) return 0;
    check_hosts(inventory);
    check_groups(inventory);
    inventory_unref(inventory);
    return 0;
}

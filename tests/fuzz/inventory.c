// An inventory file, in YAML or JSON, up to its redundancy groups.
#include "common/inventory_parse.h"
#include "common/yml.h"
#include "orchestrator/policy_grouping.h"
#include "tests/fuzz/fuzz.h"

static void check_hosts(const struct inventory *inventory) {
    for (size_t i = 0; i < inventory->count; i++) {
        const struct host *host = &inventory->hosts[i];
        assert(host->address[0] != '\0' && host->rack != NULL);
        assert(host->platform < inventory->platforms.count);
        assert(host->platform != 0 || host->port > 0);
        assert(host->platform != 0 || host->site != INVENTORY_NO_NAME);
        assert(host->name[0] != '\0' && strlen(host->name) <= INVENTORY_NAME_MAX);
        assert(strpbrk(host->name, "\r\n\t ") == NULL); // it goes into the log
        assert(inventory_site(inventory, host) != NULL);
        assert(inventory_dev_type(inventory, host) != NULL);
    }
}

// What a host has is told as it was found: no empty text, and nothing where nobody has any.
static void check_attributes(const struct inventory *inventory) {
    size_t values = 0;
    for (size_t i = 0; i < inventory->count; i++)
        for (size_t a = 0; a < inventory->attributes.count; a++) {
            int attribute = inventory_attribute(inventory, inventory->attributes.list[a]);
            struct attribute_values has = inventory_values(inventory, i, attribute);
            for (size_t v = 0; v < has.count; v++)
                assert(has.list[v][0] != '\0');
            values += attribute < 0 ? 0 : has.count;
        }
    assert(inventory->attributes_from != NULL || values == 0);
}

// By ACME's policy each host stands in exactly one group, unless the inventory names groups; and
// the groups in inventory order.
static void check_groups(const struct inventory *inventory) {
    struct filter all = {.all = true};
    struct selection selection;
    struct grouping grouping;
    struct policy policy;
    struct error err;
    int rc = inventory_select(inventory, &all, &all, &selection, &err);
    assert(rc == 0 && selection.count == inventory->count);
    policy_default(&policy);
    rc = policy_grouping(&grouping, &policy, inventory, &selection, &err);
    policy_deinit(&policy);
    assert(rc == 0 || rc == ERROR_INPUT || rc == POLICY_UNFIT);
    bool named = inventory_attribute(inventory, "redundancy_groups") >= 0;
    if (rc != 0 || named) {
        if (rc == 0) grouping_deinit(&grouping);
        selection_deinit(&selection);
        return;
    }
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

// Under a policy over whatever attributes: members and groups say the same of each other.
static void check_policy(const struct inventory *inventory) {
    static const char text[] =
        "{ungrouped: allow, redundancy: [{group: \"{redundancy_groups}{role}\", first: {role: a}}, "
        "{group: \"{site}{rack}\"}], throttle: [{group: \"{feeds}\", at_once: 2}]}";
    struct yml y = {0};
    struct policy policy;
    struct applied_policy applied;
    struct error err;
    int rc = yml_parse(&y, "policy", text, sizeof text - 1, &err);
    if (rc == 0) rc = policy_parse(&policy, y.root, NULL, NULL, &err);
    assert(rc == 0);
    yml_deinit(&y);
    policy.given = false; // its rules need not apply
    const struct selection none = {0};
    rc = policy_apply(&applied, &policy, inventory, &none, &err);
    assert(rc == 0 || rc == POLICY_UNFIT);
    if (rc == 0) {
        size_t members = 0;
        for (size_t g = 0; g < applied.count; g++) {
            const struct applied_group *group = &applied.groups[g];
            assert(group->first == members && group->count > 0 && group->leading <= group->count);
            members += group->count;
        }
        assert(members == applied.of_from[inventory->count]);
        applied_policy_deinit(&applied);
    }
    policy_deinit(&policy);
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
    check_attributes(inventory);
    check_groups(inventory);
    check_policy(inventory);
    inventory_unref(inventory);
    return 0;
}

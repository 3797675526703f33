// The groups of networks, against those that the orchestrator finds in the inventory that the
// simulator serves of them: two ways to the same answer, which share only what a rule says of a
// host.
#include "simulator/network_groups.h"

#include "common/count.h"
#include "common/inventory_parse.h"
#include "common/json.h"
#include "common/rng.h"
#include "orchestrator/policy.h"
#include "simulator/listing.h"
#include "simulator/network_file.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

Suite *check_network_groups(void);

static struct inventory *served(const struct network *n) {
    static const char *const address[] = {"127.0.0.1"};
    const struct listing_addresses at = {address, 1, 8300, false};
    const struct listing_filter everything = {0};
    struct inventory *inventory = NULL;
    struct buf text = {0};
    struct error err;
    cJSON *json = NULL;
    listing_write(n, &everything, &at, &text);
    ck_assert_msg(json_parse(text.data, text.len, &json, &err) == 0, "%s: %s", err.text, text.data);
    int rc = inventory_parse(json, &inventory, &err);
    ck_assert_msg(rc == 0, "%s: %s", err.text, text.data);
    cJSON_Delete(json);
    buf_deinit(&text);
    return inventory;
}

static void assert_same_groups(const struct network *n, const struct applied_policy *applied,
                               uint32_t device) {
    struct network_group_list groups = network_groups_of(n, device);
    uint32_t from = applied->of_from[device];
    ck_assert_uint_eq(groups.count, applied->of_from[device + 1] - from);
    for (size_t i = 0; i < groups.count; i++) {
        const struct applied_group *other =
            &applied->groups[applied->of[from + i] & ~APPLIED_FIRST];
        const struct network_group *mine = &n->groups.list[groups.list[i]];
        ck_assert_uint_eq(groups.list[i], applied->of[from + i] & ~APPLIED_FIRST);
        ck_assert_str_eq(mine->key, other->key);
        ck_assert_uint_eq(mine->limit, other->limit);
        ck_assert_int_eq(mine->redundancy, other->redundancy);
    }
}

static void assert_as_the_orchestrator_finds(const struct network *n) {
    struct inventory *inventory = served(n);
    const struct selection nobody = {0};
    struct applied_policy applied;
    struct error err;
    ck_assert_uint_eq(inventory->count, n->devices);
    int rc = policy_apply(&applied, &n->policy, inventory, &nobody, &err);
    ck_assert_msg(rc == 0, "%s", err.text);
    ck_assert_uint_eq(applied.count, n->groups.count);
    for (uint32_t device = 0; device < n->devices; device++) {
        char host[NETWORK_HOST_MAX];
        uint32_t found = UINT32_MAX;
        network_host(n, device, host);
        ck_assert_str_eq(inventory->hosts[device].name, host);
        ck_assert(network_find(n, host, &found));
        ck_assert_uint_eq(found, device);
        assert_same_groups(n, &applied, device);
    }
    applied_policy_deinit(&applied);
    inventory_unref(inventory);
}

static void assert_file(const char *text) {
    struct network n;
    struct fault_list faults = {0};
    struct error err = {0};
    network_init(&n);
    int rc = network_file_parse(&n, &faults, "net.yaml", text, strlen(text), &err);
    ck_assert_msg(rc == 0, "%s\n%s", err.text, text);
    assert_as_the_orchestrator_finds(&n);
    fault_deinit(&faults);
    network_deinit(&n);
}

// --- networks made up

struct dice {
    uint64_t seed, throws;
};

static unsigned roll(struct dice *d, unsigned sides) {
    return (unsigned)rng_range(rng_mix(d->seed, ++d->throws), 0, sides - 1);
}

static void write_sites(struct dice *d, struct buf *out) {
    switch (roll(d, 3)) {
    case 0:
        buf_addf(out, "sites: {count: %u, prefix: eu}\n", 1 + roll(d, 4));
        break;
    case 1:
        buf_adds(out, "sites: [eu00, eu00_west, x]\n");
        break;
    default:
        buf_addf(out, "sites: {eu00: {leaf: %u, spine: %u}, eu00_west: {west_spine: %u}, x: {}}\n",
                 roll(d, 9), roll(d, 3), roll(d, 5));
    }
}

static void write_types(struct dice *d, struct buf *out) {
    static const char *const names[] = {"", ", name: \"{site}-{dev_type}.{n:03}\"",
                                        ", name: \"{dev_type}-{n}-of-{site}\""};
    static const char *const types[] = {"leaf", "spine", "west_spine"};
    buf_adds(out, "dev_types:\n");
    for (size_t i = 0; i < COUNT(types); i++) {
        buf_addf(out, "  %s: {count: %u, per_rack: %u%s", types[i], 1 + roll(d, 12), 1 + roll(d, 4),
                 names[roll(d, COUNT(names))]);
        if (roll(d, 2) == 0) buf_addf(out, ", feed: \"{n%%%u}\"", 1 + roll(d, 4));
        if (roll(d, 2) == 0) buf_addf(out, ", pair: \"{site}{n/%u}\"", 1 + roll(d, 4));
        if (roll(d, 3) == 0) buf_adds(out, ", redundancy_groups: [a, b]");
        if (roll(d, 3) == 0) buf_adds(out, ", zone: [1, 2]");
        buf_adds(out, "}\n");
    }
}

static void write_hosts(struct dice *d, struct buf *out) {
    buf_adds(out,
             "hosts:\n  never: {site: eu00, dev_type: leaf, rack: 5, feed: z, pair: z, zone: z}\n");
    for (unsigned i = roll(d, 4); i > 0; i--)
        buf_addf(out, "  own%u: {site: eu00, dev_type: %s, zone: %u, role: standby}\n", i,
                 roll(d, 2) == 0 ? "leaf" : "core", roll(d, 3));
    if (roll(d, 2) == 0) buf_adds(out, "  pan: {site: eu00, dev_type: fw, platform: panos}\n");
}

static void write_rules(struct dice *d, struct buf *out) {
    static const char *const groups[] = {"{site}_{dev_type}",
                                         "{site}_leaf_{rack}",
                                         "feed {feed}",
                                         "{pair}",
                                         "{zone}{pair}",
                                         "{site}",
                                         "{host}",
                                         "{redundancy_groups}",
                                         "all"};
    static const char *const terms[] = {"", ", match: {dev_type: leaf}",
                                        ", unless: {dev_type: [core, fw]}",
                                        ", match: {rack: \"1*\"}", ", unless: {host: \"*-1*\"}"};
    buf_adds(out, "policy:\n  ungrouped: allow\n  redundancy:\n    - {group: \"{dev_type}\"}\n");
    for (unsigned i = roll(d, 4); i > 0; i--)
        buf_addf(out, "    - {group: \"%s\"%s, max_unavailable: %u}\n",
                 groups[roll(d, COUNT(groups))], terms[roll(d, COUNT(terms))], 1 + roll(d, 3));
    buf_addf(out, "  throttle:\n    - {group: \"%s\", at_once: %u}\n", groups[roll(d, 2)],
             1 + roll(d, 5));
}

START_TEST(groups_are_those_that_the_orchestrator_finds_in_what_is_served) {
    enum { NETWORKS = 400 };
    unsigned formed = 0;
    for (uint64_t seed = 1; seed <= NETWORKS; seed++) {
        struct dice d = {.seed = seed};
        struct buf text = {0};
        struct network n;
        struct fault_list faults = {0};
        struct error err = {0};
        write_sites(&d, &text);
        write_types(&d, &text);
        write_hosts(&d, &text);
        write_rules(&d, &text);
        network_init(&n);
        int rc = network_file_parse(&n, &faults, "net.yaml", text.data, strlen(text.data), &err);
        // A rule may be for nobody, which both refuse.
        ck_assert_msg(rc == 0 || strstr(err.text, "applies to no device") != NULL,
                      "seed %u: %s\n%s", (unsigned)seed, err.text, text.data);
        if (rc == 0) {
            assert_as_the_orchestrator_finds(&n);
            formed++;
        }
        fault_deinit(&faults);
        network_deinit(&n);
        buf_deinit(&text);
    }
    ck_assert_uint_gt(formed, NETWORKS / 2);
}
END_TEST

// --- the networks that users brought

static const struct {
    const char *path;
    uint32_t devices, groups;
} examples[] = {
    {"spec/examples/campus/network.yaml", 10, 6},
    {"spec/examples/wan/network.yaml", 7, 3},
    {"spec/examples/fabric/network.yaml", 1040, 1 + 512 + 8},
};

// The policy beside the network is the one within it.
static void assert_same_policy(const struct network *n, const char *network_path) {
    char path[128];
    struct policy policy;
    struct error err;
    snprintf(path, sizeof path, "%.*s/policy.yaml",
             (int)(strrchr(network_path, '/') - network_path), network_path);
    ck_assert_msg(policy_load(&policy, path, &err) == 0, "%s", err.text);
    ck_assert_uint_eq(policy.count, n->policy.count);
    for (size_t i = 0; i < policy.count; i++) {
        ck_assert_str_eq(policy.rules[i].group, n->policy.rules[i].group);
        ck_assert_uint_eq(policy.rules[i].limit, n->policy.rules[i].limit);
        ck_assert_uint_eq(policy.rules[i].match.count, n->policy.rules[i].match.count);
        ck_assert_uint_eq(policy.rules[i].first.count, n->policy.rules[i].first.count);
    }
    policy_deinit(&policy);
}

START_TEST(the_examples_are_networks_whose_groups_the_orchestrator_finds) {
    struct network n;
    struct fault_list faults = {0};
    struct error err = {0};
    network_init(&n);
    int rc = network_file_load(&n, &faults, examples[_i].path, &err);
    ck_assert_msg(rc == 0, "%s", err.text);
    ck_assert_uint_eq(n.devices, examples[_i].devices);
    ck_assert_uint_eq(n.groups.count, examples[_i].groups);
    assert_as_the_orchestrator_finds(&n);
    assert_same_policy(&n, examples[_i].path);
    fault_deinit(&faults);
    network_deinit(&n);
}
END_TEST

START_TEST(names_that_two_rules_share_get_the_rule_in_front) {
    static const char *const names[] = {"redundancy[0] {site}: eu", "throttle[0] {site}: eu",
                                        "leaf"};
    const char *text = "sites: [eu]\ndev_types: {leaf: {count: 2}}\npolicy:\n"
                       "  redundancy: [{group: \"{site}\"}, {group: \"{dev_type}\"}]\n"
                       "  throttle: [{group: \"{site}\", at_once: 1}]\n";
    struct network n;
    struct fault_list faults = {0};
    struct error err;
    network_init(&n);
    ck_assert_int_eq(network_file_parse(&n, &faults, "net.yaml", text, strlen(text), &err), 0);
    bool *twice = network_groups_named_twice(&n);
    for (uint32_t group = 0; group < n.groups.count; group++) {
        struct buf name = {0};
        bool found = false;
        network_group_name(&n, group, twice, &name);
        for (size_t i = 0; i < COUNT(names); i++)
            found = found || strcmp(names[i], name.data) == 0;
        ck_assert_msg(found, "%s", name.data);
        buf_deinit(&name);
    }
    ck_assert_uint_eq(n.groups.count, COUNT(names));
    free(twice);
    network_deinit(&n);
}
END_TEST

// A device with attributes of its own between two that have none: the answer for those goes on.
START_TEST(a_host_with_attributes_of_its_own_is_asked_apart) {
    assert_file("sites: [a]\ndev_types: {leaf: {count: 6, per_rack: 6}}\n"
                "hosts: {leaf02.a: {redundancy_groups: [pair]}, leaf04.a: {redundancy_groups: "
                "[pair]}}\n");
}
END_TEST

Suite *check_network_groups(void) {
    Suite *suite = suite_create("network_groups");
    TCase *tc = tcase_create("network_groups");
    tcase_set_timeout(tc, 60);
    tcase_add_test(tc, groups_are_those_that_the_orchestrator_finds_in_what_is_served);
    tcase_add_loop_test(tc, the_examples_are_networks_whose_groups_the_orchestrator_finds, 0,
                        COUNT(examples));
    tcase_add_test(tc, names_that_two_rules_share_get_the_rule_in_front);
    tcase_add_test(tc, a_host_with_attributes_of_its_own_is_asked_apart);
    suite_add_tcase(suite, tc);
    return suite;
}

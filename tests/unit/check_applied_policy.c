// Policies on inventories: the groups, and what is refused.
#include "common/file.h"
#include "common/inventory_file.h"
#include "tests/unit/applied.h"

Suite *check_applied_policy(void);

// "earth_leaf_100/1: a b; earth_spine/1: c"; a throttle's limit stands behind *, and those that go
// first before a bar.
static char *written(const struct applied_policy *applied, const struct policy *policy,
                     const struct inventory *inventory) {
    struct buf text = {0};
    buf_reserve(&text, 0);
    for (size_t g = 0; g < applied->count; g++) {
        const struct applied_group *group = &applied->groups[g];
        buf_adds(&text, g == 0 ? "" : "; ");
        policy_write_name(policy, group->key, &text);
        buf_addf(&text, "%c%u:", group->redundancy ? '/' : '*', group->limit);
        for (uint32_t m = 0; m < group->count; m++)
            buf_addf(&text, "%s %s", m > 0 && m == group->leading ? " |" : "",
                     inventory->hosts[applied->members[group->first + m]].name);
    }
    return buf_take(&text);
}

static void check_groups(const char *policy_text, const char *inventory_text, const char *groups) {
    struct policy policy = policy_of(policy_text);
    struct inventory *inventory = inventory_of(inventory_text);
    struct selection selection = all_of(inventory);
    struct applied_policy applied;
    struct error err;
    int rc = policy_apply(&applied, &policy, inventory, &selection, &err);
    ck_assert_msg(rc == 0, "%s: %s", policy_text, err.text);
    char *text = written(&applied, &policy, inventory);
    ck_assert_str_eq(text, groups);
    free(text);
    applied_policy_deinit(&applied);
    selection_deinit(&selection);
    inventory_unref(inventory);
    policy_deinit(&policy);
}

static const char acme[] =
    "{'earth': {" HOST("leaf0", "leaf", "100") ", " HOST("edge0", "edge", "10") ", " HOST(
        "leaf1", "leaf", "100") "}, 'mars': {" HOST("leaf2", "leaf",
                                                    "100") ", " HOST("edge1", "edge", "10") "}}";

START_TEST(acmes_groups_stand_in_the_order_of_their_first_hosts) {
    check_groups("", acme,
                 "earth_leaf_100/1: leaf0 leaf1; earth_edge/1: edge0; mars_leaf_100/1: leaf2; "
                 "mars_edge/1: edge1");
}
END_TEST

START_TEST(redundancy_groups_of_the_inventory_take_the_place_of_acmes) {
    check_groups(
        "",
        "{'ams': {" PLAIN(
            "fw0", "fw",
            ", 'redundancy_groups': ['wan', 'dmz', 'wan']") "}, "
                                                            "'lon': {" PLAIN(
                                                                "fw1", "fw",
                                                                ", 'redundancy_groups': "
                                                                "['wan']") ", " PLAIN("rtr", "rtr",
                                                                                      "") "}"
                                                                                          "}",
        "wan/1: fw0 fw1; dmz/1: fw0; lon_rtr/1: rtr");
}
END_TEST

static const char two_leaves[] =
    "{'s': {" PLAIN("a", "leaf", ", 'mlag': 'm', 'feed': 1") ", " PLAIN(
        "b", "leaf",
        ", 'mlag': 'm', 'feed': 2, 'role': 'standby'") ", " PLAIN("c", "leaf",
                                                                  ", 'mlag': 'n', 'feed': 2") "}}";

START_TEST(a_host_is_in_groups_of_several_rules_and_those_of_first_stand_at_the_front) {
    check_groups("redundancy:\n"
                 "  - {group: \"{mlag}\", first: {role: standby}}\n"
                 "  - {group: \"feed {feed}\", max_unavailable: 12}\n"
                 "throttle: [{group: all, at_once: 2}]\n",
                 two_leaves, "m/1: b | a; feed 1/12: a; all*2: a b c; feed 2/12: b c; n/1: c");
}
END_TEST

START_TEST(of_each_host_its_groups_are_told_in_the_order_of_the_rules) {
    struct policy policy = policy_of("redundancy:\n"
                                     "  - {group: \"{mlag}\", first: {role: standby}}\n"
                                     "  - {group: \"{feed}\"}\n");
    struct inventory *inventory = inventory_of(two_leaves);
    struct selection selection = all_of(inventory);
    struct applied_policy applied;
    struct error err;
    ck_assert_int_eq(policy_apply(&applied, &policy, inventory, &selection, &err), 0);
    static const uint32_t expected[] = {0, 1, 0 | APPLIED_FIRST, 2, 3, 2};
    ck_assert_uint_eq(applied.of_from[3], COUNT(expected));
    for (uint32_t i = 0; i < COUNT(expected); i++)
        ck_assert_uint_eq(applied.of[i], expected[i]);
    for (uint32_t i = 0; i <= 3; i++)
        ck_assert_uint_eq(applied.of_from[i], (size_t)2 * i);
    applied_policy_deinit(&applied);
    selection_deinit(&selection);
    inventory_unref(inventory);
    policy_deinit(&policy);
}
END_TEST

START_TEST(groups_whose_names_coincide_stay_apart) {
    check_groups("redundancy: [{group: \"{a}_{b}\"}]",
                 "{'s': {" PLAIN("x", "t", ", 'a': 'eu_west', 'b': 'spine'") ", " PLAIN(
                     "y", "t", ", 'a': 'eu', 'b': 'west_spine'") "}}",
                 "eu_west_spine/1: x; eu_west_spine/1: y");
}
END_TEST

START_TEST(ungrouped_hosts_are_left_alone_where_that_is_allowed) {
    check_groups("{ungrouped: allow, redundancy: [{group: \"{mlag}\"}]}",
                 "{'s': {" PLAIN("a", "t", ", 'mlag': 'm'") ", " PLAIN("b", "t", "") "}}",
                 "m/1: a");
}
END_TEST

START_TEST(a_host_of_another_platform_is_a_member_and_needs_no_group) {
    check_groups("redundancy: [{group: \"{mlag}\"}]",
                 "{'s': {" PLAIN("a", "t", ", 'mlag': 'm'") ", 'fw': {'platform': 'panos', 'mlag': "
                                                            "'m'}, 'x': {'platform': 'panos'}}}",
                 "m/1: a fw");
}
END_TEST

START_TEST(unless_may_name_what_an_inventory_could_have) {
    check_groups("redundancy: [{group: \"{site}\", unless: {redundancy_groups: \"*\", rack: x}}]",
                 "{'s': {" PLAIN("a", "t", "") "}}", "s/1: a");
}
END_TEST

START_TEST(two_attributes_of_similar_names_are_no_slip_where_hosts_have_both) {
    check_groups("redundancy: [{group: \"{stack}\"}]",
                 "{'s': {" PLAIN("a", "t", ", 'stack': '1', 'stacks': 2") ", " PLAIN(
                     "b", "t", ", 'stack': '1'") "}}",
                 "1/1: a b");
}
END_TEST

// --- refusals

static int apply(const char *policy_text, const char *inventory_text, struct error *err) {
    struct policy policy = policy_of(policy_text);
    struct inventory *inventory = inventory_of(inventory_text);
    struct selection selection = all_of(inventory);
    struct applied_policy applied = {0};
    int rc = policy_apply(&applied, &policy, inventory, &selection, err);
    applied_policy_deinit(&applied);
    selection_deinit(&selection);
    inventory_unref(inventory);
    policy_deinit(&policy);
    return rc;
}

#define ANSIBLE(hosts) "{'_meta': {'hostvars': {" hosts "}}}"
#define SWITCH(name, more)                                                                         \
    "'" name "': {'ansible_network_os': 'acmeos', 'ansible_port': 1, 'site': 's', 'dev_type': "    \
    "'t'" more "}"
#define NORNIR(name, more)                                                                         \
    "'" name "': {'platform': 'acmeos', 'hostname': 'x', 'port': 1, 'data': {'site': 's', "        \
    "'dev_type': 't'" more "}}"

static const char mlags[] =
    "{'s': {" PLAIN("a", "leaf", ", 'mlag': 'm'") ", " PLAIN("b", "leaf", ", 'mlag': 'm'") "}}";

static const struct {
    const char *policy, *inventory;
    int rc;
    const char *said;
} refused[] = {
    // a rule that means nobody
    {"redundancy: [{group: \"{mlag}\"}, {group: x, match: {dev_type: laef}}]", mlags, POLICY_UNFIT,
     "p.yaml:1: redundancy[1] \"x\": it applies to no host"},
    {"redundancy: [{group: \"{mlag}\"}]\nthrottle:\n- {group: x, at_once: 2, match: {site: t}}",
     mlags, POLICY_UNFIT, "p.yaml:3: throttle[0] \"x\": it applies to no host"},
    {"redundancy: [{group: \"{mlag}\", first: {dev_type: spine}}]", mlags, POLICY_UNFIT,
     "`first` holds for no host to which the rule applies"},
    {"redundancy: [{group: x}]", "{'s': {}}", POLICY_UNFIT, "it applies to no host"},
    // an attribute that no host has: in the template, in match, unless and first
    {"redundancy:\n- {group: \"{mlga}\"}", mlags, POLICY_UNFIT,
     "p.yaml:2: redundancy[0] \"{mlga}\": no host has mlga; did you mean mlag?"},
    {"redundancy: [{group: \"{stie}_x\"}]", mlags, POLICY_UNFIT,
     "no host has stie; did you mean site?"},
    {"redundancy: [{group: \"{mlag}\", match: {dev_tpye: leaf}}]", mlags, POLICY_UNFIT,
     "no host has dev_tpye; did you mean dev_type?"},
    {"redundancy: [{group: \"{mlag}\", unless: {redundancy_group: \"*\"}}]", mlags, POLICY_UNFIT,
     "no host has redundancy_group"},
    {"redundancy: [{group: \"{mlag}\", first: {rolle: standby}}]", mlags, POLICY_UNFIT,
     "no host has rolle"},
    {"redundancy: [{group: \"{rack}\"}]", mlags, POLICY_UNFIT, "no host has rack"},
    {"redundancy: [{group: \"{redundancy_groups}\"}]", mlags, POLICY_UNFIT,
     "no host has redundancy_groups"},
    // an attribute of the inventory that looks like a group
    {"", ANSIBLE(SWITCH("sw1", ", 'group': 'wan'")), POLICY_UNFIT,
     "the inventory: 'group' is read by no rule; did you mean redundancy_groups? Or name it in a "
     "policy"},
    {"", ANSIBLE(SWITCH("sw1", ", 'groups': ['wan']")), POLICY_UNFIT,
     "'groups' is read by no rule"},
    {"", ANSIBLE(SWITCH("sw1", ", 'redundancy_grups': ['wan']")), POLICY_UNFIT,
     "'redundancy_grups' is read by no rule; did you mean redundancy_groups?"},
    {"", ANSIBLE(SWITCH("sw1", ", 'group': {'name': 'wan'}")), POLICY_UNFIT,
     "'group' is read by no rule"},
    {"", "{" NORNIR("r1", ", 'group': 'wan'") "}", POLICY_UNFIT, "'group' is read by no rule"},
    {"", "{" NORNIR("r1", ", 'redundancy_group': 'wan'") "}", POLICY_UNFIT,
     "'redundancy_group' is read by no rule; did you mean redundancy_groups?"},
    // an attribute of one host that is misspelt
    {"redundancy: [{group: \"{site}\"}, {group: \"{mlag}\"}]",
     "{'s': {" PLAIN("a", "leaf", ", 'mlag': 'm'") ", " PLAIN("b", "leaf", ", 'mlga': 'm'") "}}",
     POLICY_UNFIT, "the inventory: b has no mlag, but mlga; did you mean mlag?"},
    {"redundancy: [{group: \"{site}\"}, {group: \"{mlag}\"}]",
     "{'s': {" PLAIN("a", "leaf", ", 'mlag': 'm'") ", " PLAIN("b", "leaf", ", 'MLAG': 'm'") "}}",
     POLICY_UNFIT, "the inventory: b has no mlag, but MLAG; did you mean mlag?"},
    // a value that cannot name a group
    {"redundancy: [{group: \"{stack}\"}]", ANSIBLE(SWITCH("sw1", ", 'stack': '{{ stack_id }}'")),
     POLICY_UNFIT, "redundancy[0] \"{stack}\": sw1: stack: '{{ stack_id }}' cannot name a group"},
    // a host without a group
    {"", "{'s': {" PLAIN("a", "leaf", "") "}}", ERROR_INPUT,
     "a is in no redundancy group: it lacks redundancy_groups or rack"},
    {"redundancy: [{group: \"{mlag}\"}]",
     "{'s': {" PLAIN("a", "t", ", 'mlag': 'm'") ", " PLAIN("b", "t", "") ", " PLAIN("c", "t",
                                                                                    "") "}}",
     ERROR_INPUT, "b is in no redundancy group: it lacks mlag; and 1 more"},
    {"redundancy: [{group: \"{mlag}\", match: {dev_type: leaf}}]",
     "{'s': {" PLAIN("a", "leaf", ", 'mlag': 'm'") ", " PLAIN("b", "t", "") "}}", ERROR_INPUT,
     "b is in no redundancy group: no rule is for it"},
    {"redundancy: [{group: \"{mlag}\"}]\nthrottle: [{group: \"{site}\", at_once: 1}]",
     "{'s': {" PLAIN("a", "t", ", 'mlag': 'm'") ", " PLAIN("b", "t", "") "}}", ERROR_INPUT,
     "b is in no redundancy group: it lacks mlag"}, // a throttle is none
};

START_TEST(what_may_not_be_meant_is_refused_with_the_remedy) {
    for (size_t i = 0; i < COUNT(refused); i++) {
        struct error err;
        int rc = apply(refused[i].policy, refused[i].inventory, &err);
        ck_assert_msg(rc == refused[i].rc, "%s on %s: %d", refused[i].policy, refused[i].inventory,
                      rc);
        ck_assert_msg(strstr(err.text, refused[i].said) != NULL, "%s: %s", refused[i].policy,
                      err.text);
    }
}
END_TEST

START_TEST(a_rule_may_name_an_attribute_that_looks_like_a_group) {
    struct error err;
    ck_assert_int_eq(apply("redundancy: [{group: \"{group}\"}]",
                           ANSIBLE(SWITCH("sw1", ", 'group': 'wan'")), &err),
                     0);
}
END_TEST

START_TEST(a_host_that_is_not_selected_needs_no_group) {
    struct policy policy = policy_of("redundancy: [{group: \"{mlag}\"}]");
    struct inventory *inventory =
        inventory_of("{'s': {" PLAIN("a", "t", ", 'mlag': 'm'") ", " PLAIN("b", "t", "") "}}");
    uint32_t host = 0;
    struct selection selection = {.hosts = &host, .count = 1};
    struct applied_policy applied;
    struct error err;
    ck_assert_int_eq(policy_apply(&applied, &policy, inventory, &selection, &err), 0);
    applied_policy_deinit(&applied);
    host = 1;
    ck_assert_int_eq(policy_apply(&applied, &policy, inventory, &selection, &err), ERROR_INPUT);
    inventory_unref(inventory);
    policy_deinit(&policy);
}
END_TEST

// --- one network in three forms

static struct inventory *loaded(const char *path) {
    struct inventory_file file;
    struct inventory *inventory = NULL;
    struct error err;
    int rc = inventory_file_read(&file, path, FILE_BYTES_MAX, &err);
    if (rc == 0) rc = inventory_file_parse(&file, &inventory, &err);
    ck_assert_msg(rc == 0, "%s", err.text);
    inventory_file_deinit(&file);
    return inventory;
}

static int by_text(const void *a, const void *b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

// Each host on a line, with all that is known of it and the groups that it is in; sorted, for the
// forms have orders of their own.
static char *described(const struct inventory *inventory, const struct policy *policy) {
    struct selection selection = all_of(inventory);
    struct applied_policy applied;
    struct error err;
    struct buf text = {0};
    char **lines = mem_array(inventory->count, sizeof *lines);
    int rc = policy_apply(&applied, policy, inventory, &selection, &err);
    ck_assert_msg(rc == 0, "%s", err.text);
    for (size_t i = 0; i < inventory->count; i++) {
        const struct host *host = &inventory->hosts[i];
        buf_addf(&text, "%s %s %s %s [%s] [%s] %s:%u", host->name, inventory_site(inventory, host),
                 inventory_dev_type(inventory, host), inventory_platform(inventory, host),
                 host->rack, values_of(inventory, i, "role"),
                 host->platform == 0 ? host->address : "", host->platform == 0 ? host->port : 0);
        for (uint32_t g = applied.of_from[i]; g < applied.of_from[i + 1]; g++) {
            buf_adds(&text, (applied.of[g] & APPLIED_FIRST) != 0 ? " first in " : " in ");
            policy_write_name(policy, applied.groups[applied.of[g] & ~APPLIED_FIRST].key, &text);
        }
        lines[i] = buf_take(&text);
    }
    qsort(lines, inventory->count, sizeof *lines, by_text);
    for (size_t i = 0; i < inventory->count; i++) {
        buf_addf(&text, "%s\n", lines[i]);
        free(lines[i]);
    }
    free(lines);
    applied_policy_deinit(&applied);
    selection_deinit(&selection);
    return buf_take(&text);
}

START_TEST(the_examples_of_the_three_forms_are_one_network_in_the_same_groups) {
    static const char *const paths[] = {"spec/examples/acme/inventory.yaml", "spec/examples/nornir",
                                        "spec/examples/ansible/inventory.json"};
    static const char network[] =
        "fw-ams ams firewall acmeos [] [active] 127.0.0.1:8300 in wan-fw in ams\n"
        "fw-lon lon firewall acmeos [] [standby] 127.0.0.1:8300 first in wan-fw in lon\n"
        "fw-mad mad firewall panos [] [] :0 in mad\n"
        "leaf1.ams ams leaf acmeos [100] [] 127.0.0.1:8300 in ams 1 in feed a in feed b in ams\n"
        "leaf2.ams ams leaf acmeos [101] [] 127.0.0.1:8300 in ams 1 in feed a in ams\n"
        "leaf3.ams ams leaf acmeos [102] [] 127.0.0.1:8300 in ams 2 in feed b in ams\n"
        "rtr1.ams ams router acmeos [] [] 127.0.0.1:8300 in ams_routers in ams\n"
        "rtr1.lon lon router acmeos [] [] 127.0.0.1:8301 in lon_routers in lon\n"
        "rtr2.ams ams router acmeos [] [] 127.0.0.1:8300 in ams_routers in ams\n"
        "rtr2.lon lon router acmeos [] [] 127.0.0.1:8300 in lon_routers in lon\n";
    struct policy policy;
    struct error err;
    ck_assert_int_eq(policy_load(&policy, "spec/examples/policy.yaml", &err), 0);
    for (size_t i = 0; i < COUNT(paths); i++) {
        struct inventory *inventory = loaded(paths[i]);
        char *text = described(inventory, &policy);
        ck_assert_str_eq(text, network);
        free(text);
        inventory_unref(inventory);
    }
    policy_deinit(&policy);
}
END_TEST

Suite *check_applied_policy(void) {
    Suite *suite = suite_create("applied_policy");
    TCase *tcase = tcase_create("applied_policy");
    suite_add_tcase(suite, tcase);
    tcase_add_test(tcase, acmes_groups_stand_in_the_order_of_their_first_hosts);
    tcase_add_test(tcase, redundancy_groups_of_the_inventory_take_the_place_of_acmes);
    tcase_add_test(tcase,
                   a_host_is_in_groups_of_several_rules_and_those_of_first_stand_at_the_front);
    tcase_add_test(tcase, of_each_host_its_groups_are_told_in_the_order_of_the_rules);
    tcase_add_test(tcase, groups_whose_names_coincide_stay_apart);
    tcase_add_test(tcase, ungrouped_hosts_are_left_alone_where_that_is_allowed);
    tcase_add_test(tcase, a_host_of_another_platform_is_a_member_and_needs_no_group);
    tcase_add_test(tcase, unless_may_name_what_an_inventory_could_have);
    tcase_add_test(tcase, two_attributes_of_similar_names_are_no_slip_where_hosts_have_both);
    tcase_add_test(tcase, what_may_not_be_meant_is_refused_with_the_remedy);
    tcase_add_test(tcase, a_rule_may_name_an_attribute_that_looks_like_a_group);
    tcase_add_test(tcase, a_host_that_is_not_selected_needs_no_group);
    tcase_add_test(tcase, the_examples_of_the_three_forms_are_one_network_in_the_same_groups);
    return suite;
}

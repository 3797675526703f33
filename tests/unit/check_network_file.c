#include "common/count.h"
#include "simulator/network_file.h"

#include <check.h>
#include <string.h>

Suite *check_network_file(void);

static struct network n;
static struct fault_list faults;

static void set_up(void) {
    faults = (struct fault_list){0};
    network_init(&n);
}

static void tear_down(void) {
    fault_deinit(&faults);
    network_deinit(&n);
}

static int parse(const char *text, struct error *err) {
    return network_file_parse(&n, &faults, "net.yaml", text, strlen(text), err);
}

static void parse_well(const char *text) {
    struct error err = {0};
    int rc = parse(text, &err);
    ck_assert_msg(rc == 0, "%s", err.text);
}

START_TEST(what_a_file_leaves_out_is_as_in_the_acme_network) {
    parse_well("username: root\n");
    ck_assert_uint_eq(n.devices, 848);
    ck_assert_str_eq(n.username, "root");
    ck_assert_str_eq(n.password, "admin");
    ck_assert_uint_eq(n.latency[OPERATION_LOGOUT].low_us, 10000);
    ck_assert_uint_eq(n.latency[OPERATION_LOGOUT].high_us, 2000000);
}
END_TEST

START_TEST(a_file_may_say_everything) {
    uint32_t device;
    parse_well(
        "sites: [earth, mars]\n"
        "dev_types: {leaf: {count: 100, rack: 7, per_rack: 4}, edge: {count: 1}, pe: {count: 3}}\n"
        "latency: {login: 0, install_os_version: 1s..5s}\n"
        "username: me\npassword: \"1234\"\n"
        "versions: [5.2.1, \"5.30.0\"]\n"
        "hosts: {leaf63.earth: {version: 5.2.9, port: 1}, leaf00.mars: {}}\n"
        "faults: [{effect: close, match: {rack: 7}}, {effect: brick}]\n");
    ck_assert_uint_eq(n.devices, 208);
    ck_assert_uint_eq(n.types[0].per_rack, 4);
    ck_assert_uint_eq(n.types[1].rack, 10); // as in the ACME network
    ck_assert_uint_eq(n.types[1].per_rack, 2);
    ck_assert_uint_eq(n.latency[OPERATION_LOGIN].high_us, 0);
    ck_assert_uint_eq(n.latency[OPERATION_INSTALL].high_us, 5000000);
    ck_assert_uint_eq(n.latency[OPERATION_LOGOUT].high_us, 2000000);
    ck_assert_uint_eq(n.versions_len, 2);
    ck_assert_str_eq(n.versions[1], "5.30.0");
    ck_assert(network_find(&n, "leaf63.earth", &device));
    ck_assert_uint_eq(network_override_of(&n, device)->port, 1);
    ck_assert_str_eq(network_override_of(&n, device)->version, "5.2.9");
    ck_assert_uint_eq(faults.len, 2);
}
END_TEST

START_TEST(counted_sites_are_numbered_with_two_digits_at_least) {
    parse_well("sites: {count: 101, prefix: dc}\n");
    ck_assert_str_eq(n.sites[0].name, "dc00");
    ck_assert_str_eq(n.sites[100].name, "dc100");
    ck_assert_uint_eq(n.devices, 10706);
}
END_TEST

static const struct {
    const char *text, *error;
} wrong[] = {
    {"[]", "net.yaml:1:1: expected an object, not an array"},
    {"site: [a]", "net.yaml:1:7: site: unknown field; did you mean sites?"},
    {"sites: earth", "net.yaml:1:8: sites: expected an array of names, or {count, prefix}, not a "
                     "string"},
    {"sites: []", "net.yaml:1:8: sites: expected one site at least"},
    {"sites:\n  - a\n  - 5", "net.yaml:3:5: sites[1]: expected a string, not a number"},
    {"sites: [a.b]", "net.yaml:1:9: sites[0]: 'a.b': a name is made of letters, digits, - and _"},
    {"sites: [a, a]", "net.yaml:1:12: sites[1]: there is a site a already"},
    {"sites: {count: 0}", "net.yaml:1:16: sites.count: expected a whole number from 1 to 100000, "
                          "not 0"},
    {"sites: {cout: 1}", "net.yaml:1:15: sites.cout: unknown field; did you mean count?"},
    {"sites: {count: 2, prefix: a.b}",
     "net.yaml:1:27: sites.prefix: 'a.b00': a name is made of letters, digits, - and _"},
    {"dev_types: [leaf]", "net.yaml:1:12: dev_types: expected an object, not an array"},
    {"dev_types: {}", "net.yaml:1:12: dev_types: expected one device type at least"},
    {"dev_types: {leaf: 3}", "net.yaml:1:19: dev_types.leaf: expected an object, not a number"},
    {"dev_types: {leaf: {}}", "net.yaml:1:19: dev_types.leaf.count: missing"},
    {"dev_types: {leaf: {count: 1.5}}", "net.yaml:1:27: dev_types.leaf.count: expected a whole "
                                        "number from 1 to 2000000, not 1.5"},
    {"dev_types: {leaf: {count: 1, per_rack: 0}}",
     "net.yaml:1:40: dev_types.leaf.per_rack: "
     "expected a whole number from 1 to 2000000, not 0"},
    {"dev_types: {leaf: {count: 1, racks: 0}}",
     "net.yaml:1:37: dev_types.leaf.racks: unknown field; did you mean rack?"},
    {"dev_types: {leaf9: {count: 1}}",
     "net.yaml:1:20: dev_types: 'leaf9': a device type cannot end "
     "in a digit, for numbers follow it"},
    {"dev_types: {leaf: {count: 2000000}}",
     "net.yaml:1:1: a network has 2000000 devices at most: this one would have more"},
    {"latency: 10", "net.yaml:1:10: latency: expected a string, not a number"},
    {"latency: 2s..1s",
     "net.yaml:1:10: latency: '2s..1s' runs backwards: write the shorter duration "
     "first"},
    {"latency: {logni: 1s}", "net.yaml:1:18: latency.logni: unknown field; did you mean login?"},
    {"latency: {login: 1x}", "net.yaml:1:18: latency.login: '1x' is not a duration: write 250us, "
                             "10ms, 1.5s, 5m or 1h"},
    {"password: 1234", "net.yaml:1:11: password: expected a string, not a number"},
    {"versions: []", "net.yaml:1:11: versions: expected an array of versions, with one at least"},
    {"versions: [5.2]", "net.yaml:1:12: versions[0]: expected a string, not a number"},
    {"versions: [v5.2.1]", "net.yaml:1:12: versions[0]: 'v5.2.1': expected a version in the format "
                           "X.Y.Z, such as 5.2.1"},
    {"hosts: {leaf1.earth: {}}",
     "net.yaml:1:22: hosts.leaf1.earth: the network has no device of that name"},
    {"hosts: {leaf01.earth: {port: 65536}}", "net.yaml:1:30: hosts.leaf01.earth.port: expected a "
                                             "whole number from 1 to 65535, not 65536"},
    {"hosts: {leaf01.earth: {version: 5.2}}",
     "net.yaml:1:33: hosts.leaf01.earth.version: expected a string, not a number"},
    {"hosts: {leaf01.earth: {rack: 5}}", "net.yaml:1:30: hosts.leaf01.earth.rack: unknown field"},
    {"faults:\n  - effect: close\n  - effect: close\n    match: {site: 3}",
     "net.yaml:4:19: faults[1].match.site: expected a string, not a number"},
    {"faults: {}", "net.yaml:1:9: faults.effect: missing"},
    {"a: [", "net.yaml:2:1: not YAML: did not find expected node content"},
};

START_TEST(a_wrong_field_is_named_with_its_line_and_column) {
    struct error err = {0};
    ck_assert_int_eq(parse(wrong[_i].text, &err), ERROR_INPUT);
    ck_assert_str_eq(err.text, wrong[_i].error);
    ck_assert_uint_eq(faults.len, 0);
}
END_TEST

START_TEST(a_file_that_is_not_there_is_told_by_name) {
    struct error err = {0};
    ck_assert_int_lt(network_file_load(&n, &faults, "/nowhere/net.yaml", &err), 0);
    ck_assert_ptr_nonnull(strstr(err.text, "/nowhere/net.yaml"));
}
END_TEST

Suite *check_network_file(void) {
    Suite *suite = suite_create("network_file");
    TCase *tc = tcase_create("network_file");
    tcase_add_checked_fixture(tc, set_up, tear_down);
    tcase_add_test(tc, what_a_file_leaves_out_is_as_in_the_acme_network);
    tcase_add_test(tc, a_file_may_say_everything);
    tcase_add_test(tc, counted_sites_are_numbered_with_two_digits_at_least);
    tcase_add_loop_test(tc, a_wrong_field_is_named_with_its_line_and_column, 0, COUNT(wrong));
    tcase_add_test(tc, a_file_that_is_not_there_is_told_by_name);
    suite_add_tcase(suite, tc);
    return suite;
}

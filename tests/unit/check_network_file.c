#include "common/count.h"
#include "simulator/listing.h"
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

static void wants(const char *host, const char *username, const char *password) {
    uint32_t device = 0;
    ck_assert(network_find(&n, host, &device));
    const struct credentials login = network_login(&n, device);
    ck_assert_str_eq(login.username, username);
    ck_assert_str_eq(login.password, password);
}

START_TEST(a_login_must_give_what_the_host_says_else_its_type_else_the_network) {
    struct buf out = {0};
    static const char *const hosts[] = {"127.0.0.1"};
    const struct listing_addresses at = {.hosts = hosts, .count = 1, .port = 4711};
    const struct listing_filter all = {0};
    parse_well("sites: [earth]\n"
               "dev_types: {leaf: {count: 3, username: of-leaves}, edge: {count: 1, password: "
               "of-edges}}\n"
               "password: of-all\n"
               "hosts:\n"
               "  leaf00.earth: {password: own-pass}\n"
               "  leaf01.earth: {username: own, password: own-pass, version: 5.2.1}\n"
               "  fw: {site: earth, dev_type: firewall, password: of-fw}\n");
    wants("leaf00.earth", "of-leaves", "own-pass");
    wants("leaf01.earth", "own", "own-pass");
    wants("leaf02.earth", "of-leaves", "of-all");
    wants("edge00.earth", "admin", "of-edges");
    wants("fw", "admin", "of-fw");
    listing_write(&n, &all, &at, &out); // the inventory that it serves
    ck_assert_ptr_nonnull(strstr(out.data, "leaf01.earth"));
    ck_assert_ptr_null(strstr(out.data, "of-"));
    ck_assert_ptr_null(strstr(out.data, "own"));
    buf_deinit(&out);
}
END_TEST

static bool takes_epochs(const char *host) {
    uint32_t device = 0;
    ck_assert(network_find(&n, host, &device));
    return network_takes_epochs(&n, device);
}

START_TEST(a_login_takes_epochs_where_the_host_says_so_else_the_network) {
    static const char *const hosts[] = {"127.0.0.1"};
    const struct listing_addresses at = {.hosts = hosts, .count = 1, .port = 4711};
    const struct listing_filter all = {0};
    struct buf out = {0};
    parse_well("sites: [earth]\ndev_types: {leaf: {count: 2}}\nepochs: true\n"
               "hosts: {leaf01.earth: {epochs: false}, fw: {site: earth, dev_type: fw, platform: "
               "panos}}\n");
    ck_assert(takes_epochs("leaf00.earth"));
    ck_assert(!takes_epochs("leaf01.earth"));
    listing_write(&n, &all, &at, &out);
    ck_assert_str_eq(out.data,
                     "{\"earth\": {\"leaf00.earth\": {\"platform\": \"acmeos\", \"dev_type\": "
                     "\"leaf\", \"rack\": \"100\", \"hostname\": \"127.0.0.1\", \"port\": 4711, "
                     "\"epochs\": true}, \"leaf01.earth\": {\"platform\": \"acmeos\", "
                     "\"dev_type\": \"leaf\", \"rack\": \"100\", \"hostname\": \"127.0.0.1\", "
                     "\"port\": 4711}, \"fw\": {\"platform\": \"panos\", \"dev_type\": \"fw\"}}}");
    buf_deinit(&out);
    tear_down();
    set_up();
    parse_well("hosts: {leaf01.earth: {epochs: true}}\n");
    ck_assert(!takes_epochs("leaf00.earth"));
    ck_assert(takes_epochs("leaf01.earth"));
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

// ams has 50 devices, fra 3: a type's count is for the sites that do not say another.
START_TEST(sites_may_have_counts_of_their_own) {
    uint32_t device = 0;
    parse_well("sites: {ams: {acc: 48, core: 2}, fra: {acc: 0}}\n"
               "dev_types: {acc: {name: \"{site}-sw{n:03}\"}, core: {count: 3}}\n");
    ck_assert_uint_eq(n.devices, 50 + 3);
    ck_assert(network_find(&n, "ams-sw047", &device));
    ck_assert_uint_eq(device, 47);
    ck_assert(!network_find(&n, "fra-sw000", &device));
    ck_assert(!network_find(&n, "acc00.ams", &device)); // the default name is no longer its own
    ck_assert(!network_find(&n, "core02.ams", &device));
    ck_assert(network_find(&n, "core02.fra", &device));
    ck_assert_uint_eq(device, 52);
}
END_TEST

START_TEST(counts_of_sites_alone_make_the_types) {
    parse_well("sites: {ams: {acc: 48, core: 2}, fra: {core: 1, leaf: 2}}\n");
    ck_assert_uint_eq(n.devices, 53);
    ck_assert_uint_eq(n.types_len, 3);
    ck_assert_uint_eq(n.types[2].rack, 100);
}
END_TEST

START_TEST(a_host_may_exist_nowhere_else) {
    uint32_t device = 0;
    parse_well("sites: [ams, lon]\ndev_types: {leaf: {count: 2}}\n"
               "hosts:\n"
               "  fw-ams: {site: ams, dev_type: firewall, rack: 7, role: active, port: 1, version: "
               "5.0.1}\n"
               "  fw-lon: {site: lon, dev_type: firewall, redundancy_groups: [x], state: down}\n"
               "  pan: {site: ams, dev_type: firewall, platform: panos}\n"
               "  leaf01.lon: {state: down, mlag: 17}\n");
    ck_assert_uint_eq(n.devices, 7);
    ck_assert(network_find(&n, "fw-ams", &device));
    ck_assert_uint_eq(device, 2); // behind the regular ones of its site
    ck_assert_str_eq(network_place(&n, device).own->rack, "7");
    ck_assert_uint_eq(network_override_of(&n, device)->port, 1);
    ck_assert_str_eq(network_override_of(&n, device)->version, "5.0.1");
    ck_assert(!network_override_of(&n, device)->down);
    ck_assert(network_find(&n, "pan", &device));
    ck_assert_uint_eq(device, 3);
    ck_assert(network_override_of(&n, device)->down);
    ck_assert(network_find(&n, "leaf01.lon", &device));
    ck_assert_uint_eq(device, 5);
    ck_assert(network_override_of(&n, device)->down);
    ck_assert(network_find(&n, "fw-lon", &device));
    ck_assert_uint_eq(device, 6);
    ck_assert(network_override_of(&n, device)->down);
}
END_TEST

START_TEST(installs_restart_devices_where_the_latency_says_so) {
    parse_well("latency: {reboot: 5s..20s}\n");
    ck_assert(n.reboots);
    ck_assert_uint_eq(n.reboot.low_us, 5000000);
    ck_assert_uint_eq(n.reboot.high_us, 20000000);
    ck_assert_uint_eq(n.latency[OPERATION_INSTALL].high_us, 2000000);
}
END_TEST

START_TEST(without_a_latency_of_reboot_nothing_restarts) {
    parse_well("latency: 10ms..2s\n");
    ck_assert(!n.reboots);
}
END_TEST

START_TEST(faults_match_attributes_that_devices_have) {
    parse_well("dev_types: {leaf: {count: 4, feed: \"{n%2}\", row: 7}}\nsites: [a]\n"
               "hosts: {leaf00.a: {role: x}}\n"
               "faults:\n  - {match: {feed: [0, \"1*\"], row: 7, role: x}, effect: close}\n");
    ck_assert_uint_eq(faults.len, 1);
    ck_assert_uint_eq(faults.rules[0]->attributes_len, 3);
}
END_TEST

static const struct {
    const char *text, *error;
} wrong[] = {
    {"sites: {a: {leaf: 1}, b: 2}", "net.yaml:1:26: sites.b: expected an object, not a number"},
    {"sites: {a.b: {leaf: 1}}",
     "net.yaml:1:14: sites: 'a.b': a name is made of letters, digits, - and _"},
    {"sites: {a: {leaf: -1}}",
     "net.yaml:1:19: sites.a.leaf: expected a whole number from 0 to 2000000, not -1"},
    {"sites: {a: {lef: 1}}\ndev_types: {leaf: {count: 1}}",
     "net.yaml:1:18: sites.a.lef: dev_types has no such type; did you mean leaf?"},
    {"dev_types: {leaf: {count: 2, name: \"{site}\"}}\nsites: [a]",
     "net.yaml:1:1: two devices would be called 'a'"},
    {"dev_types: {leaf: {count: 1, name: \"{sit}\"}}",
     "net.yaml:1:36: dev_types.leaf.name: '{sit}': {sit} is none of {site}, {dev_type}, {n}, "
     "{n:03}, {n/2} and {n%8}"},
    {"dev_types: {leaf: {count: 1, mlag: \"{n\"}}",
     "net.yaml:1:36: dev_types.leaf.mlag: '{n': a { without its }"},
    {"dev_types: {leaf: {count: 1, mlag: true}}",
     "net.yaml:1:36: dev_types.leaf.mlag: expected a text or a number, not a boolean"},
    {"dev_types: {leaf: {count: 1, redundancy_group: a}}",
     "net.yaml:1:48: dev_types.leaf.redundancy_group: unknown field; did you mean "
     "redundancy_groups?"},
    {"hosts: {a: {site: earth, dev_type: x, groups: [b]}}",
     "net.yaml:1:47: hosts.a.groups: unknown field; did you mean redundancy_groups?"},
    {"hosts: {a: {site: earth, dev_type: x, redundancy_groups: b}}",
     "net.yaml:1:58: hosts.a.redundancy_groups: expected an array of names, not a string"},
    {"hosts: {a: {site: earth, dev_type: x, stat: down}}",
     "net.yaml:1:45: hosts.a.stat: unknown field; did you mean state?"},
    {"hosts: {a: {site: earth, dev_type: x, state: up}}",
     "net.yaml:1:46: hosts.a.state: 'up' is unknown; only down is"},
    {"hosts: {a: {site: earht, dev_type: x}}",
     "net.yaml:1:19: hosts.a.site: there is no site 'earht'; did you mean earth?"},
    {"hosts: {a: {site: earth}}", "net.yaml:1:12: hosts.a.dev_type: missing"},
    {"hosts: {a b: {site: earth, dev_type: x}}",
     "net.yaml:1:14: hosts.a b: the host's name holds a space or a control character"},
    {"hosts: {leaf00.earth: {site: earth, dev_type: leaf}}",
     "net.yaml:1:1: two devices would be called 'leaf00.earth'"},
    {"policy: {redundancy: [{group: \"{site}\", max_unavailable: 0}]}",
     "net.yaml:1:58: policy.redundancy[0].max_unavailable: expected a whole number from 1 to "
     "1000000, not 0"},
    {"policy: {redundancy: [{group: \"{site}\"}, {group: \"{mlag}\"}]}",
     "net.yaml:1:9: policy: redundancy[1] \"{mlag}\": it applies to no device"},
    {"inventory: a.yaml\nsites: [a]", "net.yaml:2:8: sites: they come from the inventory"},
    {"latency: {rebot: 1s}", "net.yaml:1:18: latency.rebot: unknown field; did you mean reboot?"},
    {"faults: {effect: close, match: {mlag: 1}}",
     "net.yaml:1:39: faults.match.mlag: unknown field: no device has it"},
    {"dev_types: {leaf: {count: 1, mlag: 1}}\nfaults: {effect: close, match: {mlg: 1}}",
     "net.yaml:2:38: faults.match.mlg: unknown field; did you mean mlag?"},
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
    {"epochs: 1", "net.yaml:1:9: epochs: expected true or false, not a number"},
    {"hosts: {leaf00.earth: {epochs: maybe}}",
     "net.yaml:1:32: hosts.leaf00.earth.epochs: expected true or false, not a string"},
    {"hosts: {leaf00.earth: {epoch: 1}}",
     "net.yaml:1:31: hosts.leaf00.earth.epoch: unknown field; did you mean epochs?"},
    {"dev_types: {leaf: {count: 1, epochs: 1}}", "net.yaml:1:38: dev_types.leaf.epochs: unknown "
                                                 "field; epochs is a setting of the network or of "
                                                 "a host"},
    {"dev_types: {leaf: {count: 1, port: 8300}}", "net.yaml:1:36: dev_types.leaf.port: unknown "
                                                  "field; the inventory says port of each device "
                                                  "by itself"},
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
    tcase_add_test(tc, a_login_must_give_what_the_host_says_else_its_type_else_the_network);
    tcase_add_test(tc, a_login_takes_epochs_where_the_host_says_so_else_the_network);
    tcase_add_test(tc, a_file_may_say_everything);
    tcase_add_test(tc, counted_sites_are_numbered_with_two_digits_at_least);
    tcase_add_test(tc, sites_may_have_counts_of_their_own);
    tcase_add_test(tc, counts_of_sites_alone_make_the_types);
    tcase_add_test(tc, a_host_may_exist_nowhere_else);
    tcase_add_test(tc, installs_restart_devices_where_the_latency_says_so);
    tcase_add_test(tc, without_a_latency_of_reboot_nothing_restarts);
    tcase_add_test(tc, faults_match_attributes_that_devices_have);
    tcase_add_loop_test(tc, a_wrong_field_is_named_with_its_line_and_column, 0, COUNT(wrong));
    tcase_add_test(tc, a_file_that_is_not_there_is_told_by_name);
    suite_add_tcase(suite, tc);
    return suite;
}

#include "common/count.h"
#include "common/file.h"
#include "common/folder.h"
#include "simulator/network_inventory.h"

#include "simulator/listing.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

Suite *check_network_inventory(void);

static struct network n;

static void set_up(void) {
    network_init(&n);
}

static void tear_down(void) {
    network_deinit(&n);
}

static void load(const char *path) {
    struct error err;
    int rc = network_inventory_load(&n, path, &err);
    ck_assert_msg(rc == 0, "%s", err.text);
    rc = network_seal(&n, &err);
    ck_assert_msg(rc == 0, "%s", err.text);
}

static const char *const forms[] = {"spec/examples/acme/inventory.yaml",
                                    "spec/examples/ansible/inventory.json", "spec/examples/nornir"};

static const char *const names[] = {"fw-ams",    "fw-lon",   "fw-mad",   "leaf1.ams", "leaf2.ams",
                                    "leaf3.ams", "rtr1.ams", "rtr1.lon", "rtr2.ams",  "rtr2.lon"};

START_TEST(a_network_of_each_form_has_its_hosts_and_their_attributes) {
    static const char *const hosts[] = {"127.0.0.1"};
    const struct listing_addresses at = {hosts, 1, 4711, false};
    const struct listing_filter all = {0};
    struct buf out = {0};
    uint32_t device;
    load(forms[_i]);
    ck_assert_uint_eq(n.devices, COUNT(names));
    for (size_t i = 0; i < COUNT(names); i++)
        ck_assert_msg(network_find(&n, names[i], &device), "%s", names[i]);
    listing_write(&n, &all, &at, &out);
    // It listens where it listens, whatever the document says.
    ck_assert_ptr_nonnull(strstr(out.data, "\"rtr1.lon\": {\"platform\": \"acmeos\", \"dev_type\": "
                                           "\"router\", \"hostname\": \"127.0.0.1\", \"port\": "
                                           "4711}"));
    ck_assert_ptr_nonnull(strstr(out.data, "\"redundancy_groups\": [\"wan-fw\"]"));
    ck_assert_ptr_nonnull(strstr(out.data, "\"feeds\": [\"a\", \"b\"]"));
    ck_assert_ptr_nonnull(strstr(out.data, "\"rack\": \"101\""));
    ck_assert_ptr_nonnull(strstr(out.data, "\"fw-mad\": {\"platform\": \"panos\", \"dev_type\": "
                                           "\"firewall\"}"));
    buf_deinit(&out);
}
END_TEST

START_TEST(a_host_of_another_platform_is_away_from_its_birth_on) {
    uint32_t device = 0;
    load("spec/examples/wan");
    ck_assert(network_find(&n, "fw-mad", &device));
    ck_assert(network_override_of(&n, device)->down);
    ck_assert(network_find(&n, "fw-lon", &device));
    ck_assert(!network_override_of(&n, device)->down);
}
END_TEST

START_TEST(who_is_only_simulated_needs_no_port) {
    uint32_t device;
    load("spec/examples/campus/inventory.json");
    ck_assert(network_find(&n, "ams1-core-01", &device));
}
END_TEST

static const struct {
    const char *name, *text;
} documents[] = {
    {"acme.json",
     "{\"s\": {\"a\": {\"platform\": \"acmeos\", \"dev_type\": \"t\", \"epochs\": true}, "
     "\"b\": {\"platform\": \"acmeos\", \"dev_type\": \"t\", \"epochs\": false}}}"},
    {"ansible.json",
     "{\"_meta\": {\"hostvars\": {\"a\": {\"ansible_network_os\": \"acmeos\", \"site\": "
     "\"s\", \"dev_type\": \"t\", \"epochs\": true}, \"b\": {\"ansible_network_os\": "
     "\"acmeos\", \"site\": \"s\", \"dev_type\": \"t\"}}}}"},
    {"nornir.yaml",
     "a: {platform: acmeos, hostname: x, data: {site: s, dev_type: t, epochs: true}}\n"
     "b: {platform: acmeos, hostname: x, data: {site: s, dev_type: t}}\n"},
};

START_TEST(devices_take_epochs_where_the_inventory_says_so) {
    char dir[64], path[96];
    uint32_t device = 0;
    struct error err;
    struct buf text = {0};
    ck_assert_int_eq(folder_make(dir, sizeof dir, "check_network_inventory", &err), 0);
    snprintf(path, sizeof path, "%s/%s", dir, documents[_i].name);
    buf_adds(&text, documents[_i].text);
    ck_assert_int_eq(file_write(path, &text, &err), 0);
    buf_deinit(&text);
    load(path);
    ck_assert(network_find(&n, "a", &device));
    ck_assert(network_takes_epochs(&n, device));
    ck_assert(network_find(&n, "b", &device));
    ck_assert(!network_takes_epochs(&n, device));
    folder_remove(dir);
}
END_TEST

START_TEST(what_is_no_inventory_is_told_with_its_path) {
    struct error err;
    ck_assert_int_ne(network_inventory_load(&n, "/nowhere/hosts.yaml", &err), 0);
    ck_assert_ptr_nonnull(strstr(err.text, "/nowhere/hosts.yaml"));
    ck_assert_int_eq(network_inventory_load(&n, "spec/examples/policy.yaml", &err), ERROR_INPUT);
    ck_assert_int_eq(strncmp(err.text, "spec/examples/policy.yaml:", 26), 0);
}
END_TEST

Suite *check_network_inventory(void) {
    Suite *suite = suite_create("network_inventory");
    TCase *tc = tcase_create("network_inventory");
    tcase_add_checked_fixture(tc, set_up, tear_down);
    tcase_add_loop_test(tc, a_network_of_each_form_has_its_hosts_and_their_attributes, 0,
                        COUNT(forms));
    tcase_add_test(tc, a_host_of_another_platform_is_away_from_its_birth_on);
    tcase_add_test(tc, who_is_only_simulated_needs_no_port);
    tcase_add_loop_test(tc, devices_take_epochs_where_the_inventory_says_so, 0, COUNT(documents));
    tcase_add_test(tc, what_is_no_inventory_is_told_with_its_path);
    suite_add_tcase(suite, tc);
    return suite;
}

#include "common/count.h"
#include "simulator/network.h"
#include "simulator/network_groups.h"

#include "common/rng.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

Suite *check_network(void);

static struct network acme;

static void set_up(void) {
    struct error err;
    network_init(&acme);
    ck_assert_int_eq(network_seal(&acme, &err), 0);
}

static void tear_down(void) {
    network_deinit(&acme);
}

START_TEST(the_acme_network_has_848_devices_in_416_groups) {
    ck_assert_uint_eq(acme.devices, 848);
    ck_assert_uint_eq(acme.sites_len, 8);
    ck_assert_uint_eq(acme.groups.count, 416);
}
END_TEST

static const struct {
    const char *host, *rack, *group;
    uint32_t device;
} places[] = {
    {"edge00.mercury", "10", "mercury_edge", 0},
    {"edge01.mercury", "10", "mercury_edge", 1},
    {"spine03.mercury", "21", "mercury_spine", 5},
    {"leaf00.mercury", "100", "mercury_leaf_100", 6},
    {"leaf63.earth", "131", "earth_leaf_131", 2 * 106 + 6 + 63},
    {"leaf99.neptune", "149", "neptune_leaf_149", 847},
};

static void assert_named(const struct network *n, uint32_t group, const char *expected) {
    struct buf name = {0};
    bool *twice = network_groups_named_twice(n);
    network_group_name(n, group, twice, &name);
    ck_assert_str_eq(name.data, expected);
    free(twice);
    buf_deinit(&name);
}

START_TEST(a_device_is_found_by_its_name_and_named_by_its_index) {
    uint32_t device = UINT32_MAX;
    char text[NETWORK_HOST_MAX];
    ck_assert(network_find(&acme, places[_i].host, &device));
    ck_assert_uint_eq(device, places[_i].device);
    network_host(&acme, device, text);
    ck_assert_str_eq(text, places[_i].host);
    struct network_place at = network_place(&acme, device);
    snprintf(text, sizeof text, "%u", network_rack(&at));
    ck_assert_str_eq(text, places[_i].rack);
    struct network_group_list groups = network_groups_of(&acme, device);
    ck_assert_uint_eq(groups.count, 1);
    assert_named(&acme, groups.list[0], places[_i].group);
}
END_TEST

static const char *const strangers[] = {
    "",
    "leaf63",
    "leaf63.",
    ".earth",
    "63.earth",
    "leaf3.earth",
    "leaf063.earth",
    "leaf100.earth",
    "leaf.earth",
    "leaf63.Earth",
    "Leaf63.earth",
    "leaf63.earth.",
    "leaf63.earth.com",
    " leaf63.earth",
    "leaf-1.earth",
    "leaf9999999999.earth",
    "leaf63.pluto",
    "core00.earth",
    "leaf\357\274\2263.earth",
};

START_TEST(only_the_canonical_spelling_of_a_name_is_found) {
    uint32_t device;
    ck_assert_msg(!network_find(&acme, strangers[_i], &device), "%s", strangers[_i]);
}
END_TEST

// The first devices of the groups stand in the groups' order, and a device's groups are those that
// the words of ACME's policy give it.
START_TEST(every_device_is_in_the_group_of_its_rack_or_of_its_type) {
    uint32_t seen = 0;
    for (uint32_t device = 0; device < acme.devices; device++) {
        struct network_place at = network_place(&acme, device);
        struct network_group_list groups = network_groups_of(&acme, device);
        char expected[NETWORK_HOST_MAX];
        if (strcmp(at.type->name, "leaf") == 0)
            snprintf(expected, sizeof expected, "%s_leaf_%u", at.site->name, network_rack(&at));
        else
            snprintf(expected, sizeof expected, "%s_%s", at.site->name, at.type->name);
        ck_assert_uint_eq(groups.count, 1);
        ck_assert_uint_le(groups.list[0], seen);
        if (groups.list[0] == seen) seen++;
        assert_named(&acme, groups.list[0], expected);
    }
    ck_assert_uint_eq(seen, acme.groups.count);
}
END_TEST

START_TEST(a_last_rack_may_be_half_full) {
    struct network n;
    struct error err;
    network_init(&n);
    ck_assert_int_eq(network_add_type(&n, "leaf", 7, 5, 3, &err), 0);
    ck_assert_int_eq(network_add_site(&n, "a", &err), 0);
    ck_assert_int_eq(network_seal(&n, &err), 0);
    ck_assert_uint_eq(n.groups.count, 3);
    for (uint32_t device = 0; device < 7; device++)
        ck_assert_uint_eq(network_groups_of(&n, device).list[0], device / 3);
    network_deinit(&n);
}
END_TEST

START_TEST(a_device_is_drawn_for_by_its_name_and_not_by_its_place) {
    struct network n;
    struct error err;
    uint32_t here, there;
    network_init(&n);
    ck_assert_int_eq(network_add_site(&n, "earth", &err), 0);
    ck_assert_int_eq(network_seal(&n, &err), 0);
    ck_assert(network_find(&n, "leaf63.earth", &here));
    ck_assert(network_find(&acme, "leaf63.earth", &there));
    ck_assert_uint_ne(here, there);
    ck_assert_uint_eq(network_hash(&n, here), network_hash(&acme, there));
    network_deinit(&n);
}
END_TEST

static const char *const bad_names[] = {
    "",
    "earth.com",
    "ear th",
    "\xc3\xa9",
    "a/b",
    "\"",
    "a23456789012345678901234567890123456789012345678901234567890abcd", // 64
};

START_TEST(a_name_is_made_of_letters_digits_dashes_and_underscores) {
    struct network n;
    struct error err;
    network_init(&n);
    ck_assert_int_eq(network_add_site(&n, bad_names[_i], &err), ERROR_INPUT);
    ck_assert_int_eq(network_add_type(&n, bad_names[_i], 1, 0, 1, &err), ERROR_INPUT);
    ck_assert_int_eq(network_add_site(&n, "a-Z_09", &err), 0);
    network_deinit(&n);
}
END_TEST

START_TEST(a_type_cannot_end_in_a_digit_and_no_name_is_taken_twice) {
    struct network n;
    struct error err;
    network_init(&n);
    ck_assert_int_eq(network_add_type(&n, "leaf1", 1, 0, 1, &err), ERROR_INPUT);
    ck_assert_int_eq(network_add_type(&n, "leaf", 1, 0, 1, &err), 0);
    ck_assert_int_eq(network_add_type(&n, "leaf", 1, 0, 1, &err), ERROR_INPUT);
    ck_assert_str_eq(err.text, "there is a device type leaf already");
    ck_assert_int_eq(network_add_site(&n, "a", &err), 0);
    ck_assert_int_eq(network_add_site(&n, "a", &err), ERROR_INPUT);
    network_deinit(&n);
}
END_TEST

START_TEST(a_network_has_its_limits) {
    struct network n;
    struct error err;
    char name[16];
    network_init(&n);
    for (int i = 0; i < NETWORK_SITES_MAX; i++) {
        snprintf(name, sizeof name, "s%d", i);
        ck_assert_int_eq(network_add_site(&n, name, &err), 0);
    }
    ck_assert_int_eq(network_add_site(&n, "more", &err), ERROR_INPUT);
    ck_assert_str_eq(err.text, "a network has 100000 sites at most");
    ck_assert_int_eq(network_add_type(&n, "leaf", 20, 0, 2, &err), 0);
    ck_assert_int_eq(network_seal(&n, &err), 0);
    ck_assert_uint_eq(n.devices, NETWORK_DEVICES_MAX);
    ck_assert_int_eq(network_add_type(&n, "x", 1, 0, 2, &err), 0);
    ck_assert_int_eq(network_seal(&n, &err), ERROR_INPUT);
    ck_assert_str_eq(err.text, "a network has 2000000 devices at most: this one would have more");
    for (int i = 0; i < NETWORK_TYPES_MAX - 2; i++) {
        snprintf(name, sizeof name, "t%dx", i);
        ck_assert_int_eq(network_add_type(&n, name, NETWORK_DEVICES_MAX, 0, 1, &err), 0);
    }
    ck_assert_int_eq(network_add_type(&n, "more", 1, 0, 1, &err), ERROR_INPUT);
    ck_assert_int_eq(network_seal(&n, &err), ERROR_INPUT);
    network_deinit(&n);
}
END_TEST

// A device for each that a network can have, so that the number is as long as it gets.
START_TEST(names_of_exactly_the_longest_length_are_told_whole) {
    char site[NETWORK_NAME_MAX + 2] = {0}, type[NETWORK_NAME_MAX + 2] = {0};
    char host[NETWORK_HOST_MAX], expected[2 * NETWORK_HOST_MAX];
    uint32_t device = 0;
    struct network n;
    struct error err;
    memset(site, 's', NETWORK_NAME_MAX);
    memset(type, 't', NETWORK_NAME_MAX);
    network_init(&n);
    ck_assert_int_eq(network_add_site(&n, site, &err), 0);
    ck_assert_int_eq(network_add_type(&n, type, NETWORK_DEVICES_MAX, 10, 2, &err), 0);
    ck_assert_int_eq(network_seal(&n, &err), 0);
    snprintf(expected, sizeof expected, "%s%d.%s", type, NETWORK_DEVICES_MAX - 1, site);
    network_host(&n, NETWORK_DEVICES_MAX - 1, host);
    ck_assert_str_eq(host, expected);
    ck_assert(network_find(&n, host, &device));
    ck_assert_uint_eq(device, NETWORK_DEVICES_MAX - 1);
    snprintf(expected, sizeof expected, "%s_%s", site, type);
    assert_named(&n, 0, expected);
    site[NETWORK_NAME_MAX] = type[NETWORK_NAME_MAX] = 'x'; // one more
    snprintf(expected, sizeof expected, "%s00.%.63s", type, site);
    ck_assert(!network_find(&n, expected, &device));
    snprintf(expected, sizeof expected, "%.63s00.%s", type, site);
    ck_assert(!network_find(&n, expected, &device));
    network_deinit(&n);
    network_init(&n);
    ck_assert_int_eq(network_add_site(&n, site, &err), ERROR_INPUT);
    ck_assert_int_eq(network_add_type(&n, type, 1, 10, 2, &err), ERROR_INPUT);
    network_deinit(&n);
}
END_TEST

START_TEST(groups_whose_names_coincide_are_told_apart) {
    static const char *const names[] = {
        "{site}_{dev_type}: a_b, c", "a_b_b_c",  "a_b_leaf_0", "a_c",
        "{site}_{dev_type}: a, b_c", "a_leaf_0",
    };
    struct network n;
    struct error err;
    network_init(&n);
    ck_assert_int_eq(network_add_site(&n, "a_b", &err), 0);
    ck_assert_int_eq(network_add_site(&n, "a", &err), 0);
    ck_assert_int_eq(network_add_type(&n, "c", 1, 0, 1, &err), 0);
    ck_assert_int_eq(network_add_type(&n, "b_c", 1, 0, 1, &err), 0);
    ck_assert_int_eq(network_add_type(&n, "leaf", 1, 0, 1, &err), 0);
    ck_assert_int_eq(network_seal(&n, &err), 0);
    ck_assert_uint_eq(n.groups.count, COUNT(names));
    for (uint32_t group = 0; group < n.groups.count; group++)
        assert_named(&n, group, names[group]);
    network_deinit(&n);
}
END_TEST

START_TEST(an_override_is_found_for_its_device_alone) {
    network_override(&acme, 500, "1.2.3", 0);
    network_override(&acme, 7, NULL, 1);
    network_override(&acme, 30, NULL, 2);
    network_sort_overrides(&acme);
    ck_assert_ptr_null(network_override_of(&acme, 8));
    ck_assert_uint_eq(network_override_of(&acme, 7)->port, 1);
    ck_assert_str_eq(network_override_of(&acme, 500)->version, "1.2.3");
}
END_TEST

Suite *check_network(void) {
    Suite *suite = suite_create("network");
    TCase *tc = tcase_create("network");
    tcase_set_timeout(tc, 60); // a hundred thousand sites, on a machine that has other work too
    tcase_add_checked_fixture(tc, set_up, tear_down);
    tcase_add_test(tc, the_acme_network_has_848_devices_in_416_groups);
    tcase_add_loop_test(tc, a_device_is_found_by_its_name_and_named_by_its_index, 0, COUNT(places));
    tcase_add_loop_test(tc, only_the_canonical_spelling_of_a_name_is_found, 0, COUNT(strangers));
    tcase_add_test(tc, every_device_is_in_the_group_of_its_rack_or_of_its_type);
    tcase_add_test(tc, a_last_rack_may_be_half_full);
    tcase_add_test(tc, a_device_is_drawn_for_by_its_name_and_not_by_its_place);
    tcase_add_loop_test(tc, a_name_is_made_of_letters_digits_dashes_and_underscores, 0,
                        COUNT(bad_names));
    tcase_add_test(tc, a_type_cannot_end_in_a_digit_and_no_name_is_taken_twice);
    tcase_add_test(tc, a_network_has_its_limits);
    tcase_add_test(tc, names_of_exactly_the_longest_length_are_told_whole);
    tcase_add_test(tc, groups_whose_names_coincide_are_told_apart);
    tcase_add_test(tc, an_override_is_found_for_its_device_alone);
    suite_add_tcase(suite, tc);
    return suite;
}

#include "simulator/referee.h"

#include <check.h>
#include <string.h>

Suite *check_referee(void);

static struct network n;
static struct referee r;
static bool down[848];

static bool is_down(const void *arg, uint32_t device) {
    (void)arg;
    return down[device];
}

static void set_up(void) {
    struct error err;
    network_init(&n);
    ck_assert_int_eq(network_seal(&n, &err), 0);
    referee_init(&r, &n);
    memset(down, 0, sizeof down);
}

static void tear_down(void) {
    referee_deinit(&r);
    network_deinit(&n);
}

static uint32_t host(const char *name) {
    uint32_t device = 0;
    ck_assert(network_find(&n, name, &device));
    return device;
}

static uint32_t install(uint64_t ms, const char *name, uint64_t connection) {
    return referee_install(&r, ms * 1000, host(name), connection, false, is_down, NULL);
}

// Everything before the groups.
static void assert_found(const char *violations, unsigned max_in_flight) {
    struct buf out = {0}, expected = {0};
    referee_write(&r, &out);
    buf_addf(&expected, "{\"violations\": [%s], \"max_in_flight\": %u, \"groups\": {", violations,
             max_in_flight);
    ck_assert_ptr_nonnull(strstr(out.data, ", \"groups\""));
    *strstr(out.data, "\"mercury_edge\"") = '\0';
    ck_assert_str_eq(out.data, expected.data);
    buf_deinit(&out);
    buf_deinit(&expected);
}

START_TEST(installs_of_a_group_that_follow_each_other_are_no_violation) {
    referee_installed(&r, 2000, install(1, "leaf62.earth", 1));
    referee_installed(&r, 3000, install(2, "leaf63.earth", 2));
    install(3, "leaf64.earth", 3); // another rack
    install(3, "leaf62.mars", 4);  // another site
    install(3, "spine00.earth", 5);
    install(3, "edge00.earth", 6);
    assert_found("", 0);
}
END_TEST

START_TEST(installs_of_a_group_that_overlap_are_a_violation_until_either_ends) {
    uint32_t first = install(1, "leaf62.earth", 8);
    uint32_t second = install(5, "leaf63.earth", 9);
    assert_found("{\"kind\": \"group_overlap\", \"group\": \"earth_leaf_131\", \"hosts\": "
                 "[\"leaf62.earth\", \"leaf63.earth\"], \"started_ms\": 5, \"ended_ms\": null, "
                 "\"connections\": [8, 9]}",
                 0);
    referee_installed(&r, 7000, first);
    referee_installed(&r, 9000, second);
    assert_found("{\"kind\": \"group_overlap\", \"group\": \"earth_leaf_131\", \"hosts\": "
                 "[\"leaf62.earth\", \"leaf63.earth\"], \"started_ms\": 5, \"ended_ms\": 7, "
                 "\"connections\": [8, 9]}",
                 0);
}
END_TEST

START_TEST(each_pair_of_overlapping_installs_is_one_violation) {
    install(1, "spine00.earth", 1);
    install(1, "spine01.earth", 2);
    install(1, "spine02.earth", 3);
    ck_assert_uint_eq(r.counts[REFEREE_GROUP_OVERLAP], 3);
}
END_TEST

START_TEST(an_install_beside_a_peer_that_is_down_is_a_violation) {
    down[host("leaf62.earth")] = true;
    referee_down(&r, host("leaf62.earth"));
    referee_installed(&r, 4000, install(3, "leaf63.earth", 7));
    install(3, "leaf64.earth", 8);
    assert_found("{\"kind\": \"peer_down\", \"group\": \"earth_leaf_131\", \"hosts\": "
                 "[\"leaf62.earth\", \"leaf63.earth\"], \"started_ms\": 3, \"ended_ms\": 4, "
                 "\"connections\": [7]}",
                 0);
    down[host("leaf62.earth")] = false;
    referee_up(&r, host("leaf62.earth"));
    install(5, "leaf63.earth", 7);
    ck_assert_uint_eq(r.counts[REFEREE_PEER_DOWN], 1);
}
END_TEST

START_TEST(two_logins_to_one_device_are_a_violation_until_either_ends) {
    uint32_t first = referee_login(&r, 1000, host("leaf62.earth"), 3);
    uint32_t second = referee_login(&r, 2000, host("leaf62.earth"), 4);
    uint32_t other = referee_login(&r, 2000, host("leaf63.earth"), 5);
    referee_logout(&r, 6000, second);
    referee_logout(&r, 7000, first);
    referee_logout(&r, 7000, other);
    referee_login(&r, 8000, host("leaf62.earth"), 6);
    assert_found("{\"kind\": \"double_drive\", \"group\": \"earth_leaf_131\", \"hosts\": "
                 "[\"leaf62.earth\"], \"started_ms\": 2, \"ended_ms\": 6, \"connections\": [3, 4]}",
                 3);
}
END_TEST

START_TEST(an_install_of_what_runs_already_is_needless) {
    uint32_t number = referee_install(&r, 1000, host("edge01.venus"), 2, true, is_down, NULL);
    referee_installed(&r, 3000, number);
    assert_found("{\"kind\": \"needless_install\", \"group\": \"venus_edge\", \"hosts\": "
                 "[\"edge01.venus\"], \"started_ms\": 1, \"ended_ms\": 3, \"connections\": [2]}",
                 0);
}
END_TEST

START_TEST(all_groups_are_told_in_network_order_with_their_installs) {
    struct buf out = {0};
    referee_installed(&r, 1000, install(1, "leaf63.earth", 1));
    referee_installed(&r, 1000, install(1, "leaf62.earth", 1));
    referee_write(&r, &out);
    ck_assert_ptr_nonnull(strstr(out.data, "\"earth_leaf_131\": {\"installs\": 2}, "
                                           "\"earth_leaf_132\": {\"installs\": 0}"));
    const char *last = "\"neptune_leaf_149\": {\"installs\": 0}}}";
    ck_assert_str_eq(out.data + out.len - strlen(last), last);
    buf_deinit(&out);
}
END_TEST

START_TEST(violations_beyond_the_limit_are_counted_and_not_kept) {
    struct buf out = {0};
    for (int i = 0; i < REFEREE_KEPT_MAX + 5; i++)
        referee_installed(&r, 1000, referee_install(&r, 1, 0, 1, true, is_down, NULL));
    referee_write(&r, &out);
    ck_assert_uint_eq(r.violations_len, REFEREE_KEPT_MAX);
    ck_assert_uint_eq(r.counts[REFEREE_NEEDLESS_INSTALL], REFEREE_KEPT_MAX + 5);
    ck_assert_str_eq(strstr(out.data, ", \"violations_not_kept\""),
                     ", \"violations_not_kept\": 5}");
    ck_assert_uint_eq(r.open_len, 0);
    buf_deinit(&out);
}
END_TEST

Suite *check_referee(void) {
    Suite *suite = suite_create("referee");
    TCase *tc = tcase_create("referee");
    tcase_add_checked_fixture(tc, set_up, tear_down);
    tcase_add_test(tc, installs_of_a_group_that_follow_each_other_are_no_violation);
    tcase_add_test(tc, installs_of_a_group_that_overlap_are_a_violation_until_either_ends);
    tcase_add_test(tc, each_pair_of_overlapping_installs_is_one_violation);
    tcase_add_test(tc, an_install_beside_a_peer_that_is_down_is_a_violation);
    tcase_add_test(tc, two_logins_to_one_device_are_a_violation_until_either_ends);
    tcase_add_test(tc, an_install_of_what_runs_already_is_needless);
    tcase_add_test(tc, all_groups_are_told_in_network_order_with_their_installs);
    tcase_add_test(tc, violations_beyond_the_limit_are_counted_and_not_kept);
    suite_add_tcase(suite, tc);
    return suite;
}

#include "common/count.h"
#include "simulator/referee.h"

#include <check.h>
#include <string.h>

Suite *check_referee(void);

static struct network n;
static struct referee r;
static struct referee_client clients[10]; // by the number of their connection

static void set_up(void) {
    struct error err;
    network_init(&n);
    ck_assert_int_eq(network_seal(&n, &err), 0);
    referee_init(&r, &n);
    for (uint64_t i = 0; i < COUNT(clients); i++)
        clients[i] = (struct referee_client){.connection = i};
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
    return referee_install(&r, ms * 1000, host(name), &clients[connection], false);
}

// The device is through, and tells its version.
static void over(uint64_t ms, uint32_t number) {
    uint32_t device = r.entries[number - 1].device;
    referee_installed(&r, ms * 1000, number);
    referee_version_told(&r, ms * 1000, device);
}

// Everything but the groups, with its lines joined.
static void assert_found(const char *violations, unsigned max_in_flight) {
    struct buf out = {0}, expected = {0}, joined = {0};
    referee_write(&r, false, &out);
    for (size_t i = 0; i < out.len; i++)
        if (out.data[i] != '\n')
            buf_add(&joined, &out.data[i], 1);
        else if (out.data[i - 1] == ',')
            buf_adds(&joined, " ");
    buf_addf(&expected,
             "{\"violations\": [%s], \"max_in_flight\": %u, \"max_installing\": ", violations,
             max_in_flight);
    ck_assert_msg(joined.len > expected.len &&
                      memcmp(joined.data, expected.data, expected.len) == 0,
                  "not %s but %s", expected.data, joined.data);
    buf_deinit(&out);
    buf_deinit(&joined);
    buf_deinit(&expected);
}

START_TEST(installs_of_a_group_that_follow_each_other_are_no_violation) {
    over(2, install(1, "leaf62.earth", 1));
    over(3, install(2, "leaf63.earth", 2));
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
    over(7, first);
    over(9, second);
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

#define OVERLAP(ended)                                                                             \
    "{\"kind\": \"group_overlap\", \"group\": \"earth_leaf_131\", \"hosts\": "                     \
    "[\"leaf62.earth\", \"leaf63.earth\"], \"started_ms\": 5, \"ended_ms\": " ended                \
    ", \"connections\": [8, 9]}"

START_TEST(an_install_lasts_until_the_device_tells_its_version) {
    referee_installed(&r, 1000, install(1, "leaf62.earth", 8)); // at latency 0
    referee_version_told(&r, 4000, host("leaf63.earth"));       // another's
    uint32_t second = install(5, "leaf63.earth", 9);
    assert_found(OVERLAP("null"), 0);
    referee_version_told(&r, 6000, host("leaf63.earth")); // it is still at it
    assert_found(OVERLAP("null"), 0);
    referee_installed(&r, 7000, second);
    assert_found(OVERLAP("null"), 0);
    referee_version_told(&r, 8000, host("leaf62.earth"));
    assert_found(OVERLAP("8"), 0);
    referee_version_told(&r, 9000, host("leaf63.earth"));
    over(9, install(9, "leaf62.earth", 8));
    assert_found(OVERLAP("8"), 0);
}
END_TEST

START_TEST(an_install_that_nobody_asks_about_lasts_until_its_connection_ends) {
    referee_installed(&r, 2000, install(1, "leaf62.earth", 8));
    uint32_t second = install(5, "leaf63.earth", 9);
    referee_client_left(&r, 6000, &clients[9]); // its device is still at it
    assert_found(OVERLAP("null"), 0);
    referee_client_left(&r, 7000, &clients[8]);
    assert_found(OVERLAP("7"), 0);
    install(7, "leaf62.earth", 1);
    ck_assert_uint_eq(r.counts[REFEREE_GROUP_OVERLAP], 2);
    referee_client_left(&r, 7000, &clients[1]);
    referee_installed(&r, 8000, second);
    install(8, "leaf64.earth", 2);
    ck_assert_uint_eq(r.counts[REFEREE_GROUP_OVERLAP], 2);
}
END_TEST

START_TEST(a_connection_that_ends_ends_all_installs_that_came_over_it) {
    static const char *const hosts[] = {"spine00.earth", "spine00.mars", "spine00.venus"};
    for (size_t i = 0; i < COUNT(hosts); i++)
        referee_installed(&r, 1000, install(1, hosts[i], 3));
    referee_version_told(&r, 2000, host(hosts[1])); // from the middle
    referee_installed(&r, 2000, install(2, "spine01.mars", 4));
    ck_assert_uint_eq(r.counts[REFEREE_GROUP_OVERLAP], 0);
    referee_client_left(&r, 3000, &clients[3]);
    install(4, "spine01.earth", 5);
    install(4, "spine01.venus", 5);
    ck_assert_uint_eq(r.counts[REFEREE_GROUP_OVERLAP], 0);
    install(4, "spine02.mars", 5);
    ck_assert_uint_eq(r.counts[REFEREE_GROUP_OVERLAP], 1);
}
END_TEST

START_TEST(the_next_install_of_a_device_takes_the_place_of_the_one_before) {
    referee_installed(&r, 1000, install(1, "leaf62.earth", 1));
    referee_installed(&r, 2000, install(2, "leaf62.earth", 8));
    ck_assert_uint_eq(r.counts[REFEREE_GROUP_OVERLAP], 0);
    referee_client_left(&r, 3000, &clients[1]); // no longer its business
    install(5, "leaf63.earth", 9);
    assert_found(OVERLAP("null"), 0);
}
END_TEST

// The second of three ends: only what it has part in ends with it.
START_TEST(of_three_that_overlap_the_end_of_one_ends_two_violations) {
    uint32_t numbers[] = {install(1, "spine00.earth", 1), install(2, "spine01.earth", 2),
                          install(3, "spine02.earth", 3)};
    over(4, numbers[1]);
    static const struct {
        uint64_t first, second;
        bool ended;
    } expected[] = {{1, 2, true}, {2, 3, true}, {1, 3, false}};
    ck_assert_uint_eq(r.violations_len, COUNT(expected));
    for (size_t i = 0; i < COUNT(expected); i++) {
        bool found = false;
        for (size_t k = 0; k < r.violations_len; k++) {
            const struct referee_violation *v = &r.violations[k];
            if (v->connections[0] != expected[i].first || v->connections[1] != expected[i].second)
                continue;
            ck_assert_int_eq(v->ended, expected[i].ended);
            found = true;
        }
        ck_assert(found);
    }
    ck_assert_uint_eq(r.open_len, 1);
    over(5, numbers[0]);
    ck_assert_uint_eq(r.open_len, 0);
}
END_TEST

START_TEST(an_install_beside_two_peers_that_are_down_is_two_violations) {
    static const char *const dead[] = {"spine00.earth", "spine03.earth"};
    for (size_t i = 0; i < COUNT(dead); i++) {
        referee_down(&r, host(dead[i]));
    }
    install(1, "spine00.earth", 1); // itself is not its peer
    ck_assert_uint_eq(r.counts[REFEREE_PEER_DOWN], 1);
    over(2, install(2, "spine01.earth", 2));
    ck_assert_uint_eq(r.counts[REFEREE_PEER_DOWN], 3);
    ck_assert_uint_eq(r.violations[r.violations_len - 1].hosts[0], host("spine03.earth"));
    ck_assert_uint_eq(r.violations[r.violations_len - 1].hosts[1], host("spine01.earth"));
}
END_TEST

START_TEST(a_third_login_is_a_violation_with_each_of_the_others) {
    uint32_t logins[3];
    for (uint64_t i = 0; i < 3; i++)
        logins[i] = referee_login(&r, 1000 * i, host("leaf62.earth"), i + 1);
    ck_assert_uint_eq(r.counts[REFEREE_DOUBLE_DRIVE], 3);
    referee_logout(&r, 5000, logins[1]); // the one in the middle
    ck_assert_uint_eq(r.open_len, 1);
    referee_login(&r, 6000, host("leaf62.earth"), 4);
    ck_assert_uint_eq(r.counts[REFEREE_DOUBLE_DRIVE], 5);
    ck_assert_uint_eq(r.max_in_flight, 3);
}
END_TEST

START_TEST(an_install_beside_a_peer_that_is_down_is_a_violation) {
    referee_down(&r, host("leaf62.earth"));
    over(4, install(3, "leaf63.earth", 7));
    install(3, "leaf64.earth", 8);
    assert_found("{\"kind\": \"peer_down\", \"group\": \"earth_leaf_131\", \"hosts\": "
                 "[\"leaf62.earth\", \"leaf63.earth\"], \"started_ms\": 3, \"ended_ms\": 4, "
                 "\"connections\": [7]}",
                 0);
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
    uint32_t number = referee_install(&r, 1000, host("edge01.venus"), &clients[2], true);
    over(3, number);
    assert_found("{\"kind\": \"needless_install\", \"group\": \"venus_edge\", \"hosts\": "
                 "[\"edge01.venus\"], \"started_ms\": 1, \"ended_ms\": 3, \"connections\": [2]}",
                 0);
}
END_TEST

START_TEST(an_install_under_an_older_epoch_than_its_group_has_seen_is_stale) {
    referee_epoch(&r, host("leaf62.earth"), 9);
    clients[1].epoch = 9;
    over(1, install(1, "leaf62.earth", 1));
    over(2, install(2, "leaf63.earth", 1));
    clients[2].epoch = ACMEOS_NO_EPOCH;
    over(3, install(3, "leaf63.earth", 2)); // of a session that says none nobody knows
    clients[3].epoch = 8;
    over(4, install(4, "leaf64.earth", 3)); // of another group
    over(6, install(5, "leaf63.earth", 3));
    assert_found("{\"kind\": \"stale_epoch\", \"group\": \"earth_leaf_131\", \"hosts\": "
                 "[\"leaf63.earth\"], \"started_ms\": 5, \"ended_ms\": 6, \"connections\": [3]}",
                 0);
}
END_TEST

START_TEST(an_install_that_began_before_the_newer_epoch_is_not_stale) {
    clients[3].epoch = 8;
    const uint32_t number = install(1, "leaf63.earth", 3);
    referee_epoch(&r, host("leaf62.earth"), 9);
    over(2, number);
    referee_epoch(&r, host("leaf63.earth"), 7); // an older one takes nothing back
    ck_assert_uint_eq(r.counts[REFEREE_STALE_EPOCH], 0);
    over(3, install(3, "leaf63.earth", 3));
    ck_assert_uint_eq(r.counts[REFEREE_STALE_EPOCH], 1);
}
END_TEST

START_TEST(all_groups_are_told_in_network_order_with_their_installs) {
    struct buf out = {0};
    over(1, install(1, "leaf63.earth", 1));
    over(1, install(1, "leaf62.earth", 1));
    referee_write(&r, true, &out);
    ck_assert_ptr_nonnull(strstr(out.data, "\n\"earth_leaf_131\": {\"installs\": 2},\n"
                                           "\"earth_leaf_132\": {\"installs\": 0},\n"));
    const char *last = "\"neptune_leaf_149\": {\"installs\": 0}}}";
    ck_assert_str_eq(out.data + out.len - strlen(last), last);
    buf_clear(&out);
    referee_write(&r, false, &out);
    ck_assert_str_eq(out.data, "{\"violations\": [], \"max_in_flight\": 0, \"max_installing\": 1}");
    buf_deinit(&out);
}
END_TEST

START_TEST(violations_beyond_the_limit_are_counted_and_not_kept) {
    struct buf out = {0};
    for (int i = 0; i < REFEREE_KEPT_MAX + 5; i++)
        over(1, referee_install(&r, 1, 0, &clients[1], true));
    referee_write(&r, true, &out);
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
    tcase_add_test(tc, an_install_lasts_until_the_device_tells_its_version);
    tcase_add_test(tc, an_install_that_nobody_asks_about_lasts_until_its_connection_ends);
    tcase_add_test(tc, a_connection_that_ends_ends_all_installs_that_came_over_it);
    tcase_add_test(tc, the_next_install_of_a_device_takes_the_place_of_the_one_before);
    tcase_add_test(tc, of_three_that_overlap_the_end_of_one_ends_two_violations);
    tcase_add_test(tc, an_install_beside_two_peers_that_are_down_is_two_violations);
    tcase_add_test(tc, a_third_login_is_a_violation_with_each_of_the_others);
    tcase_add_test(tc, each_pair_of_overlapping_installs_is_one_violation);
    tcase_add_test(tc, an_install_beside_a_peer_that_is_down_is_a_violation);
    tcase_add_test(tc, two_logins_to_one_device_are_a_violation_until_either_ends);
    tcase_add_test(tc, an_install_of_what_runs_already_is_needless);
    tcase_add_test(tc, an_install_under_an_older_epoch_than_its_group_has_seen_is_stale);
    tcase_add_test(tc, an_install_that_began_before_the_newer_epoch_is_not_stale);
    tcase_add_test(tc, all_groups_are_told_in_network_order_with_their_installs);
    tcase_add_test(tc, violations_beyond_the_limit_are_counted_and_not_kept);
    suite_add_tcase(suite, tc);
    return suite;
}

// Epochs of logins: what a device keeps of them, whom it refuses, and what the referee makes of it.
#include "tests/unit/consoles.h"

Suite *check_console_epoch(void);

// All devices take epochs but for leaf60.earth.
static void set_up_epochs(void) {
    uint32_t plain = 0;
    set_up();
    network.epochs = true;
    ck_assert(network_find(&network, "leaf60.earth", &plain));
    network_override(&network, plain, NULL, 0)->epochs = -1;
    network_sort_overrides(&network);
}

// epoch as JSON.
static const char *login_at(struct console *c, const char *host, const char *epoch) {
    char params[320];
    snprintf(params, sizeof params,
             "{\"hostname\": \"%s\", \"username\": \"admin\", \"password\": \"admin\", \"epoch\": "
             "%s}",
             host, epoch);
    return ask(c, call("login", params));
}

#define LOGGED_IN_AT(host, epoch)                                                                  \
    "{\"jsonrpc\": \"2.0\", \"id\": 7, \"result\": {\"hostname\": \"" host                         \
    "\", \"platform\": \"acmeos\", \"epoch\": " epoch "}}\n"
#define STALE(said, seen) ERROR("7", "-32005", "stale epoch " said ": " seen " is in charge")

START_TEST(a_login_is_answered_with_its_epoch_and_the_device_keeps_the_highest) {
    ck_assert_str_eq(login_at(one, "leaf63.earth", "0"), LOGGED_IN_AT("leaf63.earth", "0"));
    ck_assert_str_eq(login_at(one, "leaf63.earth", "7"), LOGGED_IN_AT("leaf63.earth", "7"));
    ck_assert_uint_eq(device("leaf63.earth")->epoch, 7);
    ck_assert_str_eq(login_at(two, "leaf63.earth", "6"), STALE("6", "7"));
    ck_assert_str_eq(login_at(two, "leaf63.earth", "0"), STALE("0", "7"));
    ck_assert_int_eq(ended, CONSOLE_STAYS);
    ck_assert_uint_eq(device("leaf63.earth")->epoch, 7);
    ck_assert_str_eq(login_at(one, "leaf63.earth", "7"), LOGGED_IN_AT("leaf63.earth", "7"));
    ck_assert_str_eq(login_at(one, "leaf63.earth", "9007199254740991"),
                     LOGGED_IN_AT("leaf63.earth", "9007199254740991"));
    ck_assert_str_eq(login_at(one, "leaf63.earth", "9007199254740990"),
                     STALE("9007199254740990", "9007199254740991"));
    ck_assert_str_eq(login_at(one, "leaf62.earth", "3"), LOGGED_IN_AT("leaf62.earth", "3"));
}
END_TEST

static const struct {
    const char *host, *epoch, *said;
} wrong[] = {
    {"leaf63.earth", "-1", "epoch: expected a whole number from 0 to 9007199254740991, not -1"},
    {"leaf63.earth", "1.5", "epoch: expected a whole number from 0 to 9007199254740991, not 1.5"},
    {"leaf63.earth", "9007199254740992",
     "epoch: expected a whole number from 0 to 9007199254740991, not 9.0072e+15"},
    {"leaf63.earth", "\"7\"", "epoch: expected a whole number, not a string"},
    {"leaf63.earth", "null", "epoch: expected a whole number, not null"},
    {"leaf60.earth", "7", "epoch: unknown field"},
    {"leaf60.earth", "null", "epoch: unknown field"},
};

START_TEST(what_is_no_epoch_or_not_taken_is_a_wrong_param) {
    char expected[256];
    snprintf(expected, sizeof expected, ERROR("7", "-32602", "invalid params: %s"), wrong[_i].said);
    login_at(one, wrong[_i].host, wrong[_i].epoch);
    ck_assert_str_eq(answer.data, expected);
    ck_assert_uint_eq(device("leaf63.earth")->epoch, 0);
    login(one, wrong[_i].host); // without one it may
    ck_assert(answered("\"platform\": \"acmeos\"}"));
}
END_TEST

START_TEST(who_is_unknown_or_has_no_credentials_is_told_that) {
    ck_assert_str_eq(login_at(one, "leaf3.earth", "7"),
                     ERROR("7", "-32003", "unknown device: leaf3.earth"));
    ck_assert_str_eq(ask(one, REQUEST("login", "{\"hostname\": \"leaf63.earth\", \"username\": "
                                               "\"admin\", \"password\": \"x\", \"epoch\": 9}")),
                     ERROR("7", "-32001", "authentication failed"));
    ck_assert_uint_eq(device("leaf63.earth")->epoch, 0); // nothing is kept of it
}
END_TEST

START_TEST(a_session_that_was_replaced_may_ask_and_not_install) {
    login_at(one, "leaf63.earth", "7");
    login_at(two, "leaf63.earth", "9");
    ck_assert_str_eq(ask(one, install_line("5.3.1")), STALE("7", "9"));
    ask(one, call("get_version", NULL));
    ck_assert(answered("full_version"));
    ck_assert_uint_eq(device("leaf63.earth")->installs, 0);
    ask(two, install_line("5.3.1"));
    ck_assert(answered("5.3.1"));
    ck_assert_str_eq(ask(one, call("logout", NULL)),
                     "{\"jsonrpc\": \"2.0\", \"id\": 7, \"result\": true}\n");
    ck_assert_uint_eq(world.referee.violations_len, 0);
}
END_TEST

// Not even where it logs in after the newer one has, for that was decided when it came.
START_TEST(a_session_that_was_replaced_is_no_second_hand_on_the_device) {
    ck_assert(begin(one, call("login", "{\"hostname\": \"leaf63.earth\", \"username\": \"admin\", "
                                       "\"password\": \"admin\", \"epoch\": 7}")));
    login_at(two, "leaf63.earth", "9");
    finish(one);
    ck_assert_str_eq(answer.data, LOGGED_IN_AT("leaf63.earth", "7"));
    ck_assert_str_eq(ask(one, install_line("5.3.1")), STALE("7", "9"));
    ck_assert_uint_eq(world.referee.in_flight, 1);
    ck_assert_uint_eq(world.referee.violations_len, 0);
    login_at(&consoles[2], "leaf63.earth", "9"); // one of the same epoch is
    ck_assert_uint_eq(world.referee.counts[REFEREE_DOUBLE_DRIVE], 1);
}
END_TEST

START_TEST(a_session_that_says_none_is_as_before) {
    login_at(one, "leaf63.earth", "9");
    ck_assert_str_eq(login(two, "leaf63.earth"), LOGGED_IN("leaf63.earth"));
    ask(two, install_line("5.3.1"));
    ck_assert(answered("5.3.1"));
    ck_assert_uint_eq(world.referee.counts[REFEREE_STALE_EPOCH], 0);
    ck_assert_uint_eq(world.referee.counts[REFEREE_DOUBLE_DRIVE], 1);
}
END_TEST

START_TEST(another_login_takes_the_place_of_the_epoch_before) {
    login_at(one, "leaf63.earth", "7");
    login_at(two, "leaf63.earth", "9");
    login(one, "leaf63.earth");
    ask(one, install_line("5.3.1"));
    ck_assert(answered("5.3.1"));
    login_at(one, "leaf61.earth", "3");
    ask(one, install_line("5.3.1"));
    ck_assert(answered("5.3.1"));
    ck_assert_str_eq(login_at(one, "leaf63.earth", "3"), STALE("3", "9"));
    ask(one, install_line("5.3.2")); // a failed one does not
    ck_assert_str_eq(version_of("leaf61.earth"), "5.3.2");
}
END_TEST

START_TEST(the_epoch_is_looked_at_before_a_running_install_and_before_faults) {
    login_at(one, "leaf63.earth", "7");
    login_at(two, "leaf63.earth", "9");
    ck_assert(begin(two, install_line("5.3.1")));
    ck_assert_str_eq(ask(one, install_line("5.3.1")), STALE("7", "9"));
    now_us += 10000;
    finish(two);
    fault("{\"on\": \"any\", \"effect\": \"error\"}");
    ck_assert_str_eq(ask(one, install_line("5.3.1")), STALE("7", "9"));
    ck_assert_str_eq(login_at(one, "leaf63.earth", "8"), STALE("8", "9"));
}
END_TEST

START_TEST(a_login_that_fails_leaves_no_epoch) {
    fault("{\"on\": \"login\", \"effect\": \"error\", \"times\": 1}");
    login_at(one, "leaf63.earth", "9");
    ck_assert(answered("-32000"));
    ck_assert_str_eq(login_at(one, "leaf63.earth", "7"), LOGGED_IN_AT("leaf63.earth", "7"));
}
END_TEST

START_TEST(an_epoch_outlives_a_restart_and_no_reset) {
    fault("{\"on\": \"install_os_version\", \"effect\": \"reboot\", \"downtime\": \"1s\"}");
    login_at(one, "leaf63.earth", "9");
    ask(one, install_line("5.3.1"));
    console_drop(one, now_us);
    now_us += UINT64_C(2000000);
    ck_assert_str_eq(login_at(two, "leaf63.earth", "8"), STALE("8", "9"));
    for (int i = 0; i < CONSOLES; i++)
        console_forget(&consoles[i], now_us);
    world_reset(&world, 1);
    console_init(two, &world);
    ck_assert_str_eq(login_at(two, "leaf63.earth", "8"), LOGGED_IN_AT("leaf63.earth", "8"));
    login_at(two, "leaf62.earth", "1");
    ask(two, install_line("5.3.1"));
    ck_assert_uint_eq(world.referee.counts[REFEREE_STALE_EPOCH], 1); // 8 is of now
}
END_TEST

START_TEST(an_install_under_an_older_epoch_than_a_peer_has_seen_is_a_violation) {
    struct buf audit = {0};
    login_at(one, "leaf63.earth", "9");
    login_at(two, "leaf62.earth", "7");
    ask(two, install_line("5.3.1"));
    ck_assert(answered("5.3.1")); // its device cannot know
    login_at(&consoles[2], "leaf64.earth", "7");
    ask(&consoles[2], install_line("5.3.1")); // of another group
    referee_write(&world.referee, false, &audit);
    ck_assert_uint_eq(world.referee.violations_len, 1);
    ck_assert_ptr_nonnull(strstr(audit.data, "{\"kind\": \"stale_epoch\", \"group\": "
                                             "\"earth_leaf_131\", \"hosts\": [\"leaf62.earth\"]"));
    buf_deinit(&audit);
}
END_TEST

Suite *check_console_epoch(void) {
    Suite *suite = suite_create("console_epoch");
    TCase *tc = tcase_create("console_epoch");
    tcase_add_checked_fixture(tc, set_up_epochs, tear_down);
    tcase_add_test(tc, a_login_is_answered_with_its_epoch_and_the_device_keeps_the_highest);
    tcase_add_loop_test(tc, what_is_no_epoch_or_not_taken_is_a_wrong_param, 0, COUNT(wrong));
    tcase_add_test(tc, who_is_unknown_or_has_no_credentials_is_told_that);
    tcase_add_test(tc, a_session_that_was_replaced_may_ask_and_not_install);
    tcase_add_test(tc, a_session_that_was_replaced_is_no_second_hand_on_the_device);
    tcase_add_test(tc, a_session_that_says_none_is_as_before);
    tcase_add_test(tc, another_login_takes_the_place_of_the_epoch_before);
    tcase_add_test(tc, the_epoch_is_looked_at_before_a_running_install_and_before_faults);
    tcase_add_test(tc, a_login_that_fails_leaves_no_epoch);
    tcase_add_test(tc, an_epoch_outlives_a_restart_and_no_reset);
    tcase_add_test(tc, an_install_under_an_older_epoch_than_a_peer_has_seen_is_a_violation);
    suite_add_tcase(suite, tc);
    return suite;
}

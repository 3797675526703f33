// What an install at a console does to its device, and what the referee sees of it.
#include "tests/unit/consoles.h"

Suite *check_console_install(void);

// --- what the referee sees of it

static uint64_t seen(enum referee_kind kind) {
    return world.referee.counts[kind];
}

START_TEST(two_devices_of_a_group_at_once_are_seen_at_latency_0) {
    network_set_latency(&network, (struct duration_range){0, 0});
    login(one, "leaf62.earth");
    login(two, "leaf63.earth");
    ask(one, install_line("9.9.9"));
    ck_assert_uint_eq(now_us, 0);
    ask(two, install_line("9.9.9"));
    ck_assert_uint_eq(seen(REFEREE_GROUP_OVERLAP), 1);
    ck_assert_uint_eq(seen(REFEREE_PEER_DOWN), 0); // it is up again, though nobody knows
}
END_TEST

START_TEST(who_asks_for_the_version_or_leaves_may_take_the_next_device) {
    login(one, "leaf62.earth");
    ask(one, install_line("9.9.9"));
    ask(one, call("get_version", NULL));
    login(two, "leaf63.earth");
    ask(two, install_line("9.9.9"));
    ask(two, call("logout", NULL)); // answered, and the shell drops it
    console_drop(two, now_us);
    ask(one, install_line("8.8.8"));
    console_no_more_requests(one, now_us);
    login(&consoles[2], "leaf63.earth");
    ask(&consoles[2], install_line("8.8.8"));
    ck_assert_uint_eq(world.referee.violations_len, 0);
}
END_TEST

START_TEST(an_answer_that_tells_no_version_leaves_an_install_where_it_was) {
    fault("{\"effect\": \"garbage\", \"on\": \"get_version\"}");
    login(one, "leaf62.earth");
    login(two, "leaf63.earth");
    ask(one, install_line("9.9.9"));
    ask(one, call("get_version", NULL));
    ask(one, call("get_cpu_ram", NULL));
    login(one, "leaf00.mars"); // on the same connection
    ask(two, install_line("9.9.9"));
    ck_assert_uint_eq(seen(REFEREE_GROUP_OVERLAP), 1);
}
END_TEST

START_TEST(an_install_whose_client_has_gone_lasts_until_the_device_is_through) {
    login(one, "leaf62.earth");
    ck_assert(begin(one, install_line("9.9.9")));
    console_drop(one, now_us);
    login(two, "leaf62.earth"); // no double drive
    ask(two, call("get_version", NULL));
    login(&consoles[2], "leaf63.earth");
    ck_assert(begin(&consoles[2], install_line("9.9.9")));
    ck_assert_uint_eq(seen(REFEREE_GROUP_OVERLAP), 1);
    ck_assert_uint_eq(seen(REFEREE_PEER_DOWN), 1);
    finish(one);
    ck_assert_uint_eq(world.referee.open_len, 1); // peer_down lasts as long as the other's
    finish(&consoles[2]);
    console_drop(&consoles[2], now_us);
    ck_assert_uint_eq(world.referee.open_len, 0);
    ck_assert_uint_eq(seen(REFEREE_DOUBLE_DRIVE), 0);
}
END_TEST

START_TEST(a_device_is_being_installed_while_it_reboots_and_no_longer) {
    fault("{\"effect\": \"reboot\", \"downtime\": \"10s\", \"times\": 1, "
          "\"match\": {\"host\": \"spine00.earth\"}}");
    login(one, "spine00.earth");
    ask(one, install_line("9.9.9"));
    console_drop(one, now_us);
    uint64_t began_us = now_us;
    login(two, "spine00.earth"); // in between; it is reset
    ck_assert_int_eq(ended, CONSOLE_RESETS);
    login(&consoles[2], "spine01.earth");
    ask(&consoles[2], install_line("9.9.9"));
    ask(&consoles[2], call("get_version", NULL));
    ck_assert_uint_eq(seen(REFEREE_GROUP_OVERLAP), 1);
    ck_assert_uint_eq(seen(REFEREE_PEER_DOWN), 1);
    login(&consoles[3], "spine02.earth");
    ask(&consoles[3], install_line("9.9.9"));
    ask(&consoles[3], call("get_version", NULL));
    ck_assert_uint_eq(seen(REFEREE_GROUP_OVERLAP), 2); // with the one that reboots alone
    ck_assert_uint_eq(seen(REFEREE_PEER_DOWN), 2);
    now_us = began_us + 10000000;
    login(two, "spine03.earth");
    ask(two, install_line("9.9.9"));
    ck_assert_uint_eq(seen(REFEREE_GROUP_OVERLAP), 2);
    ck_assert_uint_eq(seen(REFEREE_PEER_DOWN), 2);
    ck_assert_uint_eq(seen(REFEREE_DOUBLE_DRIVE), 0);
}
END_TEST

START_TEST(a_peer_that_is_bricked_is_down_until_the_reset) {
    fault("{\"effect\": \"brick\", \"times\": 1, \"match\": {\"host\": \"leaf62.earth\"}}");
    login(one, "leaf62.earth");
    ask(one, install_line("9.9.9"));
    console_drop(one, now_us);
    for (uint64_t i = 1; i <= 2; i++) {
        login(two, "leaf63.earth");
        ask(two, install_line(i == 1 ? "9.9.9" : "8.8.8"));
        ck_assert_uint_eq(seen(REFEREE_PEER_DOWN), i);
    }
    ck_assert_uint_eq(seen(REFEREE_GROUP_OVERLAP), 0);
}
END_TEST

START_TEST(a_peer_that_is_unreachable_by_birth_is_down_before_and_after_a_reset) {
    uint32_t dead = 0;
    ck_assert(network_find(&network, "leaf62.earth", &dead));
    network_override(&network, dead, NULL, NETWORK_PORT_UNREACHABLE);
    network_override(&network, dead + 2, NULL, 8300); // told elsewhere, and it may be there
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < CONSOLES; i++)
            console_forget(&consoles[i], now_us);
        world_reset(&world, 1);
        for (int i = 0; i < CONSOLES; i++)
            console_init(&consoles[i], &world);
        login(one, "leaf63.earth");
        ask(one, install_line("9.9.9"));
        login(two, "leaf65.earth");
        ask(two, install_line("9.9.9"));
        login(&consoles[2], "leaf62.earth"); // itself, past the inventory
        ask(&consoles[2], call("get_version", NULL));
        ck_assert_uint_eq(seen(REFEREE_PEER_DOWN), 1);
    }
}
END_TEST

START_TEST(a_reset_in_mid_install_leaves_nothing_being_installed) {
    fault("{\"effect\": \"reboot\", \"downtime\": \"10s\", \"match\": {\"host\": "
          "\"spine00.earth\"}}");
    login(one, "spine00.earth");
    ask(one, install_line("9.9.9")); // reboots
    login(two, "spine01.earth");
    ck_assert(begin(two, install_line("9.9.9"))); // is at it
    login(&consoles[2], "spine02.earth");
    ask(&consoles[2], install_line("9.9.9")); // has not told
    for (int i = 0; i < CONSOLES; i++)
        console_forget(&consoles[i], now_us);
    world_reset(&world, 1);
    for (int i = 0; i < CONSOLES; i++)
        console_init(&consoles[i], &world);
    now_us += 20000000;
    for (int i = 0; i < 3; i++) {
        char host[32];
        snprintf(host, sizeof host, "spine0%d.earth", i);
        ck_assert_int_eq(device(host)->state, DEVICE_UP);
        login(&consoles[i], host);
        ask(&consoles[i], install_line("9.9.9"));
        ask(&consoles[i], call("get_version", NULL));
    }
    ck_assert_uint_eq(world.referee.violations_len, 0);
    ck_assert_uint_eq(world.referee.max_in_flight, 3);
}
END_TEST

// --- installing, and restarting behind it

START_TEST(a_device_says_what_it_installs_and_only_while_it_does) {
    network_set_latency(&network, (struct duration_range){1000, 1000});
    login(one, "leaf62.earth");
    login(two, "leaf62.earth");
    ck_assert_ptr_null(strstr(ask(two, call("get_version", NULL)), "installing"));
    ck_assert(begin(one, install_line("9.9.9")));
    now_us += waited_us / 2;
    ck_assert(begin(two, call("get_version", NULL)));
    finish(two);
    ck_assert_ptr_nonnull(strstr(answer.data, "\", \"installing\": \"9.9.9\"}"));
    now_us += waited_us;
    finish(one);
    ck_assert_ptr_nonnull(strstr(answer.data, "\"full_version\": \"9.9.9\"}"));
    ck_assert_ptr_null(strstr(ask(two, call("get_version", NULL)), "installing"));
}
END_TEST

START_TEST(an_install_restarts_the_device_behind_its_answer_where_the_network_says_so) {
    network.reboots = true;
    network.reboot = (struct duration_range){5000000, 20000000};
    login(one, "leaf62.earth");
    login(two, "leaf62.earth");
    ck_assert_ptr_nonnull(strstr(ask(one, install_line("9.9.9")), "\"full_version\": \"9.9.9\"}"));
    ck_assert_int_eq(ended, CONSOLE_CLOSES);
    ck_assert_ptr_eq(console_condemned(&world), two);
    console_drop(two, now_us);
    console_drop(one, now_us);
    uint64_t answered_us = now_us;
    ck_assert_uint_eq(world.states[DEVICE_REBOOTING], 1);
    ck_assert_str_eq(login(&consoles[2], "leaf62.earth"), "");
    ck_assert_int_eq(ended, CONSOLE_RESETS);
    now_us = answered_us + 4999999;
    world_advance(&world, now_us);
    ck_assert_uint_eq(world.states[DEVICE_REBOOTING], 1);
    ck_assert_uint_eq(world.referee.installing, 1); // to the referee it is at it still
    now_us = answered_us + 20000000;
    world_advance(&world, now_us);
    ck_assert_uint_eq(world.states[DEVICE_UP], network.devices);
    ck_assert_uint_eq(world.referee.installing, 0);
    login(&consoles[3], "leaf62.earth");
    ck_assert_ptr_nonnull(strstr(ask(&consoles[3], call("get_version", NULL)), "9.9.9"));
}
END_TEST

START_TEST(an_install_that_is_not_carried_out_restarts_nothing) {
    network.reboots = true;
    network.reboot = (struct duration_range){5000000, 20000000};
    fault("{\"on\": \"install_os_version\", \"effect\": \"error\"}");
    login(one, "leaf62.earth");
    ask(one, install_line("9.9.9"));
    ck_assert_int_eq(ended, CONSOLE_STAYS);
    ck_assert_uint_eq(world.states[DEVICE_UP], network.devices);
}
END_TEST

Suite *check_console_install(void) {
    Suite *suite = suite_create("console_install");
    TCase *tc = tcase_create("console_install");
    tcase_add_checked_fixture(tc, set_up, tear_down);
    tcase_add_test(tc, two_devices_of_a_group_at_once_are_seen_at_latency_0);
    tcase_add_test(tc, who_asks_for_the_version_or_leaves_may_take_the_next_device);
    tcase_add_test(tc, an_answer_that_tells_no_version_leaves_an_install_where_it_was);
    tcase_add_test(tc, an_install_whose_client_has_gone_lasts_until_the_device_is_through);
    tcase_add_test(tc, a_device_is_being_installed_while_it_reboots_and_no_longer);
    tcase_add_test(tc, a_peer_that_is_bricked_is_down_until_the_reset);
    tcase_add_test(tc, a_peer_that_is_unreachable_by_birth_is_down_before_and_after_a_reset);
    tcase_add_test(tc, a_reset_in_mid_install_leaves_nothing_being_installed);
    tcase_add_test(tc, a_device_says_what_it_installs_and_only_while_it_does);
    tcase_add_test(tc, an_install_restarts_the_device_behind_its_answer_where_the_network_says_so);
    tcase_add_test(tc, an_install_that_is_not_carried_out_restarts_nothing);
    suite_add_tcase(suite, tc);
    return suite;
}

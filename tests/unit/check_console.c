// The device protocol, end to end within the pure part: lines in, replies out, on a made-up clock.
#include "tests/unit/consoles.h"

Suite *check_console(void);

// --- the protocol

START_TEST(a_device_is_logged_in_to_asked_upgraded_and_left) {
    char was[32], expected[256];
    ck_assert_str_eq(login(one, "leaf63.earth"), LOGGED_IN("leaf63.earth"));
    snprintf(was, sizeof was, "%s", version_of("leaf63.earth"));
    snprintf(expected, sizeof expected,
             "{\"jsonrpc\": \"2.0\", \"id\": 7, \"result\": {\"os_version\": \"%.3s\", "
             "\"revision\": \"%s\", \"full_version\": \"%s\"}}\n",
             was, was + 4, was);
    ck_assert_str_eq(ask(one, call("get_version", NULL)), expected);
    ck_assert_str_eq(ask(one, install_line("15.30.1")),
                     "{\"jsonrpc\": \"2.0\", \"id\": 7, \"result\": {\"os_version\": \"15.30\", "
                     "\"revision\": \"1\", \"full_version\": \"15.30.1\"}}\n");
    ck_assert_str_eq(version_of("leaf63.earth"), "15.30.1");
    ask(one, call("get_cpu_ram", "{}"));
    ck_assert(answered("\"ram_total\": 4096"));
    ck_assert_int_eq(ended, CONSOLE_STAYS);
    ck_assert_str_eq(ask(one, call("logout", NULL)),
                     "{\"jsonrpc\": \"2.0\", \"id\": 7, \"result\": true}\n");
    ck_assert_int_eq(ended, CONSOLE_CLOSES);
    ck_assert_uint_eq(device("leaf63.earth")->logins, 1);
    ck_assert_uint_eq(device("leaf63.earth")->installs, 1);
}
END_TEST

static const struct {
    const char *line, *answer;
    bool logged_in; // before
} errors[] = {
    {"", ERROR("null", "-32700", "parse error"), false},
    {"{", ERROR("null", "-32700", "parse error"), true},
    {"{} {}", ERROR("null", "-32700", "parse error"), true},
    {"[]", ERROR("null", "-32600", "invalid request"), false},
    {"3", ERROR("null", "-32600", "invalid request"), false},
    {"{\"id\": 4, \"method\": \"login\"}", ERROR("4", "-32600", "invalid request"), false},
    {"{\"jsonrpc\": \"2.0\", \"id\": {}, \"method\": \"login\"}",
     ERROR("null", "-32600", "invalid request"), false},
    {"{\"jsonrpc\": \"2.0\", \"id\": \"a\\\"b\", \"method\": 3}",
     ERROR("\"a\\\"b\"", "-32600", "invalid request"), false},
    {REQUEST("LOGIN", "{}"), ERROR("7", "-32601", "method not found"), false},
    {REQUEST("reboot", "3"), ERROR("7", "-32600", "invalid request"), false},
    {REQUEST("get_version", "{\"a\": 1}"), ERROR("7", "-32002", "not logged in"), false},
    {REQUEST("logout", "{}"), ERROR("7", "-32002", "not logged in"), false},
    {REQUEST("install_os_version", "{}"), ERROR("7", "-32002", "not logged in"), false},
    {REQUEST("login", "[]"),
     ERROR("7", "-32602", "invalid params: expected an object, not an array"), false},
    {"{\"jsonrpc\": \"2.0\", \"id\": 7, \"method\": \"login\"}",
     ERROR("7", "-32602", "invalid params: missing"), false},
    {REQUEST("login", "{\"username\": \"admin\", \"password\": \"admin\"}"),
     ERROR("7", "-32602", "invalid params: hostname: missing"), false},
    {REQUEST("login", "{\"hostname\": \"a\", \"username\": 3, \"password\": \"admin\"}"),
     ERROR("7", "-32602", "invalid params: username: expected a string, not a number"), false},
    {REQUEST("login", "{\"hostname\": \"a\", \"username\": \"a\", \"password\": \"a\", \"p\": 1}"),
     ERROR("7", "-32602", "invalid params: p: unknown field"), false},
    {BOGUS_LOGIN("root", "admin"), ERROR("7", "-32001", "authentication failed"), false},
    {BOGUS_LOGIN("admin", "Admin"), ERROR("7", "-32001", "authentication failed"), false},
    {BOGUS_LOGIN("admin", "admin"), ERROR("7", "-32003", "unknown device: leaf3.earth"), false},
    {REQUEST("get_version", "{\"a\": 1}"),
     ERROR("7", "-32602", "invalid params: a: this method takes no params"), true},
    {REQUEST("get_cpu_ram", "[1]"),
     ERROR("7", "-32602", "invalid params: params go by name, and this method takes none"), true},
    {REQUEST("install_os_version", "{}"), ERROR("7", "-32602", "invalid params: version: missing"),
     true},
    {REQUEST("install_os_version", "{\"version\": \"5.3\"}"), VERSION_FORMAT, true},
    {REQUEST("install_os_version", "{\"version\": \"5.3.1 \"}"), VERSION_FORMAT, true},
    {REQUEST("install_os_version", "{\"version\": \"5.3.1234567890\"}"), VERSION_FORMAT, true},
    {REQUEST("install_os_version", "{\"version\": 5}"), VERSION_FORMAT, true},
    {REQUEST("install_os_version", "{\"version\": \"5.3.1\", \"force\": true}"),
     ERROR("7", "-32602", "invalid params: force: unknown field"), true},
};

START_TEST(what_is_wrong_is_answered_in_the_order_of_the_checks_and_the_connection_stays) {
    if (errors[_i].logged_in) login(one, "leaf00.mars");
    ck_assert_str_eq(ask(one, errors[_i].line), errors[_i].answer);
    ck_assert_int_eq(ended, CONSOLE_STAYS);
    if (errors[_i].logged_in) ck_assert_uint_eq(device("leaf00.mars")->installs, 0);
}
END_TEST

START_TEST(what_is_wrong_with_a_request_is_answered_at_once_and_the_rest_takes_its_time) {
    ck_assert(!begin(one, "{"));
    ck_assert(!begin(one, call("get_version", NULL)));
    ck_assert(!begin(one, call("login", "{}")));
    ck_assert(begin(one, BOGUS_LOGIN("root", "x")));
    ck_assert_uint_ge(waited_us, 1000);
    finish(one);
    ck_assert(begin(one, BOGUS_LOGIN("admin", "admin")));
    ck_assert_uint_ge(waited_us, 1000);
    finish(one);
}
END_TEST

START_TEST(a_line_too_long_is_answered_and_ends_the_connection) {
    take(console_line_too_long(one));
    ck_assert_str_eq(answer.data, ERROR("null", "-32600", "invalid request"));
    ck_assert_int_eq(ended, CONSOLE_CLOSES);
}
END_TEST

START_TEST(a_notification_is_carried_out_and_not_answered) {
    login(one, "leaf63.earth");
    ck_assert_str_eq(ask(one, "{\"jsonrpc\": \"2.0\", \"method\": \"nope\"}"), "");
    ck_assert_str_eq(ask(one, "{\"jsonrpc\": \"2.0\", \"method\": \"install_os_version\", "
                              "\"params\": {\"version\": \"9.9.9\"}}"),
                     "");
    ck_assert_str_eq(version_of("leaf63.earth"), "9.9.9");
    ck_assert_str_eq(ask(one, "{\"jsonrpc\": \"2.0\", \"method\": \"logout\"}"), "");
    ck_assert_int_eq(ended, CONSOLE_CLOSES);
}
END_TEST

START_TEST(an_id_is_echoed_as_it_was_sent) {
    static const char *const ids[] = {"0", "-5", "1.5", "\"x\"", "null", "\"\""};
    login(one, "leaf63.earth");
    for (size_t i = 0; i < COUNT(ids); i++) {
        char line[128], expected[64];
        snprintf(line, sizeof line,
                 "{\"jsonrpc\": \"2.0\", \"id\": %s, \"method\": \"get_version\"}", ids[i]);
        snprintf(expected, sizeof expected, "{\"jsonrpc\": \"2.0\", \"id\": %s, \"result\"",
                 ids[i]);
        ask(one, line);
        ck_assert_msg(answered(expected), "%s", answer.data);
    }
}
END_TEST

START_TEST(a_second_login_replaces_the_first_and_a_failed_one_does_not) {
    login(one, "leaf63.earth");
    ask(one, BOGUS_LOGIN("admin", "admin"));
    ask(one, install_line("9.9.9"));
    ck_assert_str_eq(version_of("leaf63.earth"), "9.9.9");
    ck_assert_str_eq(login(one, "leaf00.mars"), LOGGED_IN("leaf00.mars"));
    ask(one, install_line("8.8.8"));
    ck_assert_str_eq(version_of("leaf63.earth"), "9.9.9");
    ck_assert_str_eq(version_of("leaf00.mars"), "8.8.8");
    ck_assert_ptr_null(device("leaf63.earth")->consoles);
    ck_assert_uint_eq(world.referee.in_flight, 1);
}
END_TEST

START_TEST(a_second_install_is_refused_while_one_runs) {
    login(one, "leaf63.earth");
    login(two, "leaf63.earth");
    ck_assert(begin(one, install_line("9.9.9")));
    ck_assert_int_eq(device("leaf63.earth")->state, DEVICE_INSTALLING);
    ck_assert_str_eq(ask(two, install_line("8.8.8")),
                     ERROR("7", "-32004", "another install is in progress"));
    finish(one);
    ck_assert_int_eq(device("leaf63.earth")->state, DEVICE_UP);
    ck_assert_str_eq(version_of("leaf63.earth"), "9.9.9");
    ck_assert_uint_eq(device("leaf63.earth")->installs, 1);
}
END_TEST

START_TEST(draws_depend_on_the_attempt_and_not_on_the_order_of_connections) {
    uint64_t waits[2][3];
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < 3; i++) {
            struct console *c = &consoles[round == 0 ? i : 2 - i];
            static const char *const hosts[] = {"leaf63.earth", "leaf00.mars", "edge00.venus"};
            login(c, hosts[round == 0 ? i : 2 - i]);
            waits[round][round == 0 ? i : 2 - i] = waited_us;
        }
        for (int i = 0; i < CONSOLES; i++)
            console_forget(&consoles[i], now_us);
        world_reset(&world, 1);
        for (int i = 0; i < CONSOLES; i++)
            console_init(&consoles[i], &world);
    }
    for (int i = 0; i < 3; i++)
        ck_assert_uint_eq(waits[0][i], waits[1][i]);
    ck_assert(waits[0][0] != waits[0][1] || waits[0][1] != waits[0][2]);
}
END_TEST

START_TEST(the_time_scale_shortens_every_wait) {
    world.time_scale = 0.01;
    network_set_latency(&network, (struct duration_range){500000, 500000});
    fault("{\"effect\": \"delay\", \"by\": \"1s\", \"on\": \"get_version\"}");
    login(one, "leaf63.earth");
    ck_assert_uint_eq(waited_us, 5000);
    ask(one, call("get_version", NULL));
    ck_assert_uint_eq(waited_us, 15000);
}
END_TEST

// --- faults

static const struct {
    const char *fault, *answer; // to an install of 9.9.9
    enum console_end end;
    enum device_state state;
    bool installed;
} effects[] = {
    {"\"error\"", ERROR("7", "-32000", "problem communicating with device"), CONSOLE_STAYS,
     DEVICE_UP, false},
    {"\"error\", \"code\": 5, \"message\": \"a \\\"b\\\"\"", ERROR("7", "5", "a \\\"b\\\""),
     CONSOLE_STAYS, DEVICE_UP, false},
    {"\"reset\"", "", CONSOLE_RESETS, DEVICE_UP, false},
    {"\"close\"", "", CONSOLE_CLOSES, DEVICE_UP, false},
    {"\"no_reply\"", "", CONSOLE_STAYS, DEVICE_UP, false},
    {"\"delay\", \"by\": \"1s\"", NULL, CONSOLE_STAYS, DEVICE_UP, true},
    {"\"slow\", \"bytes_per_second\": 20", NULL, CONSOLE_STAYS, DEVICE_UP, true},
    {"\"truncate\"", "{\"jsonrpc\": \"2.0\", \"id\": 7, \"result\": {\"os_version\"",
     CONSOLE_CLOSES, DEVICE_UP, true},
    {"\"garbage\"", "%%% {this is not what you asked for\n", CONSOLE_STAYS, DEVICE_UP, true},
    {"\"wrong_id\"",
     "{\"jsonrpc\": \"2.0\", \"id\": -1, \"result\": {\"os_version\": \"9.9\", \"revision\": "
     "\"9\", "
     "\"full_version\": \"9.9.9\"}}\n",
     CONSOLE_STAYS, DEVICE_UP, true},
    {"\"wrong_version\"", NULL, CONSOLE_STAYS, DEVICE_UP, false},
    {"\"reboot\", \"downtime\": \"1s\"", "", CONSOLE_RESETS, DEVICE_REBOOTING, true},
    {"\"brick\"", "", CONSOLE_RESETS, DEVICE_DOWN, true},
};

START_TEST(each_effect_does_to_an_install_what_it_says) {
    struct buf rule = {0};
    buf_addf(&rule, "{\"on\": \"install_os_version\", \"effect\": %s}", effects[_i].fault);
    fault(rule.data);
    buf_deinit(&rule);
    login(one, "leaf63.earth");
    ask(one, install_line("9.9.9"));
    const char *plain = "{\"jsonrpc\": \"2.0\", \"id\": 7, \"result\": {\"os_version\": \"9.9\", "
                        "\"revision\": \"9\", \"full_version\": \"9.9.9\"}}\n";
    ck_assert_str_eq(answer.data, effects[_i].answer == NULL ? plain : effects[_i].answer);
    ck_assert_int_eq(ended, effects[_i].end);
    ck_assert_int_eq(device("leaf63.earth")->state, effects[_i].state);
    ck_assert_int_eq(strcmp(version_of("leaf63.earth"), "9.9.9") == 0, effects[_i].installed);
    ck_assert_uint_eq(world.faults.rules[0]->fired, 1);
    ck_assert_uint_eq(rate, strstr(effects[_i].fault, "slow") == NULL ? 0 : 20);
    if (strstr(effects[_i].fault, "delay") != NULL) ck_assert_uint_ge(waited_us, 1001000);
}
END_TEST

START_TEST(an_oversize_answer_is_a_line_beyond_the_limit) {
    fault("{\"effect\": \"oversize\", \"on\": \"get_version\"}");
    login(one, "leaf63.earth");
    ask(one, call("get_version", NULL));
    ck_assert_uint_gt(answer.len, RPC_LINE_MAX);
    ck_assert_ptr_eq(strchr(answer.data, '\n'), answer.data + answer.len - 1);
}
END_TEST

START_TEST(a_wrong_version_is_one_that_the_device_does_not_run) {
    fault("{\"effect\": \"wrong_version\", \"on\": \"get_version\", \"times\": 1}");
    login(one, "leaf63.earth");
    ask(one, call("get_version", NULL));
    ck_assert(answered("\"full_version\": \"0.0.0\""));
    ask(one, call("get_version", NULL));
    ck_assert(answered(version_of("leaf63.earth")));
}
END_TEST

START_TEST(a_refused_login_is_a_reset_and_nobody_is_logged_in) {
    fault("{\"effect\": \"refuse\", \"match\": {\"host\": \"leaf63.*\"}}");
    ck_assert_str_eq(login(one, "leaf63.earth"), "");
    ck_assert_int_eq(ended, CONSOLE_RESETS);
    ck_assert_uint_eq(device("leaf63.earth")->logins, 0);
    ck_assert_uint_eq(world.referee.max_in_flight, 0);
    ck_assert_str_eq(login(two, "leaf62.earth"), LOGGED_IN("leaf62.earth"));
}
END_TEST

START_TEST(a_reboot_resets_all_connections_and_logins_until_it_is_over) {
    fault("{\"effect\": \"reboot\", \"downtime\": \"10s\", \"times\": 1}");
    login(one, "leaf63.earth");
    login(two, "leaf63.earth");
    ask(one, install_line("9.9.9"));
    ck_assert_ptr_eq(console_condemned(&world), two);
    ck_assert_ptr_null(console_condemned(&world));
    console_drop(one, now_us);
    console_drop(two, now_us);
    login(&consoles[2], "leaf63.earth");
    ck_assert_int_eq(ended, CONSOLE_RESETS);
    now_us += 10000000;
    ck_assert_str_eq(login(&consoles[2], "leaf63.earth"), LOGGED_IN("leaf63.earth"));
    ck_assert_int_eq(device("leaf63.earth")->state, DEVICE_UP);
    ck_assert_str_eq(version_of("leaf63.earth"), "9.9.9");
}
END_TEST

START_TEST(a_login_that_arrives_before_a_reboot_and_ends_after_it_is_reset) {
    fault("{\"effect\": \"brick\"}");
    login(one, "leaf63.earth");
    ck_assert(begin(one, install_line("9.9.9")));
    ck_assert(begin(two, call("login", "{\"hostname\": \"leaf63.earth\", \"username\": \"admin\", "
                                       "\"password\": \"admin\"}")));
    finish(one);
    finish(two);
    ck_assert_int_eq(ended, CONSOLE_RESETS);
    ck_assert_str_eq(answer.data, "");
}
END_TEST

START_TEST(a_fault_takes_hold_after_every_other_check) {
    fault("{\"effect\": \"close\", \"on\": \"any\"}");
    ask(one, BOGUS_LOGIN("admin", "x"));
    ask(one, BOGUS_LOGIN("admin", "admin"));
    ask(one, call("get_version", NULL));
    ck_assert_uint_eq(world.faults.rules[0]->fired, 0);
    login(one, "leaf63.earth");
    ck_assert_uint_eq(world.faults.rules[0]->fired, 1);
}
END_TEST

START_TEST(a_rule_that_goes_while_its_call_runs_still_applies) {
    fault("{\"effect\": \"error\", \"message\": \"gone\"}");
    ck_assert(begin(one, call("login", "{\"hostname\": \"leaf63.earth\", \"username\": \"admin\", "
                                       "\"password\": \"admin\"}")));
    fault_remove_all(&world.faults);
    finish(one);
    ck_assert_str_eq(answer.data, ERROR("7", "-32000", "gone"));
}
END_TEST

// --- the end of a connection

START_TEST(an_install_runs_on_when_its_client_is_gone) {
    login(one, "leaf63.earth");
    ck_assert(begin(one, install_line("9.9.9")));
    ck_assert(console_drop(one, now_us));
    ck_assert_uint_eq(world.referee.in_flight, 0);
    ck_assert_int_eq(device("leaf63.earth")->state, DEVICE_INSTALLING);
    finish(one);
    ck_assert_str_eq(version_of("leaf63.earth"), "9.9.9");
    ck_assert_int_eq(device("leaf63.earth")->state, DEVICE_UP);
}
END_TEST

START_TEST(another_call_ends_with_its_connection) {
    login(one, "leaf63.earth");
    ck_assert(begin(one, call("get_version", NULL)));
    ck_assert(!console_drop(one, now_us));
    ck_assert_uint_eq(world.requests[OPERATION_GET_VERSION][WORLD_LOST], 1);
    ck_assert_uint_eq(world.journal.last, 4);
}
END_TEST

START_TEST(who_sends_no_more_requests_no_longer_counts_as_logged_in) {
    login(one, "leaf63.earth");
    console_no_more_requests(one, now_us);
    login(two, "leaf63.earth");
    ck_assert_uint_eq(world.referee.counts[REFEREE_DOUBLE_DRIVE], 0);
    ck_assert_uint_eq(world.referee.max_in_flight, 1);
    ck_assert(begin(&consoles[2], call("login", "{\"hostname\": \"leaf63.earth\", \"username\": "
                                                "\"admin\", \"password\": \"admin\"}")));
    console_no_more_requests(&consoles[2], now_us);
    finish(&consoles[2]);
    ck_assert_str_eq(answer.data, LOGGED_IN("leaf63.earth"));
    ck_assert_uint_eq(world.referee.max_in_flight, 1);
}
END_TEST

// Killed: it has asked already what the device runs, and there will be no more.
START_TEST(who_only_reads_on_no_longer_counts_as_logged_in) {
    login(one, "leaf63.earth");
    console_reads_on(one, now_us);
    login(two, "leaf63.earth");
    ck_assert_uint_eq(world.referee.counts[REFEREE_DOUBLE_DRIVE], 0);
    ck_assert(begin(one, call("get_version", "{}")));
    finish(one);
    ck_assert_ptr_nonnull(strstr(answer.data, "full_version"));
    ck_assert(begin(&consoles[2], call("login", "{\"hostname\": \"leaf63.earth\", \"username\": "
                                                "\"admin\", \"password\": \"admin\"}")));
    console_reads_on(&consoles[2], now_us); // its client has gone while it logs in
    finish(&consoles[2]);
    ck_assert_str_eq(answer.data, LOGGED_IN("leaf63.earth"));
    ck_assert_uint_eq(world.referee.counts[REFEREE_DOUBLE_DRIVE], 0);
    ck_assert_uint_eq(world.referee.max_in_flight, 1);
}
END_TEST

#define ASKS_VERSION                                                                               \
    "{\"jsonrpc\": \"2.0\", \"id\": 1, \"method\": \"get_version\", \"params\": {}}\n"
#define ASKS_INSTALL                                                                               \
    "{\"jsonrpc\": \"2.0\", \"id\": 2, \"method\": \"install_os_version\", \"params\": "           \
    "{\"version\": "                                                                               \
    "\"5.3.1\"}}\n"

static const struct {
    const char *text;
    bool asks;
} remainders[] = {
    {"", false},
    {ASKS_VERSION, false},
    {ASKS_INSTALL, true},
    {ASKS_VERSION ASKS_INSTALL, true},
    {ASKS_INSTALL ASKS_VERSION, true},
    {"install_os_version\n", false}, // which is no request
    {"{\"jsonrpc\": \"2.0\", \"id\": 2, \"method\": \"install_os_ver", false}, // will never be one
    {"{\"jsonrpc\": \"2.0\", \"id\": 2, \"method\": \"\\u0069nstall_os_version\", \"params\": "
     "{\"version\": \"5.3.1\"}}\n",
     true},
};

START_TEST(what_remains_is_looked_through_for_an_install) {
    const char *text = remainders[_i].text;
    ck_assert_msg(console_asks_to_install(text, strlen(text)) == remainders[_i].asks, "%s", text);
}
END_TEST

START_TEST(a_third_console_of_a_device_is_one_of_its_list_wherever_it_stands) {
    for (int leaver = 0; leaver < 3; leaver++) {
        for (int i = 0; i < 3; i++)
            login(&consoles[i], "leaf63.earth");
        ck_assert_uint_eq(world.referee.in_flight, 3);
        login(&consoles[leaver], "leaf00.mars");
        int left = 0;
        for (struct console *c = device("leaf63.earth")->consoles; c != NULL; c = c->next) {
            ck_assert_ptr_ne(c, &consoles[leaver]);
            if (c->next != NULL) ck_assert_ptr_eq(c->next->previous, c);
            left++;
        }
        ck_assert_int_eq(left, 2);
        ck_assert_ptr_eq(device("leaf00.mars")->consoles, &consoles[leaver]);
    }
}
END_TEST

START_TEST(a_device_that_goes_away_takes_each_of_three_connections_with_it) {
    fault("{\"effect\": \"brick\"}");
    for (int i = 0; i < 3; i++)
        login(&consoles[i], "leaf63.earth");
    login(&consoles[3], "leaf62.earth");
    ask(two, install_line("9.9.9"));
    ck_assert_int_eq(ended, CONSOLE_RESETS);
    bool told[CONSOLES] = {false};
    for (struct console *c; (c = console_condemned(&world)) != NULL;) {
        told[c - consoles] = true;
        console_drop(c, now_us);
    }
    ck_assert(told[0] && !told[1] && told[2] && !told[3]);
    console_drop(two, now_us);
    ck_assert_ptr_null(device("leaf63.earth")->consoles);
    ck_assert_uint_eq(world.referee.in_flight, 1);
}
END_TEST

// --- names of the longest length

START_TEST(a_device_of_the_longest_name_is_logged_in_to_and_audited) {
    char site[NETWORK_NAME_MAX + 1] = {0}, type[NETWORK_NAME_MAX + 1] = {0};
    char host[NETWORK_HOST_MAX], longer[NETWORK_HOST_MAX + 1], expected[512];
    struct error err;
    struct buf audit = {0};
    tear_down();
    memset(site, 's', NETWORK_NAME_MAX);
    memset(type, 't', NETWORK_NAME_MAX);
    network_init(&network);
    ck_assert_int_eq(network_add_site(&network, site, &err), 0);
    ck_assert_int_eq(network_add_type(&network, type, 101, 10, 2, &err), 0);
    ck_assert_int_eq(network_seal(&network, &err), 0);
    network_set_latency(&network, (struct duration_range){1000, 5000});
    world_init(&world, &network, 1, 1);
    for (int i = 0; i < CONSOLES; i++)
        console_init(&consoles[i], &world);
    snprintf(host, sizeof host, "%s100.%s", type, site);
    snprintf(longer, sizeof longer, "%ss", host);
    snprintf(expected, sizeof expected,
             "{\"jsonrpc\": \"2.0\", \"id\": 7, \"result\": {\"hostname\": \"%s\", \"platform\": "
             "\"acmeos\"}}\n",
             host);
    ck_assert_str_eq(login(one, host), expected);
    login(two, longer);
    ck_assert(answered("unknown device: "));
    ck_assert(answered(longer));
    login(two, host);
    referee_write(&world.referee, true, &audit);
    snprintf(expected, sizeof expected, "\"group\": \"%s_%s\", \"hosts\": [\"%s\"], ", site, type,
             host);
    ck_assert_ptr_nonnull(strstr(audit.data, expected));
    buf_deinit(&audit);
}
END_TEST

Suite *check_console(void) {
    Suite *suite = suite_create("console");
    TCase *tc = tcase_create("console");
    tcase_add_checked_fixture(tc, set_up, tear_down);
    tcase_add_test(tc, a_device_is_logged_in_to_asked_upgraded_and_left);
    tcase_add_loop_test(
        tc, what_is_wrong_is_answered_in_the_order_of_the_checks_and_the_connection_stays, 0,
        COUNT(errors));
    tcase_add_test(tc,
                   what_is_wrong_with_a_request_is_answered_at_once_and_the_rest_takes_its_time);
    tcase_add_test(tc, a_line_too_long_is_answered_and_ends_the_connection);
    tcase_add_test(tc, a_notification_is_carried_out_and_not_answered);
    tcase_add_test(tc, an_id_is_echoed_as_it_was_sent);
    tcase_add_test(tc, a_second_login_replaces_the_first_and_a_failed_one_does_not);
    tcase_add_test(tc, a_second_install_is_refused_while_one_runs);
    tcase_add_test(tc, draws_depend_on_the_attempt_and_not_on_the_order_of_connections);
    tcase_add_test(tc, the_time_scale_shortens_every_wait);
    tcase_add_loop_test(tc, each_effect_does_to_an_install_what_it_says, 0, COUNT(effects));
    tcase_add_test(tc, an_oversize_answer_is_a_line_beyond_the_limit);
    tcase_add_test(tc, a_wrong_version_is_one_that_the_device_does_not_run);
    tcase_add_test(tc, a_refused_login_is_a_reset_and_nobody_is_logged_in);
    tcase_add_test(tc, a_reboot_resets_all_connections_and_logins_until_it_is_over);
    tcase_add_test(tc, a_login_that_arrives_before_a_reboot_and_ends_after_it_is_reset);
    tcase_add_test(tc, a_fault_takes_hold_after_every_other_check);
    tcase_add_test(tc, a_rule_that_goes_while_its_call_runs_still_applies);
    tcase_add_test(tc, an_install_runs_on_when_its_client_is_gone);
    tcase_add_test(tc, another_call_ends_with_its_connection);
    tcase_add_test(tc, who_sends_no_more_requests_no_longer_counts_as_logged_in);
    tcase_add_test(tc, who_only_reads_on_no_longer_counts_as_logged_in);
    tcase_add_loop_test(tc, what_remains_is_looked_through_for_an_install, 0, COUNT(remainders));
    tcase_add_test(tc, a_third_console_of_a_device_is_one_of_its_list_wherever_it_stands);
    tcase_add_test(tc, a_device_that_goes_away_takes_each_of_three_connections_with_it);
    tcase_add_test(tc, a_device_of_the_longest_name_is_logged_in_to_and_audited);
    suite_add_tcase(suite, tc);
    return suite;
}

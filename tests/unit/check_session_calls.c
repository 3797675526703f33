// The calls of a session one by one, and sessions that ask and are kept.
#include "tests/unit/sessions.h"

Suite *check_session_calls(void);

// With a revision of one digit the longest version that is noted.
#define LONGEST "1234567890.1234567890.1234567890.1234567890.1234567890."

START_TEST(a_session_logs_in_with_the_devices_own_and_else_with_the_services) {
    static const struct {
        struct credentials login;
        const char *sends;
    } cases[] = {
        {{NULL, NULL}, "\"username\": \"admin\", \"password\": \"pass\\\"word\""},
        {{"lab", "o\"wn"}, "\"username\": \"lab\", \"password\": \"o\\\"wn\""},
        {{NULL, "own"}, "\"username\": \"admin\", \"password\": \"own\""},
        {{"lab", NULL}, "\"username\": \"lab\", \"password\": \"pass\\\"word\""},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct session session;
        session_init(&session, &config, &task_upgrade_os, &args, &host, 0);
        session_log_in_with(&session, (struct session_login){&cases[i].login, ACMEOS_NO_EPOCH});
        feed(&session, SESSION_CONNECTED, NULL, 1000);
        ck_assert_msg(strstr(update.send.data, cases[i].sends) != NULL, "%s", update.send.data);
        end(&session);
    }
}
END_TEST

static void log_in_with_epoch(struct session *s, uint64_t epoch) {
    session_init(s, &config, &task_upgrade_os, &args, &host, 0);
    session_log_in_with(s, (struct session_login){.epoch = epoch});
    feed(s, SESSION_CONNECTED, NULL, 1000);
}

START_TEST(a_session_says_its_epoch_where_it_has_one) {
    static const struct {
        uint64_t epoch;
        const char *sends;
    } cases[] = {
        {ACMEOS_NO_EPOCH, "\"password\": \"pass\\\"word\"}}\n"},
        {0, "\"password\": \"pass\\\"word\", \"epoch\": 0}}\n"},
        {ACMEOS_EPOCH_MAX, "\"password\": \"pass\\\"word\", \"epoch\": 9007199254740991}}\n"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct session s;
        log_in_with_epoch(&s, cases[i].epoch);
        ck_assert_msg(strstr(update.send.data, cases[i].sends) != NULL, "%s", update.send.data);
        end(&s);
    }
}
END_TEST

// What is answered to a login with the epoch 7.
START_TEST(a_login_that_is_not_answered_with_its_epoch_has_failed) {
    static const struct {
        const char *answer, *why; // NULL: it is as it should be
    } cases[] = {
        {"'result': {'hostname': 'leaf63.earth', 'platform': 'acmeos', 'epoch': 7}", NULL},
        {"'result': " LOGGED_IN, "login: result.epoch: missing"},
        {"'result': {'hostname': 'leaf63.earth', 'platform': 'acmeos', 'epoch': '7'}",
         "login: result.epoch: expected a whole number, not a string"},
        {"'result': {'hostname': 'leaf63.earth', 'platform': 'acmeos', 'epoch': 8}",
         "login: said the epoch 7 but was answered 8"},
        {"'error': {'code': -32005, 'message': 'stale epoch 7: 9 is in charge'}",
         "login: stale epoch 7: 9 is in charge"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        char line[256];
        struct session s;
        log_in_with_epoch(&s, 7);
        snprintf(line, sizeof line, "{'jsonrpc': '2.0', 'id': 1, %s}", cases[i].answer);
        ck_assert_int_eq(feed_json(&s, line, 1000),
                         cases[i].why == NULL ? SESSION_SEND : SESSION_END);
        if (cases[i].why != NULL) ck_assert_str_eq(update.text, cases[i].why);
        end(&s);
    }
}
END_TEST

START_TEST(an_install_under_a_stale_epoch_fails_with_the_devices_text) {
    struct session s;
    log_in_with_epoch(&s, 7);
    feed_json(&s,
              "{'jsonrpc': '2.0', 'id': 1, 'result': {'hostname': 'leaf63.earth', 'platform': "
              "'acmeos', 'epoch': 7}}",
              1000);
    feed_json(&s, "{'jsonrpc': '2.0', 'id': 2, 'result': " OLD "}", 1000);
    ck_assert_int_eq(feed(&s, SESSION_GRANTED, NULL, 1000), SESSION_SEND);
    ck_assert_int_eq(feed_json(&s,
                               "{'jsonrpc': '2.0', 'id': 3, 'error': {'code': -32005, 'message': "
                               "'stale epoch 7: 9 is in charge'}}",
                               1000),
                     SESSION_END);
    ck_assert_int_eq(update.verdict, TASK_FAILED);
    ck_assert_str_eq(update.text, "install_os_version: stale epoch 7: 9 is in charge");
    end(&s);
}
END_TEST

START_TEST(a_connection_that_is_opened_anew_says_the_same_epoch) {
    struct session s;
    log_in_with_epoch(&s, 7);
    feed_json(&s,
              "{'jsonrpc': '2.0', 'id': 1, 'result': {'hostname': 'leaf63.earth', 'platform': "
              "'acmeos', 'epoch': 7}}",
              1000);
    feed_json(&s, "{'jsonrpc': '2.0', 'id': 2, 'result': " OLD "}", 1000);
    feed(&s, SESSION_GRANTED, NULL, 1000);
    ck_assert_int_eq(feed(&s, SESSION_LOST, "connection reset by the device", 1000), SESSION_PAUSE);
    ck_assert_int_eq(feed(&s, SESSION_DEADLINE, NULL, 1100), SESSION_CONNECT);
    feed(&s, SESSION_CONNECTED, NULL, 1100);
    ck_assert_ptr_nonnull(strstr(update.send.data, "\"epoch\": 7}"));
    end(&s);
}
END_TEST

START_TEST(the_requests_are_as_the_protocol_says) {
    struct session s;
    begin(&s, &host, 0);
    ck_assert_str_eq(update.send.data,
                     "{\"jsonrpc\": \"2.0\", \"id\": 1, \"method\": \"login\", \"params\": "
                     "{\"hostname\": \"leaf63.earth\", \"username\": \"admin\", "
                     "\"password\": \"pass\\\"word\"}}\n"
                     "{\"jsonrpc\": \"2.0\", \"id\": 2, \"method\": \"get_version\"}\n");
    end(&s);
    ask_for_install(&s);
    ck_assert_int_eq(feed(&s, SESSION_GRANTED, NULL, 1000), SESSION_SEND);
    ck_assert_str_eq(update.send.data,
                     "{\"jsonrpc\": \"2.0\", \"id\": 3, \"method\": "
                     "\"install_os_version\", \"params\": {\"version\": \"5.3.1\"}}\n");
    feed_json(&s, "{'jsonrpc': '2.0', 'id': 3, 'result': " NEW "}", 1000);
    ck_assert_str_eq(update.send.data,
                     "{\"jsonrpc\": \"2.0\", \"id\": 4, \"method\": \"get_version\"}\n"
                     "{\"jsonrpc\": \"2.0\", \"id\": 5, \"method\": \"logout\"}\n");
    end(&s);
}
END_TEST

START_TEST(an_install_that_is_refused_leaves_the_device_as_if_not_visited) {
    struct session s;
    ask_for_install(&s);
    ck_assert_int_eq(feed(&s, SESSION_REFUSED, NULL, 2000), SESSION_SEND);
    ck_assert_str_eq(update.call_begun, "logout");
    ck_assert_int_eq(update.verdict, TASK_NEXT_STEP); // none
    ck_assert_ptr_null(update.call_ended);            // nothing was begun
    ck_assert_int_eq(feed_json(&s, "{'jsonrpc': '2.0', 'id': 3, 'result': true}", 2000),
                     SESSION_END);
    ck_assert_int_eq(update.verdict, TASK_NEXT_STEP);
    end(&s);
}
END_TEST

START_TEST(the_install_timeout_runs_from_the_sending_not_from_the_asking) {
    struct session s;
    ask_for_install(&s);
    ck_assert_int_eq(feed(&s, SESSION_GRANTED, NULL, 50000), SESSION_SEND);
    ck_assert_uint_eq(update.deadline_ms, 350000);
    end(&s);
}
END_TEST

START_TEST(a_connection_lost_while_the_session_asks_is_opened_anew_once) {
    struct session s;
    ask_for_install(&s);
    ck_assert_int_eq(feed(&s, SESSION_LOST, "connection reset", 1001), SESSION_PAUSE);
    ck_assert_int_eq(update.verdict, TASK_NEXT_STEP);
    ck_assert_ptr_null(update.call_ended); // the install was not begun
    ck_assert_uint_eq(update.deadline_ms, 1001);
    ck_assert_int_eq(feed(&s, SESSION_DEADLINE, NULL, 1001), SESSION_CONNECT);
    ck_assert_uint_eq(update.deadline_ms, 6001);
    ck_assert_int_eq(feed(&s, SESSION_CONNECTED, NULL, 1002), SESSION_SEND);
    ck_assert_ptr_nonnull(strstr(update.send.data, "\"id\": 3, \"method\": \"login\""));
    feed_json(&s, "{'jsonrpc': '2.0', 'id': 3, 'result': " LOGGED_IN "}", 1002);
    ck_assert_int_eq(feed_json(&s, "{'jsonrpc': '2.0', 'id': 4, 'result': " OLD "}", 1002),
                     SESSION_ASK);
    ck_assert_int_eq(feed(&s, SESSION_LOST, "connection reset", 1003), SESSION_END);
    ck_assert_int_eq(update.verdict, TASK_FAILED);
    ck_assert_str_eq(update.text, "install_os_version: connection reset");
    end(&s);
}
END_TEST

// --- what a device runs

START_TEST(the_version_that_a_device_last_said_it_runs_is_told) {
    struct session s;
    begin(&s, &host, 1000);
    ck_assert_ptr_null(update.version);
    feed_json(&s, "{'jsonrpc': '2.0', 'id': 1, 'result': " LOGGED_IN "}", 1000);
    ck_assert_ptr_null(update.version);
    feed_json(&s, "{'jsonrpc': '2.0', 'id': 2, 'result': " OLD "}", 1000);
    ck_assert_int_eq(update.want, SESSION_ASK);
    ck_assert_str_eq(update.version, "5.2.4");
    feed(&s, SESSION_GRANTED, NULL, 1000);
    ck_assert_ptr_null(update.version); // it is about to change
    feed_json(&s, "{'jsonrpc': '2.0', 'id': 3, 'result': " NEW "}", 1000);
    ck_assert_ptr_null(update.version); // what the install answers is not believed
    feed_json(&s, "{'jsonrpc': '2.0', 'id': 4, 'result': " NEW "}", 1000);
    ck_assert_int_eq(update.verdict, TASK_CHANGED);
    ck_assert_str_eq(update.version, "5.3.1");
    end(&s);
}
END_TEST

START_TEST(the_version_is_told_as_long_as_nothing_else_is_known) {
    struct session s;
    ask_for_install(&s);
    feed(&s, SESSION_LOST, "connection reset", 1001);
    ck_assert_str_eq(update.version, "5.2.4"); // nothing was sent
    feed(&s, SESSION_DEADLINE, NULL, 1001);
    ck_assert_int_eq(feed(&s, SESSION_LOST, "connection refused", 1002), SESSION_END);
    ck_assert_str_eq(update.version, "5.2.4");
    ck_assert(update.is_gone);
    end(&s);
}
END_TEST

// Of answers that fail a device, too.
static const struct {
    const char *answer, *version;
} told[] = {
    {"'result': " INSTALLING("5.3.1"), "5.2.4"},
    {"'result': " NEW, "5.3.1"},
    {"'result': {'os_version': '5.2', 'revision': '5', 'full_version': '5.2.4'}", NULL},
    {"'error': {'code': -32000, 'message': 'initializing'}", NULL},
    {"'result': {'os_version': '" LONGEST "', 'revision': '1', 'full_version': '" LONGEST ".1'}",
     LONGEST ".1"},
    {"'result': {'os_version': '" LONGEST "', 'revision': '12', 'full_version': '" LONGEST ".12'}",
     NULL}, // cut it could be taken for another
};

START_TEST(a_version_is_told_where_it_is_understood_and_fits) {
    static const struct task *const tasks_that_ask[] = {&task_upgrade_os, &task_ask};
    for (size_t i = 0; i < COUNT(tasks_that_ask); i++) {
        char line[300];
        struct session s;
        session_init(&s, &config, tasks_that_ask[i], &args, &host, 0);
        feed(&s, SESSION_CONNECTED, NULL, 1000);
        feed_json(&s, "{'jsonrpc': '2.0', 'id': 1, 'result': " LOGGED_IN "}", 1000);
        snprintf(line, sizeof line, "{'jsonrpc': '2.0', 'id': 2, %s}", told[_i].answer);
        feed_json(&s, line, 1000);
        ck_assert_pstr_eq(update.version, told[_i].version);
        ck_assert(!update.is_gone);
        end(&s);
    }
}
END_TEST

// --- sessions that ask, and are kept

static void begin_ask(struct session *s, const struct task *task, uint64_t now_ms) {
    session_init(s, &config, task, NULL, &host, 0);
    feed(s, SESSION_CONNECTED, NULL, now_ms);
    ck_assert_int_eq(feed_json(s, "{'jsonrpc': '2.0', 'id': 1, 'result': " LOGGED_IN "}", now_ms),
                     SESSION_SEND);
}

static void keep(struct session *s, const char *version) {
    char line[256];
    begin_ask(s, &task_ask, 1000);
    snprintf(line, sizeof line, "{'jsonrpc': '2.0', 'id': 2, 'result': %s}", version);
    ck_assert_int_eq(feed_json(s, line, 1000), SESSION_KEEP);
    ck_assert_int_eq(update.verdict, TASK_UNCHANGED);
    ck_assert_uint_eq(update.deadline_ms, 61000);
}

static const struct {
    const char *answer, *why;
} not_up[] = {
    {"'error': {'code': -32000, 'message': 'initializing'}", "get_version: initializing"},
    {"'result': " INSTALLING("5.3.1"), "get_version: installs 5.3.1 already"},
    {"'result': {}", "get_version: result.full_version: missing"},
};

START_TEST(a_device_that_is_asked_is_not_up_unless_it_says_what_it_runs) {
    struct session s;
    char line[256];
    begin_ask(&s, &task_ask, 1000);
    snprintf(line, sizeof line, "{'jsonrpc': '2.0', 'id': 2, %s}", not_up[_i].answer);
    ck_assert_int_eq(feed_json(&s, line, 1000), SESSION_END);
    ck_assert_int_eq(update.verdict, TASK_FAILED);
    ck_assert_str_eq(update.text, not_up[_i].why);
    end(&s);
}
END_TEST

START_TEST(a_device_that_is_only_asked_is_left_in_one_write) {
    struct session s;
    session_init(&s, &config, &task_ask_and_leave, NULL, &host, 0);
    feed(&s, SESSION_CONNECTED, NULL, 0);
    ck_assert_ptr_nonnull(strstr(update.send.data, "\"id\": 3, \"method\": \"logout\""));
    ck_assert(!session_may_be_taken(&s));
    feed_json(&s, "{'jsonrpc': '2.0', 'id': 1, 'result': " LOGGED_IN "}", 0);
    ck_assert_int_eq(feed_json(&s, "{'jsonrpc': '2.0', 'id': 2, 'result': " OLD "}", 0),
                     SESSION_SEND);
    ck_assert_int_eq(update.verdict, TASK_UNCHANGED);
    ck_assert_uint_eq(update.send.len, 0);
    ck_assert_int_eq(feed_json(&s, "{'jsonrpc': '2.0', 'id': 3, 'result': true}", 0), SESSION_END);
    end(&s);
}
END_TEST

START_TEST(a_kept_session_goes_on_where_its_answer_leads) {
    struct session s;
    keep(&s, OLD);
    ck_assert(session_may_be_taken(&s));
    session_take(&s, &task_upgrade_os, &args);
    ck_assert_int_eq(feed(&s, SESSION_TAKEN, NULL, 9000), SESSION_ASK);
    ck_assert_str_eq(update.version, "5.2.4");
    ck_assert_int_eq(update.verdict, TASK_NEXT_STEP);
    ck_assert_ptr_null(update.call_ended);
    ck_assert_uint_eq(update.deadline_ms, UINT64_MAX);
    ck_assert_int_eq(feed(&s, SESSION_GRANTED, NULL, 9000), SESSION_SEND);
    ck_assert_ptr_nonnull(strstr(update.send.data, "\"id\": 3, \"method\": \"install_os_version"));
    end(&s);
    keep(&s, NEW); // nothing to do
    session_take(&s, &task_upgrade_os, &args);
    ck_assert_int_eq(feed(&s, SESSION_TAKEN, NULL, 9000), SESSION_SEND);
    ck_assert_int_eq(update.verdict, TASK_UNCHANGED);
    ck_assert_str_eq(update.call_begun, "logout");
    end(&s);
}
END_TEST

START_TEST(a_session_is_taken_over_while_it_asks) {
    struct session s;
    begin_ask(&s, &task_ask, 0);
    ck_assert(session_may_be_taken(&s));
    session_take(&s, &task_upgrade_os, &args);
    ck_assert_int_eq(feed_json(&s, "{'jsonrpc': '2.0', 'id': 2, 'result': " OLD "}", 0),
                     SESSION_ASK);
    ck_assert(!session_may_be_taken(&s)); // it is nobody else's any more
    end(&s);
}
END_TEST

static const char *const asked_answers[] = {
    ("'result': " OLD),
    "'result': {}",
    "'error': {'code': -32000, 'message': 'initializing'}",
};

START_TEST(what_was_asked_is_not_judged_by_a_task_that_takes_over_and_asks_otherwise) {
    struct session s;
    char line[256];
    begin_ask(&s, &task_ask, 0);
    session_take(&s, &task_get_cpu_ram, &args);
    ck_assert(!session_may_be_taken(&s));
    snprintf(line, sizeof line, "{'jsonrpc': '2.0', 'id': 2, %s}", asked_answers[_i]);
    ck_assert_int_eq(feed_json(&s, line, 0), SESSION_SEND);
    ck_assert_str_eq(update.call_ended, "get_version");
    ck_assert_ptr_null(update.call_failure);
    ck_assert_str_eq(update.call_begun, "get_cpu_ram");
    ck_assert_int_eq(update.verdict, TASK_NEXT_STEP);
    ck_assert_ptr_nonnull(strstr(update.send.data, "\"id\": 3, \"method\": \"get_cpu_ram\""));
    ck_assert_ptr_nonnull(strstr(update.send.data, "\"id\": 4, \"method\": \"logout\""));
    feed_json(
        &s, "{'jsonrpc': '2.0', 'id': 3, 'result': {'cpu': 1, 'ram_total': 9, 'ram_used': 2}}", 0);
    ck_assert_int_eq(update.verdict, TASK_UNCHANGED);
    ck_assert_str_eq(update.text, "{\"cpu\":1,\"ram_total\":9,\"ram_used\":2}");
    end(&s);
}
END_TEST

START_TEST(a_session_taken_over_before_its_login_is_answered_reads_behind_what_went_along) {
    struct session s;
    session_init(&s, &config, &task_ask, NULL, &host, 0);
    feed(&s, SESSION_CONNECTED, NULL, 0);
    session_take(&s, &task_get_cpu_ram, &args);
    feed_json(&s, "{'jsonrpc': '2.0', 'id': 1, 'result': " LOGGED_IN "}", 0);
    ck_assert_str_eq(update.call_begun, "get_version");
    feed_json(&s, "{'jsonrpc': '2.0', 'id': 2, 'result': " OLD "}", 0);
    ck_assert_str_eq(update.call_begun, "get_cpu_ram");
    end(&s);
    session_init(&s, &config, &task_ask, NULL, &host, 0);
    session_take(&s, &task_get_cpu_ram, &args); // nothing is asked yet
    feed(&s, SESSION_CONNECTED, NULL, 0);
    ck_assert_ptr_null(strstr(update.send.data, "get_version"));
    end(&s);
}
END_TEST

START_TEST(more_behind_an_answer_that_is_not_judged_is_a_failure_still) {
    struct session s;
    begin_ask(&s, &task_ask, 0);
    session_take(&s, &task_get_cpu_ram, &args);
    char line[] = "{\"jsonrpc\": \"2.0\", \"id\": 2, \"result\": {}}";
    const struct session_input input = {
        .kind = SESSION_LINE, .text = line, .len = strlen(line), .more = true};
    session_step(&s, &input, 0, &update);
    ck_assert_str_eq(update.text, "get_version: more came behind the answer");
    end(&s);
}
END_TEST

START_TEST(an_install_with_more_behind_its_answer_may_be_under_way) {
    struct session s;
    ask_for_install(&s);
    ck_assert_int_eq(feed(&s, SESSION_GRANTED, NULL, 1000), SESSION_SEND);
    char *line = double_quoted("{'jsonrpc': '2.0', 'id': 3, 'result': " NEW "}");
    const struct session_input input = {
        .kind = SESSION_LINE, .text = line, .len = strlen(line), .more = true};
    session_step(&s, &input, 1001, &update);
    ck_assert_int_eq(update.want, SESSION_PAUSE); // then it is asked
    ck_assert_str_eq(s.error.text, "more came behind the answer");
    free(line);
    end(&s);
}
END_TEST

START_TEST(an_error_keeps_its_words_where_more_came_behind_it) {
    struct session s;
    char line[] = "{\"jsonrpc\": \"2.0\", \"id\": 2, \"error\": {\"code\": -32000, "
                  "\"message\": \"initializing\"}}";
    const struct session_input input = {
        .kind = SESSION_LINE, .text = line, .len = strlen(line), .more = true};
    begin_ask(&s, &task_ask, 0);
    session_step(&s, &input, 0, &update);
    ck_assert_str_eq(update.text, "get_version: initializing");
    end(&s);
}
END_TEST

START_TEST(a_kept_session_leaves_when_it_is_told_to_or_its_time_is_over) {
    static const enum session_input_kind reasons[] = {SESSION_LEAVE, SESSION_DEADLINE};
    for (size_t i = 0; i < COUNT(reasons); i++) {
        struct session s;
        keep(&s, OLD);
        ck_assert_int_eq(feed(&s, reasons[i], NULL, 61000), SESSION_SEND);
        ck_assert_str_eq(update.call_begun, "logout");
        ck_assert_int_eq(update.verdict, TASK_NEXT_STEP);
        ck_assert(!session_may_be_taken(&s));
        ck_assert_int_eq(feed_json(&s, "{'jsonrpc': '2.0', 'id': 3, 'result': true}", 61000),
                         SESSION_END);
        end(&s);
    }
}
END_TEST

START_TEST(a_kept_session_that_is_lost_or_speaks_is_over_without_a_word) {
    struct session s;
    keep(&s, OLD);
    ck_assert_int_eq(feed(&s, SESSION_LOST, "connection reset", 2000), SESSION_END);
    ck_assert_int_eq(update.verdict, TASK_NEXT_STEP);
    end(&s);
    keep(&s, OLD);
    ck_assert_int_eq(feed_json(&s, "{'jsonrpc': '2.0', 'id': 3, 'result': true}", 2000),
                     SESSION_END);
    ck_assert_int_eq(update.verdict, TASK_NEXT_STEP);
    end(&s);
}
END_TEST

START_TEST(a_kept_session_that_is_lost_before_the_install_is_opened_anew) {
    struct session s;
    keep(&s, OLD);
    session_take(&s, &task_upgrade_os, &args);
    feed(&s, SESSION_TAKEN, NULL, 9000);
    ck_assert_int_eq(feed(&s, SESSION_LOST, "connection reset", 9001), SESSION_PAUSE);
    ck_assert_int_eq(feed(&s, SESSION_DEADLINE, NULL, 9001), SESSION_CONNECT);
    end(&s);
}
END_TEST

START_TEST(a_device_that_answers_before_it_is_asked_has_failed) {
    struct session s;
    ask_for_install(&s);
    ck_assert_int_eq(feed_json(&s, "{'jsonrpc': '2.0', 'id': 2, 'result': " NEW "}", 1001),
                     SESSION_END);
    ck_assert_int_eq(update.verdict, TASK_FAILED);
    ck_assert_str_eq(update.text, "install_os_version: answered before it was asked");
    end(&s);
}
END_TEST

START_TEST(what_comes_behind_an_answer_is_no_answer_to_the_next_call) {
    struct session s;
    begin(&s, &host, 0);
    char *line = double_quoted("{'jsonrpc': '2.0', 'id': 1, 'result': {'hostname': "
                               "'leaf63.earth', 'platform': 'acmeos'}}");
    struct session_input input = {
        .kind = SESSION_LINE, .text = line, .len = strlen(line), .more = true};
    session_step(&s, &input, 0, &update);
    ck_assert_int_eq(update.want, SESSION_SEND); // get_version went along with the login
    free(line);
    line = double_quoted("{'jsonrpc': '2.0', 'id': 2, 'result': " OLD "}");
    input = (struct session_input){
        .kind = SESSION_LINE, .text = line, .len = strlen(line), .more = true};
    session_step(&s, &input, 0, &update);
    ck_assert_int_eq(update.want, SESSION_END);
    ck_assert_int_eq(update.verdict, TASK_FAILED);
    ck_assert_str_eq(update.text, "get_version: more came behind the answer");
    free(line);
    end(&s);
}
END_TEST

START_TEST(an_answer_to_a_call_that_went_along_is_none_to_the_one_before) {
    struct session s;
    begin(&s, &host, 1000);
    ck_assert_int_eq(feed_json(&s, "{'jsonrpc': '2.0', 'id': 2, 'result': " OLD "}", 1500),
                     SESSION_SEND);
    ck_assert_uint_eq(update.deadline_ms, 31000);
    ck_assert_ptr_null(update.call_begun);
    ck_assert_int_eq(feed(&s, SESSION_DEADLINE, NULL, 31000), SESSION_END);
    ck_assert_str_eq(update.text, "login: no answer within 30s");
    end(&s);
}
END_TEST

START_TEST(calls_are_numbered_from_where_the_caller_says) {
    struct session s;
    session_init(&s, &config, &task_upgrade_os, &args, &host, 7000);
    feed(&s, SESSION_CONNECTED, NULL, 0);
    ck_assert_ptr_nonnull(strstr(update.send.data, "\"id\": 7001,"));
    end(&s);
}
END_TEST

START_TEST(the_connection_is_probed_once_the_device_may_vanish) {
    struct session s;
    ask_for_install(&s);
    ck_assert(!update.may_vanish);
    feed(&s, SESSION_GRANTED, NULL, 1000);
    ck_assert(update.may_vanish);
    feed(&s, SESSION_LOST, "connection reset", 1001);
    feed(&s, SESSION_DEADLINE, NULL, update.deadline_ms);
    feed(&s, SESSION_CONNECTED, NULL, 1200); // a connection of its own
    ck_assert(update.may_vanish);
    end(&s);
}
END_TEST

START_TEST(pauses_double_to_five_seconds_and_end_at_the_install_deadline) {
    struct session s;
    ask_for_install(&s);
    feed(&s, SESSION_GRANTED, NULL, 1000);
    uint64_t now_ms = 1000, expected_ms = 100, pauses = 0;
    enum session_want want = feed(&s, SESSION_LOST, "connection reset", now_ms);
    while (want == SESSION_PAUSE) {
        uint64_t due_ms = now_ms + expected_ms < 301000 ? now_ms + expected_ms : 301000;
        ck_assert_uint_eq(update.deadline_ms, due_ms);
        ck_assert_uint_eq(update.send.len, 0);
        expected_ms = expected_ms * 2 > 5000 ? 5000 : expected_ms * 2;
        now_ms = update.deadline_ms;
        pauses++;
        want = feed(&s, SESSION_DEADLINE, NULL, now_ms);
        if (want == SESSION_CONNECT) {
            ck_assert_uint_le(update.deadline_ms, 301000);
            want = feed(&s, SESSION_LOST, "connection refused", now_ms);
        }
    }
    ck_assert_int_eq(want, SESSION_END);
    ck_assert_uint_eq(now_ms, 301000);
    ck_assert_uint_gt(pauses, 60); // 300 s in steps of 5
    ck_assert_int_eq(update.verdict, TASK_FAILED);
    end(&s);
}
END_TEST

START_TEST(an_ipv6_address_is_told_in_brackets) {
    struct host six = host;
    six.address = "::1";
    struct session s;
    session_init(&s, &config, &task_upgrade_os, &args, &six, 0);
    ck_assert_int_eq(feed(&s, SESSION_LOST, "connection refused", 1), SESSION_END);
    ck_assert_str_eq(update.text, "connect to [::1]:8300: connection refused");
    end(&s);
}
END_TEST

START_TEST(every_call_is_told_with_its_end_and_its_failure) {
    struct session s;
    ask_for_install(&s);
    ck_assert_str_eq(update.call_ended, "get_version");
    ck_assert_ptr_null(update.call_failure);
    ck_assert_ptr_null(update.call_begun);
    feed(&s, SESSION_GRANTED, NULL, 1000);
    ck_assert_ptr_null(update.call_ended);
    ck_assert_str_eq(update.call_begun, "install_os_version");
    feed(&s, SESSION_LOST, "connection reset", 1001);
    ck_assert_str_eq(update.call_ended, "install_os_version");
    ck_assert_str_eq(update.call_failure, "connection reset");
    ck_assert_ptr_null(update.call_begun);
    feed(&s, SESSION_DEADLINE, NULL, update.deadline_ms);
    ck_assert_ptr_null(update.call_ended);
    ck_assert_ptr_null(update.call_begun);
    feed(&s, SESSION_LOST, "connection refused", 1200);
    ck_assert_ptr_null(update.call_ended); // connecting is no call
    end(&s);
}
END_TEST

// The logout, at 0 ms, of a device that runs the version.
static void begin_logout(struct session *s) {
    begin(s, &host, 0);
    feed_json(s, "{'jsonrpc': '2.0', 'id': 1, 'result': " LOGGED_IN "}", 0);
    ck_assert_int_eq(feed_json(s, "{'jsonrpc': '2.0', 'id': 2, 'result': " NEW "}", 0),
                     SESSION_SEND);
    ck_assert_int_eq(update.verdict, TASK_UNCHANGED);
    ck_assert_str_eq(update.call_begun, "logout");
}

static const struct {
    enum session_input_kind kind;
    const char *text, *failure;
} logouts[] = {
    {SESSION_LINE, "{'jsonrpc': '2.0', 'id': 3, 'result': true}", NULL},
    {SESSION_LINE, "{'jsonrpc': '2.0', 'id': 3, 'result': false}",
     "result: expected true, not a boolean"},
    {SESSION_LINE, "{'jsonrpc': '2.0', 'id': 2, 'result': true}",
     "the answer has another id than the question"},
    {SESSION_LINE, "{'jsonrpc': '2.0', 'id': 3, 'error': {'code': 1, 'message': 'no way'}}",
     "no way"},
    {SESSION_LINE_TOO_LONG, NULL, "the answer is longer than 65536 bytes"},
    {SESSION_LOST, "connection reset by the device", "connection reset by the device"},
    {SESSION_DEADLINE, NULL, "no answer within 30s"},
};

START_TEST(a_logout_that_fails_is_told_as_a_call_and_changes_nothing) {
    struct session s;
    begin_logout(&s);
    char *text = logouts[_i].text == NULL ? NULL : double_quoted(logouts[_i].text);
    ck_assert_int_eq(feed(&s, logouts[_i].kind, text, 30000), SESSION_END);
    ck_assert_str_eq(update.call_ended, "logout");
    ck_assert_pstr_eq(update.call_failure, logouts[_i].failure);
    ck_assert_int_eq(update.verdict, TASK_NEXT_STEP); // it was told before
    free(text);
    end(&s);
}
END_TEST

START_TEST(a_long_message_of_a_device_does_not_hurt) {
    struct session s;
    struct buf line = {0};
    begin(&s, &host, 0);
    buf_adds(&line, "{\"jsonrpc\": \"2.0\", \"id\": 1, \"error\": {\"code\": 1, \"message\": \"");
    for (int i = 0; i < 10000; i++)
        buf_adds(&line, "%n%s");
    buf_adds(&line, "\"}}");
    ck_assert_int_eq(feed(&s, SESSION_LINE, line.data, 1), SESSION_END);
    ck_assert_int_eq(strncmp(update.text, "login: %n%s%n%s", 15), 0);
    end(&s);
    buf_deinit(&line);
}
END_TEST

Suite *check_session_calls(void) {
    Suite *suite = suite_create("session_calls");
    TCase *tcase = tcase_create("session_calls");
    suite_add_tcase(suite, tcase);
    tcase_add_test(tcase, a_session_says_its_epoch_where_it_has_one);
    tcase_add_test(tcase, a_login_that_is_not_answered_with_its_epoch_has_failed);
    tcase_add_test(tcase, an_install_under_a_stale_epoch_fails_with_the_devices_text);
    tcase_add_test(tcase, a_connection_that_is_opened_anew_says_the_same_epoch);
    tcase_add_test(tcase, the_requests_are_as_the_protocol_says);
    tcase_add_test(tcase, a_session_logs_in_with_the_devices_own_and_else_with_the_services);
    tcase_add_test(tcase, an_install_that_is_refused_leaves_the_device_as_if_not_visited);
    tcase_add_test(tcase, the_install_timeout_runs_from_the_sending_not_from_the_asking);
    tcase_add_test(tcase, a_connection_lost_while_the_session_asks_is_opened_anew_once);
    tcase_add_test(tcase, the_version_that_a_device_last_said_it_runs_is_told);
    tcase_add_test(tcase, the_version_is_told_as_long_as_nothing_else_is_known);
    tcase_add_loop_test(tcase, a_version_is_told_where_it_is_understood_and_fits, 0,
                        (int)COUNT(told));
    tcase_add_loop_test(tcase, a_device_that_is_asked_is_not_up_unless_it_says_what_it_runs, 0,
                        COUNT(not_up));
    tcase_add_test(tcase, a_device_that_is_only_asked_is_left_in_one_write);
    tcase_add_test(tcase, a_kept_session_goes_on_where_its_answer_leads);
    tcase_add_test(tcase, a_session_is_taken_over_while_it_asks);
    tcase_add_loop_test(tcase,
                        what_was_asked_is_not_judged_by_a_task_that_takes_over_and_asks_otherwise,
                        0, COUNT(asked_answers));
    tcase_add_test(tcase,
                   a_session_taken_over_before_its_login_is_answered_reads_behind_what_went_along);
    tcase_add_test(tcase, more_behind_an_answer_that_is_not_judged_is_a_failure_still);
    tcase_add_test(tcase, an_install_with_more_behind_its_answer_may_be_under_way);
    tcase_add_test(tcase, an_error_keeps_its_words_where_more_came_behind_it);
    tcase_add_test(tcase, a_kept_session_leaves_when_it_is_told_to_or_its_time_is_over);
    tcase_add_test(tcase, a_kept_session_that_is_lost_or_speaks_is_over_without_a_word);
    tcase_add_test(tcase, a_kept_session_that_is_lost_before_the_install_is_opened_anew);
    tcase_add_test(tcase, a_device_that_answers_before_it_is_asked_has_failed);
    tcase_add_test(tcase, what_comes_behind_an_answer_is_no_answer_to_the_next_call);
    tcase_add_test(tcase, an_answer_to_a_call_that_went_along_is_none_to_the_one_before);
    tcase_add_test(tcase, calls_are_numbered_from_where_the_caller_says);
    tcase_add_test(tcase, the_connection_is_probed_once_the_device_may_vanish);
    tcase_add_loop_test(tcase, a_logout_that_fails_is_told_as_a_call_and_changes_nothing, 0,
                        (int)COUNT(logouts));
    tcase_add_test(tcase, pauses_double_to_five_seconds_and_end_at_the_install_deadline);
    tcase_add_test(tcase, an_ipv6_address_is_told_in_brackets);
    tcase_add_test(tcase, every_call_is_told_with_its_end_and_its_failure);
    tcase_add_test(tcase, a_long_message_of_a_device_does_not_hurt);
    return suite;
}

// A session that begins in doubt: another process may have sent the install, and is no more. What
// the device runs at the end decides, and nothing is installed.
#include "tests/unit/session_script.h"

Suite *check_session_doubt(void);

#define DOUBT "in doubt since the orchestrator ended"
#define GONE  DOUBT "; the device was not back within 300s (connect to 127.0.0.1:8300: "
#define THIRD "{'os_version': '5.2', 'revision': '9', 'full_version': '5.2.9'}"
#define LOOK(v)                                                                                    \
    CONNECT, LOGIN("get_version"), {                                                               \
        RESULT, v, 1000, SESSION_PAUSE, NULL, 1100                                                 \
    }
#define AGAIN                                                                                      \
    { DEADLINE, NULL, 1100, SESSION_CONNECT, NULL, 6100 }
// What the device answers until the end.
#define ALWAYS(v)                                                                                  \
    CONNECT, LOGIN("get_version"), TILL_THE_END(RESULT, v), LAST_LOOK, LOGIN("get_version"),       \
        ENDS(RESULT, v)
// As long as a version may be that is noted.
#define LONG "1234567890.1234567890.1234567890.1234567890.1234567890.12"

static const struct {
    struct script script;
    struct doubt doubt;
} known[] = {
    {{"the wanted version at once",
      {CONNECT, LOGIN("get_version"), GET(NEW, "logout"), LOGGED_OUT},
      TASK_CHANGED,
      "success!!!"},
     {.was = "5.2.4", .version = "5.3.1"}},
    {{"the wanted version, whatever it ran before",
      {CONNECT, LOGIN("get_version"), GET(NEW, "logout"), LOGGED_OUT},
      TASK_CHANGED,
      "success!!!"},
     {.version = "5.3.1"}},
    {{"the wanted version, which it is said to have run before",
      {CONNECT, LOGIN("get_version"), GET(NEW, "logout"), LOGGED_OUT},
      TASK_CHANGED,
      "success!!!"},
     {.was = "5.3.1", .version = "5.3.1"}},
    {{"the old version, then the wanted one",
      {LOOK(OLD), AGAIN, CONNECT, LOGIN("get_version"), GET(NEW, "logout"), LOGGED_OUT},
      TASK_CHANGED,
      "success!!!"},
     {.was = "5.2.4", .version = "5.3.1"}},
    {{"not there, then the wanted version",
      {{LOST, "connection refused", 1000, SESSION_PAUSE, NULL, 1100},
       AGAIN,
       CONNECT,
       LOGIN("get_version"),
       GET(NEW, "logout"),
       LOGGED_OUT},
      TASK_CHANGED,
      "success!!!"},
     {.was = "5.2.4", .version = "5.3.1"}},
    {{"installing, then lost until the end",
      {LOOK(INSTALLING("5.3.1")),
       AGAIN,
       CONNECT,
       LOGIN("get_version"),
       {LOST, "connection reset by the device", 300900, SESSION_PAUSE, NULL, 301000},
       {DEADLINE, NULL, 301000, SESSION_END, NULL, 0}},
      TASK_FAILED,
      DOUBT "; the device was not back within 300s (get_version: connection reset by the device)"},
     {.was = "5.2.4", .version = "5.2.4", .is_gone = true}},
    {{"the old version until the end",
      {ALWAYS(OLD)},
      TASK_FAILED,
      DOUBT "; then get_version: the device runs 5.2.4, not 5.3.1"},
     {.was = "5.2.4", .version = "5.2.4", .is_as_before = true}},
    {{"the old version as the install timeout ends: that was the last look",
      {CONNECT, LOGIN("get_version"), {RESULT, OLD, 301000, SESSION_END, NULL, 0}},
      TASK_FAILED,
      DOUBT "; then get_version: the device runs 5.2.4, not 5.3.1"},
     {.was = "5.2.4", .version = "5.2.4", .is_as_before = true}},
    {{"the old version only at the last look",
      {{CONNECTED, NULL, 0, SESSION_SEND, "login", 31000},
       TILL_THE_END(ERROR, "initializing"),
       LAST_LOOK,
       LOGIN("get_version"),
       ENDS(RESULT, OLD)},
      TASK_FAILED,
      DOUBT "; then get_version: the device runs 5.2.4, not 5.3.1"},
     {.was = "5.2.4", .version = "5.2.4", .is_as_before = true}},
    {{"the old version, of a device of which nothing was known",
      {ALWAYS(OLD)},
      TASK_FAILED,
      DOUBT "; then get_version: the device runs 5.2.4, not 5.3.1"},
     {.version = "5.2.4"}},
    {{"a third version",
      {ALWAYS(THIRD)},
      TASK_FAILED,
      DOUBT "; then get_version: the device runs 5.2.9, not 5.3.1"},
     {.was = "5.2.4", .version = "5.2.9"}},
    {{"a version that is longer than what is known of the old one",
      {ALWAYS("{'os_version': '" LONG "', 'revision': '3', 'full_version': '" LONG ".3'}")},
      TASK_FAILED,
      DOUBT
      "; then get_version: the device runs 1234567890.1234567890.1234567890.1234567, not 5.3.1"},
     {.was = LONG}},
    {{"installing until the end",
      {ALWAYS(INSTALLING("5.3.1"))},
      TASK_FAILED,
      DOUBT "; then get_version: the device runs 5.2.4 and still installs 5.3.1"},
     {.was = "5.2.4", .version = "5.2.4"}},
    {{"the old version, then installing at the last look",
      {CONNECT, LOGIN("get_version"), TILL_THE_END(RESULT, OLD), LAST_LOOK, LOGIN("get_version"),
       ENDS(RESULT, INSTALLING("5.3.1"))},
      TASK_FAILED,
      DOUBT "; then get_version: the device runs 5.2.4 and still installs 5.3.1"},
     {.was = "5.2.4", .version = "5.2.4"}},
    {{"the old version, then an error at the last look",
      {CONNECT, LOGIN("get_version"), TILL_THE_END(RESULT, OLD), LAST_LOOK, LOGIN("get_version"),
       ENDS(ERROR, "initializing")},
      TASK_FAILED,
      DOUBT "; then get_version: initializing"},
     {.was = "5.2.4", .version = "5.2.4"}},
    {{"the old version, then another host at the last look",
      {CONNECT, LOGIN("get_version"), TILL_THE_END(RESULT, OLD), LAST_LOOK,
       ENDS(RESULT, "{'hostname': 'leaf64.earth'}")},
      TASK_FAILED,
      DOUBT "; then login: asked for leaf63.earth but reached leaf64.earth"},
     {.was = "5.2.4", .version = "5.2.4"}},
    {{"the old version, then one that contradicts itself at the last look",
      {CONNECT, LOGIN("get_version"), TILL_THE_END(RESULT, OLD), LAST_LOOK, LOGIN("get_version"),
       ENDS(RESULT, "{'os_version': '5.2', 'revision': '5', 'full_version': '5.2.4'}")},
      TASK_FAILED,
      DOUBT "; then get_version: os_version 5.2 and revision 5 disagree with full_version 5.2.4"},
     {.was = "5.2.4", .version = "5.2.4"}},
    {{"the old version, then nobody at the last look",
      {CONNECT,
       LOGIN("get_version"),
       TILL_THE_END(RESULT, OLD),
       {DEADLINE, NULL, 301000, SESSION_CONNECT, NULL, 306000},
       ENDS(LOST, "connection refused")},
      TASK_FAILED,
      GONE "connection refused)"},
     {.was = "5.2.4", .version = "5.2.4", .is_gone = true}},
    {{"the old version, then silence at the last look",
      {CONNECT,
       LOGIN("get_version"),
       TILL_THE_END(RESULT, OLD),
       LAST_LOOK,
       {DEADLINE, NULL, 331000, SESSION_END, NULL, 0}},
      TASK_FAILED,
      DOUBT "; then login: no answer within 30s"},
     {.was = "5.2.4", .version = "5.2.4", .is_gone = true}},
    {{"the old version, then a look that the install timeout cuts short",
      {CONNECT,
       LOGIN("get_version"),
       {RESULT, OLD, 300800, SESSION_PAUSE, NULL, 300900},
       {DEADLINE, NULL, 300900, SESSION_CONNECT, NULL, 301000},
       {CONNECTED, NULL, 300950, SESSION_SEND, "login", 301000},
       {DEADLINE, NULL, 301000, SESSION_PAUSE, NULL, 301000},
       LAST_LOOK,
       LOGIN("get_version"),
       ENDS(RESULT, OLD)},
      TASK_FAILED,
      DOUBT "; then get_version: the device runs 5.2.4, not 5.3.1"},
     {.was = "5.2.4", .version = "5.2.4", .is_as_before = true}},
    {{"the old version, then a look that the install timeout cuts short, then nobody",
      {CONNECT,
       LOGIN("get_version"),
       {RESULT, OLD, 300800, SESSION_PAUSE, NULL, 300900},
       {DEADLINE, NULL, 300900, SESSION_CONNECT, NULL, 301000},
       {DEADLINE, NULL, 301000, SESSION_PAUSE, NULL, 301000},
       {DEADLINE, NULL, 301000, SESSION_CONNECT, NULL, 306000},
       ENDS(LOST, "connection refused")},
      TASK_FAILED,
      GONE "connection refused)"},
     {.was = "5.2.4", .version = "5.2.4", .is_gone = true}},
    {{"nobody there: refused until the end",
      {{LOST, "connection refused", 300900, SESSION_PAUSE, NULL, 301000},
       {DEADLINE, NULL, 301000, SESSION_END, NULL, 0}},
      TASK_FAILED,
      GONE "connection refused)"},
     {.was = "5.2.4", .is_gone = true}},
    {{"nobody there: silent until the end",
      {{DEADLINE, NULL, 6000, SESSION_PAUSE, NULL, 6100},
       {DEADLINE, NULL, 299000, SESSION_CONNECT, NULL, 301000},
       {DEADLINE, NULL, 301000, SESSION_END, NULL, 0}},
      TASK_FAILED,
      GONE "no connection)"},
     {.was = "5.2.4", .is_gone = true}},
};

START_TEST(what_a_device_in_doubt_runs_at_the_end_decides) {
    run_in_doubt(&known[_i].script, &known[_i].doubt);
}
END_TEST

START_TEST(the_first_connection_must_be_there_before_the_install_timeout) {
    struct session_config short_of_time = config;
    struct session s;
    session_init_in_doubt(&s, &config, &task_upgrade_os, &args, &host, 0, "5.2.4", 1000);
    ck_assert_uint_eq(session_connect_deadline_ms(&s, 1000), 6000);
    end(&s);
    short_of_time.install_timeout_ms = 3000;
    session_init_in_doubt(&s, &short_of_time, &task_upgrade_os, &args, &host, 0, "5.2.4", 1000);
    ck_assert_uint_eq(session_connect_deadline_ms(&s, 1000), 4000);
    end(&s);
    session_init(&s, &short_of_time, &task_upgrade_os, &args, &host, 0);
    ck_assert_uint_eq(session_connect_deadline_ms(&s, 1000), 6000);
    end(&s);
}
END_TEST

START_TEST(a_device_in_doubt_may_vanish_from_its_first_connection_on) {
    struct session s;
    session_init_in_doubt(&s, &config, &task_upgrade_os, &args, &host, 7000, "5.2.4", 1000);
    ck_assert(!session_may_be_taken(&s));
    ck_assert_int_eq(feed(&s, SESSION_CONNECTED, NULL, 1000), SESSION_SEND);
    ck_assert(update.may_vanish);
    ck_assert_ptr_null(update.version);
    ck_assert_ptr_nonnull(strstr(update.send.data, "\"id\": 7001, \"method\": \"login\""));
    ck_assert_ptr_nonnull(strstr(update.send.data, "\"id\": 7002, \"method\": \"get_version\""));
    ck_assert_ptr_null(strstr(update.send.data, "logout")); // the next look may be needed
    end(&s);
}
END_TEST

Suite *check_session_doubt(void) {
    Suite *suite = suite_create("session_doubt");
    TCase *tcase = tcase_create("session_doubt");
    suite_add_tcase(suite, tcase);
    tcase_add_loop_test(tcase, what_a_device_in_doubt_runs_at_the_end_decides, 0,
                        (int)COUNT(known));
    tcase_add_test(tcase, the_first_connection_must_be_there_before_the_install_timeout);
    tcase_add_test(tcase, a_device_in_doubt_may_vanish_from_its_first_connection_on);
    return suite;
}

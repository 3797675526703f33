// Every effect of a fault, by hand on a device's port: exactly which bytes come, how the connection
// ends, and what has become of the device.
#include "tests/e2e/harness.h"

#include "common/buf.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

Suite *check_effects(void);

static struct lab lab;

static void start(void) {
    char path[] = "/tmp/e2e-network-XXXXXX";
    int fd = mkstemp(path);
    ck_assert_int_ge(fd, 0);
    dprintf(fd, "sites: [earth]\nlatency: 0\nversions: [5.2.1]\n");
    close(fd);
    lab = bare_start(ARGS("--network", path));
    unlink(path);
}

static void stop(void) {
    bare_stop(&lab);
}

#define LOGIN                                                                                      \
    "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"login\",\"params\":{\"hostname\":\"leaf00.earth\"" \
    ",\"username\":\"admin\",\"password\":\"admin\"}}\n"
#define LOGGED_IN                                                                                  \
    "{\"jsonrpc\": \"2.0\", \"id\": 1, \"result\": {\"hostname\": \"leaf00.earth\", \"platform\""  \
    ": \"acmeos\"}}\n"
#define GET_VERSION(id) "{\"jsonrpc\":\"2.0\",\"id\":" id ",\"method\":\"get_version\"}\n"
#define INSTALL                                                                                    \
    "{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"install_os_version\",\"params\":{\"version\":"     \
    "\"5.3.1\"}}\n"
#define VERSION(id, os, revision)                                                                  \
    "{\"jsonrpc\": \"2.0\", \"id\": " id ", \"result\": {\"os_version\": \"" os                    \
    "\", \"revision\": \"" revision "\", \"full_version\": \"" os "." revision "\"}}\n"
#define FAILURE(code, message)                                                                     \
    "{\"jsonrpc\": \"2.0\", \"id\": 2, \"error\": {\"code\": " code ", \"message\": \"" message    \
    "\"}}\n"

static int dial_and_log_in(void) {
    int fd = dial(lab.devices);
    send_text(fd, LOGIN);
    char *line = read_line(fd);
    ck_assert_ptr_nonnull(line);
    ck_assert_int_eq(strncmp(line, LOGGED_IN, strlen(line)), 0);
    free(line);
    return fd;
}

static void assert_rest(int fd, const char *expected, int expected_errno) {
    char *text;
    int error = read_rest(fd, &text);
    ck_assert_str_eq(text, expected);
    ck_assert_msg(error == expected_errno, "ended by: %s", strerror(error));
    free(text);
    close(fd);
}

static void assert_device(const char *state, const char *version) {
    cJSON *device = get_json(lab.admin, "/devices/leaf00.earth/");
    ck_assert_str_eq(cJSON_GetObjectItem(device, "state")->valuestring, state);
    ck_assert_str_eq(cJSON_GetObjectItem(device, "version")->valuestring, version);
    cJSON_Delete(device);
}

// The first get_version gets the fault, a second is sent behind it.
#define PLAIN VERSION("2", "5.2", "1")
#define NEXT  VERSION("3", "5.2", "1")
static const struct {
    const char *effect;
    const char *answer;
    int ends_with; // the errno; 0 and the next one is answered, or not
} effects[] = {
    {"\"error\"", FAILURE("-32000", "problem communicating with device") NEXT, 0},
    {"\"error\", \"code\": -7, \"message\": \"on \\\"fire\\\"\"",
     FAILURE("-7", "on \\\"fire\\\"") NEXT, 0},
    {"\"reset\"", "", ECONNRESET},
    {"\"close\"", "", 0},
    {"\"no_reply\"", NEXT, 0},
    {"\"delay\", \"by\": \"20ms\"", PLAIN NEXT, 0},
    {"\"slow\", \"bytes_per_second\": 5000", PLAIN NEXT, 0},
    {"\"truncate\"", "{\"jsonrpc\": \"2.0\", \"id\": 2, \"result\": {\"os_version\"", 0},
    {"\"garbage\"", "%%% {this is not what you asked for\n" NEXT, 0},
    {"\"wrong_id\"", VERSION("-1", "5.2", "1") NEXT, 0},
    {"\"wrong_version\"", VERSION("2", "0.0", "0") NEXT, 0},
};

START_TEST(each_effect_on_an_answer_is_what_it_says_to_the_byte) {
    char fault[256];
    snprintf(fault, sizeof fault, "{\"on\": \"get_version\", \"times\": 1, \"effect\": %s}",
             effects[_i].effect);
    add_faults(&lab, fault);
    int fd = dial_and_log_in();
    send_text(fd, GET_VERSION("2") GET_VERSION("3"));
    shutdown(fd, SHUT_WR);
    assert_rest(fd, effects[_i].answer, effects[_i].ends_with);
    assert_device("up", "5.2.1");
}
END_TEST

START_TEST(an_oversize_answer_is_one_line_that_is_too_long) {
    add_faults(&lab, "{\"on\": \"get_version\", \"times\": 1, \"effect\": \"oversize\"}");
    int fd = dial_and_log_in();
    send_text(fd, GET_VERSION("2") GET_VERSION("3"));
    char *line = read_line(fd);
    ck_assert_uint_ge(strlen(line), 65536);
    cJSON *reply = cJSON_Parse(line); // nothing else is wrong with it
    ck_assert_double_eq(cJSON_GetObjectItem(reply, "id")->valuedouble, 2);
    ck_assert(cJSON_HasObjectItem(reply, "result"));
    cJSON_Delete(reply);
    free(line);
    shutdown(fd, SHUT_WR);
    assert_rest(fd, NEXT, 0);
}
END_TEST

// A login under a fault, and get_version behind it.
#define NOT_LOGGED_IN                                                                              \
    "{\"jsonrpc\": \"2.0\", \"id\": 3, \"error\": {\"code\": -32002, \"message\": \"not logged "   \
    "in\"}}\n"
static const struct {
    const char *effect;
    const char *answer;
    int ends_with;
} on_login[] = {
    {"refuse", "", ECONNRESET},
    {"reset", "", ECONNRESET},
    {"close", "", 0},
    {"no_reply", NOT_LOGGED_IN, 0},
    {"truncate", "{\"jsonrpc\": \"2.0\", \"id\": 1, \"result\": {\"hostn", 0},
    {"garbage", "%%% {this is not what you asked for\n" NEXT, 0},
};

START_TEST(a_login_can_fail_in_each_of_these_ways) {
    char fault[128];
    snprintf(fault, sizeof fault, "{\"on\": \"login\", \"times\": 1, \"effect\": \"%s\"}",
             on_login[_i].effect);
    add_faults(&lab, fault);
    int fd = dial(lab.devices);
    send_text(fd, LOGIN GET_VERSION("3"));
    shutdown(fd, SHUT_WR);
    assert_rest(fd, on_login[_i].answer, on_login[_i].ends_with);
    close(dial_and_log_in()); // once only
}
END_TEST

static const struct {
    const char *effect;
    const char *answer;
    int ends_with;
    const char *version; // that the device runs afterwards
} on_install[] = {
    {"error", FAILURE("-32000", "problem communicating with device"), 0, "5.2.1"},
    {"reset", "", ECONNRESET, "5.2.1"},
    {"close", "", 0, "5.2.1"},
    {"no_reply", "", 0, "5.2.1"},
    {"truncate", "{\"jsonrpc\": \"2.0\", \"id\": 2, \"result\": {\"os_version\"", 0, "5.3.1"},
    {"garbage", "%%% {this is not what you asked for\n", 0, "5.3.1"},
    {"wrong_id", VERSION("-1", "5.3", "1"), 0, "5.3.1"},
    {"wrong_version", VERSION("2", "5.3", "1"), 0, "5.2.1"},
};

START_TEST(an_install_is_carried_out_or_not_as_its_effect_says) {
    char fault[128];
    snprintf(fault, sizeof fault, "{\"on\": \"install_os_version\", \"effect\": \"%s\"}",
             on_install[_i].effect);
    add_faults(&lab, fault);
    int fd = dial_and_log_in();
    send_text(fd, INSTALL);
    shutdown(fd, SHUT_WR);
    assert_rest(fd, on_install[_i].answer, on_install[_i].ends_with);
    assert_device("up", on_install[_i].version);
}
END_TEST

START_TEST(a_logout_that_is_not_answered_keeps_the_connection) {
    add_faults(&lab, "{\"on\": \"logout\", \"times\": 1, \"effect\": \"no_reply\"}");
    int fd = dial_and_log_in();
    const char *logout = "{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"logout\"}\n";
    send_text(fd, logout);
    send_text(fd, GET_VERSION("3"));
    send_text(fd, logout);
    assert_rest(fd, NEXT "{\"jsonrpc\": \"2.0\", \"id\": 2, \"result\": true}\n", 0);
}
END_TEST

static void restart_with(const char *effect) {
    char fault[128];
    snprintf(fault, sizeof fault, "{\"on\": \"install_os_version\", \"effect\": %s}", effect);
    add_faults(&lab, fault);
    int fd = dial_and_log_in(), bystander = dial_and_log_in();
    send_text(fd, INSTALL);
    assert_rest(fd, "", ECONNRESET);
    assert_rest(bystander, "", ECONNRESET);
}

static void assert_login_is_reset(void) {
    int fd = dial(lab.devices);
    send_text(fd, LOGIN);
    assert_rest(fd, "", ECONNRESET);
}

START_TEST(a_rebooting_device_resets_all_it_has_and_logins_too) {
    restart_with("\"reboot\", \"downtime\": \"1h\"");
    assert_device("rebooting", "5.3.1");
    assert_login_is_reset();
    assert_device("rebooting", "5.3.1");
}
END_TEST

START_TEST(a_device_that_has_rebooted_runs_the_new_version) {
    restart_with("\"reboot\", \"downtime\": \"0\"");
    assert_device("up", "5.3.1");
    int fd = dial_and_log_in();
    send_text(fd, GET_VERSION("9"));
    shutdown(fd, SHUT_WR);
    assert_rest(fd, VERSION("9", "5.3", "1"), 0);
}
END_TEST

START_TEST(a_bricked_device_is_down_until_the_reset) {
    restart_with("\"brick\"");
    assert_device("down", "5.3.1");
    assert_login_is_reset();
    struct answer a = http_post(lab.admin, "/reset/", "{}");
    ck_assert_int_eq(a.status, 204);
    answer_free(&a);
    assert_device("up", "5.2.1");
    close(dial_and_log_in());
}
END_TEST

START_TEST(the_first_rule_that_holds_applies) {
    add_faults(&lab, "[{\"on\": \"get_version\", \"effect\": \"error\", \"message\": \"first\", "
                     "\"after\": 1, \"times\": 1}, {\"on\": \"get_version\", \"effect\": \"error\","
                     " \"message\": \"never\", \"probability\": 0}, {\"match\": {\"rack\": 100, "
                     "\"host\": \"leaf*\"}, \"effect\": \"error\", \"message\": \"rest\", \"on\": "
                     "\"get_version\", \"times\": 2}]");
    int fd = dial_and_log_in();
    send_text(fd, GET_VERSION("2") GET_VERSION("2") GET_VERSION("2") GET_VERSION("3"));
    shutdown(fd, SHUT_WR);
    assert_rest(
        fd, FAILURE("-32000", "rest") FAILURE("-32000", "first") FAILURE("-32000", "rest") NEXT, 0);
    static const double fired[] = {1, 0, 2};
    cJSON *answer = get_json(lab.admin, "/faults/");
    for (int i = 0; i < 3; i++) {
        const cJSON *fault = cJSON_GetArrayItem(cJSON_GetObjectItem(answer, "faults"), i);
        ck_assert_double_eq(cJSON_GetObjectItem(fault, "fired")->valuedouble, fired[i]);
    }
    cJSON_Delete(answer);
}
END_TEST

#define COUNT(array) (int)(sizeof(array) / sizeof *(array))

Suite *check_effects(void) {
    Suite *suite = suite_create("effects");
    TCase *tc = tcase_create("effects");
    tcase_set_timeout(tc, 120);
    tcase_add_checked_fixture(tc, start, stop);
    tcase_add_loop_test(tc, each_effect_on_an_answer_is_what_it_says_to_the_byte, 0,
                        COUNT(effects));
    tcase_add_test(tc, an_oversize_answer_is_one_line_that_is_too_long);
    tcase_add_loop_test(tc, a_login_can_fail_in_each_of_these_ways, 0, COUNT(on_login));
    tcase_add_loop_test(tc, an_install_is_carried_out_or_not_as_its_effect_says, 0,
                        COUNT(on_install));
    tcase_add_test(tc, a_logout_that_is_not_answered_keeps_the_connection);
    tcase_add_test(tc, a_rebooting_device_resets_all_it_has_and_logins_too);
    tcase_add_test(tc, a_device_that_has_rebooted_runs_the_new_version);
    tcase_add_test(tc, a_bricked_device_is_down_until_the_reset);
    tcase_add_test(tc, the_first_rule_that_holds_applies);
    suite_add_tcase(suite, tc);
    return suite;
}

// The device protocol byte by byte, over TCP: every error of its table, and its transport.
#include "common/count.h"
#include "tests/e2e/harness.h"

#include "common/buf.h"
#include "common/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

Suite *check_wire(void);

static struct program simulator;
static char devices[64], admin[64];

static void start(const char *const *args) {
    const char *all[16] = {"--devices", "127.0.0.1:0", "--admin", "127.0.0.1:0"};
    for (size_t i = 0; args[i] != NULL; i++)
        all[4 + i] = args[i];
    simulator = program_start("simulator", all);
    const char *at = strstr(simulator.ready, " on ") + 4;
    snprintf(devices, sizeof devices, "%.*s", (int)strcspn(at, ","), at);
    snprintf(admin, sizeof admin, "%s", simulator.url);
}

static void start_quick(void) {
    start(ARGS("--latency", "0"));
}

static void stop(void) {
    ck_assert_int_eq(program_stop(&simulator), 0);
}

static const char login[] = "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"login\",\"params\":"
                            "{\"hostname\":\"leaf00.earth\",\"username\":\"admin\",\"password\":"
                            "\"admin\"}}\n";
static const char logged_in[] = "{\"jsonrpc\": \"2.0\", \"id\": 1, \"result\": "
                                "{\"hostname\": \"leaf00.earth\", \"platform\": \"acmeos\"}}";

static int dial_and_log_in(void) {
    int fd = dial(devices);
    send_text(fd, login);
    assert_reply(fd, logged_in);
    return fd;
}

START_TEST(the_answers_are_as_the_protocol_writes_them_to_the_byte) {
    int fd = dial(devices);
    send_text(fd, login);
    char *line = read_line(fd);
    ck_assert_str_eq(line, logged_in);
    free(line);
    send_text(fd, "{\"jsonrpc\":\"2.0\",\"id\":\"x\",\"method\":\"install_os_version\",\"params\":"
                  "{\"version\":\"5.3.1\"}}\r\n");
    line = read_line(fd);
    ck_assert_str_eq(line, "{\"jsonrpc\": \"2.0\", \"id\": \"x\", \"result\": {\"os_version\": "
                           "\"5.3\", \"revision\": \"1\", \"full_version\": \"5.3.1\"}}");
    free(line);
    send_text(fd, "{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"get_version\"}\n");
    assert_reply(fd, "{\"jsonrpc\": \"2.0\", \"id\": 7, \"result\": {\"os_version\": \"5.3\", "
                     "\"revision\": \"1\", \"full_version\": \"5.3.1\"}}");
    send_text(fd, "{\"jsonrpc\":\"2.0\",\"id\":8,\"method\":\"logout\"}\n");
    assert_reply(fd, "{\"jsonrpc\": \"2.0\", \"id\": 8, \"result\": true}");
    ck_assert_ptr_null(read_line(fd)); // and it closes
    close(fd);
}
END_TEST

static const struct {
    const char *request;
    const char *id;
    int code;
    const char *message;
} before_login[] = {
    {"hello", "null", -32700, "parse error"},
    {"", "null", -32700, "parse error"},
    {"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"login\"", "null", -32700, "parse error"},
    {"{\"id\":1,\"id\":2}", "null", -32700, "parse error"},
    {"[{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"get_version\"}]", "null", -32600,
     "invalid request"},
    {"42", "null", -32600, "invalid request"},
    {"{\"jsonrpc\":\"1.0\",\"id\":5,\"method\":\"login\"}", "5", -32600, "invalid request"},
    {"{\"jsonrpc\":\"2.0\",\"id\":{},\"method\":\"login\"}", "null", -32600, "invalid request"},
    {"{\"jsonrpc\":\"2.0\",\"id\":6}", "6", -32600, "invalid request"},
    {"{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"reload\"}", "7", -32601, "method not found"},
    {"{\"jsonrpc\":\"2.0\",\"id\":8,\"method\":\"get_version\"}", "8", -32002, "not logged in"},
    {"{\"jsonrpc\":\"2.0\",\"id\":9,\"method\":\"install_os_version\",\"params\":{\"version\":"
     "\"x\"}}",
     "9", -32002, "not logged in"},
    {"{\"jsonrpc\":\"2.0\",\"id\":10,\"method\":\"login\",\"params\":{\"hostname\":"
     "\"leaf00.earth\",\"username\":\"admin\",\"password\":\"x\"}}",
     "10", -32001, "authentication failed"},
    {"{\"jsonrpc\":\"2.0\",\"id\":11,\"method\":\"login\",\"params\":{\"hostname\":"
     "\"leaf0.earth\",\"username\":\"admin\",\"password\":\"admin\"}}",
     "11", -32003, "unknown device: leaf0.earth"},
    {"{\"jsonrpc\":\"2.0\",\"id\":12,\"method\":\"login\",\"params\":{\"hostname\":"
     "\"leaf0.earth\",\"username\":\"root\",\"password\":\"admin\"}}",
     "12", -32001, "authentication failed"},
};

START_TEST(every_error_before_a_login_is_answered_and_the_connection_stays) {
    int fd = dial(devices);
    for (size_t i = 0; i < COUNT(before_login); i++) {
        char expected[256];
        send_text(fd, before_login[i].request);
        send_text(fd, "\n");
        snprintf(expected, sizeof expected,
                 "{\"jsonrpc\": \"2.0\", \"id\": %s, \"error\": {\"code\": %d, \"message\": "
                 "\"%s\"}}",
                 before_login[i].id, before_login[i].code, before_login[i].message);
        assert_reply(fd, expected);
    }
    send_text(fd, login);
    assert_reply(fd, logged_in);
    close(fd);
}
END_TEST

START_TEST(wrong_params_are_named) {
    int fd = dial_and_log_in();
    send_text(fd, "{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"install_os_version\",\"params\":"
                  "{\"version\":\"5.3\"}}\n");
    assert_reply(fd, "{\"jsonrpc\": \"2.0\", \"id\": 2, \"error\": {\"code\": -32602, \"message\": "
                     "\"version format isn't correct, it should be in the format X.Y.Z\"}}");
    send_text(fd, "{\"jsonrpc\":\"2.0\",\"id\":3,\"method\":\"login\",\"params\":"
                  "{\"hostname\":\"leaf00.earth\",\"username\":\"admin\"}}\n");
    char *line = read_line(fd);
    cJSON *reply = cJSON_Parse(line);
    const cJSON *error = cJSON_GetObjectItem(reply, "error");
    ck_assert_double_eq(cJSON_GetObjectItem(error, "code")->valuedouble, -32602);
    const char *message = cJSON_GetObjectItem(error, "message")->valuestring;
    ck_assert_ptr_eq(strstr(message, "invalid params: "), message);
    ck_assert_ptr_nonnull(strstr(message, "password"));
    cJSON_Delete(reply);
    free(line);
    close(fd);
}
END_TEST

START_TEST(a_second_install_on_a_device_is_refused_while_one_runs) {
    struct answer a = http_post(admin, "/faults/",
                                "{\"on\": \"install_os_version\", \"effect\": "
                                "\"delay\", \"by\": \"300ms\"}");
    ck_assert_int_eq(a.status, 201);
    answer_free(&a);
    const char *install = "{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"install_os_version\","
                          "\"params\":{\"version\":\"5.3.1\"}}\n";
    int first = dial_and_log_in(), second = dial_and_log_in();
    send_text(first, install);
    await_event(admin, "install_os_version", "begun", 1);
    send_text(second, install);
    assert_reply(second, "{\"jsonrpc\": \"2.0\", \"id\": 2, \"error\": {\"code\": -32004, "
                         "\"message\": \"another install is in progress\"}}");
    assert_reply(first, "{\"jsonrpc\": \"2.0\", \"id\": 2, \"result\": {\"os_version\": \"5.3\", "
                        "\"revision\": \"1\", \"full_version\": \"5.3.1\"}}");
    close(first);
    close(second);
}
END_TEST

START_TEST(pipelined_requests_are_answered_in_order_and_notifications_not_at_all) {
    int fd = dial(devices);
    struct buf all = {0};
    buf_adds(&all, login);
    for (int i = 2; i < 500; i++) {
        buf_addf(&all, "{\"jsonrpc\":\"2.0\",\"id\":%d,\"method\":\"get_cpu_ram\"}\n", i);
        buf_adds(&all, "{\"jsonrpc\":\"2.0\",\"method\":\"get_version\"}\n");
    }
    send_text(fd, all.data);
    buf_deinit(&all);
    shutdown(fd, SHUT_WR); // every answer comes all the same
    assert_reply(fd, logged_in);
    for (int i = 2; i < 500; i++) {
        char *line = read_line(fd);
        ck_assert_ptr_nonnull(line);
        cJSON *reply = cJSON_Parse(line);
        ck_assert_double_eq(cJSON_GetObjectItem(reply, "id")->valuedouble, i);
        const cJSON *result = cJSON_GetObjectItem(reply, "result");
        double cpu = cJSON_GetObjectItem(result, "cpu")->valuedouble;
        ck_assert(cpu >= 10 && cpu <= 50);
        ck_assert_double_eq(cJSON_GetObjectItem(result, "ram_total")->valuedouble, 4096);
        cJSON_Delete(reply);
        free(line);
    }
    ck_assert_ptr_null(read_line(fd));
    close(fd);
}
END_TEST

START_TEST(a_line_too_long_is_answered_once_dropped_and_ends_the_connection) {
    const char *error = "{\"jsonrpc\": \"2.0\", \"id\": null, \"error\": {\"code\": -32600, "
                        "\"message\": \"invalid request\"}}";
    char *line = mem_alloc((2 << 20) + 1);
    memset(line, 'x', 2 << 20);
    line[65535] = '\n'; // 65,536 bytes with its LF: still a line, but not JSON
    line[65536] = '\0';
    int fd = dial(devices);
    send_text(fd, line);
    assert_reply(fd, "{\"jsonrpc\": \"2.0\", \"id\": null, \"error\": {\"code\": -32700, "
                     "\"message\": \"parse error\"}}");
    line[65535] = 'x'; // one more
    line[65536] = '\n';
    line[65537] = '\0';
    send_text(fd, line);
    assert_reply(fd, error);
    ck_assert_ptr_null(read_line(fd));
    close(fd);

    line[65536] = line[65537] = 'x';
    line[1 << 20] = '\0'; // no LF, but 1 MiB
    fd = dial(devices);
    send_text(fd, line);
    assert_reply(fd, error);
    ck_assert_ptr_null(read_line(fd));
    close(fd);
    free(line);
}
END_TEST

START_TEST(the_same_seed_gives_the_same_network_and_another_another) {
    struct answer first = http_get(admin, "/devices/");
    stop();
    start(ARGS("--latency", "0", "--seed", "1"));
    struct answer again = http_get(admin, "/devices/");
    ck_assert_str_eq(first.body, again.body);
    stop();
    start(ARGS("--latency", "0", "--seed", "2"));
    struct answer other = http_get(admin, "/devices/");
    ck_assert_str_ne(first.body, other.body);
    answer_free(&first);
    answer_free(&again);
    answer_free(&other);
}
END_TEST

START_TEST(every_device_is_born_with_a_version_of_the_acme_network) {
    cJSON *answer = get_json(admin, "/devices/");
    const cJSON *list = cJSON_GetObjectItem(answer, "devices"), *device;
    ck_assert_int_eq(cJSON_GetArraySize(list), 848);
    ck_assert_str_eq(cJSON_GetObjectItem(cJSON_GetArrayItem(list, 0), "name")->valuestring,
                     "edge00.mercury");
    ck_assert_str_eq(cJSON_GetObjectItem(cJSON_GetArrayItem(list, 847), "name")->valuestring,
                     "leaf99.neptune");
    cJSON_ArrayForEach(device, list) {
        int minor, revision;
        const char *version = cJSON_GetObjectItem(device, "version")->valuestring;
        ck_assert_int_eq(sscanf(version, "5.%d.%d", &minor, &revision), 2);
        ck_assert(minor >= 1 && minor <= 4 && revision >= 0 && revision <= 9);
        ck_assert(minor != 4 || revision == 1);
        ck_assert_str_eq(cJSON_GetObjectItem(device, "state")->valuestring, "up");
    }
    cJSON_Delete(answer);
}
END_TEST

START_TEST(the_referee_sees_what_an_orchestrator_must_never_do) {
    struct answer a = http_post(admin, "/faults/",
                                "{\"on\": \"install_os_version\", \"effect\": "
                                "\"delay\", \"by\": \"300ms\"}");
    answer_free(&a);
    int first = dial_and_log_in(), second = dial(devices);
    send_text(second, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"login\",\"params\":{\"hostname\":"
                      "\"leaf01.earth\",\"username\":\"admin\",\"password\":\"admin\"}}\n");
    free(read_line(second));
    const char *install = "{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"install_os_version\","
                          "\"params\":{\"version\":\"9.9.9\"}}\n";
    send_text(first, install);
    send_text(second, install);
    free(read_line(first));
    free(read_line(second));
    send_text(first, install); // again the same version
    free(read_line(first));
    int third = dial_and_log_in(); // the first is logged in to it

    static const char *const kinds[] = {"group_overlap", "needless_install", "double_drive"};
    cJSON *audit = get_json(admin, "/audit/");
    const cJSON *violations = cJSON_GetObjectItem(audit, "violations");
    ck_assert_int_eq(cJSON_GetArraySize(violations), 3);
    for (int i = 0; i < 3; i++) {
        const cJSON *violation = cJSON_GetArrayItem(violations, i);
        ck_assert_str_eq(cJSON_GetObjectItem(violation, "kind")->valuestring, kinds[i]);
        ck_assert_str_eq(cJSON_GetObjectItem(violation, "group")->valuestring, "earth_leaf_100");
    }
    char *hosts =
        cJSON_PrintUnformatted(cJSON_GetObjectItem(cJSON_GetArrayItem(violations, 0), "hosts"));
    ck_assert(strstr(hosts, "leaf00.earth") != NULL && strstr(hosts, "leaf01.earth") != NULL);
    free(hosts);
    const cJSON *group =
        cJSON_GetObjectItem(cJSON_GetObjectItem(audit, "groups"), "earth_leaf_100");
    ck_assert_double_eq(cJSON_GetObjectItem(group, "installs")->valuedouble, 3);
    cJSON_Delete(audit);
    close(first);
    close(second);
    close(third);

    a = http_post(admin, "/reset/", "{}");
    ck_assert_int_eq(a.status, 204);
    answer_free(&a);
    audit = get_json(admin, "/audit/");
    ck_assert_int_eq(cJSON_GetArraySize(cJSON_GetObjectItem(audit, "violations")), 0);
    cJSON_Delete(audit);
}
END_TEST

Suite *check_wire(void) {
    Suite *suite = suite_create("wire");
    TCase *tc = tcase_create("wire");
    tcase_set_timeout(tc, 120);
    tcase_add_checked_fixture(tc, start_quick, stop);
    tcase_add_test(tc, the_answers_are_as_the_protocol_writes_them_to_the_byte);
    tcase_add_test(tc, every_error_before_a_login_is_answered_and_the_connection_stays);
    tcase_add_test(tc, wrong_params_are_named);
    tcase_add_test(tc, a_second_install_on_a_device_is_refused_while_one_runs);
    tcase_add_test(tc, pipelined_requests_are_answered_in_order_and_notifications_not_at_all);
    tcase_add_test(tc, a_line_too_long_is_answered_once_dropped_and_ends_the_connection);
    tcase_add_test(tc, the_same_seed_gives_the_same_network_and_another_another);
    tcase_add_test(tc, every_device_is_born_with_a_version_of_the_acme_network);
    tcase_add_test(tc, the_referee_sees_what_an_orchestrator_must_never_do);
    suite_add_tcase(suite, tc);
    return suite;
}

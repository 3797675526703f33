// The device protocol byte by byte, over TCP: every error of its table, and its transport.
#include "common/count.h"
#include "tests/e2e/harness.h"

#include "common/buf.h"
#include "common/mem.h"

#include <poll.h>
#include <signal.h>
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

// --- rude clients

static const char install[] = "{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"install_os_version\","
                              "\"params\":{\"version\":\"5.3.1\"}}\n";
static const char get_version[] = "{\"jsonrpc\":\"2.0\",\"id\":3,\"method\":\"get_version\"}\n";

static void delay(const char *operation, const char *by) {
    char rule[128];
    snprintf(rule, sizeof rule,
             "{\"on\": \"%s\", \"effect\": \"delay\", \"by\": \"%s\", \"times\": 1}", operation,
             by);
    struct answer a = http_post(admin, "/faults/", rule);
    ck_assert_int_eq(a.status, 201);
    answer_free(&a);
}

START_TEST(what_comes_behind_a_logout_is_dropped_and_the_connection_ends) {
    static const char logout[] = "{\"jsonrpc\":\"2.0\",\"id\":8,\"method\":\"logout\"}\n";
    for (int more = 0; more < 3; more++) {
        int fd = dial_and_log_in();
        struct buf all = {0};
        buf_adds(&all, logout);
        buf_adds(&all, more == 0 ? "x" : install); // also bytes that are no line yet
        for (int i = 0; more == 2 && i < 5000; i++)
            buf_adds(&all, install);
        send_text(fd, all.data);
        buf_deinit(&all);
        assert_reply(fd, "{\"jsonrpc\": \"2.0\", \"id\": 8, \"result\": true}");
        send_text(fd, install); // and behind its answer
        ck_assert_ptr_null(read_line(fd));
        close(fd);
    }
    cJSON *told = get_json(admin, "/devices/leaf00.earth/");
    ck_assert_double_eq(cJSON_GetObjectItem(told, "installs")->valuedouble, 0);
    ck_assert_double_eq(cJSON_GetObjectItem(told, "logins")->valuedouble, 3);
    cJSON_Delete(told);
}
END_TEST

// They are more than the simulator keeps: while the first is at it, reading stops, and goes on.
START_TEST(fifteen_hundred_requests_at_once_are_all_answered_in_order) {
    enum { REQUESTS = 1500 };
    delay("get_cpu_ram", "300ms");
    int fd = dial_and_log_in();
    struct buf all = {0};
    for (int i = 0; i < REQUESTS; i++)
        buf_addf(&all, "{\"jsonrpc\":\"2.0\",\"id\":%d,\"method\":\"get_cpu_ram\"%1000s}\n", i, "");
    send_text(fd, all.data);
    buf_deinit(&all);
    for (int i = 0; i < REQUESTS; i++) {
        char expected[64], *line = read_line(fd);
        snprintf(expected, sizeof expected, "{\"jsonrpc\": \"2.0\", \"id\": %d, \"result\": {", i);
        ck_assert_ptr_nonnull(line);
        ck_assert_msg(strncmp(line, expected, strlen(expected)) == 0, "%s: %s", expected, line);
        free(line);
    }
    close(fd);
}
END_TEST

// Beyond what it keeps, bytes stay in the sockets' buffers, which the kernel bounds.
START_TEST(a_client_that_only_sends_is_read_no_further_than_the_limit) {
    enum { PIECE = 64 * 1024, MOST = 64 << 20 };
    delay("get_version", "600s");
    int fd = dial_and_log_in();
    send_text(fd, get_version);
    await_event(admin, "get_version", "begun", 1);
    char *piece = mem_alloc(PIECE);
    memset(piece, ' ', PIECE);
    size_t sent = 0;
    struct pollfd writable = {.fd = fd, .events = POLLOUT};
    while (sent < MOST && poll(&writable, 1, 300) == 1) {
        ssize_t n = send(fd, piece, PIECE, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (n > 0) sent += (size_t)n;
    }
    free(piece);
    ck_assert_uint_lt(sent, MOST);
    close(fd);
    fd = dial_and_log_in(); // the others do not mind
    close(fd);
}
END_TEST

// Whether it says goodbye, which might be a half-close, or resets the connection.
START_TEST(a_client_that_drops_leaves_its_device_installing) {
    const struct linger reset = {.l_onoff = 1};
    delay("install_os_version", "300ms");
    int fd = dial_and_log_in();
    send_text(fd, install);
    await_event(admin, "install_os_version", "begun", 1);
    if (_i == 1) ck_assert_int_eq(setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset), 0);
    close(fd);
    int other = dial_and_log_in();
    send_text(other, install);
    assert_reply(other, "{\"jsonrpc\": \"2.0\", \"id\": 2, \"error\": {\"code\": -32004, "
                        "\"message\": \"another install is in progress\"}}");
    if (_i == 1)
        await_event(admin, "install_os_version", "failed", 2);
    else
        await_event(admin, "install_os_version", "answered", 1);
    send_text(other, get_version);
    assert_reply(other, "{\"jsonrpc\": \"2.0\", \"id\": 3, \"result\": {\"os_version\": \"5.3\", "
                        "\"revision\": \"1\", \"full_version\": \"5.3.1\"}}");
    close(other);
    cJSON *told = get_json(admin, "/devices/leaf00.earth/");
    ck_assert_str_eq(cJSON_GetObjectItem(told, "state")->valuestring, "up");
    ck_assert_double_eq(cJSON_GetObjectItem(told, "installs")->valuedouble, 1);
    cJSON_Delete(told);
}
END_TEST

START_TEST(a_third_login_to_a_device_is_served_like_the_others) {
    int fds[3];
    for (size_t i = 0; i < COUNT(fds); i++)
        fds[i] = dial_and_log_in();
    close(fds[1]);
    send_text(fds[0], install);
    free(read_line(fds[0]));
    send_text(fds[2], get_version);
    assert_reply(fds[2], "{\"jsonrpc\": \"2.0\", \"id\": 3, \"result\": {\"os_version\": \"5.3\", "
                         "\"revision\": \"1\", \"full_version\": \"5.3.1\"}}");
    cJSON *audit = get_json(admin, "/audit/");
    ck_assert_int_eq(cJSON_GetArraySize(cJSON_GetObjectItem(audit, "violations")), 3);
    ck_assert_double_eq(cJSON_GetObjectItem(audit, "max_in_flight")->valuedouble, 3);
    cJSON_Delete(audit);
    close(fds[0]);
    close(fds[2]);
}
END_TEST

// It asks for the version, and then for what it is to ask for last; and somebody else logs in.
static int violations_beside_a_half_closed_client(const char *last) {
    delay("get_version", "300ms");
    int fd = dial_and_log_in();
    send_text(fd, get_version);
    send_text(fd, last);
    shutdown(fd, SHUT_WR);
    await_event(admin, "get_version", "begun", 1);
    int other = dial_and_log_in();
    cJSON *audit = get_json(admin, "/audit/");
    const int count = cJSON_GetArraySize(cJSON_GetObjectItem(audit, "violations"));
    cJSON_Delete(audit);
    close(fd);
    close(other);
    return count;
}

START_TEST(a_half_closed_client_counts_as_logged_in_until_its_last_install_begins) {
    ck_assert_int_eq(violations_beside_a_half_closed_client(install), 1);
}
END_TEST

START_TEST(a_half_closed_client_that_only_reads_on_does_not_count_as_logged_in) {
    ck_assert_int_eq(violations_beside_a_half_closed_client(get_version), 0);
}
END_TEST

// --- the referee

static int dial_peer(void) {
    int fd = dial(devices);
    send_text(fd, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"login\",\"params\":{\"hostname\":"
                  "\"leaf01.earth\",\"username\":\"admin\",\"password\":\"admin\"}}\n");
    free(read_line(fd));
    return fd;
}

static void ask_version(int fd) {
    send_text(fd, get_version);
    free(read_line(fd));
}

// How many violations there are, all of them overlaps.
static int overlaps(void) {
    cJSON *audit = get_json(admin, "/audit/");
    const cJSON *violations = cJSON_GetObjectItem(audit, "violations"), *violation;
    int count = cJSON_GetArraySize(violations);
    cJSON_ArrayForEach(violation, violations)
        ck_assert_str_eq(cJSON_GetObjectItem(violation, "kind")->valuestring, "group_overlap");
    cJSON_Delete(audit);
    return count;
}

START_TEST(at_latency_0_an_install_lasts_until_somebody_knows_what_came_of_it) {
    int first = dial_and_log_in(), second = dial_peer();
    send_text(first, install);
    free(read_line(first));
    ask_version(first);
    send_text(second, install);
    free(read_line(second));
    ck_assert_int_eq(overlaps(), 0);
    send_text(first, "{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"install_os_version\","
                     "\"params\":{\"version\":\"5.3.2\"}}\n"); // nobody has asked the second
    free(read_line(first));
    ck_assert_int_eq(overlaps(), 1);
    close(first);
    close(second);
}
END_TEST

START_TEST(the_referee_sees_what_an_orchestrator_must_never_do) {
    struct answer a = http_post(admin, "/faults/",
                                "{\"on\": \"install_os_version\", \"effect\": "
                                "\"delay\", \"by\": \"300ms\"}");
    answer_free(&a);
    int first = dial_and_log_in(), second = dial_peer();
    const char *newest = "{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"install_os_version\","
                         "\"params\":{\"version\":\"9.9.9\"}}\n";
    send_text(first, newest);
    send_text(second, newest);
    free(read_line(first));
    free(read_line(second));
    ask_version(first);
    ask_version(second);
    send_text(first, newest); // again the same version
    free(read_line(first));
    int third = dial_and_log_in(); // the first is logged in to it

    static const char *const kinds[] = {"group_overlap", "peer_down", "needless_install",
                                        "double_drive"};
    cJSON *audit = get_json(admin, "/audit/");
    const cJSON *violations = cJSON_GetObjectItem(audit, "violations");
    ck_assert_int_eq(cJSON_GetArraySize(violations), COUNT(kinds));
    for (int i = 0; i < (int)COUNT(kinds); i++) {
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

// The simulator stands still meanwhile, so that it sees the login before the end, in one turn.
START_TEST(who_has_gone_is_not_logged_in_though_nobody_has_read_that_yet) {
    int first = dial_and_log_in(), second = dial(devices);
    send_text(second, "hello\n"); // it is accepted
    free(read_line(second));
    kill(simulator.pid, SIGSTOP);
    send_text(second, login);
    close(first);
    kill(simulator.pid, SIGCONT);
    assert_reply(second, logged_in);
    cJSON *audit = get_json(admin, "/audit/");
    ck_assert_int_eq(cJSON_GetArraySize(cJSON_GetObjectItem(audit, "violations")), 0);
    cJSON_Delete(audit);
    close(second);
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
    tcase_add_test(tc, what_comes_behind_a_logout_is_dropped_and_the_connection_ends);
    tcase_add_test(tc, fifteen_hundred_requests_at_once_are_all_answered_in_order);
    tcase_add_test(tc, a_client_that_only_sends_is_read_no_further_than_the_limit);
    tcase_add_loop_test(tc, a_client_that_drops_leaves_its_device_installing, 0, 2);
    tcase_add_test(tc, a_third_login_to_a_device_is_served_like_the_others);
    tcase_add_test(tc, a_half_closed_client_counts_as_logged_in_until_its_last_install_begins);
    tcase_add_test(tc, a_half_closed_client_that_only_reads_on_does_not_count_as_logged_in);
    tcase_add_test(tc, at_latency_0_an_install_lasts_until_somebody_knows_what_came_of_it);
    tcase_add_test(tc, the_referee_sees_what_an_orchestrator_must_never_do);
    tcase_add_test(tc, who_has_gone_is_not_logged_in_though_nobody_has_read_that_yet);
    suite_add_tcase(suite, tc);
    return suite;
}

// Upgrades end to end: the seed's transcripts, every way in which a device can fail, and the
// metrics and log lines that tell of them.
#include "common/count.h"
#include "tests/e2e/harness.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

Suite *check_upgrade(void);

static cJSON *upgrade(const struct lab *lab, const char *json) {
    struct answer a = http_post(lab->api, "/upgrade-os/", json);
    ck_assert_msg(a.status == 200, "%ld %s", a.status, a.body);
    cJSON *report = answer_json(&a);
    answer_free(&a);
    return report;
}

static void assert_list(const cJSON *report, const char *name, const char *expected) {
    char *text = cJSON_PrintUnformatted(cJSON_GetObjectItem(report, name));
    ck_assert_str_eq(text, expected);
    free(text);
}

static size_t count_list(const cJSON *report, const char *name) {
    return json_strings(cJSON_GetObjectItem(report, name));
}

static void assert_logged(const struct lab *lab, const char *line) {
    char *log = read_file(lab->log);
    ck_assert_msg(strstr(log, line) != NULL, "not in the log: %s\n%.4000s", line, log);
    free(log);
}

static void assert_not_logged(const struct lab *lab, const char *part) {
    char *log = read_file(lab->log);
    ck_assert_msg(strstr(log, part) == NULL, "in the log: %s", part);
    free(log);
}

static double device_number(const struct lab *lab, const char *host, const char *field) {
    char path[128];
    snprintf(path, sizeof path, "/devices/%s/", host);
    cJSON *device = get_json(lab->admin, path);
    double value = cJSON_GetObjectItem(device, field)->valuedouble;
    cJSON_Delete(device);
    return value;
}

START_TEST(the_seeds_first_request_gets_the_seeds_answer) {
    struct lab lab = lab_start(ARGS("--latency", "0"), NULL);
    add_faults(&lab, "{\"match\": {\"host\": [\"leaf63.earth\", \"leaf81.earth\", \"leaf92.earth\","
                     " \"leaf98.earth\"]}, \"on\": \"install_os_version\", \"effect\": \"error\"}");
    cJSON *report = upgrade(&lab, "{  \"version\": \"5.3.1\",  \"filter_dev_sites\": [\"earth\"]}");
    assert_list(report, "failed",
                "[\"leaf63.earth\",\"leaf81.earth\",\"leaf92.earth\",\"leaf98.earth\"]");
    assert_list(report, "skipped", "[\"leaf93.earth\",\"leaf99.earth\"]");
    ck_assert_uint_eq(count_list(report, "completed"), 100);
    cJSON_Delete(report);
    assert_logged(&lab,
                  "completed host:leaf63.earth:install_os_version: problem communicating with "
                  "device\n");
    assert_logged(&lab, ":skipped   host:leaf93.earth:leaf92.earth\n");
    assert_logged(&lab, ":skipped   host:leaf99.earth:leaf98.earth\n");
    assert_logged(&lab, ":completed host:leaf62.earth:success!!!\n");
    assert_logged(&lab, ":completed task:upgrade_os\n");
    assert_not_logged(&lab, "host:leaf00.mars");
    ck_assert_double_eq(device_number(&lab, "leaf99.earth", "logins"), 0);
    ck_assert_double_eq(device_number(&lab, "leaf00.mars", "logins"), 0);
    lab_stop(&lab);
}
END_TEST

START_TEST(a_failed_spine_stops_the_spines_of_its_site_and_no_other) {
    struct lab lab = lab_start(ARGS("--latency", "0"), NULL);
    add_faults(&lab, "{\"match\": {\"host\": \"spine00.mars\"}, \"on\": \"login\", \"effect\": "
                     "\"error\", \"code\": -32000, \"message\": \"on fire\"}");
    cJSON *report = upgrade(&lab, "{\"version\": \"5.3.1\", \"filter_dev_types\": [\"spine\"]}");
    assert_list(report, "failed", "[\"spine00.mars\"]");
    assert_list(report, "skipped", "[\"spine01.mars\",\"spine02.mars\",\"spine03.mars\"]");
    ck_assert_uint_eq(count_list(report, "completed"), 28);
    cJSON_Delete(report);
    assert_logged(&lab, "completed host:spine00.mars:login: on fire\n");
    lab_stop(&lab);
}
END_TEST

START_TEST(a_device_that_runs_the_version_already_is_completed_untouched) {
    struct lab lab = lab_start(ARGS("--latency", "0"), NULL);
    const char *request = "{\"version\": \"5.3.1\", \"filter_dev_types\": [\"edge\"]}";
    cJSON_Delete(upgrade(&lab, request));
    double installs = device_number(&lab, "edge00.earth", "installs");
    cJSON *report = upgrade(&lab, request);
    ck_assert_uint_eq(count_list(report, "completed"), 16);
    cJSON_Delete(report);
    ck_assert_double_eq(device_number(&lab, "edge00.earth", "installs"), installs);
    ck_assert_double_eq(device_number(&lab, "edge00.earth", "logins"), 2);
    assert_logged(&lab, "completed host:edge00.earth:nothing to do!!!\n");
    lab_stop(&lab);
}
END_TEST

// What is logged of a device for each effect on each operation that can meet it. Each row has a
// rack of its own in one job: its fault is on the first leaf, and the second is skipped where that
// fails.
#define BACK_LATE(last) "; the device was not back within 5s (" last ")"
#define NOT_THE_ONE     "installed 5.3.1 but the device runs "
static const struct {
    const char *fault; // what follows the match
    const char *text;
} outcomes[] = {
    {"'on': 'login', 'effect': 'error'", "login: problem communicating with device"},
    {"'on': 'login', 'effect': 'error', 'code': -32001, 'message': 'authentication failed'",
     "login: authentication failed"},
    {"'on': 'login', 'effect': 'refuse'", "login: connection reset by the device"},
    {"'on': 'login', 'effect': 'reset'", "login: connection reset by the device"},
    {"'on': 'login', 'effect': 'close'", "login: connection closed by the device"},
    {"'on': 'login', 'effect': 'truncate'", "login: connection closed by the device in mid-answer"},
    {"'on': 'login', 'effect': 'no_reply'", "login: no answer within 2s"},
    {"'on': 'login', 'effect': 'delay', 'by': '1h'", "login: no answer within 2s"},
    {"'on': 'login', 'effect': 'slow', 'bytes_per_second': 1", "login: no whole answer within 2s"},
    {"'on': 'login', 'effect': 'garbage'", "login: the answer is not JSON"},
    {"'on': 'login', 'effect': 'oversize'", "login: the answer is longer than 65536 bytes"},
    {"'on': 'login', 'effect': 'wrong_id'", "login: the answer has another id than the question"},

    {"'on': 'get_version', 'effect': 'error', 'message': 'disk full'", "get_version: disk full"},
    {"'on': 'get_version', 'effect': 'reset'", "get_version: connection reset by the device"},
    {"'on': 'get_version', 'effect': 'close'", "get_version: connection closed by the device"},
    {"'on': 'get_version', 'effect': 'truncate'",
     "get_version: connection closed by the device in mid-answer"},
    {"'on': 'get_version', 'effect': 'no_reply'", "get_version: no answer within 2s"},
    {"'on': 'get_version', 'effect': 'delay', 'by': '1h'", "get_version: no answer within 2s"},
    {"'on': 'get_version', 'effect': 'slow', 'bytes_per_second': 1",
     "get_version: no whole answer within 2s"},
    {"'on': 'get_version', 'effect': 'garbage'", "get_version: the answer is not JSON"},
    {"'on': 'get_version', 'effect': 'oversize'",
     "get_version: the answer is longer than 65536 bytes"},
    {"'on': 'get_version', 'effect': 'wrong_id'",
     "get_version: the answer has another id than the question"},
    {"'on': 'get_version', 'effect': 'wrong_version', 'times': 1", "success!!!"},
    {"'on': 'get_version', 'effect': 'wrong_version'", "get_version: " NOT_THE_ONE "0.0.0"},

    {"'on': 'install_os_version', 'effect': 'error'",
     "install_os_version: problem communicating with device"},
    {"'on': 'install_os_version', 'effect': 'reset'",
     "install_os_version: connection reset by the device; then get_version: " NOT_THE_ONE "5.2.1"},
    {"'on': 'install_os_version', 'effect': 'close'",
     "install_os_version: connection closed by the device; then get_version: " NOT_THE_ONE "5.2.1"},
    {"'on': 'install_os_version', 'effect': 'truncate'", "success!!!"}, // it was carried out
    {"'on': 'install_os_version', 'effect': 'no_reply'", "install_os_version: no answer within 5s"},
    {"'on': 'install_os_version', 'effect': 'delay', 'by': '1h'",
     "install_os_version: no answer within 5s"},
    {"'on': 'install_os_version', 'effect': 'slow', 'bytes_per_second': 1",
     "install_os_version: no whole answer within 5s"},
    {"'on': 'install_os_version', 'effect': 'garbage'",
     "install_os_version: the answer is not JSON"},
    {"'on': 'install_os_version', 'effect': 'oversize'",
     "install_os_version: the answer is longer than 65536 bytes"},
    {"'on': 'install_os_version', 'effect': 'wrong_id'",
     "install_os_version: the answer has another id than the question"},
    {"'on': 'install_os_version', 'effect': 'wrong_version'", "get_version: " NOT_THE_ONE "5.2.1"},
    {"'on': 'install_os_version', 'effect': 'reboot', 'downtime': '300ms'", "success!!!"},
    {"'on': 'install_os_version', 'effect': 'reboot', 'downtime': '1h'",
     "install_os_version: connection reset by the device" BACK_LATE(
         "login: connection reset by the device")},
    {"'on': 'install_os_version', 'effect': 'brick'",
     "install_os_version: connection reset by the device" BACK_LATE(
         "login: connection reset by the device")},

    // The second get_version, which verifies the install.
    {"'on': 'get_version', 'after': 1, 'effect': 'error'",
     "get_version: problem communicating with device"},
    {"'on': 'get_version', 'after': 1, 'effect': 'reset'",
     "get_version: connection reset by the device" BACK_LATE(
         "get_version: connection reset by the device")},
    {"'on': 'get_version', 'after': 1, 'effect': 'close'",
     "get_version: connection closed by the device" BACK_LATE(
         "get_version: connection closed by the device")},
    {"'on': 'get_version', 'after': 1, 'times': 1, 'effect': 'close'", "success!!!"},
    {"'on': 'get_version', 'after': 1, 'effect': 'truncate'",
     "get_version: connection closed by the device in mid-answer" BACK_LATE(
         "get_version: connection closed by the device in mid-answer")},
    {"'on': 'get_version', 'after': 1, 'effect': 'no_reply'", "get_version: no answer within 2s"},
    {"'on': 'get_version', 'after': 1, 'effect': 'delay', 'by': '1h'",
     "get_version: no answer within 2s"},
    {"'on': 'get_version', 'after': 1, 'effect': 'slow', 'bytes_per_second': 1",
     "get_version: no whole answer within 2s"},
    {"'on': 'get_version', 'after': 1, 'effect': 'garbage'", "get_version: the answer is not JSON"},
    {"'on': 'get_version', 'after': 1, 'effect': 'oversize'",
     "get_version: the answer is longer than 65536 bytes"},
    {"'on': 'get_version', 'after': 1, 'effect': 'wrong_id'",
     "get_version: the answer has another id than the question"},
    {"'on': 'get_version', 'after': 1, 'effect': 'wrong_version'",
     "get_version: " NOT_THE_ONE "0.0.0"},

    {"'on': 'logout', 'effect': 'error'", "logout: problem communicating with device"},
    {"'on': 'logout', 'effect': 'reset'", "success!!!"}, // it is asked once more, and verified
    {"'on': 'logout', 'effect': 'close'", "success!!!"},
    {"'on': 'logout', 'effect': 'truncate'", "success!!!"},
    {"'on': 'logout', 'effect': 'no_reply'", "logout: no answer within 2s"},
    {"'on': 'logout', 'effect': 'delay', 'by': '1h'", "logout: no answer within 2s"},
    {"'on': 'logout', 'effect': 'slow', 'bytes_per_second': 1",
     "logout: no whole answer within 2s"},
    {"'on': 'logout', 'effect': 'garbage'", "logout: the answer is not JSON"},
    {"'on': 'logout', 'effect': 'oversize'", "logout: the answer is longer than 65536 bytes"},
    {"'on': 'logout', 'effect': 'wrong_id'", "logout: the answer has another id than the question"},
};
enum { OUTCOMES = COUNT(outcomes), RACKS = 50 };

// The row's device, or the other of its rack.
static void row_host(int row, int number, char *text, size_t size) {
    snprintf(text, size, "leaf%02d.%s", 2 * (row % RACKS) + number, row < RACKS ? "earth" : "mars");
}

static void add_row_faults(const struct lab *lab) {
    for (int row = 0; row < OUTCOMES; row++) {
        char host[32], fault[512];
        row_host(row, 0, host, sizeof host);
        snprintf(fault, sizeof fault, "{'match': {'host': '%s'}, %s}", host, outcomes[row].fault);
        for (char *c = fault; *c != '\0'; c++)
            if (*c == '\'') *c = '"';
        add_faults(lab, fault);
    }
}

START_TEST(every_failure_is_told_in_its_own_words_and_stops_its_group_alone) {
    char path[] = "/tmp/e2e-network-XXXXXX";
    int fd = mkstemp(path);
    ck_assert_int_ge(fd, 0);
    dprintf(fd, "sites: [earth, mars]\nlatency: 0\nversions: [5.2.1]\n");
    close(fd);
    struct lab lab =
        lab_start(ARGS("--network", path), ARGS("--call-timeout", "2s", "--install-timeout", "5s"));
    unlink(path);
    add_row_faults(&lab);
    cJSON *report = upgrade(&lab, "{\"version\": \"5.3.1\", \"filter_dev_types\": [\"leaf\"]}");
    const cJSON *failed = cJSON_GetObjectItem(report, "failed")->child;
    const cJSON *skipped = cJSON_GetObjectItem(report, "skipped")->child;
    char *log = read_file(lab.log);
    for (int row = 0; row < OUTCOMES; row++) {
        char host[32], line[512];
        row_host(row, 0, host, sizeof host);
        snprintf(line, sizeof line, ":completed host:%s:", host);
        const char *logged = strstr(log, line);
        ck_assert_ptr_nonnull(logged);
        logged += strlen(line);
        ck_assert_msg(strncmp(logged, outcomes[row].text, strcspn(logged, "\n")) == 0 &&
                          strlen(outcomes[row].text) == strcspn(logged, "\n"),
                      "%s: expected '%s', got '%.*s'", outcomes[row].fault, outcomes[row].text,
                      (int)strcspn(logged, "\n"), logged);
        if (strcmp(outcomes[row].text, "success!!!") == 0) continue;
        ck_assert_str_eq(failed->valuestring, host); // inventory order is that of the rows
        row_host(row, 1, host, sizeof host);
        ck_assert_str_eq(skipped->valuestring, host);
        failed = failed->next;
        skipped = skipped->next;
    }
    ck_assert_ptr_null(failed);
    ck_assert_ptr_null(skipped);
    free(log);
    cJSON_Delete(report);
    lab_stop(&lab);
}
END_TEST

START_TEST(a_device_that_restarts_after_its_install_is_awaited_and_verified) {
    struct lab lab = lab_start(ARGS("--latency", "0"), NULL);
    add_faults(&lab, "{\"match\": {\"host\": \"leaf0*.earth\"}, \"on\": \"install_os_version\", "
                     "\"effect\": \"reboot\", \"downtime\": \"400ms\"}");
    cJSON *report = upgrade(&lab, "{\"version\": \"5.3.1\", \"filter_sites\": [\"earth\"]}");
    ck_assert_uint_eq(count_list(report, "completed"), 106);
    cJSON_Delete(report);
    ck_assert_double_eq(device_number(&lab, "leaf00.earth", "installs"), 1);
    assert_logged(&lab, "completed host:leaf00.earth:success!!!\n");
    assert_logged(&lab,
                  ":completed subtask:leaf00.earth:install_os_version:connection reset by the "
                  "device\n");
    lab_stop(&lab);
}
END_TEST

START_TEST(a_device_that_does_not_come_back_fails_and_spares_its_group) {
    struct lab lab = lab_start(ARGS("--latency", "0"), ARGS("--install-timeout", "1s"));
    add_faults(&lab, "{\"match\": {\"host\": \"edge00.earth\"}, \"on\": \"install_os_version\", "
                     "\"effect\": \"brick\"}");
    cJSON *report = upgrade(&lab, "{\"version\": \"5.3.1\", \"filter_dev_types\": [\"edge\"]}");
    assert_list(report, "failed", "[\"edge00.earth\"]");
    assert_list(report, "skipped", "[\"edge01.earth\"]");
    cJSON_Delete(report);
    assert_logged(&lab, "completed host:edge00.earth:install_os_version: connection reset by the "
                        "device; the device was not back within 1s (login: connection reset by the "
                        "device)\n");
    ck_assert_double_eq(device_number(&lab, "edge01.earth", "logins"), 0);
    lab_stop(&lab);
}
END_TEST

// A process that is stopped, or a machine that is moved, sees its deadlines pass all at once.
START_TEST(answers_that_came_while_the_orchestrator_stood_still_count) {
    struct lab lab = lab_start(ARGS("--latency", "10ms"), ARGS("--call-timeout", "1s"));
    struct call *call = call_start(lab.api, "/upgrade-os/",
                                   "{\"version\": \"5.3.1\", \"filter_sites\": [\"earth\"], "
                                   "\"filter_dev_types\": [\"edge\"]}");
    await_event(lab.admin, "get_version", "begun", 1);
    program_signal(&lab.orchestrator, SIGSTOP);
    await_event(lab.admin, "get_version", "answered", 1);
    // Until the deadline has passed: nothing more happens, so the simulator waits as long as asked.
    cJSON_Delete(get_json(lab.admin, "/events/?after=1000000&wait=2s"));
    program_signal(&lab.orchestrator, SIGCONT);
    assert_answer(call_wait(call), 200,
                  "{\"failed\": [], \"skipped\": [], \"completed\": [\"edge00.earth\", "
                  "\"edge01.earth\"]}");
    lab_stop(&lab);
}
END_TEST

// The timer of the connection to that port: 2 is keepalive (the kernel's proc_net_tcp.txt); -1
// where there is no such connection.
static int timer_of_connection_to(unsigned port) {
    char *text = read_file("/proc/net/tcp");
    int timer = -1;
    for (char *line = strchr(text, '\n'); line != NULL && timer < 0;
         line = strchr(line + 1, '\n')) {
        unsigned remote_port, state;
        int kind;
        if (sscanf(line, " %*u: %*x:%*x %*x:%x %x %*x:%*x %d:", &remote_port, &state, &kind) == 3 &&
            remote_port == port && state == 1)
            timer = kind;
    }
    free(text);
    return timer;
}

START_TEST(a_device_that_installs_is_probed_so_that_a_silent_restart_is_noticed) {
    struct lab lab = lab_start(ARGS("--latency", "0"), ARGS("--workers", "1"));
    unsigned port = (unsigned)strtoul(strrchr(lab.devices, ':') + 1, NULL, 10);
    add_faults(&lab, "{\"on\": \"install_os_version\", \"effect\": \"delay\", \"by\": \"1s\", "
                     "\"match\": {\"host\": \"edge00.earth\"}}");
    struct call *call = call_start(lab.api, "/upgrade-os/",
                                   "{\"version\": \"5.3.1\", \"filter_sites\": [\"earth\"], "
                                   "\"filter_dev_types\": [\"edge\"]}");
    await_event(lab.admin, "install_os_version", "begun", 1);
    int timer;
    do // 1: what was sent is not acknowledged yet; -1: a table that changes while it is read lacks
       // it
        timer = timer_of_connection_to(port);
    while (timer == 1 || timer == -1);
    ck_assert_int_eq(timer, 2);
    struct answer answer = call_wait(call);
    ck_assert_int_eq(answer.status, 200);
    answer_free(&answer);
    lab_stop(&lab);
}
END_TEST

START_TEST(a_refused_connection_fails_the_host) {
    char path[] = "/tmp/e2e-network-XXXXXX";
    int fd = mkstemp(path);
    ck_assert_int_ge(fd, 0);
    dprintf(fd, "sites: [earth]\nhosts:\n  leaf62.earth: {port: 1}\n");
    struct lab lab = lab_start(ARGS("--latency", "0", "--network", path), NULL);
    cJSON *report = upgrade(&lab, "{\"version\": \"5.3.1\"}");
    assert_list(report, "failed", "[\"leaf62.earth\"]");
    assert_list(report, "skipped", "[\"leaf63.earth\"]");
    ck_assert_uint_eq(count_list(report, "completed"), 104);
    cJSON_Delete(report);
    assert_logged(&lab, "completed host:leaf62.earth:connect to 127.0.0.1:1: connection refused\n");
    lab_stop(&lab);
    unlink(path);
}
END_TEST

static double metric(const struct lab *lab, const char *series) {
    struct answer a = http_get(lab->api, "/metrics/");
    ck_assert_int_eq(a.status, 200);
    char wanted[256];
    snprintf(wanted, sizeof wanted, "\n%s ", series);
    const char *line = strstr(a.body, wanted);
    double value = line == NULL ? -1 : strtod(line + strlen(wanted), NULL);
    answer_free(&a);
    return value;
}

START_TEST(the_metrics_count_what_happened_as_the_seed_prints_it) {
    struct lab lab = lab_start(ARGS("--latency", "0"), NULL);
    add_faults(&lab, "{\"match\": {\"host\": \"spine01.saturn\"}, \"on\": \"install_os_version\", "
                     "\"effect\": \"error\", \"times\": 1}");
    for (int run = 0; run < 3; run++)
        cJSON_Delete(upgrade(&lab, "{\"version\": \"5.3.1\", \"filter_dev_types\": [\"spine\"]}"));

    struct answer a = http_get(lab.api, "/metrics/");
    ck_assert_str_eq(answer_header(&a, "Content-Type"), "text/plain; version=0.0.4; charset=utf-8");
    ck_assert_ptr_nonnull(strstr(a.body, "\ntotal_task_requests_per_host_total{dev_type=\"spine\","
                                         "host=\"spine03.jupyter\",site=\"jupyter\"} 3.0\n"));
    ck_assert_ptr_nonnull(strstr(a.body, "\ntotal_task_requests_per_host_total{dev_type=\"spine\","
                                         "host=\"spine03.saturn\",site=\"saturn\"} 2.0\n"));
    ck_assert_ptr_nonnull(strstr(a.body, "\nfailed_tasks_per_host_total{dev_type=\"spine\","
                                         "host=\"spine01.saturn\",site=\"saturn\"} 1.0\n"));
    ck_assert_ptr_null(strstr(a.body, "failed_tasks_per_host_total{dev_type=\"spine\","
                                      "host=\"spine03.saturn\""));
    ck_assert_ptr_nonnull(strstr(a.body, "\ntotal_task_requests_total 3.0\n"));
    ck_assert_ptr_nonnull(strstr(a.body, "\nfailed_tasks_total 1.0\n"));
    answer_free(&a);

    double changed = metric(&lab, "orchestrator_hosts_total{result=\"changed\"}");
    double unchanged = metric(&lab, "orchestrator_hosts_total{result=\"unchanged\"}");
    ck_assert_double_eq(changed + unchanged, 93);
    ck_assert_double_eq(metric(&lab, "orchestrator_hosts_total{result=\"failed\"}"), 1);
    ck_assert_double_eq(metric(&lab, "orchestrator_hosts_total{result=\"skipped\"}"), 2);
    ck_assert_double_eq(metric(&lab, "orchestrator_host_duration_seconds_count"), 94);
    ck_assert_double_eq(metric(&lab, "orchestrator_job_duration_seconds_count"), 3);
    ck_assert_double_eq(metric(&lab, "orchestrator_workers_busy"), 0);
    ck_assert_double_eq(metric(&lab, "orchestrator_groups_pending"), 0);
    ck_assert_double_eq(metric(&lab, "orchestrator_workers"), 100);
    ck_assert_double_gt(metric(&lab, "process_open_fds"), 0);
    lab_stop(&lab);
}
END_TEST

static int sample_order(const void *a, const void *b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

// promtool takes a series that is given twice, so that is looked for here.
static void assert_no_series_twice(char *text) {
    char *lines[8192] = {0}, *save = NULL;
    size_t count = 0;
    for (char *line = strtok_r(text, "\n", &save); line != NULL && count < 8192;
         line = strtok_r(NULL, "\n", &save)) {
        if (line[0] == '#') continue;
        *strrchr(line, ' ') = '\0';
        lines[count++] = line;
    }
    ck_assert_uint_gt(count, 100);
    qsort(lines, count, sizeof *lines, sample_order);
    for (size_t i = 1; i < count; i++)
        ck_assert_msg(strcmp(lines[i - 1], lines[i]) != 0, "twice: %s", lines[i]);
}

START_TEST(promtool_finds_nothing_to_say_of_the_metrics) {
    struct lab lab = lab_start(ARGS("--latency", "0"), NULL);
    add_faults(&lab, "{\"match\": {\"site\": \"mars\"}, \"on\": \"login\", \"effect\": \"error\"}");
    cJSON_Delete(upgrade(&lab, "{\"version\": \"5.3.1\"}"));
    const char *const bases[] = {lab.api, lab.admin};
    for (size_t i = 0; i < 2; i++) {
        char command[256];
        snprintf(command, sizeof command,
                 "curl -s %s/metrics/ | promtool check metrics > %s/promtool 2>&1", bases[i],
                 lab.dir);
        int rc = system(command);
        snprintf(command, sizeof command, "%s/promtool", lab.dir);
        char *output = read_file(command);
        ck_assert_str_eq(output, "");
        ck_assert_int_eq(rc, 0);
        free(output);
        unlink(command);
        struct answer a = http_get(bases[i], "/metrics/");
        if (i == 0) assert_no_series_twice(a.body);
        answer_free(&a);
    }
    lab_stop(&lab);
}
END_TEST

START_TEST(prometheus_gets_openmetrics_that_ends_as_it_must) {
    struct lab lab = lab_start(ARGS("--latency", "0"), NULL);
    cJSON_Delete(upgrade(&lab, "{\"version\": \"5.3.1\", \"filter_dev_types\": [\"edge\"]}"));
    struct answer a = http_send(
        "GET", lab.api, "/metrics/",
        ARGS("Accept: application/openmetrics-text;version=1.0.0,application/openmetrics-text;"
             "version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1"),
        NULL);
    ck_assert_str_eq(answer_header(&a, "Content-Type"),
                     "application/openmetrics-text; version=1.0.0; charset=utf-8");
    size_t len = strlen(a.body);
    ck_assert_str_eq(a.body + len - 6, "# EOF\n");
    ck_assert_ptr_nonnull(strstr(a.body, "# TYPE total_task_requests_per_host counter\n"));
    ck_assert_ptr_nonnull(
        strstr(a.body, "\ntotal_task_requests_per_host_total{dev_type=\"edge\","));
    answer_free(&a);
    lab_stop(&lab);
}
END_TEST

START_TEST(all_accept_headers_count_and_the_answer_says_that_it_varies) {
    struct lab lab = lab_start(ARGS("--latency", "0"), NULL);
    const char *const bases[] = {lab.api, lab.admin};
    for (size_t i = 0; i < 2; i++) {
        struct answer a = http_send("GET", bases[i], "/metrics/",
                                    ARGS("Accept: text/plain;q=0.5", "accept: image/png",
                                         "Accept: application/openmetrics-text;q=0.9"),
                                    NULL);
        ck_assert_str_eq(answer_header(&a, "Content-Type"),
                         "application/openmetrics-text; version=1.0.0; charset=utf-8");
        ck_assert_str_eq(answer_header(&a, "Vary"), "Origin, Accept");
        answer_free(&a);
        a = http_get(bases[i], "/livez");
        ck_assert_str_eq(answer_header(&a, "Vary"), "Origin");
        answer_free(&a);
    }
    lab_stop(&lab);
}
END_TEST

Suite *check_upgrade(void) {
    Suite *suite = suite_create("upgrade");
    TCase *tc = tcase_create("upgrade");
    tcase_set_timeout(tc, 120);
    tcase_add_test(tc, the_seeds_first_request_gets_the_seeds_answer);
    tcase_add_test(tc, a_failed_spine_stops_the_spines_of_its_site_and_no_other);
    tcase_add_test(tc, a_device_that_runs_the_version_already_is_completed_untouched);
    tcase_add_test(tc, every_failure_is_told_in_its_own_words_and_stops_its_group_alone);
    tcase_add_test(tc, a_device_that_restarts_after_its_install_is_awaited_and_verified);
    tcase_add_test(tc, a_device_that_does_not_come_back_fails_and_spares_its_group);
    tcase_add_test(tc, answers_that_came_while_the_orchestrator_stood_still_count);
    tcase_add_test(tc, a_device_that_installs_is_probed_so_that_a_silent_restart_is_noticed);
    tcase_add_test(tc, a_refused_connection_fails_the_host);
    tcase_add_test(tc, the_metrics_count_what_happened_as_the_seed_prints_it);
    tcase_add_test(tc, promtool_finds_nothing_to_say_of_the_metrics);
    tcase_add_test(tc, prometheus_gets_openmetrics_that_ends_as_it_must);
    tcase_add_test(tc, all_accept_headers_count_and_the_answer_says_that_it_varies);
    suite_add_tcase(suite, tc);
    return suite;
}

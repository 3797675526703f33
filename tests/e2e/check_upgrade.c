// Upgrades end to end, as far as a scenario cannot say it: a process that stands still, the
// kernel's timer of a connection, what other tools think of the metrics. The rest is in scenarios/.
#include "common/buf.h"
#include "tests/e2e/harness.h"

#include <arpa/inet.h>
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

// --- a device of ours that does not wait to be asked

static int listen_for_devices(uint16_t *port) {
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t len = sizeof in;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    ck_assert_int_eq(bind(fd, (struct sockaddr *)&in, len), 0);
    ck_assert_int_eq(listen(fd, 8), 0);
    ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&in, &len), 0);
    *port = ntohs(in.sin_port);
    return fd;
}

static struct lab lab_over_one_device(char *inventory, uint16_t port) {
    int fd = mkstemp(inventory);
    ck_assert_int_ge(fd, 0);
    dprintf(fd,
            "earth: {edge00.earth: {platform: acmeos, dev_type: edge, rack: '10', "
            "hostname: 127.0.0.1, port: %u}}\n",
            port);
    close(fd);
    return lab_start(ARGS("--latency", "0"), ARGS("--inventory", inventory));
}

// Everything that a device would say in a whole upgrade, told before the first question. The ids
// are 1, 2, 3 and so on, as those of many a client are.
static const char dialogue[] =
    "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"hostname\":\"edge00.earth\",\"platform\":"
    "\"acmeos\"}}\n"
    "{\"jsonrpc\":\"2.0\",\"id\":2,\"result\":{\"os_version\":\"5.3\",\"revision\":\"1\","
    "\"full_version\":\"5.3.1\"}}\n"
    "{\"jsonrpc\":\"2.0\",\"id\":3,\"result\":true}\n";

START_TEST(a_device_that_answers_before_it_is_asked_fails) {
    char inventory[] = "/tmp/e2e-inventory-XXXXXX";
    uint16_t port;
    int listener = listen_for_devices(&port);
    struct lab lab = lab_over_one_device(inventory, port);
    struct call *call = call_start(lab.api, "/upgrade-os/", "{\"version\": \"5.3.1\"}");
    int device = accept(listener, NULL, NULL);
    ck_assert_int_ge(device, 0);
    send_text(device, dialogue);
    assert_answer(call_wait(call), 200,
                  "{\"failed\": [\"edge00.earth\"], \"skipped\": [], \"completed\": []}");
    close(device);
    close(listener);
    unlink(inventory);
    lab_stop(&lab);
}
END_TEST

// What the device is asked next. The answer is the caller's to give.
static cJSON *next_request(int device, const char *method) {
    char *line = read_line(device);
    ck_assert_ptr_nonnull(line);
    cJSON *request = cJSON_Parse(line);
    ck_assert_str_eq(cJSON_GetObjectItem(request, "method")->valuestring, method);
    free(line);
    return request;
}

static void give_answer(int device, cJSON *request, const char *text, const char *behind) {
    struct buf line = {0};
    buf_addf(&line, "{\"jsonrpc\":\"2.0\",\"id\":%.0f,%s}\n%s",
             cJSON_GetObjectItem(request, "id")->valuedouble, text, behind);
    send_text(device, line.data);
    buf_deinit(&line);
    cJSON_Delete(request);
}

// Answers it, and says more behind it, at once.
static void answer_next(int device, const char *method, const char *result, const char *behind) {
    struct buf text = {0};
    buf_addf(&text, "\"result\":%s", result);
    give_answer(device, next_request(device, method), text.data, behind);
    buf_deinit(&text);
}

START_TEST(what_a_device_says_behind_its_last_answer_harms_nobody) {
    char inventory[] = "/tmp/e2e-inventory-XXXXXX";
    uint16_t port;
    int listener = listen_for_devices(&port);
    struct lab lab = lab_over_one_device(inventory, port);
    for (int i = 0; i < 2; i++) { // and the next job is served like the first
        struct call *call = call_start(lab.api, "/upgrade-os/", "{\"version\": \"5.3.1\"}");
        int device = accept(listener, NULL, NULL);
        ck_assert_int_ge(device, 0);
        answer_next(device, "login", "{\"hostname\":\"edge00.earth\",\"platform\":\"acmeos\"}", "");
        answer_next(device, "get_version",
                    "{\"os_version\":\"5.3\",\"revision\":\"1\",\"full_version\":\"5.3.1\"}", "");
        answer_next(device, "logout", "true",
                    "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":true}\nbye\n\nx");
        assert_answer(call_wait(call), 200,
                      "{\"failed\": [], \"skipped\": [], \"completed\": [\"edge00.earth\"]}");
        close(device);
    }
    close(listener);
    unlink(inventory);
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
    char inventory[] = "/tmp/e2e-inventory-XXXXXX";
    uint16_t port;
    int listener = listen_for_devices(&port);
    struct lab lab = lab_over_one_device(inventory, port);
    struct call *call = call_start(lab.api, "/upgrade-os/", "{\"version\": \"5.3.1\"}");
    int device = accept(listener, NULL, NULL);
    ck_assert_int_ge(device, 0);
    answer_next(device, "login", "{\"hostname\":\"edge00.earth\",\"platform\":\"acmeos\"}", "");
    answer_next(device, "get_version",
                "{\"os_version\":\"5.2\",\"revision\":\"0\",\"full_version\":\"5.2.0\"}", "");
    int timer;
    cJSON *install = next_request(device, "install_os_version");
    do // 1: what was sent is not acknowledged yet; -1: a table that changes while it is read lacks
       // it
        timer = timer_of_connection_to(port);
    while (timer == 1 || timer == -1);
    ck_assert_int_eq(timer, 2);
    give_answer(device, install, "\"error\":{\"code\":-32000,\"message\":\"no space left\"}", "");
    assert_answer(call_wait(call), 200,
                  "{\"failed\": [\"edge00.earth\"], \"skipped\": [], \"completed\": []}");
    close(device);
    close(listener);
    unlink(inventory);
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
    tcase_add_test(tc, answers_that_came_while_the_orchestrator_stood_still_count);
    tcase_add_test(tc, a_device_that_answers_before_it_is_asked_fails);
    tcase_add_test(tc, what_a_device_says_behind_its_last_answer_harms_nobody);
    tcase_add_test(tc, a_device_that_installs_is_probed_so_that_a_silent_restart_is_noticed);
    tcase_add_test(tc, promtool_finds_nothing_to_say_of_the_metrics);
    tcase_add_test(tc, prometheus_gets_openmetrics_that_ends_as_it_must);
    tcase_add_test(tc, all_accept_headers_count_and_the_answer_says_that_it_varies);
    suite_add_tcase(suite, tc);
    return suite;
}

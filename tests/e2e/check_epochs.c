// Who has been replaced installs nothing: an orchestrator, and beside it somebody who logs in by
// hand with a newer epoch.
#include "common/acmeos.h"
#include "common/buf.h"
#include "common/clock.h"
#include "tests/e2e/harness.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

Suite *check_epochs(void);

static struct lab lab;
static char network[128], state[128];

// Two groups of two, but for leaf04.earth, which is alone.
static void set_up(void) {
    snprintf(network, sizeof network, "/tmp/e2e-epochs-%d.yaml", (int)getpid());
    snprintf(state, sizeof state, "/tmp/e2e-epochs-%d.db", (int)getpid());
    write_private(network, "{sites: [earth], dev_types: {leaf: {count: 5}}, versions: [5.2.1], "
                           "epochs: true}\n");
}

static void tear_down(void) {
    static const char *const more[] = {"", "-wal", "-shm"};
    char path[160];
    unlink(network);
    for (size_t i = 0; i < 3; i++) {
        snprintf(path, sizeof path, "%s%s", state, more[i]);
        unlink(path);
    }
}

static void start(void) {
    lab = lab_start(ARGS("--network", network, "--latency", "0"), ARGS("--state", "none"));
}

// A connection that is logged in by hand; it is answered with its epoch.
static int log_in(const char *host, uint64_t epoch) {
    char text[256];
    int fd = dial(lab.devices);
    snprintf(text, sizeof text,
             "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"login\",\"params\":{\"hostname\":\"%s\","
             "\"username\":\"admin\",\"password\":\"admin\",\"epoch\":%" PRIu64 "}}\n",
             host, epoch);
    send_text(fd, text);
    snprintf(text, sizeof text,
             "{\"jsonrpc\": \"2.0\", \"id\": 1, \"result\": {\"hostname\": \"%s\", \"platform\": "
             "\"acmeos\", \"epoch\": %" PRIu64 "}}",
             host, epoch);
    char *line = read_line(fd);
    ck_assert_str_eq(line, text);
    free(line);
    return fd;
}

static void install(int fd) {
    send_text(fd, "{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"install_os_version\",\"params\":"
                  "{\"version\":\"5.3.1\"}}\n");
    assert_reply(fd, "{\"jsonrpc\": \"2.0\", \"id\": 2, \"result\": {\"os_version\": \"5.3\", "
                     "\"revision\": \"1\", \"full_version\": \"5.3.1\"}}");
}

static double number_of(const char *host, const char *field) {
    char path[64];
    snprintf(path, sizeof path, "/devices/%s/", host);
    cJSON *device = get_json(lab.admin, path);
    const cJSON *value = cJSON_GetObjectItem(device, field);
    const double number = value == NULL ? -1 : value->valuedouble;
    cJSON_Delete(device);
    return number;
}

static double unix_time(void) {
    const long long seconds = clock_wall_ms() / 1000;
    return (double)seconds;
}

static struct answer upgrade(const char *host) {
    char body[128];
    snprintf(body, sizeof body, "{\"version\": \"5.3.1\", \"filter_hosts\": [\"%s\"]}", host);
    return http_post(lab.api, "/upgrade-os/", body);
}

START_TEST(who_was_replaced_is_refused_at_the_login_and_the_host_fails_with_that) {
    start();
    close(log_in("leaf04.earth", ACMEOS_EPOCH_MAX));
    assert_answer(upgrade("leaf04.earth"), 200,
                  "{\"failed\": [\"leaf04.earth\"], \"skipped\": [], \"completed\": []}");
    assert_logged(&lab, ":completed host:leaf04.earth:login: stale epoch ");
    assert_logged(&lab, ": 9007199254740991 is in charge\n");
    ck_assert_double_eq(number_of("leaf04.earth", "installs"), 0);
    lab_stop(&lab);
}
END_TEST

// The version is told late, so that the login is answered and the install not sent.
START_TEST(who_is_replaced_between_login_and_install_installs_nothing) {
    start();
    add_faults(&lab, "{\"on\": \"get_version\", \"effect\": \"delay\", \"by\": \"1s\"}");
    struct call *call = call_start(lab.api, "/upgrade-os/",
                                   "{\"version\": \"5.3.1\", \"filter_hosts\": "
                                   "[\"leaf04.earth\"]}");
    await_event(lab.admin, "get_version", "begun", 1);
    int fd = log_in("leaf04.earth", ACMEOS_EPOCH_MAX);
    assert_answer(call_wait(call), 200,
                  "{\"failed\": [\"leaf04.earth\"], \"skipped\": [], \"completed\": []}");
    assert_logged(&lab, ":completed host:leaf04.earth:install_os_version: stale epoch ");
    ck_assert_double_eq(number_of("leaf04.earth", "installs"), 0);
    install(fd); // who has replaced it can
    close(fd);
    lab_stop(&lab);
}
END_TEST

START_TEST(a_peer_that_has_seen_a_newer_epoch_keeps_the_others_from_their_install) {
    start();
    close(log_in("leaf01.earth", ACMEOS_EPOCH_MAX));
    assert_answer(upgrade("leaf00.earth"), 200,
                  "{\"failed\": [], \"skipped\": [\"leaf00.earth\"], \"completed\": []}");
    assert_logged(&lab, ":skipped   host:leaf00.earth:");
    assert_logged(&lab, "login: stale epoch ");
    ck_assert_double_eq(number_of("leaf00.earth", "installs"), 0);
    lab_stop(&lab);
}
END_TEST

static void start_again(const char *inventory) {
    lab.orchestrator =
        program_start("orchestrator", ARGS("--listen", "127.0.0.1:0", "--inventory", inventory,
                                           "--log", lab.log, "--state", state));
    snprintf(lab.api, sizeof lab.api, "%s", lab.orchestrator.url);
}

START_TEST(each_start_of_a_service_says_a_higher_epoch) {
    double before = 0;
    for (int starts = 0; starts < 3; starts++) {
        const double began = unix_time();
        char inventory[128];
        snprintf(inventory, sizeof inventory, "%s/inventory/", lab.admin);
        if (starts == 0)
            lab = lab_start(ARGS("--network", network, "--latency", "0"), ARGS("--state", state));
        else
            start_again(inventory);
        struct answer a = upgrade("leaf00.earth");
        answer_free(&a);
        const double epoch = number_of("leaf00.earth", "epoch");
        ck_assert_double_gt(epoch, before);
        ck_assert_double_ge(epoch, began);
        ck_assert_double_eq(number_of("leaf01.earth", "epoch"), epoch); // its peer was asked
        before = epoch;
        if (starts < 2) ck_assert_int_eq(program_stop(&lab.orchestrator), 0);
    }
    lab_stop(&lab);
}
END_TEST

// The job has kept that its host takes epochs: the inventory cannot be read.
START_TEST(a_host_in_doubt_is_asked_under_the_epoch_of_the_next_start) {
    int status;
    lab = lab_start(ARGS("--network", network, "--latency", "0"), ARGS("--state", state));
    add_faults(&lab, "{\"on\": \"install_os_version\", \"effect\": \"delay\", \"by\": \"2s\"}");
    struct answer a = http_send("POST", lab.api, "/upgrade-os/",
                                ARGS("Content-Type: application/json", "Prefer: respond-async"),
                                "{\"version\": \"5.3.1\", \"filter_hosts\": [\"leaf04.earth\"]}");
    ck_assert_int_eq((int)a.status, 202);
    answer_free(&a);
    await_event(lab.admin, "install_os_version", "begun", 1);
    const double before = number_of("leaf04.earth", "epoch");
    program_signal(&lab.orchestrator, SIGKILL);
    ck_assert_int_eq(waitpid(lab.orchestrator.pid, &status, 0), lab.orchestrator.pid);
    start_again("http://127.0.0.1:1/inventory/");
    await_event(lab.admin, "login", "answered", 2);
    ck_assert_double_gt(before, 0);
    ck_assert_double_gt(number_of("leaf04.earth", "epoch"), before);
    lab_stop(&lab);
}
END_TEST

START_TEST(without_a_store_the_epoch_is_the_time_of_the_start) {
    const double before = unix_time();
    start();
    const double after = unix_time();
    struct answer a = upgrade("leaf04.earth");
    answer_free(&a);
    ck_assert_double_ge(number_of("leaf04.earth", "epoch"), before);
    ck_assert_double_le(number_of("leaf04.earth", "epoch"), after);
    lab_stop(&lab);
}
END_TEST

START_TEST(a_stand_in_that_installs_under_an_old_epoch_is_convicted) {
    lab = bare_start(ARGS("--network", network, "--latency", "0"));
    int newer = log_in("leaf00.earth", 9), older = log_in("leaf01.earth", 7),
        elsewhere = log_in("leaf02.earth", 7);
    install(elsewhere);
    install(older);
    cJSON *audit = get_json(lab.admin, "/audit/");
    const cJSON *violations = cJSON_GetObjectItem(audit, "violations");
    ck_assert_int_eq(cJSON_GetArraySize(violations), 1);
    const cJSON *violation = cJSON_GetArrayItem(violations, 0);
    ck_assert_str_eq(cJSON_GetObjectItem(violation, "kind")->valuestring, "stale_epoch");
    ck_assert_str_eq(cJSON_GetObjectItem(violation, "group")->valuestring, "earth_leaf_100");
    ck_assert_str_eq(cJSON_GetArrayItem(cJSON_GetObjectItem(violation, "hosts"), 0)->valuestring,
                     "leaf01.earth");
    cJSON_Delete(audit);
    struct answer metrics = http_get(lab.admin, "/metrics/");
    ck_assert_ptr_nonnull(
        strstr(metrics.body, "simulator_violations_total{kind=\"stale_epoch\"} 1"));
    answer_free(&metrics);
    close(newer);
    close(older);
    close(elsewhere);
    bare_stop(&lab);
}
END_TEST

Suite *check_epochs(void) {
    Suite *suite = suite_create("epochs");
    TCase *tcase = tcase_create("epochs");
    suite_add_tcase(suite, tcase);
    tcase_set_timeout(tcase, 60);
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, who_was_replaced_is_refused_at_the_login_and_the_host_fails_with_that);
    tcase_add_test(tcase, who_is_replaced_between_login_and_install_installs_nothing);
    tcase_add_test(tcase, a_peer_that_has_seen_a_newer_epoch_keeps_the_others_from_their_install);
    tcase_add_test(tcase, each_start_of_a_service_says_a_higher_epoch);
    tcase_add_test(tcase, a_host_in_doubt_is_asked_under_the_epoch_of_the_next_start);
    tcase_add_test(tcase, without_a_store_the_epoch_is_the_time_of_the_start);
    tcase_add_test(tcase, a_stand_in_that_installs_under_an_old_epoch_is_convicted);
    return suite;
}

// The orchestrator's log where its reader or its disk does not take it: the job goes on.
#include "tests/e2e/harness.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

Suite *check_log(void);

// At level debug more than a pipe holds.
static void upgrade_all(const struct lab *lab) {
    struct answer a = http_post(lab->api, "/upgrade-os/", "{\"version\": \"5.3.1\"}");
    ck_assert_int_eq(a.status, 200);
    cJSON *report = answer_json(&a);
    ck_assert_int_eq(cJSON_GetArraySize(cJSON_GetObjectItem(report, "completed")), 848);
    cJSON_Delete(report);
    answer_free(&a);
}

static bool metrics_hold(const struct lab *lab, const char *line) {
    struct answer a = http_get(lab->api, "/metrics/");
    bool holds = a.status == 200 && strstr(a.body, line) != NULL;
    answer_free(&a);
    return holds;
}

START_TEST(a_fifo_that_nobody_reads_stops_nothing) {
    char folder[] = "/tmp/e2e-log-XXXXXX", fifo[64];
    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(fifo, sizeof fifo, "%s/fifo", folder);
    ck_assert_int_eq(mkfifo(fifo, 0600), 0);
    struct lab lab = lab_start(ARGS("--latency", "0"), ARGS("--log", fifo));
    upgrade_all(&lab);
    lab_stop(&lab);
    unlink(fifo);
    rmdir(folder);
}
END_TEST

START_TEST(a_stderr_that_nobody_reads_stops_nothing) {
    int fds[2];
    ck_assert_int_eq(pipe2(fds, O_CLOEXEC), 0);
    struct lab lab = bare_start(ARGS("--latency", "0")); // its stderr is the test's
    int before = dup(STDERR_FILENO);
    dup2(fds[1], STDERR_FILENO);
    char inventory[128];
    snprintf(inventory, sizeof inventory, "%s/inventory/", lab.admin);
    lab.orchestrator =
        program_start("orchestrator", ARGS("--listen", "127.0.0.1:0", "--inventory", inventory,
                                           "--log", "-", "--log-level", "debug"));
    dup2(before, STDERR_FILENO);
    ck_assert_int_eq(fcntl(fds[1], F_GETFL) & O_NONBLOCK, 0); // others who share it may block
    snprintf(lab.api, sizeof lab.api, "%s", strstr(lab.orchestrator.ready, "http://"));
    upgrade_all(&lab);
    lab_stop(&lab);
}
END_TEST

START_TEST(a_full_disk_loses_lines_counts_them_and_says_so_when_there_is_space) {
    struct lab lab = lab_start(ARGS("--latency", "0"), NULL);
    const struct rlimit full = {.rlim_cur = 1000, .rlim_max = RLIM_INFINITY};
    const struct rlimit space = {.rlim_cur = RLIM_INFINITY, .rlim_max = RLIM_INFINITY};
    ck_assert_int_eq(prlimit(lab.orchestrator.pid, RLIMIT_FSIZE, &full, NULL), 0);
    upgrade_all(&lab);
    ck_assert(metrics_hold(&lab, "\norchestrator_log_lines_lost_total "));
    ck_assert(!metrics_hold(&lab, "\norchestrator_log_lines_lost_total 0.0\n"));
    ck_assert_int_eq(prlimit(lab.orchestrator.pid, RLIMIT_FSIZE, &space, NULL), 0);
    char *log = NULL;
    do { // soon: it tries again by itself
        free(log);
        log = read_file(lab.log);
    } while (strstr(log, " lines of the log were lost\n") == NULL);
    free(log);
    upgrade_all(&lab);
    log = read_file(lab.log);
    for (const char *line = log; *line != '\0'; line = strchr(line, '\n') + 1) {
        static const char *const levels[] = {"DEBUG:", "INFO:", "WARNING:"};
        bool begins = false;
        for (size_t i = 0; i < sizeof levels / sizeof *levels; i++)
            begins = begins || strncmp(line, levels[i], strlen(levels[i])) == 0;
        ck_assert_msg(begins && strchr(line, '\n') != NULL, "%.200s", line);
    }
    ck_assert_ptr_nonnull(strstr(log, ":completed task:upgrade_os\n"));
    free(log);
    lab_stop(&lab);
}
END_TEST

Suite *check_log(void) {
    Suite *suite = suite_create("log");
    TCase *tc = tcase_create("log");
    tcase_set_timeout(tc, 180);
    tcase_add_test(tc, a_fifo_that_nobody_reads_stops_nothing);
    tcase_add_test(tc, a_stderr_that_nobody_reads_stops_nothing);
    tcase_add_test(tc, a_full_disk_loses_lines_counts_them_and_says_so_when_there_is_space);
    suite_add_tcase(suite, tc);
    return suite;
}

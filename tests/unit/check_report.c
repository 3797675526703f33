#include "orchestrator/report.h"
#include "tests/unit/support.h"

#include <signal.h>

Suite *check_report(void);

static const char network[] =
    "{'earth': {" HOST("a", "spine", "1") ", " HOST("b", "spine", "1") ", " HOST(
        "c", "leaf", "1") ", " HOST("d", "leaf", "1") ", " HOST("e", "edge", "1") "}}";

static struct job *job_of(const char *hosts) { // as letters
    struct inventory *inventory = inventory_of(network);
    struct selection selection = {.hosts = mem_array(strlen(hosts), sizeof(uint32_t))};
    for (; hosts[selection.count] != '\0'; selection.count++)
        selection.hosts[selection.count] = (uint32_t)(hosts[selection.count] - 'a');
    struct task_args args = {.version = "5.3.1"};
    return job_new("id", &task_upgrade_os, &args, inventory, &selection);
}

static void tell(struct job *job, char host, enum host_result result) {
    struct event event = {.kind = EVENT_TASK_INSTANCE_COMPLETED,
                          .job = job,
                          .host = &job->inventory->hosts[host - 'a'],
                          .result = result};
    report_event(NULL, &event);
}

static void reads(const struct job *job, const char *expected) {
    size_t len = 0;
    char *json = report_json(job, &len), *quoted = double_quoted(expected);
    ck_assert_str_eq(json, quoted);
    ck_assert_uint_eq(len, strlen(json));
    free(json);
    free(quoted);
}

START_TEST(hosts_are_reported_by_result_in_inventory_order) {
    struct job *job = job_of("abcde");
    tell(job, 'e', HOST_CHANGED);
    tell(job, 'd', HOST_SKIPPED);
    tell(job, 'c', HOST_FAILED);
    tell(job, 'b', HOST_UNCHANGED);
    tell(job, 'a', HOST_FAILED);
    reads(job, "{'failed': ['a', 'c'], 'skipped': ['d'], 'completed': ['b', 'e']}\n");
    job_free(job);
}
END_TEST

START_TEST(hosts_not_selected_and_other_events_leave_no_trace) {
    struct job *job = job_of("bd");
    reads(job, "{'failed': [], 'skipped': [], 'completed': []}\n");
    struct event started = {
        .kind = EVENT_TASK_INSTANCE_STARTED, .job = job, .host = &job->inventory->hosts[1]};
    report_event(NULL, &started);
    reads(job, "{'failed': [], 'skipped': [], 'completed': []}\n");
    tell(job, 'd', HOST_CHANGED);
    reads(job, "{'failed': [], 'skipped': [], 'completed': ['d']}\n");
    job_free(job);
}
END_TEST

START_TEST(a_job_without_hosts_reports_empty_lists) {
    struct job *job = job_of("");
    reads(job, "{'failed': [], 'skipped': [], 'completed': []}\n");
    job_free(job);
}
END_TEST

START_TEST(a_host_reported_twice_is_our_own_mistake) {
    struct job *job = job_of("a");
    tell(job, 'a', HOST_CHANGED);
    tell(job, 'a', HOST_CHANGED); // aborts
    job_free(job);
}
END_TEST

Suite *check_report(void) {
    Suite *suite = suite_create("report");
    TCase *tcase = tcase_create("report");
    suite_add_tcase(suite, tcase);
    tcase_add_test(tcase, hosts_are_reported_by_result_in_inventory_order);
    tcase_add_test(tcase, hosts_not_selected_and_other_events_leave_no_trace);
    tcase_add_test(tcase, a_job_without_hosts_reports_empty_lists);
    tcase_add_test_raise_signal(tcase, a_host_reported_twice_is_our_own_mistake, SIGABRT);
    return suite;
}

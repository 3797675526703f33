#include "orchestrator/job.h"
#include "tests/unit/applied.h"

#include <signal.h>

Suite *check_job(void);

static const char network[] =
    "{'earth': {" HOST("a", "spine", "1") ", " HOST("b", "spine", "1") ", " HOST(
        "c", "leaf", "1") ", " HOST("d", "leaf", "1") ", " HOST("e", "edge", "1") "}}";

static struct job *job_of(const char *hosts) { // as letters
    struct inventory *inventory = inventory_of(network);
    struct selection selection = {.hosts = mem_array(strlen(hosts), sizeof(uint32_t))};
    for (; hosts[selection.count] != '\0'; selection.count++)
        selection.hosts[selection.count] = (uint32_t)(hosts[selection.count] - 'a');
    struct task_args args = {.version = "5.3.1"};
    struct grouping grouping = acme_groups(inventory, &selection);
    return job_new("id", &task_upgrade_os, &args, inventory, &selection, &grouping);
}

// In hand, then its result.
static void tell(struct job *job, char host, enum host_state result) {
    if (result != HOST_SKIPPED) job_turn(job, (uint32_t)(host - 'a'), HOST_IN_HAND);
    job_turn(job, (uint32_t)(host - 'a'), result);
}

static void reads(const struct job *job, const char *expected) {
    size_t len = 0;
    char *json = job_report_json(job, &len), *quoted = double_quoted(expected);
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

START_TEST(hosts_not_selected_and_those_without_a_result_are_in_no_list) {
    struct job *job = job_of("bd");
    reads(job, "{'failed': [], 'skipped': [], 'completed': []}\n");
    job_turn(job, 1, HOST_IN_HAND);
    reads(job, "{'failed': [], 'skipped': [], 'completed': []}\n");
    tell(job, 'd', HOST_CHANGED);
    reads(job, "{'failed': [], 'skipped': [], 'completed': ['d']}\n");
    job_free(job);
}
END_TEST

START_TEST(hosts_are_counted_by_their_state) {
    struct job *job = job_of("abde");
    ck_assert_uint_eq(job->counts[HOST_WAITING], 4);
    job_turn(job, 3, HOST_IN_HAND);
    ck_assert_int_eq(job_host(job, 3)->state, HOST_IN_HAND);
    ck_assert_int_eq(job_host(job, 4)->state, HOST_WAITING);
    ck_assert_uint_eq(job->counts[HOST_WAITING], 3);
    ck_assert_uint_eq(job->counts[HOST_IN_HAND], 1);
    job_turn(job, 3, HOST_WAITING); // put back
    ck_assert_uint_eq(job->counts[HOST_WAITING], 4);
    tell(job, 'd', HOST_FAILED);
    tell(job, 'e', HOST_SKIPPED);
    ck_assert_uint_eq(job->counts[HOST_WAITING], 2);
    ck_assert_uint_eq(job->counts[HOST_IN_HAND], 0);
    ck_assert_uint_eq(job->counts[HOST_FAILED], 1);
    ck_assert_uint_eq(job->counts[HOST_SKIPPED], 1);
    job_free(job);
}
END_TEST

START_TEST(a_job_without_hosts_reports_empty_lists) {
    struct job *job = job_of("");
    reads(job, "{'failed': [], 'skipped': [], 'completed': []}\n");
    job_free(job);
}
END_TEST

static const struct {
    enum host_state from, to;
} impossible[] = {
    {HOST_CHANGED, HOST_CHANGED},   {HOST_FAILED, HOST_CHANGED},    {HOST_SKIPPED, HOST_IN_HAND},
    {HOST_WAITING, HOST_CHANGED},   {HOST_WAITING, HOST_FAILED},    {HOST_SKIPPED, HOST_WAITING},
    {HOST_UNCHANGED, HOST_WAITING}, {HOST_WAITING, HOST_UNCHANGED},
};

START_TEST(a_result_is_final_and_none_comes_out_of_turn) {
    struct job *job = job_of("a");
    if (impossible[_i].from == HOST_IN_HAND)
        job_turn(job, 0, HOST_IN_HAND);
    else if (impossible[_i].from != HOST_WAITING)
        tell(job, 'a', impossible[_i].from);
    job_turn(job, 0, impossible[_i].to); // aborts
    job_free(job);
}
END_TEST

Suite *check_job(void) {
    Suite *suite = suite_create("job");
    TCase *tcase = tcase_create("job");
    suite_add_tcase(suite, tcase);
    tcase_add_test(tcase, hosts_are_reported_by_result_in_inventory_order);
    tcase_add_test(tcase, hosts_not_selected_and_those_without_a_result_are_in_no_list);
    tcase_add_test(tcase, hosts_are_counted_by_their_state);
    tcase_add_test(tcase, a_job_without_hosts_reports_empty_lists);
    tcase_add_loop_test_raise_signal(tcase, a_result_is_final_and_none_comes_out_of_turn, SIGABRT,
                                     0, (int)COUNT(impossible));
    return suite;
}

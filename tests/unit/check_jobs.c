#include "orchestrator/jobs.h"
#include "tests/unit/support.h"

#include <stdio.h>

Suite *check_jobs(void);

static struct job *job_of(const char *id) {
    struct inventory *inventory = inventory_of("{'earth': {" HOST("a", "spine", "1") "}}");
    struct selection none = {0};
    struct task_args args = {.version = "5.3.1"};
    struct grouping grouping = {0};
    return job_new(id, &task_upgrade_os, &args, NULL, inventory, &none, &grouping);
}

static char told[64];

static void note(void *arg, const struct job *job) {
    size_t len = strlen(told);
    snprintf(told + len, sizeof told - len, "%s:%s ", (const char *)arg, job->id);
}

START_TEST(a_job_is_found_by_its_id_until_it_is_done) {
    struct jobs *jobs = jobs_new();
    told[0] = '\0';
    struct job *one = job_of("one"), *two = job_of("two");
    jobs_add(jobs, one);
    jobs_add(jobs, two);
    ck_assert_uint_eq(jobs_count(jobs), 2);
    ck_assert_ptr_eq(jobs_find(jobs, "one"), one);
    ck_assert_ptr_eq(jobs_find(jobs, "two"), two);
    ck_assert_ptr_null(jobs_find(jobs, "three"));
    jobs_done(jobs, one);
    ck_assert_uint_eq(jobs_count(jobs), 1);
    ck_assert_ptr_null(jobs_find(jobs, "one"));
    ck_assert_ptr_eq(jobs_find(jobs, "two"), two);
    jobs_free(jobs);
}
END_TEST

START_TEST(each_watcher_of_a_job_is_told_once_in_order) {
    struct jobs *jobs = jobs_new();
    told[0] = '\0';
    struct job *one = job_of("one"), *two = job_of("two");
    char a[] = "a", b[] = "b", c[] = "c";
    jobs_add(jobs, one);
    jobs_add(jobs, two);
    jobs_watch(jobs, one, note, a);
    jobs_watch(jobs, two, note, b);
    jobs_watch(jobs, one, note, c);
    jobs_done(jobs, one);
    ck_assert_str_eq(told, "a:one c:one ");
    jobs_done(jobs, two);
    ck_assert_str_eq(told, "a:one c:one b:two ");
    jobs_free(jobs);
}
END_TEST

START_TEST(a_watcher_of_all_jobs_is_told_of_each) {
    struct jobs *jobs = jobs_new();
    told[0] = '\0';
    struct job *one = job_of("one"), *two = job_of("two");
    char a[] = "a", b[] = "b";
    jobs_watch(jobs, NULL, note, a);
    jobs_add(jobs, one);
    jobs_add(jobs, two);
    jobs_watch(jobs, one, note, b);
    jobs_done(jobs, one);
    ck_assert_str_eq(told, "a:one b:one ");
    jobs_leave(jobs);
    ck_assert_str_eq(told, "a:one b:one a:two ");
    jobs_free(jobs);
}
END_TEST

START_TEST(a_watcher_that_leaves_is_not_told_and_the_job_goes_on) {
    struct jobs *jobs = jobs_new();
    told[0] = '\0';
    struct job *one = job_of("one");
    char a[] = "a", b[] = "b";
    jobs_add(jobs, one);
    jobs_watch(jobs, one, note, a);
    jobs_watch(jobs, one, note, b);
    jobs_unwatch(jobs, a);
    jobs_unwatch(jobs, a); // again: nothing
    ck_assert_uint_eq(jobs_count(jobs), 1);
    jobs_done(jobs, one);
    ck_assert_str_eq(told, "b:one ");
    jobs_free(jobs);
}
END_TEST

START_TEST(a_job_is_found_by_its_number_and_by_its_key) {
    struct jobs *jobs = jobs_new();
    struct job *one = job_of("one"), *two = job_of("two");
    one->number = 7;
    two->number = 9;
    two->key = mem_strdup("night-1");
    jobs_add(jobs, one);
    jobs_add(jobs, two);
    ck_assert_ptr_eq(jobs_numbered(jobs, 9), two);
    ck_assert_ptr_null(jobs_numbered(jobs, 8));
    ck_assert_ptr_eq(jobs_keyed(jobs, "night-1"), two);
    ck_assert_ptr_null(jobs_keyed(jobs, "night"));
    jobs_free(jobs);
}
END_TEST

START_TEST(watchers_of_jobs_that_are_left_to_the_next_process_are_told) {
    struct jobs *jobs = jobs_new();
    told[0] = '\0';
    struct job *one = job_of("one"), *two = job_of("two");
    char a[] = "a", b[] = "b";
    jobs_add(jobs, one);
    jobs_add(jobs, two);
    jobs_watch(jobs, two, note, a);
    jobs_watch(jobs, one, note, b);
    jobs_leave(jobs);
    ck_assert_str_eq(told, "b:one a:two ");
    ck_assert_uint_eq(jobs_count(jobs), 2);
    jobs_free(jobs);
}
END_TEST

START_TEST(what_is_left_is_freed_untold) {
    struct jobs *jobs = jobs_new();
    told[0] = '\0';
    struct job *one = job_of("one");
    char a[] = "a";
    jobs_add(jobs, one);
    jobs_watch(jobs, one, note, a);
    jobs_free(jobs);
    ck_assert_str_eq(told, "");
}
END_TEST

Suite *check_jobs(void) {
    Suite *suite = suite_create("jobs");
    TCase *tcase = tcase_create("jobs");
    suite_add_tcase(suite, tcase);
    tcase_add_test(tcase, a_job_is_found_by_its_id_until_it_is_done);
    tcase_add_test(tcase, each_watcher_of_a_job_is_told_once_in_order);
    tcase_add_test(tcase, a_watcher_of_all_jobs_is_told_of_each);
    tcase_add_test(tcase, a_watcher_that_leaves_is_not_told_and_the_job_goes_on);
    tcase_add_test(tcase, a_job_is_found_by_its_number_and_by_its_key);
    tcase_add_test(tcase, watchers_of_jobs_that_are_left_to_the_next_process_are_told);
    tcase_add_test(tcase, what_is_left_is_freed_untold);
    return suite;
}

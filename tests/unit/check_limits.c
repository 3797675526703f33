#include "common/limits.h"
#include "tests/unit/support.h"

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

Suite *check_limits(void);

static struct rlimit before;

static void keep_limit(void) {
    ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &before), 0);
}

static void restore_limit(void) {
    setrlimit(RLIMIT_NOFILE, &before);
}

START_TEST(the_soft_limit_is_raised_where_it_is_too_low) {
    struct rlimit limit = {.rlim_cur = 64, .rlim_max = before.rlim_max};
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
    struct error err;
    ck_assert_int_eq(limits_descriptors(64, &err), 0);
    ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
    ck_assert_uint_eq(limit.rlim_cur, 64); // enough: left alone
    ck_assert_int_eq(limits_descriptors(65, &err), 0);
    ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
    ck_assert_uint_ge(limit.rlim_cur, 65);
}
END_TEST

START_TEST(what_the_hard_limit_forbids_is_told_with_the_remedy) {
    struct error err;
    unsigned long needed = (unsigned long)before.rlim_max + 1;
    ck_assert_int_eq(limits_descriptors(needed, &err), ERROR_INPUT);
    ck_assert_ptr_nonnull(strstr(err.text, "ulimit -n"));
    ck_assert_uint_eq(strtoul(err.text, NULL, 10), needed);
}
END_TEST

START_TEST(threads_that_can_be_made_are_no_error) {
    struct error err;
    ck_assert_int_eq(limits_threads(1, &err), 0);
    ck_assert_int_eq(limits_threads(20, &err), 0);
}
END_TEST

// As somebody who may do no more than others: root has no such limit.
static int make_threads_as_nobody(void) {
    enum { NOBODY = 65534 };
    const struct rlimit few = {.rlim_cur = 1, .rlim_max = 1};
    struct error err;
    if (geteuid() == 0 && setresuid(NOBODY, NOBODY, NOBODY) != 0) return 2;
    if (setrlimit(RLIMIT_NPROC, &few) != 0) return 3;
    if (limits_threads(20, &err) != ERROR_INPUT) return 4;
    static const char told[] =
        "20 threads are needed, and the system makes 0: Resource temporarily "
        "unavailable: raise the limit (ulimit -u, or TasksMax=";
    return strncmp(err.text, told, sizeof told - 1) == 0 ? 0 : 5;
}

START_TEST(threads_that_the_system_refuses_are_told_with_the_remedy) {
    int status = -1;
    const pid_t child = fork();
    ck_assert_int_ge(child, 0);
    if (child == 0) _exit(make_threads_as_nobody());
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_int_eq(status, 0);
}
END_TEST

Suite *check_limits(void) {
    Suite *suite = suite_create("limits");
    TCase *tcase = tcase_create("limits");
    suite_add_tcase(suite, tcase);
    tcase_add_checked_fixture(tcase, keep_limit, restore_limit);
    tcase_add_test(tcase, the_soft_limit_is_raised_where_it_is_too_low);
    tcase_add_test(tcase, what_the_hard_limit_forbids_is_told_with_the_remedy);
    tcase_add_test(tcase, threads_that_can_be_made_are_no_error);
    tcase_add_test(tcase, threads_that_the_system_refuses_are_told_with_the_remedy);
    return suite;
}

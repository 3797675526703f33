// What is wrong with the machine when the orchestrator is started: each test is a row of
// spec/machine_faults.tsv. It says what is wrong and what to do, and leaves the store as it was.
#include "common/buf.h"
#include "common/count.h"
#include "common/file.h"
#include "tests/e2e/rig.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

Suite *check_machine_start(void);

// --- a store with a job that is over

static void make_store(void) {
    rig_start(NULL);
    rig_begin();
    rig_assert_done(RIG_HOSTS, 0);
    ck_assert_int_eq(rig_end(), 0);
    ck_assert_int_eq(unlink(rig.errors), 0);
}

static void patch(const char *path, off_t at, const void *bytes, size_t len) {
    const int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(pwrite(fd, bytes, len, at), (ssize_t)len);
    close(fd);
}

static struct buf contents(void) {
    struct buf text = {0};
    struct error err;
    if (access(rig.store, F_OK) != 0) return text;
    ck_assert_msg(file_read(rig.store, &text, &err) == 0, "%s", err.text);
    return text;
}

static void refuse(const char *test, const char *const *args) {
    struct buf before = contents();
    const int code = rig_start_in_vain(args);
    struct buf after = contents();
    ck_assert_int_eq(code, 1);
    rig_exit(test, code);
    rig_said(test);
    if (before.len > 0) { // there was one
        ck_assert_uint_eq(before.len, after.len);
        ck_assert_mem_eq(before.data, after.data, after.len);
    }
    buf_deinit(&before);
    buf_deinit(&after);
}

// What was wrong is mended: the jobs are there.
static void assert_starts(void) {
    rig_start(NULL);
    rig_assert_done(RIG_HOSTS, 0);
    ck_assert_int_eq(rig_end(), 0);
}

#define REFUSE(...) refuse(__func__, ARGS(__VA_ARGS__))

static void fail_and_mend(const char *test, enum disk_mode mode) {
    make_store();
    rig_disk(mode);
    refuse(test, NULL);
    rig_disk(DISK_OK);
    assert_starts();
}

// --- the disk of the store

START_TEST(the_disk_of_a_new_store_is_full) {
    rig_disk(DISK_FULL);
    refuse(__func__, NULL);
    ck_assert_int_ne(access(rig.store, F_OK), 0);
}
END_TEST

START_TEST(the_disk_of_the_store_is_full_at_the_start) {
    fail_and_mend(__func__, DISK_FULL);
}
END_TEST

START_TEST(the_store_cannot_be_read_at_the_start) {
    fail_and_mend(__func__, DISK_UNREADABLE);
}
END_TEST

START_TEST(the_store_cannot_be_written_at_the_start) {
    fail_and_mend(__func__, DISK_ERROR);
}
END_TEST

START_TEST(the_file_system_of_the_store_is_read_only) {
    fail_and_mend(__func__, DISK_READ_ONLY);
}
END_TEST

START_TEST(the_folder_of_the_store_is_not_there) {
    REFUSE("--state", folder_path(rig.dir, "gone/a.db"));
}
END_TEST

// --- the store itself

START_TEST(the_store_is_of_a_newer_version) {
    make_store();
    patch(rig.store, 60, "\0\0\0\7", 4);
    refuse(__func__, NULL);
}
END_TEST

START_TEST(the_header_of_the_store_is_damaged) {
    make_store();
    patch(rig.store, 0, "XXXX", 4);
    refuse(__func__, NULL);
    patch(rig.store, 0, "SQLi", 4);
    assert_starts();
}
END_TEST

START_TEST(a_page_of_the_store_is_damaged) {
    char garbage[4096];
    make_store();
    memset(garbage, 'x', sizeof garbage);
    patch(rig.store, sizeof garbage, garbage, sizeof garbage);
    refuse(__func__, NULL);
}
END_TEST

START_TEST(the_store_is_cut_off) {
    make_store();
    ck_assert_int_eq(truncate(rig.store, (off_t)3 * 4096), 0);
    refuse(__func__, NULL);
}
END_TEST

// The WAL of another store lies beside it: somebody has copied the one without the other.
START_TEST(the_wal_is_of_another_store) {
    char wal[128], kept[128], own[96];
    make_store();
    snprintf(own, sizeof own, "%s", rig.store);
    snprintf(wal, sizeof wal, "%s-wal", own);
    snprintf(kept, sizeof kept, "%s", folder_path(rig.dir, "state/other.db-wal"));
    snprintf(rig.store, sizeof rig.store, "%s", folder_path(rig.dir, "state/other.db"));
    rig_start(NULL);
    char detail[512];
    ck_assert_int_eq(rig_post("other", detail), 202);
    rig_kill();
    ck_assert_int_eq(rename(kept, wal), 0);
    snprintf(rig.store, sizeof rig.store, "%s", own);
    refuse(__func__, NULL);
    ck_assert_int_eq(unlink(wal), 0);
    assert_starts();
}
END_TEST

START_TEST(another_instance_has_the_store) {
    rig_start(NULL);
    refuse(__func__, NULL);
    ck_assert_int_eq(rig_end(), 0);
}
END_TEST

// --- the log, the port

static void refuse_log(const char *test, enum disk_mode mode) {
    rig_fail_log();
    rig_disk(mode);
    refuse(test, NULL);
}

START_TEST(the_disk_of_a_new_log_is_full) {
    refuse_log(__func__, DISK_FULL);
}
END_TEST

START_TEST(the_file_system_of_the_log_is_read_only) {
    refuse_log(__func__, DISK_READ_ONLY);
}
END_TEST

START_TEST(the_folder_of_the_log_is_not_there) {
    REFUSE("--log", folder_path(rig.dir, "gone/a.log"));
}
END_TEST

START_TEST(another_program_has_the_port) {
    char url[64];
    const int fd = listen_silently(url);
    char *address = strstr(url, "//") + 2;
    address[strcspn(address, "/")] = '\0';
    REFUSE("--listen", address);
    close(fd);
}
END_TEST

// --- what the system gives

START_TEST(descriptors_are_too_few) {
    struct rlimit before, few;
    ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &before), 0);
    few = (struct rlimit){.rlim_cur = 100, .rlim_max = 100};
    if (before.rlim_max < 100) few = before;
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &few), 0);
    refuse(__func__, NULL);
}
END_TEST

START_TEST(threads_are_too_few) {
    rig.machine->has_no_threads = true;
    refuse(__func__, NULL);
    rig.machine->has_no_threads = false;
}
END_TEST

START_TEST(stdout_takes_nothing) {
    rig.has_full_stdout = true;
    refuse(__func__, NULL);
}
END_TEST

// --- memory: this one begins well

// So many hosts that their document alone is larger than what is left.
static void write_hosts(const char *path, const char *inventory) {
    enum { HOSTS = 200 * 1000 };
    FILE *file = fopen(path, "w");
    ck_assert_ptr_nonnull(file);
    fprintf(file, "%.*s, \"mars\": {", (int)(strrchr(inventory, '}') - inventory), inventory);
    for (int i = 0; i < HOSTS; i++)
        fprintf(file,
                "%s\"leaf%d.mars\": {\"platform\": \"acmeos\", \"dev_type\": \"leaf\", \"rack\": "
                "\"%d\", \"hostname\": \"127.0.0.1\", \"port\": 1}",
                i == 0 ? "" : ", ", i, i);
    fprintf(file, "}}\n");
    ck_assert_int_eq(fclose(file), 0);
}

// AddressSanitizer maps more than there is; it can be told how large a piece may be.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
static void limit_memory(void) {
}
static void be_told_to_limit_memory(void) {
    setenv("ASAN_OPTIONS", "max_allocation_size_mb=8:allocator_may_return_null=1", 1);
    setenv("TSAN_OPTIONS", "max_allocation_size_mb=8:allocator_may_return_null=1", 1);
}
#else
static void limit_memory(void) {
    enum { LEFT = 24 << 20 };
    unsigned long pages;
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/statm", (int)rig.orchestrator.pid);
    FILE *file = fopen(path, "r");
    ck_assert_ptr_nonnull(file);
    ck_assert_int_eq(fscanf(file, "%lu", &pages), 1);
    fclose(file);
    const rlim_t bytes = pages * (rlim_t)sysconf(_SC_PAGESIZE) + LEFT;
    const struct rlimit limit = {.rlim_cur = bytes, .rlim_max = bytes};
    ck_assert_int_eq(prlimit(rig.orchestrator.pid, RLIMIT_AS, &limit, NULL), 0);
}
static void be_told_to_limit_memory(void) {
}
#endif

START_TEST(memory_is_used_up) {
    char path[128], detail[512];
    struct answer inventory = http_get(rig.admin, "/inventory/");
    snprintf(path, sizeof path, "%s", folder_path(rig.dir, "hosts.json"));
    patch(path, 0, inventory.body, strlen(inventory.body));
    be_told_to_limit_memory();
    rig_start(ARGS("--inventory", path));
    rig_begin();
    limit_memory();
    write_hosts(path, inventory.body);
    ck_assert_int_eq(rig_post("second", detail), 0);
    const int signum = rig_await_signal();
    ck_assert_int_eq(signum, SIGABRT);
    RIG_EXIT(128 + signum);
    RIG_SAID();
    unsetenv("ASAN_OPTIONS");
    unsetenv("TSAN_OPTIONS");
    ck_assert_int_eq(truncate(path, 0), 0);
    patch(path, 0, inventory.body, strlen(inventory.body));
    answer_free(&inventory);
    rig_start(ARGS("--inventory", path)); // it goes on where it was
    rig_assert_done(RIG_HOSTS, 0);
    ck_assert_int_eq(rig_end(), 0);
}
END_TEST

// --- the suite

#define TESTS(X)                                                                                   \
    X(the_disk_of_a_new_store_is_full)                                                             \
    X(the_disk_of_the_store_is_full_at_the_start)                                                  \
    X(the_store_cannot_be_read_at_the_start)                                                       \
    X(the_store_cannot_be_written_at_the_start)                                                    \
    X(the_file_system_of_the_store_is_read_only)                                                   \
    X(the_folder_of_the_store_is_not_there)                                                        \
    X(the_store_is_of_a_newer_version)                                                             \
    X(the_header_of_the_store_is_damaged)                                                          \
    X(a_page_of_the_store_is_damaged)                                                              \
    X(the_store_is_cut_off)                                                                        \
    X(the_wal_is_of_another_store)                                                                 \
    X(another_instance_has_the_store)                                                              \
    X(the_disk_of_a_new_log_is_full)                                                               \
    X(the_file_system_of_the_log_is_read_only)                                                     \
    X(the_folder_of_the_log_is_not_there)                                                          \
    X(another_program_has_the_port)                                                                \
    X(descriptors_are_too_few)                                                                     \
    X(threads_are_too_few)                                                                         \
    X(stdout_takes_nothing)                                                                        \
    X(memory_is_used_up)

START_TEST(each_row_has_its_test) {
#define X(name) #name,
    static const char *const names[] = {TESTS(X) NULL};
#undef X
    rig_assert_rows("machine_start", names);
}
END_TEST

Suite *check_machine_start(void) {
    Suite *suite = suite_create("machine_start");
    TCase *tcase = tcase_create("machine_start");
    suite_add_tcase(suite, tcase);
    tcase_set_timeout(tcase, 120);
    tcase_add_checked_fixture(tcase, rig_set_up, rig_tear_down);
#define X(name) tcase_add_test(tcase, name);
    TESTS(X)
#undef X
    tcase_add_test(tcase, each_row_has_its_test);
    return suite;
}

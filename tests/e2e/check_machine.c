// What happens where the machine goes wrong while a job runs: each test is a row of
// spec/machine_faults.tsv. Where the machine heals the job goes on by itself, and no outcome is
// lost or untrue.
#include "common/count.h"
#include "tests/e2e/rig.h"

#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

Suite *check_machine(void);

// Until nothing more happens on any device: for so long the simulator waits.
static void await_silence(void) {
    double after = 0;
    for (int events = 1; events > 0;) {
        char path[64];
        snprintf(path, sizeof path, "/events/?after=%.0f&wait=1s", after);
        cJSON *list = get_json(rig.admin, path);
        events = cJSON_GetArraySize(list);
        if (events > 0)
            after = cJSON_GetObjectItem(cJSON_GetArrayItem(list, events - 1), "n")->valuedouble;
        cJSON_Delete(list);
    }
}

static double installs_of_all(void) {
    cJSON *answer = get_json(rig.admin, "/devices/");
    const cJSON *device;
    double installs = 0;
    cJSON_ArrayForEach(device, cJSON_GetObjectItem(answer, "devices")) installs +=
        cJSON_GetObjectItem(device, "installs")->valuedouble;
    cJSON_Delete(answer);
    return installs;
}

static void assert_ready(long status, const char *detail) {
    struct answer a = http_get(rig.api, "/readyz");
    ck_assert_msg(a.status == status && strstr(a.body, detail) != NULL, "%ld %s", a.status, a.body);
    answer_free(&a);
}

// --- the disk of the store

// What was under way comes to its end on the devices, and nothing else begins.
static void assert_stands_still(const char *detail) {
    char refused[512];
    await_silence();
    const double installs = installs_of_all();
    ck_assert(installs > 0 && installs < RIG_HOSTS);
    assert_ready(503, detail);
    ck_assert_int_eq(rig_post("second", refused), 503);
    ck_assert_msg(strstr(refused, detail) != NULL && strstr(refused, "nothing was begun") != NULL,
                  "%s", refused);
    await_silence();
    ck_assert(installs_of_all() == installs);
}

static void fail_and_heal(const char *test, enum disk_mode mode, const char *detail) {
    rig_start(NULL);
    rig_begin();
    rig_disk(mode);
    rig_said(test);
    assert_stands_still(detail);
    rig_disk(DISK_OK);
    rig_assert_done(RIG_HOSTS, 0);
    ck_assert(rig_has_said("WARNING:*:store:it can be written again"));
    assert_ready(200, "ok");
    ck_assert_int_eq(rig_end(), 0);
}

START_TEST(the_disk_of_the_store_is_full) {
    fail_and_heal(__func__, DISK_FULL, "database or disk is full: make room");
}
END_TEST

START_TEST(the_disk_of_the_store_gives_errors) {
    fail_and_heal(__func__, DISK_ERROR, "disk I/O error (Input/output error)");
}
END_TEST

START_TEST(the_file_system_of_the_store_becomes_read_only) {
    fail_and_heal(__func__, DISK_READ_ONLY, "disk I/O error (Read-only file system)");
}
END_TEST

START_TEST(the_disk_of_the_store_hangs) {
    setenv("DISK_SLOW_MS", "3600000", 1);
    fail_and_heal(__func__, DISK_SLOW, "a write has not come back");
}
END_TEST

START_TEST(the_service_is_told_to_end_while_the_disk_is_full) {
    rig_start(NULL);
    rig_begin();
    rig_disk(DISK_FULL);
    await_silence();
    program_signal(&rig.orchestrator, SIGTERM);
    RIG_SAID();
    rig_disk(DISK_OK);
    const int code = program_wait(&rig.orchestrator);
    ck_assert_int_eq(code, 0);
    RIG_EXIT(code);
    rig_start(NULL); // it does the rest
    rig_assert_done(RIG_HOSTS, 0);
    ck_assert_int_eq(rig_end(), 0);
}
END_TEST

START_TEST(the_service_is_told_twice_to_end_while_the_disk_is_full) {
    rig_start(NULL);
    rig_begin();
    rig_disk(DISK_FULL);
    await_silence();
    program_signal(&rig.orchestrator, SIGTERM);
    while (!rig_has_said("*waiting for * hosts in hand*"))
        poll(NULL, 0, 1);
    const int code = rig_end();
    ck_assert_int_eq(code, 1);
    RIG_EXIT(code);
    RIG_SAID();
    rig_disk(DISK_OK);
    rig_start(NULL); // those in doubt run the version
    rig_assert_done(RIG_HOSTS, 0);
    ck_assert_int_eq(rig_end(), 0);
}
END_TEST

START_TEST(the_machine_goes_down_while_the_disk_is_full) {
    rig_start(NULL);
    rig_begin();
    rig_disk(DISK_FULL);
    await_silence();
    rig_kill();
    rig_disk(DISK_OK);
    rig_start(NULL);
    rig_assert_done(RIG_HOSTS, 0);
    RIG_SAID();
    ck_assert_int_eq(rig_end(), 0);
}
END_TEST

static void move_away(const char *test, const char *end) {
    char path[112], moved[128];
    snprintf(path, sizeof path, "%s%s", rig.store, end);
    snprintf(moved, sizeof moved, "%s.away", path);
    rig_start(NULL);
    rig_begin();
    ck_assert_int_eq(rename(path, moved), 0);
    rig_said(test);
    assert_stands_still("was removed, or replaced by another");
    ck_assert_int_eq(rename(moved, path), 0);
    rig_assert_done(RIG_HOSTS, 0);
    ck_assert_int_eq(rig_end(), 0);
}

START_TEST(the_file_of_the_store_is_moved_away) {
    move_away(__func__, "");
}
END_TEST

START_TEST(the_wal_of_the_store_is_moved_away) {
    move_away(__func__, "-wal");
}
END_TEST

// --- the disk of the log

static void fail_the_log(const char *test, enum disk_mode mode) {
    rig_fail_log();
    rig_start(NULL);
    rig_begin();
    rig_disk(mode);
    rig_assert_done(RIG_HOSTS, 0);
    rig_said(test);
    rig_disk(DISK_OK);
    while (!rig_has_said("WARNING:*:-:* lines of the log were lost")) // soon, by itself
        poll(NULL, 0, 1);
    ck_assert_int_eq(rig_end(), 0);
}

START_TEST(the_disk_of_the_log_is_full) {
    fail_the_log(__func__, DISK_FULL);
}
END_TEST

START_TEST(the_disk_of_the_log_gives_errors) {
    fail_the_log(__func__, DISK_ERROR);
}
END_TEST

START_TEST(the_file_system_of_the_log_becomes_read_only) {
    fail_the_log(__func__, DISK_READ_ONLY);
}
END_TEST

START_TEST(the_folder_of_the_log_is_removed) {
    rig_start(NULL);
    rig_begin();
    ck_assert_int_eq(unlink(rig.log), 0);
    ck_assert_int_eq(rmdir(folder_path(rig.dir, "log")), 0);
    program_signal(&rig.orchestrator, SIGHUP);
    RIG_SAID();
    rig_assert_done(RIG_HOSTS, 0);
    ck_assert_int_eq(mkdir(folder_path(rig.dir, "log"), 0700), 0);
    program_signal(&rig.orchestrator, SIGHUP);
    while (access(rig.log, R_OK) != 0)
        poll(NULL, 0, 1);
    ck_assert_int_eq(rig_end(), 0);
}
END_TEST

// --- descriptors, threads, memory

START_TEST(there_are_no_more_descriptors) {
    struct rlimit none = {0}, before;
    rig_start(ARGS("--peer-check", "off"));
    rig_begin();
    await_event(rig.admin, "install_os_version", "begun", 2);
    ck_assert_int_eq(prlimit(rig.orchestrator.pid, RLIMIT_NOFILE, NULL, &before), 0);
    none = (struct rlimit){.rlim_cur = 3, .rlim_max = before.rlim_max};
    ck_assert_int_eq(prlimit(rig.orchestrator.pid, RLIMIT_NOFILE, &none, NULL), 0);
    RIG_SAID();
    await_silence();
    ck_assert_int_eq(prlimit(rig.orchestrator.pid, RLIMIT_NOFILE, &before, NULL), 0);
    // Of each group the first was under way, the second could not be reached: the third is skipped.
    rig_assert_done(2, 2);
    ck_assert_int_eq(rig_end(), 0);
}
END_TEST

START_TEST(there_are_no_more_threads) {
    char detail[512];
    rig_start(NULL);
    rig_begin();
    rig.machine->has_no_threads = true;
    ck_assert_int_eq(rig_post("second", detail), 502);
    ck_assert_ptr_nonnull(strstr(detail, "no thread to read it: resource temporarily unavailable"));
    rig_await_over();
    rig.machine->has_no_threads = false;
    rig_assert_done(RIG_HOSTS, 0);
    ck_assert_int_eq(rig_post("second", detail), 202);
    ck_assert_int_eq(rig_end(), 0);
}
END_TEST

// --- clocks

static void shift_clock(int64_t ms) {
    rig_start(NULL);
    rig_begin();
    rig.machine->clock_ms = ms;
    rig_assert_done(RIG_HOSTS, 0);
    ck_assert_int_eq(rig_end(), 0);
    rig_start(NULL);
    rig_assert_done(RIG_HOSTS, 0);
    ck_assert_int_eq(rig_end(), 0);
}

enum { DAY_MS = 24 * 3600 * 1000 };

START_TEST(the_clock_is_set_back) {
    shift_clock(-DAY_MS);
}
END_TEST

START_TEST(the_clock_is_set_forward) {
    shift_clock(DAY_MS);
}
END_TEST

static void restart_at(const char *test, int64_t ms) {
    char path[96];
    rig_start(NULL);
    rig_begin();
    rig_kill();
    rig.machine->clock_ms = ms;
    rig_start(NULL);
    rig_said(test);
    snprintf(path, sizeof path, "/jobs/%s/resume/", rig.id);
    struct answer a = http_send("POST", rig.api, path, NULL, NULL);
    ck_assert_msg(a.status == 202, "%ld %s", a.status, a.body);
    answer_free(&a);
    rig_assert_done(RIG_HOSTS, 0);
    ck_assert_int_eq(rig_end(), 0);
}

START_TEST(the_clock_has_gone_back_over_a_restart) {
    restart_at(__func__, -DAY_MS);
}
END_TEST

START_TEST(the_clock_has_gone_forward_over_a_restart) {
    restart_at(__func__, DAY_MS);
}
END_TEST

// --- processors, and time that passes without the process

static void allow_one_core(pid_t pid) {
    char path[64];
    cpu_set_t all, one;
    size_t core = 0;
    ck_assert_int_eq(sched_getaffinity(pid, sizeof all, &all), 0);
    while (!CPU_ISSET(core, &all))
        core++;
    CPU_ZERO(&one);
    CPU_SET(core, &one);
    snprintf(path, sizeof path, "/proc/%d/task", (int)pid);
    DIR *threads = opendir(path);
    ck_assert_ptr_nonnull(threads);
    for (const struct dirent *thread; (thread = readdir(threads)) != NULL;)
        if (thread->d_name[0] != '.')
            ck_assert_int_eq(sched_setaffinity(atoi(thread->d_name), sizeof one, &one), 0);
    closedir(threads);
}

START_TEST(all_cores_but_one_are_taken_away) {
    rig_start(NULL);
    rig_begin();
    allow_one_core(rig.orchestrator.pid);
    rig_assert_done(RIG_HOSTS, 0);
    ck_assert_int_eq(rig_end(), 0);
}
END_TEST

// A machine that is suspended, or moved to another.
START_TEST(the_process_stands_still_for_longer_than_its_timeouts) {
    rig_start(ARGS("--call-timeout", "2s", "--install-timeout", "2s", "--peer-max-age", "2s"));
    rig_begin();
    program_signal(&rig.orchestrator, SIGSTOP);
    // Nothing more happens, so the simulator waits as long as asked.
    cJSON_Delete(get_json(rig.admin, "/events/?after=1000000&wait=3s"));
    program_signal(&rig.orchestrator, SIGCONT);
    rig_assert_done(RIG_HOSTS, 0);
    ck_assert_int_eq(rig_end(), 0);
}
END_TEST

// --- what it is started with

// A pipe that is full: whoever waits until it takes a line waits for ever.
static void fill(int fd) {
    char piece[4096];
    memset(piece, 'x', sizeof piece);
    ck_assert_int_eq(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
    while (write(fd, piece, sizeof piece) > 0)
        ;
    while (write(fd, piece, 1) > 0)
        ;
    ck_assert_int_eq(fcntl(fd, F_SETFL, 0), 0);
}

static int start_with_full_stderr(const char *const *args) {
    int fds[2];
    ck_assert_int_eq(pipe2(fds, O_CLOEXEC), 0);
    fill(fds[1]);
    snprintf(rig.errors, sizeof rig.errors, "/proc/self/fd/%d", fds[1]);
    rig_start(args);
    close(fds[1]);
    snprintf(rig.errors, sizeof rig.errors, "%s/errors", rig.dir);
    return fds[0];
}

START_TEST(nobody_reads_stderr) {
    const int reader = start_with_full_stderr(NULL);
    rig_begin();
    ck_assert_int_eq(unlink(rig.log), 0);
    ck_assert_int_eq(rmdir(folder_path(rig.dir, "log")), 0);
    program_signal(&rig.orchestrator, SIGHUP); // the log cannot be opened: there is much to say
    rig_disk(DISK_FULL);
    await_silence();
    program_signal(&rig.orchestrator, SIGTERM);
    rig_disk(DISK_OK);
    const int code = program_wait(&rig.orchestrator);
    ck_assert_int_eq(code, 0);
    RIG_EXIT(code);
    close(reader);
}
END_TEST

START_TEST(there_is_no_proc) {
    rig.machine->has_no_proc = true;
    const int reader = start_with_full_stderr(ARGS("--log", "-", "--log-level", "debug"));
    rig_begin();
    rig_assert_done(RIG_HOSTS, 0);
    struct answer a = http_get(rig.api, "/metrics/");
    ck_assert_int_eq(a.status, 200);
    ck_assert_ptr_null(strstr(a.body, "process_open_fds"));
    ck_assert_ptr_null(strstr(a.body, "process_start_time_seconds"));
    ck_assert_ptr_nonnull(strstr(a.body, "process_max_fds"));
    answer_free(&a);
    ck_assert_int_eq(rig_end(), 0);
    close(reader);
}
END_TEST

START_TEST(there_is_no_folder_for_temporary_files) {
    setenv("TMPDIR", "/nonexistent", 1);
    rig_start(NULL);
    rig_begin();
    rig_assert_done(RIG_HOSTS, 0);
    ck_assert_int_eq(rig_end(), 0);
}
END_TEST

// --- the suite

#define TESTS(X)                                                                                   \
    X(the_disk_of_the_store_is_full)                                                               \
    X(the_disk_of_the_store_gives_errors)                                                          \
    X(the_file_system_of_the_store_becomes_read_only)                                              \
    X(the_disk_of_the_store_hangs)                                                                 \
    X(the_service_is_told_to_end_while_the_disk_is_full)                                           \
    X(the_service_is_told_twice_to_end_while_the_disk_is_full)                                     \
    X(the_machine_goes_down_while_the_disk_is_full)                                                \
    X(the_file_of_the_store_is_moved_away)                                                         \
    X(the_wal_of_the_store_is_moved_away)                                                          \
    X(the_disk_of_the_log_is_full)                                                                 \
    X(the_disk_of_the_log_gives_errors)                                                            \
    X(the_file_system_of_the_log_becomes_read_only)                                                \
    X(the_folder_of_the_log_is_removed)                                                            \
    X(there_are_no_more_descriptors)                                                               \
    X(there_are_no_more_threads)                                                                   \
    X(the_clock_is_set_back)                                                                       \
    X(the_clock_is_set_forward)                                                                    \
    X(the_clock_has_gone_back_over_a_restart)                                                      \
    X(the_clock_has_gone_forward_over_a_restart)                                                   \
    X(all_cores_but_one_are_taken_away)                                                            \
    X(the_process_stands_still_for_longer_than_its_timeouts)                                       \
    X(nobody_reads_stderr)                                                                         \
    X(there_is_no_proc)                                                                            \
    X(there_is_no_folder_for_temporary_files)

START_TEST(each_row_has_its_test) {
#define X(name) #name,
    static const char *const names[] = {TESTS(X) NULL};
#undef X
    rig_assert_rows("machine", names);
}
END_TEST

Suite *check_machine(void) {
    Suite *suite = suite_create("machine");
    TCase *tcase = tcase_create("machine");
    suite_add_tcase(suite, tcase);
    tcase_set_timeout(tcase, 120);
    tcase_add_checked_fixture(tcase, rig_set_up, rig_tear_down);
#define X(name) tcase_add_test(tcase, name);
    TESTS(X)
#undef X
    tcase_add_test(tcase, each_row_has_its_test);
    return suite;
}

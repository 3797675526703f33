// What the service manager is told: here it is a socket of the test's own.
#include "tests/e2e/harness.h"

#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

Suite *check_notify(void);

enum { PATIENCE_S = 20 };

struct manager {
    char dir[32];
    struct sockaddr_un address;
    int fd;
    char message[512]; // the last that came
};

// From here on programs find it in their environment.
static struct manager manager_start(const char *watchdog_us) {
    struct manager m = {.dir = "/tmp/e2e-XXXXXX", .address.sun_family = AF_UNIX};
    const struct timeval patience = {.tv_sec = PATIENCE_S};
    ck_assert_ptr_nonnull(mkdtemp(m.dir));
    snprintf(m.address.sun_path, sizeof m.address.sun_path, "%s/notify", m.dir);
    m.fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    ck_assert_int_ge(m.fd, 0);
    ck_assert_int_eq(bind(m.fd, (struct sockaddr *)&m.address, sizeof m.address), 0);
    ck_assert_int_eq(setsockopt(m.fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience), 0);
    setenv("NOTIFY_SOCKET", m.address.sun_path, 1);
    if (watchdog_us != NULL) setenv("WATCHDOG_USEC", watchdog_us, 1);
    return m;
}

static void manager_stop(struct manager *m) {
    unsetenv("NOTIFY_SOCKET");
    unsetenv("WATCHDOG_USEC");
    close(m->fd);
    unlink(m->address.sun_path);
    rmdir(m->dir);
}

static bool begins(const char *text, const char *with) {
    return strncmp(text, with, strlen(with)) == 0;
}

// The next message, which begins so. Signs of life and a new status may come before it, and nothing
// else.
static const char *next(struct manager *m, const char *with) {
    do {
        ssize_t len = recv(m->fd, m->message, sizeof m->message - 1, 0);
        ck_assert_msg(len >= 0, "waits for %s: %s", with, strerror(errno));
        m->message[len] = '\0';
        if (begins(m->message, with)) return m->message;
    } while (begins(m->message, "WATCHDOG=1") || begins(m->message, "STATUS="));
    ck_abort_msg("waits for %s, has %s", with, m->message);
    return NULL;
}

static void assert_silent(struct manager *m) {
    ssize_t len = recv(m->fd, m->message, sizeof m->message - 1, MSG_DONTWAIT);
    ck_assert_msg(len < 0 && errno == EAGAIN, "%.*s", (int)len, m->message);
}

START_TEST(the_manager_is_told_of_start_life_reload_and_end_in_this_order) {
    struct manager m = manager_start("200000");
    struct lab lab = lab_start(ARGS("--latency", "0"), NULL);
    char url[128];
    snprintf(url, sizeof url, "STATUS=%s, open jobs: 0, hosts in hand: 0", lab.api);
    ck_assert_ptr_nonnull(strstr(next(&m, "READY=1\n"), url));
    next(&m, "WATCHDOG=1");
    next(&m, "WATCHDOG=1");
    program_signal(&lab.orchestrator, SIGHUP);
    unsigned long long us;
    ck_assert_int_eq(sscanf(next(&m, "RELOADING=1\n"), "RELOADING=1\nMONOTONIC_USEC=%llu", &us), 1);
    next(&m, "READY=1\n");
    next(&m, "WATCHDOG=1");
    lab_stop(&lab);
    next(&m, "STOPPING=1\nSTATUS=ending, hosts in hand: 0");
    manager_stop(&m);
}
END_TEST

START_TEST(the_status_says_what_is_in_hand) {
    struct manager m = manager_start(NULL);
    struct lab lab = lab_start(ARGS("--latency", "0"), NULL);
    next(&m, "READY=1\n");
    add_faults(&lab, "{\"on\": \"login\", \"effect\": \"no_reply\"}");
    struct answer a = http_send("POST", lab.api, "/upgrade-os/",
                                ARGS("Content-Type: application/json", "Prefer: respond-async"),
                                "{\"version\": \"5.3.1\", \"filter_hosts\": [\"edge00.earth\"]}");
    ck_assert_int_eq(a.status, 202);
    answer_free(&a);
    ck_assert_ptr_nonnull(strstr(next(&m, "STATUS="), " open jobs: 1, hosts in hand: 1"));
    // Its end waits for the host, and the manager is asked for the time.
    program_signal(&lab.orchestrator, SIGTERM);
    next(&m, "STOPPING=1\n");
    next(&m, "EXTEND_TIMEOUT_USEC=30000000");
    next(&m, "EXTEND_TIMEOUT_USEC=30000000"); // once more, as long as it takes
    program_signal(&lab.orchestrator, SIGTERM);
    ck_assert_int_eq(program_wait(&lab.orchestrator), 1);
    ck_assert_int_eq(program_stop(&lab.simulator), 0);
    folder_remove(lab.dir);
    manager_stop(&m);
}
END_TEST

START_TEST(nobody_but_a_service_that_serves_says_anything) {
    struct manager m = manager_start("200000");
    char output[8192];
    ck_assert_int_eq(program_run("orchestrator", ARGS("--version"), output, sizeof output), 0);
    ck_assert_int_eq(
        program_run("orchestrator", ARGS("--log", "/nonexistent/x.log"), output, sizeof output), 1);
    ck_assert_int_eq(program_run("orchestrator", ARGS("jobs", "--url", "http://127.0.0.1:1"),
                                 output, sizeof output),
                     3);
    assert_silent(&m);
    manager_stop(&m);
}
END_TEST

// The thread that waits for a manager; by its name.
static bool has_notifier(const struct lab *lab) {
    char path[300], name[32];
    bool has = false;
    snprintf(path, sizeof path, "/proc/%d/task", (int)lab->orchestrator.pid);
    DIR *all = opendir(path);
    ck_assert_ptr_nonnull(all);
    for (const struct dirent *entry; (entry = readdir(all)) != NULL;) {
        snprintf(path, sizeof path, "/proc/%d/task/%s/comm", (int)lab->orchestrator.pid,
                 entry->d_name);
        FILE *file = entry->d_name[0] == '.' ? NULL : fopen(path, "r");
        if (file == NULL) continue;
        has = has || (fgets(name, sizeof name, file) != NULL && strcmp(name, "notify\n") == 0);
        fclose(file);
    }
    closedir(all);
    return has;
}

START_TEST(without_a_manager_nothing_is_there_that_could_tell_one) {
    struct manager m = manager_start("200000");
    struct lab told = lab_start(ARGS("--latency", "0"), NULL);
    ck_assert(has_notifier(&told));
    unsetenv("NOTIFY_SOCKET");
    struct lab lab = lab_start(ARGS("--latency", "0"), NULL);
    ck_assert(!has_notifier(&lab));
    lab_stop(&lab);
    lab_stop(&told);
    manager_stop(&m);
}
END_TEST

// Signs of life come a thousand times a second, and nobody reads any.
START_TEST(a_manager_that_reads_nothing_delays_nothing) {
    struct manager m = manager_start("2000");
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    while (sendto(fd, "X", 1, 0, (struct sockaddr *)&m.address, sizeof m.address) == 1) {
    }
    ck_assert_int_eq(errno, EAGAIN);
    close(fd);
    struct lab lab = lab_start(ARGS("--latency", "1ms..20ms"), NULL);
    struct answer a = http_post(lab.api, "/upgrade-os/", "{\"version\": \"5.3.1\"}");
    ck_assert_int_eq(a.status, 200);
    answer_free(&a);
    lab_stop(&lab);
    manager_stop(&m);
}
END_TEST

START_TEST(an_environment_that_is_wrong_is_said) {
    struct manager m = manager_start("soon");
    char output[1024];
    ck_assert_int_eq(program_run("orchestrator",
                                 ARGS("--listen", "127.0.0.1:0", "--log", "/dev/null"), output,
                                 sizeof output),
                     1);
    ck_assert_msg(strstr(output, "WATCHDOG_USEC: ") != NULL, "%s", output);
    assert_silent(&m);
    manager_stop(&m);
}
END_TEST

START_TEST(a_manager_that_is_gone_is_said_and_the_service_serves) {
    char output[1024];
    setenv("NOTIFY_SOCKET", "/nonexistent/notify", 1);
    struct lab lab = lab_start(ARGS("--latency", "0"), NULL);
    struct answer a = http_get(lab.api, "/livez");
    ck_assert_int_eq(a.status, 200);
    answer_free(&a);
    lab_stop(&lab);
    // Its stderr, of a start that ends because its ready line can be read by nobody.
    const char *build = getenv("BUILD") == NULL ? "build" : getenv("BUILD");
    snprintf(output, sizeof output,
             "%s/orchestrator --listen 127.0.0.1:0 --log /dev/null --state none 2>&1 >/dev/full",
             build);
    FILE *out = popen(output, "r"); // NOLINT(cert-env33-c)
    ck_assert_ptr_nonnull(out);
    output[fread(output, 1, sizeof output - 1, out)] = '\0';
    pclose(out);
    ck_assert_msg(strstr(output, "NOTIFY_SOCKET: No such file or directory") != NULL, "%s", output);
    unsetenv("NOTIFY_SOCKET");
}
END_TEST

Suite *check_notify(void) {
    Suite *suite = suite_create("notify");
    TCase *tc = tcase_create("notify");
    tcase_set_timeout(tc, 180);
    tcase_add_test(tc, the_manager_is_told_of_start_life_reload_and_end_in_this_order);
    tcase_add_test(tc, the_status_says_what_is_in_hand);
    tcase_add_test(tc, nobody_but_a_service_that_serves_says_anything);
    tcase_add_test(tc, without_a_manager_nothing_is_there_that_could_tell_one);
    tcase_add_test(tc, a_manager_that_reads_nothing_delays_nothing);
    tcase_add_test(tc, an_environment_that_is_wrong_is_said);
    tcase_add_test(tc, a_manager_that_is_gone_is_said_and_the_service_serves);
    suite_add_tcase(suite, tc);
    return suite;
}

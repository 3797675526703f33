// What the programs are started with and sent by whoever runs them: closed descriptors, a stdout
// that takes nothing, signals.
#include "common/process.h"
#include "tests/e2e/harness.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

Suite *check_programs(void);

#define SIMULATOR_ARGS    "--devices", "127.0.0.1:0", "--admin", "127.0.0.1:0"
#define ORCHESTRATOR_ARGS "--listen", "127.0.0.1:0", "--log", "/dev/null"

static const char *const simulator_args[] = {SIMULATOR_ARGS, NULL};
static const char *const orchestrator_args[] = {ORCHESTRATOR_ARGS, NULL};

static const struct {
    const char *name;
    const char *const *args;
} services[] = {{"simulator", simulator_args}, {"orchestrator", orchestrator_args}};
enum { SERVICES = 2 };

START_TEST(a_service_lives_without_stdin_and_stderr) {
    // Closed here they are closed there; what takes their numbers here is closed at the exec.
    close(STDIN_FILENO);
    close(STDERR_FILENO);
    struct program p = program_start(services[_i].name, services[_i].args);
    struct answer a = http_get(strstr(p.ready, "http://"), "/livez");
    ck_assert_int_eq(a.status, 200);
    answer_free(&a);
    ck_assert_int_eq(program_stop(&p), 0);
}
END_TEST

// What is open here is none of the child's, though whoever opened it, a library, did not say so.
START_TEST(a_child_has_nothing_open_but_its_stdio) {
    const char *const argv[] = {"/bin/ls", "/proc/self/fd", NULL};
    const struct process_command command = {.argv = argv};
    struct process ls;
    struct error err;
    char line[64];
    int fds[2], open = 0;
    ck_assert_int_eq(pipe(fds), 0);
    ck_assert_int_eq(process_start(&ls, &command, &err), 0);
    while (process_read_line(&ls, 10, line, sizeof line, &err) == 0)
        open++;
    ck_assert_int_eq(open, 4); // and the folder that it lists
    ck_assert_int_eq(process_end(&ls, 0, 10, NULL, &err), 0);
    close(fds[0]);
    close(fds[1]);
}
END_TEST

// By a shell, with stdout as redirect says; its stderr is in output.
static int run_redirected(size_t service, const char *redirect, char *output, size_t size) {
    char command[512];
    const char *build = getenv("BUILD");
    int len = snprintf(command, sizeof command, "%s/%s", build == NULL ? "build" : build,
                       services[service].name);
    for (const char *const *arg = services[service].args; *arg != NULL; arg++)
        len += snprintf(command + len, sizeof command - (size_t)len, " %s", *arg);
    snprintf(command + len, sizeof command - (size_t)len, " 2>&1 %s", redirect);
    FILE *out = popen(command, "r"); // NOLINT(cert-env33-c)
    ck_assert_ptr_nonnull(out);
    output[fread(output, 1, size - 1, out)] = '\0';
    int status = pclose(out);
    ck_assert_msg(WIFEXITED(status), "%s", output);
    return WEXITSTATUS(status);
}

START_TEST(a_ready_line_that_cannot_be_written_ends_the_start) {
    static const char *const redirects[] = {">&-", ">/dev/full"};
    for (size_t i = 0; i < sizeof redirects / sizeof *redirects; i++) {
        char output[1024];
        ck_assert_int_eq(run_redirected((size_t)_i, redirects[i], output, sizeof output), 1);
        ck_assert_msg(strstr(output, "the ready line cannot be written to stdout") != NULL, "%s",
                      output);
    }
}
END_TEST

START_TEST(signals_without_a_meaning_change_nothing) {
    static const int signals[] = {SIGUSR1, SIGUSR2, SIGPIPE, SIGXFSZ};
    struct program p = program_start(services[_i].name, services[_i].args);
    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++)
        program_signal(&p, signals[i]);
    struct answer a = http_get(strstr(p.ready, "http://"), "/livez");
    ck_assert_int_eq(a.status, 200);
    answer_free(&a);
    ck_assert_int_eq(program_stop(&p), 0);
}
END_TEST

START_TEST(a_service_ends_on_sigterm_though_its_parent_blocks_it) {
    sigset_t term;
    sigemptyset(&term);
    sigaddset(&term, SIGTERM);
    sigprocmask(SIG_BLOCK, &term, NULL);
    struct program p = program_start(services[_i].name, services[_i].args);
    ck_assert_int_eq(program_stop(&p), 0);
}
END_TEST

Suite *check_programs(void) {
    Suite *suite = suite_create("programs");
    TCase *tc = tcase_create("programs");
    tcase_set_timeout(tc, 120);
    tcase_add_loop_test(tc, a_service_lives_without_stdin_and_stderr, 0, SERVICES);
    tcase_add_test(tc, a_child_has_nothing_open_but_its_stdio);
    tcase_add_loop_test(tc, a_ready_line_that_cannot_be_written_ends_the_start, 0, SERVICES);
    tcase_add_loop_test(tc, signals_without_a_meaning_change_nothing, 0, SERVICES);
    tcase_add_loop_test(tc, a_service_ends_on_sigterm_though_its_parent_blocks_it, 0, SERVICES);
    suite_add_tcase(suite, tc);
    return suite;
}

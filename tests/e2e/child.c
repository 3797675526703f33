#include "tests/e2e/child.h"

#include <check.h>
#include <pty.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

static void run_as_child(const char *const *args) {
    const char *build = getenv("BUILD");
    const char *argv[32] = {NULL};
    char path[256];
    snprintf(path, sizeof path, "%s/orchestrator", build == NULL ? "build" : build);
    argv[0] = path;
    for (size_t i = 0; i < 30 && args[i] != NULL; i++)
        argv[i + 1] = args[i];
    execv(path, (char *const *)(uintptr_t)argv);
    _exit(127);
}

struct child child_start(const char *const *args) {
    struct child c = {0};
    int ends[2];
    ck_assert_int_eq(pipe(ends), 0);
    c.pid = fork();
    if (c.pid == 0) {
        dup2(ends[1], STDOUT_FILENO);
        dup2(ends[1], STDERR_FILENO);
        close(ends[0]);
        close(ends[1]);
        run_as_child(args);
    }
    close(ends[1]);
    c.out = ends[0];
    buf_adds(&c.got, "");
    return c;
}

bool child_read(struct child *c) {
    char bytes[4096];
    const ssize_t n = read(c->out, bytes, sizeof bytes);
    if (n > 0) buf_add(&c->got, bytes, (size_t)n);
    return n > 0; // a terminal whose client has ended gives EIO
}

void child_await(struct child *c, const char *text) {
    while (strstr(c->got.data, text) == NULL)
        ck_assert_msg(child_read(c), "it ended without: %s\n%s", text, c->got.data);
}

void child_end(struct child *c, int code, char *output, size_t size) {
    int status;
    while (child_read(c)) {
    }
    ck_assert_int_eq(waitpid(c->pid, &status, 0), c->pid);
    snprintf(output, size, "%s", c->got.data);
    ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == code, "status %x, expected %d:\n%s",
                  (unsigned)status, code, output);
    close(c->out);
    buf_deinit(&c->got);
}

struct child child_start_at_terminal(unsigned short columns, const char *const *args) {
    const struct winsize size = {.ws_row = 24, .ws_col = columns};
    struct child c = {0};
    c.pid = forkpty(&c.out, NULL, NULL, &size);
    ck_assert_int_ge(c.pid, 0);
    if (c.pid == 0) {
        setenv("TERM", "xterm", 1);
        run_as_child(args);
    }
    buf_adds(&c.got, "");
    return c;
}

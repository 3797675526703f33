#include "tests/e2e/play.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

char play_dir[] = "/tmp/e2e-XXXXXX", play_output[PLAY_OUTPUT];

void play_set_up(void) {
    ck_assert_ptr_nonnull(mkdtemp(play_dir));
    ck_assert_int_eq(setenv("TMPDIR", play_dir, 1), 0); // what a killed run leaves goes with it
}

int play_shell(const char *format, ...) {
    char command[2000];
    va_list args;
    va_start(args, format);
    vsnprintf(command, sizeof command, format, args);
    va_end(args);
    FILE *pipe = popen(command, "r");
    ck_assert_ptr_nonnull(pipe);
    size_t len = fread(play_output, 1, sizeof play_output - 1, pipe);
    play_output[len] = '\0';
    int status = pclose(pipe);
    ck_assert_msg(WIFEXITED(status), "%s: ended by a signal", command);
    return WEXITSTATUS(status);
}

void play_tear_down(void) {
    ck_assert_int_eq(play_shell("rm -r %s", play_dir), 0);
}

const char *play_path(const char *name) {
    static char paths[4][200];
    static int next;
    char *path = paths[next++ % 4];
    snprintf(path, sizeof paths[0], "%s/%s", play_dir, name);
    return path;
}

const char *play_write(const char *name, const char *text) {
    const char *path = play_path(name);
    FILE *file = fopen(path, "w");
    ck_assert_ptr_nonnull(file);
    fputs(text, file);
    ck_assert_int_eq(fclose(file), 0);
    return path;
}

void play_run(int expected, const char *const *args) {
    int code = program_run("scenario", args, play_output, sizeof play_output);
    ck_assert_msg(code == expected, "exit code %d, expected %d:\n%s", code, expected, play_output);
}

void play_said(const char *text) {
    ck_assert_msg(strstr(play_output, text) != NULL, "expected: %s\nin:\n%s", text, play_output);
}

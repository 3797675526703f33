#include "common/program.h"

#include "common/count.h"
#include "common/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static void open_missing(void) {
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
        if (fcntl(fd, F_GETFD) >= 0) continue;
        // The lowest that is free is this one.
        if (open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY) != fd) abort();
    }
}

static void reset_signals(void) {
    // With SIGCHLD ignored the kernel keeps no exit status of a child.
    static const int ignored[] = {SIGPIPE, SIGXFSZ, SIGUSR1, SIGUSR2};
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    signal(SIGCHLD, SIG_DFL);
    for (size_t i = 0; i < COUNT(ignored); i++)
        signal(ignored[i], SIG_IGN);
}

void program_init(void) {
    open_missing();
    reset_signals();
    mem_init();
}

int program_ready(struct error *err, const char *format, ...) {
    va_list args;
    va_start(args, format);
    errno = 0;
    int written = vprintf(format, args);
    va_end(args);
    if (written >= 0 && putchar('\n') != EOF && fflush(stdout) == 0) return 0;
    return error_system(err, errno == 0 ? -EIO : -errno,
                        "the ready line cannot be written to stdout");
}

// A pipe that is writable at all takes so much at once.
enum { SAY_MAX = PIPE_BUF };

void program_say(const char *format, ...) {
    struct pollfd out = {.fd = STDERR_FILENO, .events = POLLOUT};
    char line[SAY_MAX];
    va_list args;
    va_start(args, format);
    vsnprintf(line, sizeof line - 1, format, args);
    va_end(args);
    strcat(line, "\n");
    if (poll(&out, 1, 0) != 1) return;
    if (send(STDERR_FILENO, line, strlen(line), MSG_DONTWAIT | MSG_NOSIGNAL) >= 0) return;
    if (errno == ENOTSOCK && write(STDERR_FILENO, line, strlen(line)) >= 0) return;
    // There is nobody else to tell.
}

int program_end(const char *name, int exit_code) {
    errno = 0;
    bool written = fflush(stdout) == 0 && ferror(stdout) == 0;
    if (written || exit_code != EXIT_SUCCESS) return exit_code;
    fprintf(stderr, "%s: stdout: %s\n", name, strerror(errno == 0 ? EIO : errno));
    return EXIT_FAILURE;
}

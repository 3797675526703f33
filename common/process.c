#include "common/process.h"

#include "common/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/close_range.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

// What is ignored or blocked here (by us, by nohup, by a CI runner) would be so in the program,
// which may rely on it. In a group of its own the child is left alone by what a terminal sends to
// ours.
static void reset_signals(void) {
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    for (int signum = 1; signum < SIGRTMIN; signum++)
        signal(signum, SIG_DFL);
    setpgid(0, 0);
    signal(SIGINT, SIG_IGN);
}

static bool is_replaced(const char *entry, const char *const *more) {
    size_t len = strcspn(entry, "=") + 1;
    for (; *more != NULL; more++)
        if (strncmp(*more, entry, len) == 0) return true;
    return false;
}

// Ours with more in it: an array to free, of borrowed strings.
static const char **make_environment(const char *const *more) {
    static const char *const none[] = {NULL};
    if (more == NULL) more = none;
    size_t count = 0, len = 0;
    for (char **entry = environ; *entry != NULL; entry++)
        count++;
    for (const char *const *entry = more; *entry != NULL; entry++)
        count++;
    const char **all = mem_array(count + 1, sizeof *all);
    for (char **entry = environ; *entry != NULL; entry++)
        if (!is_replaced(*entry, more)) all[len++] = *entry;
    for (; *more != NULL; more++)
        all[len++] = *more;
    return all;
}

// Of a fork of a process with threads: nothing here may allocate.
static void run_child(const struct process_command *command, const char *const *environment,
                      int out, pid_t parent) {
    const char *program = command->argv[0], *failed = program;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) _exit(127); // it was killed meanwhile
    reset_signals();
    dup2(out, STDOUT_FILENO);
    close_range(STDERR_FILENO + 1, UINT_MAX, CLOSE_RANGE_CLOEXEC); // libraries open what they want
    if (command->stderr_path != NULL) {
        int fd = open(command->stderr_path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
        if (fd >= 0) dup2(fd, STDERR_FILENO);
    }
    if (command->dir != NULL && chdir(command->dir) != 0)
        failed = command->dir;
    else
        execve(program, (char *const *)(uintptr_t)command->argv,
               (char *const *)(uintptr_t)environment);
    dprintf(STDERR_FILENO, "%s: %s\n", failed, strerror(errno));
    _exit(127);
}

int process_start(struct process *p, const struct process_command *command, struct error *err) {
    int fds[2];
    if (pipe2(fds, O_CLOEXEC) != 0) return error_system(err, -errno, "pipe");
    const char **environment = make_environment(command->environment);
    pid_t parent = getpid(), pid = fork();
    if (pid == 0) run_child(command, environment, fds[1], parent);
    free(environment);
    int rc = pid < 0 ? error_system(err, -errno, "fork") : 0;
    close(fds[1]);
    if (rc != 0)
        close(fds[0]);
    else
        *p = (struct process){.pid = pid, .out = fds[0]};
    return rc;
}

int process_read_line(struct process *p, unsigned patience_s, char *line, size_t size,
                      struct error *err) {
    for (size_t len = 0; len < size;) {
        struct pollfd readable = {.fd = p->out, .events = POLLIN};
        int ready = poll(&readable, 1, (int)patience_s * 1000);
        if (ready < 0 && errno == EINTR) continue;
        if (ready != 1) return error_set(err, "it wrote no line within %u s", patience_s);
        ssize_t n = read(p->out, line + len, 1); // what comes behind the line stays in the pipe
        if (n < 0 && errno == EINTR) continue;
        if (n != 1) return error_set(err, "it ended");
        if (line[len] == '\n') {
            line[len] = '\0';
            return 0;
        }
        len++;
    }
    return error_set(err, "its line is longer than %zu bytes", size);
}

void process_beside(const char *name, char path[512]) {
    char self[400] = "";
    ssize_t len = readlink("/proc/self/exe", self, sizeof self - 1);
    if (len > 0) self[len] = '\0';
    char *slash = strrchr(self, '/');
    if (slash != NULL) *slash = '\0';
    snprintf(path, 512, "%s/%.100s", self, name);
}

int process_signal(const struct process *p, int signum, struct error *err) {
    if (p->pid <= 0) return error_set(err, "it is not running");
    return kill(p->pid, signum) == 0 ? 0 : error_system(err, -errno, "kill");
}

static int await(pid_t pid, unsigned patience_s, struct error *err) {
    int fd = (int)syscall(SYS_pidfd_open, pid, 0), rc = 0, ready;
    if (fd < 0) return 0; // waitpid() waits without a limit
    struct pollfd ending = {.fd = fd, .events = POLLIN};
    do
        ready = poll(&ending, 1, (int)patience_s * 1000);
    while (ready < 0 && errno == EINTR);
    if (ready == 0) {
        kill(pid, SIGKILL);
        rc = error_set(err, "it did not end within %u s", patience_s);
    }
    kill(-pid, SIGKILL); // a script may have left its own program behind; the group is still its
    close(fd);
    return rc;
}

int process_end(struct process *p, int signum, unsigned patience_s, struct process_end *end,
                struct error *err) {
    if (p->pid <= 0) return error_set(err, "it is not running");
    if (signum != 0) kill(p->pid, signum);
    struct rusage usage = {0};
    int status = 0, rc = await(p->pid, patience_s, err);
    while (wait4(p->pid, &status, 0, &usage) < 0 && errno == EINTR)
        ;
    close(p->out);
    *p = (struct process){.out = -1};
    if (end == NULL) return rc;
    *end = (struct process_end){.status = status,
                                .cpu_s = (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
                                         (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) /
                                             1e6};
    return rc;
}

double process_cpu_s(const struct process *p) {
    clockid_t clock;
    struct timespec t;
    if (clock_getcpuclockid(p->pid, &clock) != 0 || clock_gettime(clock, &t) != 0) return 0;
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static uint64_t status_kib(const char *text, const char *key) {
    const char *at = strstr(text, key);
    return at == NULL ? 0 : strtoull(at + strlen(key), NULL, 10);
}

struct process_memory process_memory(const struct process *p) {
    char path[64], text[4096];
    snprintf(path, sizeof path, "/proc/%d/status", (int)p->pid);
    FILE *file = fopen(path, "re");
    size_t len = file == NULL ? 0 : fread(text, 1, sizeof text - 1, file);
    if (file != NULL) fclose(file);
    text[len] = '\0';
    return (struct process_memory){.resident = status_kib(text, "VmRSS:") * 1024,
                                   .peak = status_kib(text, "VmHWM:") * 1024};
}

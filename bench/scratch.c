#include "bench/scratch.h"

#include "common/folder.h"
#include "common/program.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

static char folder[64];
static pid_t worker;

static void pass_on(int signum) {
    kill(worker, signum);
}

int scratch_run(int (*work)(void *arg), void *arg) {
    pid_t parent = getpid();
    int status = 0;
    struct error err;
    if (folder_make(folder, sizeof folder, "bench", &err) != 0) {
        fprintf(stderr, "bench: %s\n", err.text);
        return EXIT_FAILURE;
    }
    worker = fork();
    if (worker == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (getppid() != parent) _exit(127); // it was killed meanwhile
        exit(program_end("bench", work(arg)));
    }
    const struct sigaction action = {.sa_handler = pass_on};
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    while (worker > 0 && waitpid(worker, &status, 0) < 0 && errno == EINTR)
        ;
    folder_remove(folder);
    if (worker < 0) return EXIT_FAILURE;
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

int scratch_file(const char *suffix, char path[SCRATCH_PATH_MAX], struct error *err) {
    snprintf(path, SCRATCH_PATH_MAX, "%s/XXXXXX%s", folder, suffix);
    int fd = mkstemps(path, (int)strlen(suffix));
    if (fd < 0) return error_system(err, -errno, "%s", path);
    close(fd);
    return 0;
}

int scratch_folder(char path[SCRATCH_PATH_MAX], struct error *err) {
    snprintf(path, SCRATCH_PATH_MAX, "%s/XXXXXX", folder);
    return mkdtemp(path) == NULL ? error_system(err, -errno, "%s", path) : 0;
}

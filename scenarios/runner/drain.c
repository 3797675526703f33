#include "scenarios/runner/drain.h"

#include "common/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum { PATIENCE_S = 5 };

struct drain {
    int pipe, file; // file: -1 where it cannot be written, and all is thrown away
};

static void *run(void *arg) {
    struct drain *d = arg;
    char bytes[4096];
    for (;;) {
        ssize_t n = read(d->pipe, bytes, sizeof bytes);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) break;
        if (d->file >= 0 && write(d->file, bytes, (size_t)n) != n) {
            close(d->file);
            d->file = -1;
        }
    }
    close(d->pipe);
    if (d->file >= 0) close(d->file);
    free(d);
    return NULL;
}

pthread_t drain_start(int pipe, const char *path) {
    struct drain *d = mem_alloc(sizeof *d);
    pthread_t thread;
    *d = (struct drain){.pipe = fcntl(pipe, F_DUPFD_CLOEXEC, 0),
                        .file = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644)};
    if (pthread_create(&thread, NULL, run, d) != 0) abort();
    return thread;
}

void drain_end(pthread_t drain) {
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += PATIENCE_S;
    if (pthread_timedjoin_np(drain, NULL, &until) != 0) pthread_detach(drain);
}

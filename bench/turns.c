// A library to preload (LD_PRELOAD): how long the turns of a program's loop take, from one wait for
// events to the next, of the main thread's CPU. So a machine that is busy with others counts for
// nothing. At the end of the process it writes two numbers to the file LOOP_TURNS: how many turns
// there were, and the longest in microseconds.
#include <dlfcn.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

static double begun_us, longest_us;
static unsigned long turns;

static double now_us(void) {
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

static int is_main(void) {
    return getpid() == gettid();
}

static void end_turn(void) {
    if (!is_main() || begun_us == 0) return; // what comes before the first wait is no turn
    const double took_us = now_us() - begun_us;
    turns++;
    if (took_us > longest_us) longest_us = took_us;
}

static void begin_turn(void) {
    if (is_main()) begun_us = now_us();
}

// NOLINTNEXTLINE(readability-inconsistent-declaration-parameter-name): glibc's names are reserved
int epoll_wait(int fd, struct epoll_event *events, int max, int timeout) {
    static int (*other)(int, struct epoll_event *, int, int);
    if (other == NULL) *(void **)&other = dlsym(RTLD_NEXT, "epoll_wait");
    end_turn();
    const int rc = other(fd, events, max, timeout);
    begin_turn();
    return rc;
}

// NOLINTNEXTLINE(readability-inconsistent-declaration-parameter-name)
int epoll_pwait(int fd, struct epoll_event *events, int max, int timeout, const sigset_t *mask) {
    static int (*other)(int, struct epoll_event *, int, int, const sigset_t *);
    if (other == NULL) *(void **)&other = dlsym(RTLD_NEXT, "epoll_pwait");
    end_turn();
    const int rc = other(fd, events, max, timeout, mask);
    begin_turn();
    return rc;
}

__attribute__((destructor)) static void write_turns(void) {
    const char *path = getenv("LOOP_TURNS");
    FILE *file = path == NULL ? NULL : fopen(path, "w");
    if (file == NULL) return;
    fprintf(file, "%lu %.0f\n", turns, longest_us);
    fclose(file);
}

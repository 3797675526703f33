// A library to preload (LD_PRELOAD): the machine of a program goes wrong, and is well again,
// whenever another process says so. MACHINE=FILE has a struct machine (machine.h), which is looked
// at with each call, through a shared mapping. What a disk does is disk.c's.
#include "tests/torture/machine.h"

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static const volatile struct machine *machine; // NULL: none is named

#define NEXT(name) ((__typeof__(&(name)))dlsym(RTLD_NEXT, #name))

__attribute__((constructor)) static void begin(void) {
    const char *path = getenv("MACHINE");
    struct stat status;
    if (path == NULL) return;
    const int fd = (int)syscall(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC);
    const bool is_whole = fd >= 0 && fstat(fd, &status) == 0 && status.st_size == sizeof *machine;
    const void *page =
        is_whole ? mmap(NULL, sizeof *machine, PROT_READ, MAP_SHARED, fd, 0) : MAP_FAILED;
    if (page == MAP_FAILED) {
        fprintf(stderr, "machine.so: MACHINE=%s is no struct machine\n", path);
        _exit(EXIT_FAILURE);
    }
    close(fd);
    machine = page;
}

// --- the clock on the wall

static void shift(struct timespec *now) {
    enum { NS_A_MS = 1000000, MS_A_S = 1000 };
    if (machine == NULL || machine->clock_ms == 0) return;
    const int64_t ms = now->tv_sec * MS_A_S + now->tv_nsec / NS_A_MS + machine->clock_ms;
    now->tv_sec = ms / MS_A_S;
    now->tv_nsec = ms % MS_A_S * NS_A_MS + now->tv_nsec % NS_A_MS;
}

// NOLINTBEGIN(readability-inconsistent-declaration-parameter-name): glibc's names are reserved

int clock_gettime(clockid_t clock, struct timespec *now) {
    const int rc = (int)syscall(SYS_clock_gettime, clock, now);
    if (rc == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) shift(now);
    return rc;
}

int gettimeofday(struct timeval *now, void *zone) {
    struct timespec t;
    (void)zone;
    clock_gettime(CLOCK_REALTIME, &t);
    *now = (struct timeval){.tv_sec = t.tv_sec, .tv_usec = t.tv_nsec / 1000};
    return 0;
}

time_t time(time_t *now) {
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    if (now != NULL) *now = t.tv_sec;
    return t.tv_sec;
}

// --- threads

int pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*run)(void *),
                   void *arg) {
    if (machine != NULL && machine->has_no_threads) return EAGAIN;
    return NEXT(pthread_create)(thread, attributes, run, arg);
}

// --- /proc

static bool is_missing(const char *path) {
    if (machine == NULL || !machine->has_no_proc || strncmp(path, "/proc", 5) != 0) return false;
    errno = ENOENT;
    return true;
}

int open(const char *path, int flags, ...) {
    const bool has_rights = (flags & O_CREAT) != 0 || (flags & O_TMPFILE) == O_TMPFILE;
    va_list args;
    va_start(args, flags);
    const mode_t rights = has_rights ? va_arg(args, mode_t) : 0;
    va_end(args);
    return is_missing(path) ? -1 : NEXT(open)(path, flags, rights);
}

FILE *fopen(const char *path, const char *how) {
    return is_missing(path) ? NULL : NEXT(fopen)(path, how);
}

DIR *opendir(const char *path) {
    return is_missing(path) ? NULL : NEXT(opendir)(path);
}

int stat(const char *path, struct stat *status) {
    return is_missing(path) ? -1 : (int)syscall(SYS_newfstatat, AT_FDCWD, path, status, 0);
}

// NOLINTEND(readability-inconsistent-declaration-parameter-name)

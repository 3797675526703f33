// A library to preload (LD_PRELOAD): the disk of a program fails, and is well again, whenever
// another process says so.
//
//   DISK_MODE=FILE     the mode is the first byte of this file (disk.h), read anew at each call: it
//                      may be written to, or be replaced. A program that is told of a file that
//                      cannot be read does not start.
//   DISK_FOLDER=DIR    only files below it fail (an absolute path, without links); absent: all do
//   DISK_SLOW_MS=50    how much longer a flush takes in the mode DISK_SLOW
//
// Only regular files fail: pipes, sockets and terminals have no disk. What is written through a
// mapping does not come by here (of SQLite the -shm file, which is not kept on disk).
#include "tests/torture/disk.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

static const char *mode_path; // NULL: none is named
static const char *folder;
static long slow_ms = 50;

// --- the mode

// Where there is no descriptor left to read it with, it is as it was.
static char mode(void) {
    static _Atomic char last = DISK_OK;
    char now = '\0';
    if (mode_path == NULL) return DISK_OK;
    const int fd = (int)syscall(SYS_openat, AT_FDCWD, mode_path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return last;
    if (syscall(SYS_read, fd, &now, 1) == 1) last = now;
    syscall(SYS_close, fd);
    return last;
}

__attribute__((constructor)) static void begin(void) {
    const char *slow = getenv("DISK_SLOW_MS");
    folder = getenv("DISK_FOLDER");
    mode_path = getenv("DISK_MODE");
    if (slow != NULL) slow_ms = strtol(slow, NULL, 10);
    if (mode_path == NULL || access(mode_path, R_OK) == 0) return;
    fprintf(stderr, "disk.so: DISK_MODE=%s: %s\n", mode_path, strerror(errno));
    _exit(EXIT_FAILURE);
}

static bool is_mode(char one) {
    return mode() == one;
}

// --- what lies on that disk

static bool is_below(const char *path) {
    const size_t len = strlen(folder);
    return strncmp(path, folder, len) == 0 && (path[len] == '/' || path[len] == '\0');
}

static bool is_ours(int fd) {
    char link[64], path[PATH_MAX];
    struct stat status;
    if (fstat(fd, &status) != 0 || !S_ISREG(status.st_mode)) return false;
    if (folder == NULL) return true;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    const ssize_t len = readlink(link, path, sizeof path - 1);
    if (len < 0) return false;
    path[len] = '\0';
    return is_below(path);
}

// Of a file that need not be there: its folder counts. A device or a FIFO has no disk.
static bool is_path_ours(int at, const char *path, bool *is_there) {
    char whole[PATH_MAX];
    struct stat status;
    *is_there = fstatat(at, path, &status, 0) == 0;
    if (*is_there && !S_ISREG(status.st_mode)) return false;
    if (folder == NULL) return true;
    if (*is_there) return realpath(path, whole) != NULL && is_below(whole);
    snprintf(whole, sizeof whole, "%s", path);
    char *slash = strrchr(whole, '/');
    if (slash == NULL)
        snprintf(whole, sizeof whole, ".");
    else
        slash[slash == whole] = '\0';
    char *parent = realpath(whole, NULL);
    const bool is_in = parent != NULL && is_below(parent);
    free(parent);
    return is_in;
}

// --- what a call comes to: 0, or the errno with which it fails

static int of_write(int fd) {
    const char now = mode();
    if (now == DISK_OK || now == DISK_SLOW || !is_ours(fd)) return 0;
    switch (now) {
    case DISK_FULL:
        return ENOSPC;
    case DISK_ERROR:
    case DISK_UNREADABLE:
        return EIO;
    case DISK_READ_ONLY:
        return EROFS;
    default:
        return 0;
    }
}

// A full disk takes a file that becomes shorter.
static int of_size(int fd, off64_t size) {
    struct stat status;
    const bool grows = fstat(fd, &status) != 0 || size > status.st_size;
    return is_mode(DISK_FULL) && !grows ? 0 : of_write(fd);
}

// A slow one is done at once where the disk is well again.
static int of_flush(int fd) {
    const struct timespec ms = {.tv_nsec = 1000000};
    if (is_mode(DISK_SLOW) && is_ours(fd))
        for (long i = 0; i < slow_ms && is_mode(DISK_SLOW); i++)
            nanosleep(&ms, NULL);
    return is_mode(DISK_FULL) || is_mode(DISK_READ_ONLY) ? 0 : of_write(fd);
}

static int of_read(int fd) {
    return is_mode(DISK_UNREADABLE) && is_ours(fd) ? EIO : 0;
}

static int of_open(int at, const char *path, int flags) {
    bool is_there;
    const bool writes = (flags & O_ACCMODE) != O_RDONLY || (flags & O_TRUNC) != 0;
    const char now = mode();
    if (now == DISK_OK || now == DISK_SLOW) return 0;
    if (!writes && (flags & O_CREAT) == 0 && now != DISK_UNREADABLE) return 0;
    if (!is_path_ours(at, path, &is_there)) return 0;
    const bool makes = !is_there && (flags & O_CREAT) != 0;
    if (!is_there && !makes) return 0; // ENOENT
    switch (now) {
    case DISK_FULL:
        return makes ? ENOSPC : 0;
    case DISK_ERROR:
        return makes ? EIO : 0;
    case DISK_UNREADABLE:
        return EIO;
    case DISK_READ_ONLY:
        return makes || writes ? EROFS : 0;
    default:
        return 0;
    }
}

static bool fails(int error) {
    if (error != 0) errno = error;
    return error != 0;
}

// --- the calls, each under both of its names
//
// NOLINTBEGIN(readability-inconsistent-declaration-parameter-name): glibc's names are reserved

ssize_t write(int fd, const void *data, size_t len) {
    return fails(of_write(fd)) ? -1 : syscall(SYS_write, fd, data, len);
}

ssize_t writev(int fd, const struct iovec *parts, int count) {
    return fails(of_write(fd)) ? -1 : syscall(SYS_writev, fd, parts, count);
}

ssize_t pwrite64(int fd, const void *data, size_t len, off64_t at) {
    return fails(of_write(fd)) ? -1 : syscall(SYS_pwrite64, fd, data, len, at);
}

ssize_t pwrite(int fd, const void *data, size_t len, off_t at) {
    return pwrite64(fd, data, len, at);
}

ssize_t pwritev64(int fd, const struct iovec *parts, int count, off64_t at) {
    return fails(of_write(fd)) ? -1 : syscall(SYS_pwritev, fd, parts, count, at, 0L);
}

ssize_t pwritev(int fd, const struct iovec *parts, int count, off_t at) {
    return pwritev64(fd, parts, count, at);
}

ssize_t pread64(int fd, void *data, size_t len, off64_t at) {
    return fails(of_read(fd)) ? -1 : syscall(SYS_pread64, fd, data, len, at);
}

ssize_t pread(int fd, void *data, size_t len, off_t at) {
    return pread64(fd, data, len, at);
}

int ftruncate64(int fd, off64_t size) {
    return fails(of_size(fd, size)) ? -1 : (int)syscall(SYS_ftruncate, fd, size);
}

int ftruncate(int fd, off_t size) {
    return ftruncate64(fd, size);
}

int fallocate64(int fd, int how, off64_t at, off64_t len) {
    return fails(of_write(fd)) ? -1 : (int)syscall(SYS_fallocate, fd, how, at, len);
}

int fallocate(int fd, int how, off_t at, off_t len) {
    return fallocate64(fd, how, at, len);
}

// It returns what is wrong.
int posix_fallocate64(int fd, off64_t at, off64_t len) {
    return fallocate64(fd, 0, at, len) == 0 ? 0 : errno;
}

int posix_fallocate(int fd, off_t at, off_t len) {
    return posix_fallocate64(fd, at, len);
}

int fsync(int fd) {
    return fails(of_flush(fd)) ? -1 : (int)syscall(SYS_fsync, fd);
}

int fdatasync(int fd) {
    return fails(of_flush(fd)) ? -1 : (int)syscall(SYS_fdatasync, fd);
}

static int open_at(int at, const char *path, int flags, va_list args) {
    const bool has_rights = (flags & O_CREAT) != 0 || (flags & O_TMPFILE) == O_TMPFILE;
    const mode_t rights = has_rights ? va_arg(args, mode_t) : 0;
    return fails(of_open(at, path, flags)) ? -1 : (int)syscall(SYS_openat, at, path, flags, rights);
}

int open(const char *path, int flags, ...) {
    va_list args;
    va_start(args, flags);
    const int fd = open_at(AT_FDCWD, path, flags, args);
    va_end(args);
    return fd;
}

int open64(const char *path, int flags, ...) {
    va_list args;
    va_start(args, flags);
    const int fd = open_at(AT_FDCWD, path, flags, args);
    va_end(args);
    return fd;
}

int openat(int at, const char *path, int flags, ...) {
    va_list args;
    va_start(args, flags);
    const int fd = open_at(at, path, flags, args);
    va_end(args);
    return fd;
}

int openat64(int at, const char *path, int flags, ...) {
    va_list args;
    va_start(args, flags);
    const int fd = open_at(at, path, flags, args);
    va_end(args);
    return fd;
}

// NOLINTEND(readability-inconsistent-declaration-parameter-name)

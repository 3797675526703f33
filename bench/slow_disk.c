// A library to preload (LD_PRELOAD): the disk of a program takes 50 ms longer for each flush, or so
// many as SLOW_DISK_MS says, as one does that others keep busy. For measurements and tests; the
// programs have no option for it.
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { DELAY_MS = 50 };

static void stall(void) {
    const char *text = getenv("SLOW_DISK_MS");
    const long ms = text == NULL ? DELAY_MS : strtol(text, NULL, 10);
    struct timespec left = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000L};
    while (nanosleep(&left, &left) != 0)
        ;
}

// NOLINTNEXTLINE(readability-inconsistent-declaration-parameter-name): glibc's names are reserved
int fdatasync(int fd) {
    stall();
    return (int)syscall(SYS_fdatasync, fd);
}

int fsync(int fd) {
    stall();
    return (int)syscall(SYS_fsync, fd);
}

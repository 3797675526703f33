// A library to preload (LD_PRELOAD): the disk of a program takes 50 ms longer for each flush, as
// one does that others keep busy. For measurements and tests; the programs have no option for it.
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { DELAY_MS = 50 };

static void stall(void) {
    struct timespec left = {.tv_nsec = DELAY_MS * 1000000L};
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

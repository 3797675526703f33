// Preloaded into an orchestrator (LD_PRELOAD), kills it with SIGKILL right before its N-th effect,
// N being CRASH_EFFECT. An effect is what anybody else can notice of it: bytes that it sends to a
// device, bytes that it gives to its store's files, their commit, and its first answer to a client.
// Nobody can tell one moment between two effects from another, so kills at all of them are kills at
// all moments. At an orderly end their number is written to the file `effects`.
#include <dlfcn.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

enum { DESCRIPTORS = 20000 };

static atomic_ulong effects, answers;
static unsigned long last; // 0: it is not killed
static atomic_bool is_dialled[DESCRIPTORS];

#define NEXT(name) ((__typeof__(&(name)))dlsym(RTLD_NEXT, #name))

static void effect(void) {
    if (atomic_fetch_add(&effects, 1) + 1 == last) kill(getpid(), SIGKILL);
}

static bool is_socket(int fd) {
    int type;
    socklen_t len = sizeof type;
    return getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len) == 0;
}

static void sent(int fd) {
    if (fd < 0 || fd >= DESCRIPTORS || !is_socket(fd)) return;
    if (atomic_load(&is_dialled[fd]) || atomic_fetch_add(&answers, 1) == 0) effect();
}

int connect(int fd, const struct sockaddr *addr, socklen_t len) {
    if (fd >= 0 && fd < DESCRIPTORS) atomic_store(&is_dialled[fd], true);
    return NEXT(connect)(fd, addr, len);
}

int close(int fd) {
    if (fd >= 0 && fd < DESCRIPTORS) atomic_store(&is_dialled[fd], false);
    return NEXT(close)(fd);
}

ssize_t write(int fd, const void *buf, size_t n) {
    sent(fd);
    return NEXT(write)(fd, buf, n);
}

ssize_t writev(int fd, const struct iovec *iovec, int count) {
    sent(fd);
    return NEXT(writev)(fd, iovec, count);
}

ssize_t send(int fd, const void *buf, size_t n, int flags) {
    sent(fd);
    return NEXT(send)(fd, buf, n, flags);
}

ssize_t sendmsg(int fd, const struct msghdr *message, int flags) {
    sent(fd);
    return NEXT(sendmsg)(fd, message, flags);
}

ssize_t pwrite64(int fd, const void *buf, size_t n, off64_t offset) {
    effect();
    return NEXT(pwrite64)(fd, buf, n, offset);
}

int fdatasync(int fildes) {
    effect();
    return NEXT(fdatasync)(fildes);
}

int fsync(int fd) {
    effect();
    return NEXT(fsync)(fd);
}

__attribute__((constructor)) static void begin(void) {
    const char *crash = getenv("CRASH_EFFECT");
    last = crash == NULL ? 0 : strtoul(crash, NULL, 10);
}

__attribute__((destructor)) static void end(void) {
    FILE *file = fopen("effects", "w");
    if (file == NULL) return;
    fprintf(file, "%lu\n", atomic_load(&effects));
    fclose(file);
}

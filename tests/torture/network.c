// A library to preload (LD_PRELOAD): a port falls silent for a program, and answers again, whenever
// another process says so. SILENT_PORT=FILE has the port's number, or nothing; it is read anew at
// each connect. Who connects to that port meanwhile waits until it gives up, as behind a firewall
// that drops: it is led to a socket of ours whose queue is full. TCP over IPv4 only.
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { FILLERS = 2 }; // a queue of 0 takes one; the other is in case that a kernel takes two

static const char *path; // NULL: none is named
static struct sockaddr_in silent = {.sin_family = AF_INET};

static int stream(int flags) {
    return socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | flags, 0);
}

static int call_connect(int fd, const void *address, socklen_t len) {
    return (int)syscall(SYS_connect, fd, address, len);
}

static bool fill(int listener) {
    socklen_t len = sizeof silent;
    silent.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (bind(listener, (struct sockaddr *)&silent, len) != 0 || listen(listener, 0) != 0 ||
        getsockname(listener, (struct sockaddr *)&silent, &len) != 0)
        return false;
    for (int i = 0; i < FILLERS; i++) {
        const int fd = stream(SOCK_NONBLOCK);
        if (fd < 0 || (call_connect(fd, &silent, len) != 0 && errno != EINPROGRESS)) return false;
    }
    return true;
}

__attribute__((constructor)) static void begin(void) {
    path = getenv("SILENT_PORT");
    if (path == NULL || (access(path, R_OK) == 0 && fill(stream(0)))) return;
    fprintf(stderr, "network.so: SILENT_PORT=%s: %s\n", path, strerror(errno));
    _exit(EXIT_FAILURE);
}

static uint16_t silent_port(void) {
    char text[8] = "";
    const int fd =
        path == NULL ? -1 : (int)syscall(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return 0;
    syscall(SYS_read, fd, text, sizeof text - 1);
    syscall(SYS_close, fd);
    return (uint16_t)strtoul(text, NULL, 10);
}

// NOLINTBEGIN(readability-inconsistent-declaration-parameter-name): glibc's names are reserved

int connect(int fd, const struct sockaddr *address, socklen_t len) {
    const struct sockaddr_in *v4 = (const struct sockaddr_in *)(const void *)address;
    const bool is_v4 = len == sizeof *v4 && address->sa_family == AF_INET;
    const uint16_t port = is_v4 ? silent_port() : 0;
    return call_connect(
        fd, port != 0 && port == ntohs(v4->sin_port) ? (const void *)&silent : address, len);
}

// NOLINTEND(readability-inconsistent-declaration-parameter-name)

#include "bench/followers.h"

#include "common/client.h"
#include "common/mem.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

struct followers {
    struct pollfd *fds; // of each client, and behind them the eventfd that ends the thread
    size_t count;
    bool read;
    pthread_t thread;
    struct followed followed;
};

// What there is; false: the stream has ended.
static bool drain(struct followers *f, int fd) {
    char bytes[64 * 1024];
    ssize_t got = recv(fd, bytes, sizeof bytes, MSG_DONTWAIT);
    if (got > 0) f->followed.bytes += (uint64_t)got;
    return got > 0 || (got < 0 && (errno == EAGAIN || errno == EINTR));
}

static void *run(void *arg) {
    struct followers *f = arg;
    while (f->fds[f->count].revents == 0) {
        if (poll(f->fds, f->count + 1, -1) < 0) continue;
        for (size_t i = 0; i < f->count; i++) {
            if (f->fds[i].revents == 0 || drain(f, f->fds[i].fd)) continue;
            close(f->fds[i].fd);
            f->fds[i].fd = -1; // poll() passes it over
            f->followed.lost++;
        }
    }
    return NULL;
}

static void close_all(struct followers *f) {
    for (size_t i = 0; i <= f->count; i++)
        if (f->fds[i].fd >= 0) close(f->fds[i].fd);
    free(f->fds);
    free(f);
}

int followers_start(struct followers **started, const char *url, size_t count, bool read,
                    struct error *err) {
    struct followers *f = mem_zalloc(sizeof *f);
    char path[256];
    int rc = 0;
    snprintf(path, sizeof path, "%.200s/events/", url);
    const struct client_request request = {.method = "GET", .url = path};
    *f = (struct followers){
        .fds = mem_array(count + 1, sizeof *f->fds), .count = count, .read = read};
    for (size_t i = 0; i <= count; i++)
        f->fds[i] = (struct pollfd){.fd = -1, .events = POLLIN};
    for (size_t i = 0; rc == 0 && i < count; i++)
        rc = client_begin(&request, &f->fds[i].fd, err);
    f->fds[count].fd = eventfd(0, EFD_CLOEXEC);
    if (rc == 0 && f->fds[count].fd < 0) rc = error_system(err, -errno, "an eventfd");
    if (rc == 0 && read && pthread_create(&f->thread, NULL, run, f) != 0) abort();
    if (rc == 0)
        *started = f;
    else
        close_all(f);
    return rc;
}

struct followed followers_end(struct followers *f) {
    static const uint64_t one = 1;
    if (f == NULL) return (struct followed){0};
    if (f->read) {
        if (write(f->fds[f->count].fd, &one, sizeof one) < 0) abort(); // it has room for more
        pthread_join(f->thread, NULL);
    }
    const struct followed followed = f->followed;
    close_all(f);
    return followed;
}

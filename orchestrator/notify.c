// The queue is a pair of sockets that keep messages apart, so it needs no lock: the loop writes and
// never waits, the thread reads and may. sd_notify() waits while the manager's own queue is full.
//
//   notify_open -> notify_ready -> (notify_reloading -> notify_ready)* -> notify_stopping
//
// is what systemd expects, with signs of life in between. It measures an end by TimeoutStopSec,
// which cannot know --install-timeout: while hosts are in hand after notify_stopping() each beat of
// the loop asks for NOTIFY_EXTEND_MS more.
#include "orchestrator/notify.h"

#include "common/clock.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

enum { MESSAGE_MAX = NOTIFY_STATUS_MAX + 100, LAST_WORD_MS = 1000 };

// --- the thread

static void *send_on_thread(void *arg) {
    const int queue = (int)(intptr_t)arg;
    char message[MESSAGE_MAX + 1];
    bool has_complained = false;
    ssize_t len;
    while ((len = recv(queue, message, MESSAGE_MAX, 0)) > 0) {
        message[len] = '\0';
        const int rc = sd_notify(0, message);
        if (rc < 0 && !has_complained)
            fprintf(stderr,
                    "orchestrator: NOTIFY_SOCKET: %s; the service manager is told nothing\n",
                    strerror(-rc));
        has_complained = has_complained || rc < 0;
    }
    close(queue);
    return NULL;
}

// Signals are the loop's.
static int start_thread(struct notify *n, int queue) {
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    const int rc = pthread_create(&n->sender, NULL, send_on_thread, (void *)(intptr_t)queue);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (rc == 0) pthread_setname_np(n->sender, "notify");
    return -rc;
}

// --- messages

__attribute__((format(printf, 2, 3))) static void tell(const struct notify *n, const char *format,
                                                       ...) {
    char message[MESSAGE_MAX];
    va_list args;
    va_start(args, format);
    const int len = vsnprintf(message, sizeof message, format, args);
    va_end(args);
    if (len <= 0 || (size_t)len >= sizeof message) return;
    // Full: the manager has read nothing for hundreds of messages.
    (void)!send(n->queue, message, (size_t)len, MSG_DONTWAIT | MSG_NOSIGNAL);
}

// state: assignments, LF after each.
static void tell_with_status(struct notify *n, const char *state) {
    n->source.status(n->source.arg, n->status);
    tell(n, "%sSTATUS=%s", state, n->status);
}

static void on_watchdog(uv_timer_t *handle) {
    tell(handle->data, "WATCHDOG=1");
}

static void ask_for_time(struct notify *n) {
    if (n->is_stopping && n->source.needs_time(n->source.arg))
        tell(n, "EXTEND_TIMEOUT_USEC=%" PRIu64, NOTIFY_EXTEND_MS * (uint64_t)1000);
}

static void on_beat(uv_timer_t *handle) {
    struct notify *n = handle->data;
    char status[NOTIFY_STATUS_MAX];
    ask_for_time(n);
    n->source.status(n->source.arg, status);
    if (strcmp(status, n->status) != 0) tell_with_status(n, "");
}

// --- the life of it

static int read_watchdog(struct notify *n, struct error *err) {
    uint64_t us = 0;
    const int rc = sd_watchdog_enabled(0, &us);
    if (rc < 0) return error_system(err, rc, "WATCHDOG_USEC");
    n->watchdog_ms = us / 2 / 1000;
    if (rc > 0 && n->watchdog_ms == 0) n->watchdog_ms = 1;
    return 0;
}

int notify_open(struct notify *n, uv_loop_t *loop, const struct notify_source *source,
                struct error *err) {
    int pair[2];
    const char *address = getenv("NOTIFY_SOCKET");
    *n = (struct notify){.source = *source};
    if (address == NULL || *address == '\0') return 0;
    int rc = read_watchdog(n, err);
    if (rc != 0) return rc;
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0)
        return error_system(err, -errno, "the service manager's queue");
    n->queue = pair[0];
    rc = start_thread(n, pair[1]);
    if (rc != 0) {
        close(pair[0]);
        close(pair[1]);
        return error_system(err, rc, "the service manager's thread");
    }
    uv_timer_init(loop, &n->watchdog);
    uv_timer_init(loop, &n->beat);
    n->watchdog.data = n->beat.data = n;
    n->is_open = true;
    return 0;
}

void notify_ready(struct notify *n) {
    if (!n->is_open) return;
    tell_with_status(n, "READY=1\n");
    if (uv_is_active((uv_handle_t *)&n->beat)) return;
    uv_timer_start(&n->beat, on_beat, NOTIFY_STATUS_MS, NOTIFY_STATUS_MS);
    if (n->watchdog_ms > 0)
        uv_timer_start(&n->watchdog, on_watchdog, n->watchdog_ms, n->watchdog_ms);
}

void notify_reloading(struct notify *n) {
    if (n->is_open) tell(n, "RELOADING=1\nMONOTONIC_USEC=%" PRIu64, clock_monotonic_us());
}

void notify_stopping(struct notify *n) {
    if (!n->is_open) return;
    n->is_stopping = true;
    tell_with_status(n, "STOPPING=1\n");
    ask_for_time(n);
}

void notify_close(struct notify *n) {
    if (!n->is_open) return;
    uv_close((uv_handle_t *)&n->watchdog, NULL);
    uv_close((uv_handle_t *)&n->beat, NULL);
}

void notify_deinit(struct notify *n) {
    if (!n->is_open) return;
    n->is_open = false;
    shutdown(n->queue, SHUT_WR); // the thread ends once it has sent what is queued
    struct pollfd ended = {.fd = n->queue};
    if (poll(&ended, 1, LAST_WORD_MS) == 1)
        pthread_join(n->sender, NULL);
    else
        pthread_detach(n->sender); // it waits for the manager, and ends with the process
    close(n->queue);
}

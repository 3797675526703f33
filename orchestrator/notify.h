// What the service manager (systemd) is told, over the socket that it names in NOTIFY_SOCKET: that
// the service is ready, reads its files anew, stops, lives. Without NOTIFY_SOCKET nothing is sent.
//
// The loop itself feeds the watchdog: one that is stuck feeds it no more. But the loop never waits
// for the manager: messages go through a queue, and a thread hands them to libsystemd. A manager
// that reads nothing delays nothing; what finds the queue full is lost.
#pragma once

#include "common/error.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

enum {
    NOTIFY_STATUS_MAX = 200,
    NOTIFY_STATUS_MS = 5000,      // so often the status is looked at
    NOTIFY_EXTEND_MS = 30 * 1000, // so long the manager waits for the next word of an end
};

// Who knows what the service does now.
struct notify_source {
    void (*status)(void *arg, char line[NOTIFY_STATUS_MAX]); // one line, for `systemctl status`
    bool (*needs_time)(void *arg); // whether an end that is under way waits for hosts in hand
    void *arg;
};

struct notify {
    bool is_open; // there is a manager
    struct notify_source source;
    char status[NOTIFY_STATUS_MAX]; // as it was told last
    uint64_t watchdog_ms;           // between two signs of life; 0: none are asked for
    bool is_stopping;
    uv_timer_t watchdog, beat;
    int queue;        // this thread's end of it
    pthread_t sender; // has the other
};

// Fails where the environment has a watchdog that is none, or where the queue cannot be made; then,
// and where there is no manager, all that follows does nothing.
int notify_open(struct notify *n, uv_loop_t *loop, const struct notify_source *source,
                struct error *err);
void notify_ready(struct notify *n);     // at the start, and after each notify_reloading()
void notify_reloading(struct notify *n); // not after notify_stopping()
void notify_stopping(struct notify *n);
void notify_close(struct notify *n); // no more is told, so that the loop can end
// After the loop has ended: waits, a second at most, until the manager has what it was told.
void notify_deinit(struct notify *n);

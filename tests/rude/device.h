// Devices that do not behave: a table of kinds, each of which is one host of the inventory.
#pragma once

#include "tests/rude/talk.h"

#include <stdbool.h>
#include <stddef.h>

// How the orchestrator is started: the log says so, too.
#define DEVICE_CONNECT_TIMEOUT "10s"
#define DEVICE_CALL_TIMEOUT    "15s"
#define DEVICE_INSTALL_TIMEOUT "30s"

#define DEVICE_SITE    "rude" // of all of them
#define DEVICE_BEFORE  "5.2.1"
#define DEVICE_WANTED  "5.3.1" // the version that is installed
#define DEVICE_SUCCESS "success!!!"

enum device_port {
    DEVICE_ACCEPTS,
    DEVICE_REFUSES,      // nobody listens
    DEVICE_HAS_NO_ROOM,  // its queue is full, and it accepts nobody
    DEVICE_SPEAKS_TLS,   // the inventory says so
    DEVICE_TAKES_LITTLE, // its window is small, and its credentials are long
};

struct device_kind {
    const char *name; // of its host, too: NAME.rude
    // What it does when it is reached first, and from then on; again NULL: the same.
    const struct act *acts, *again;
    enum device_port port;
    // What the log says of it: globs, of which one must match.
    const char *says[3];
};

extern const struct device_kind device_kinds[];
extern const size_t device_kinds_count;

// Whether the host is completed in spite of its manners.
bool device_is_completed(const struct device_kind *kind);
bool device_may_say(const struct device_kind *kind, const char *text);

// --- one of them, at work

enum { DEVICE_NAME_MAX = 64 };

struct device {
    const struct device_kind *kind;
    char name[DEVICE_NAME_MAX]; // of the host
    char version[32];           // that it runs
    int listener;               // -1: there is none
    unsigned port;
    int filler; // the connection that fills the queue of one that has no room; -1: none
    bool was_reached;
};

struct error;
// Bound to a port of 127.0.0.1 from here on.
int device_open(struct device *d, const struct device_kind *kind, struct error *err);
void device_close(struct device *d);
bool device_is_listening(const struct device *d);
// The next connection, for the talk; -1: there is none.
int device_accept(struct device *d, const struct act **acts);

// What it answers when it does as it should, which it has done then.
void device_answer(struct device *d, uint32_t id, const char *method, const char *version,
                   struct buf *out);

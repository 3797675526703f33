// What happened on the devices, in order: a ring of the newest events, numbered from 1 without end.
#pragma once

#include "common/buf.h"
#include "simulator/network.h"

#include <stdbool.h>

enum { JOURNAL_MAX = 1 << 18 }; // events kept

enum journal_phase {
    JOURNAL_BEGUN,    // the call has reached the device
    JOURNAL_ANSWERED, // its result was sent
    JOURNAL_FAILED,   // an error was answered, or nothing
};

struct journal_event {
    uint64_t ms; // since the simulator's start
    uint32_t device;
    uint8_t operation, phase;
};

struct journal {
    struct journal_event *events; // event n lies at (n - 1) % cap
    size_t cap;                   // grows by doubling until JOURNAL_MAX
    uint64_t last;                // the newest number; 0: none yet
};

void journal_deinit(struct journal *j);
void journal_add(struct journal *j, uint64_t now_us, uint32_t device, enum operation operation,
                 enum journal_phase phase);

enum { JOURNAL_PIECE = 4096 }; // events written at once: about two milliseconds

// Writes the kept events after a number as a JSON array, in pieces. Those that come meanwhile are
// not in it; those that the ring gives up before their turn are left out.
struct journal_reader {
    const struct journal *journal;
    const struct network *network;
    uint64_t after, last;
    bool any, begun;
};

void journal_read(struct journal_reader *r, const struct journal *j, const struct network *network,
                  uint64_t after);
// Appends the next piece. True: more is to come.
bool journal_next(struct journal_reader *r, struct buf *out);

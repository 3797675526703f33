// A connection of somebody who does not behave, played act by act: a device that the orchestrator
// has reached, or a client of either program. Sockets do not block; whoever has the connection
// gives it a turn every TALK_TURN_MS, and whenever it can be read.
#pragma once

#include "common/buf.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { TALK_TURN_MS = 10 };

enum act_kind {
    ACT_END,         // from here on a device does as it should, and a client reads on
    ACT_HEAR,        // waits for the next request to the device: the acts below are about it
    ACT_READ,        // waits until anything has come
    ACT_ANSWER,      // as the device should, which does what it was asked
    ACT_ANSWER_HALF, // does it, and says half of it
    ACT_OBEY,        // does it, and says nothing
    ACT_SAY,         // the text, n times
    ACT_NOISE,       // n times eight bytes, drawn
    ACT_URGE,        // the text as out-of-band data
    ACT_DRIP,        // from here on it says a byte every n ms
    ACT_FLOOD,       // says the text without end, and reads nothing
    ACT_SIP,         // reads a byte each turn
    ACT_WAIT,        // reads, and says nothing any more
    ACT_STALL,       // neither reads nor says anything any more
    ACT_SHUT,        // ends its own side of the stream
    ACT_DEAFEN,      // ends the other's, and goes on with what it has heard
    ACT_CLOSE,       // with nothing left unread, so that it is no reset
    ACT_RESET,
};

struct act {
    enum act_kind kind;
    const char *text; // may hold NULs
    size_t len;
    unsigned n;
};

// A list of acts, for a table.
#define ACTS(...)                                                                                  \
    (const struct act[]) {                                                                         \
        __VA_ARGS__, {                                                                             \
            .kind = ACT_END                                                                        \
        }                                                                                          \
    }
// clang-format off
#define DO(what)         {.kind = ACT_##what}
#define TEXT(what, said) {.kind = (what), .text = (said), .len = sizeof(said) - 1, .n = 1}
#define SAY(said)        TEXT(ACT_SAY, said)
#define URGE(said)       TEXT(ACT_URGE, said)
#define FLOOD(said)      TEXT(ACT_FLOOD, said)
#define TIMES(count, said)                                                                         \
    {.kind = ACT_SAY, .text = (said), .len = sizeof(said) - 1, .n = (count)}
#define DRIP(ms)         {.kind = ACT_DRIP, .n = (ms)}
#define NOISE(count)     {.kind = ACT_NOISE, .n = (count)}
// clang-format on

struct device; // device.h

struct talk {
    int fd;                // -1: it is over
    const struct act *act; // the next, or the one that it is at
    struct device *device; // NULL: it is a client's
    uint64_t noise;        // what it draws from
    struct buf in, out;
    size_t told; // of out
    unsigned drip_ms;
    uint64_t drip_due_ms;
    bool has_read;
    char first[96]; // bytes that a client was told, and NUL
    size_t first_len;
    // What was heard last:
    uint32_t id;
    char method[32], version[32];
};

// The socket is the talk's from here on. device may be NULL, and is borrowed. What is drawn comes
// from the seed.
void talk_init(struct talk *t, int fd, const struct act *acts, struct device *device,
               uint64_t seed);
void talk_deinit(struct talk *t);

// Whether a turn is due when the socket can be read. Who does not read has one now and then all the
// same.
bool talk_is_reading(const struct talk *t);
void talk_turn(struct talk *t, bool is_readable, uint64_t now_ms);
// Whether it has come to its last act, and what it said before has gone, or some of it.
bool talk_is_played(const struct talk *t);
void talk_leave(struct talk *t, bool with_reset); // at once; nothing where it is over

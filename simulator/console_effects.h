// What is said to the client, and what a fault makes of it: a table by effect. What faults make of
// the device stands in console_call.c and console_methods.c.
#pragma once

#include "common/buf.h"
#include "common/rpc.h"
#include "simulator/fault_rule.h"
#include "simulator/world.h"

enum console_end { // what becomes of the connection once a reply is written
    CONSOLE_STAYS,
    CONSOLE_CLOSES,
    CONSOLE_RESETS, // at once
};

struct console_reply {         // whose it is deinits out
    struct buf out;            // what to send; may be empty
    uint64_t bytes_per_second; // how fast, in real time; 0: at once
    enum console_end end;
};

// How much of the reply is sent next, where so many bytes of it are left: all of it unless it is
// slow. *wait_us: how long it then takes until the rest may follow.
size_t console_reply_piece(const struct console_reply *reply, size_t left, uint64_t *wait_us);

struct console_answer { // of a call that has reached its device
    const cJSON *id;
    const char *result; // JSON text; NULL where the fault kept the call from being carried out
    const struct fault_action *fault;
    double time_scale;
};

// Both add to a zeroed reply. detail stands behind the error's message.
void console_reply_error(struct console_reply *reply, const cJSON *id, enum rpc_error e,
                         const char *detail);
enum world_outcome console_reply_with(const struct console_answer *a, struct console_reply *reply);

// One connection with the simulated devices (spec/acmeos.md): a line in, a wait and a reply out as
// data. Each call has two halves: what is found out at its arrival, and what is carried out and
// answered when its time is up. It is for the shell to wait in between, and to begin no other call
// of the console meanwhile.
#pragma once

#include "common/buf.h"
#include "common/rpc.h"
#include "simulator/fault.h"
#include "simulator/world.h"

#include <stdbool.h>
#include <stdint.h>

enum console_end { // what becomes of the connection once a reply is written
    CONSOLE_STAYS,
    CONSOLE_CLOSES,
    CONSOLE_RESETS, // at once
};

struct console_reply {         // the caller's: zero it before, buf_deinit(&out) after
    struct buf out;            // what to send; may be empty
    uint64_t bytes_per_second; // how fast, in real time; 0: at once
    enum console_end end;
};

struct console_call {
    bool running;
    enum operation operation;
    struct rpc_request request;
    bool known; // device is one
    bool lost;  // the device is rebooting or down: no answer, the connection is reset
    uint32_t device;
    uint64_t draw;          // draw_call() of it
    uint32_t install;       // the referee's number of it; 0: none
    enum rpc_error refusal; // RPC_OK: the call has reached the device
    struct fault_action fault;
};

struct console {
    struct world *world;
    uint64_t connection;
    bool logged_in; // to device
    bool ended;     // no further request will begin
    bool gone;      // the connection has ended
    bool condemned; // the connection is to be reset
    uint32_t device;
    uint32_t login; // the referee's number of it; 0: it does not count as logged in
    struct console *previous, *next; // on the same device
    struct console *next_condemned;
    struct console_call call;
};

void console_init(struct console *s, struct world *w);

// A line has come. False: it is answered, reply says how. True: the call runs; after wait_us,
// console_finish() has the reply.
bool console_begin(struct console *s, uint64_t now_us, const char *line, size_t len,
                   uint64_t *wait_us, struct console_reply *reply);
void console_finish(struct console *s, uint64_t now_us, struct console_reply *reply);
void console_line_too_long(struct console *s, struct console_reply *reply);

// The client has shut down its sending side, and no further request of it remains to begin.
void console_no_more_requests(struct console *s, uint64_t now_us);

// The connection has ended. True: an install runs on, and console_finish() is still to be called,
// its reply for nobody. A console that is forgotten leaves nothing running: before world_reset().
bool console_drop(struct console *s, uint64_t now_us);
void console_forget(struct console *s, uint64_t now_us);

// The next console whose connection is to be reset, for its device went away; NULL: none is left.
// To be asked after every console_finish().
struct console *console_condemned(struct world *w);

// --- within the console's own modules

// Checks the params of an operation; detail is for RPC_INVALID_PARAMS.
enum rpc_error console_check_params(enum operation operation, const cJSON *params,
                                    struct error *detail);
// Carries the call out and writes its result as JSON text.
void console_carry_out(struct console *s, uint64_t now_us, struct buf *result);
void console_leave(struct console *s, uint64_t now_us); // the device that it is logged in to
// Turns the result (NULL where the call was not carried out) into a reply, or what the fault makes
// of it.
enum world_outcome console_reply_with(const struct console *s, const char *result,
                                      struct console_reply *reply);

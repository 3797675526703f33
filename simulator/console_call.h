// One call, from the arrival of its request until its answer. It knows the world and the device
// that it is for, and nothing of other calls; of the connection that it came over only its name.
#pragma once

#include "common/rpc.h"
#include "simulator/console_effects.h"
#include "simulator/fault_rule.h"
#include "simulator/world.h"

#include <stdbool.h>
#include <stdint.h>

enum console_call_state {
    CONSOLE_CALL_IDLE,       // there is none
    CONSOLE_CALL_REFUSED,    // refusal says why
    CONSOLE_CALL_LOST,       // the device is rebooting or down: no answer, the connection is reset
    CONSOLE_CALL_REACHED,    // the device is at it
    CONSOLE_CALL_INSTALLING, // the same, and it goes on without the connection
    CONSOLE_CALL_STATE_COUNT
};

struct console_call {
    enum console_call_state state;
    // What is asked for, and by whom:
    enum operation operation;
    struct rpc_request request;
    uint32_t device; // logged in to; from the arrival on the one asked for; or NETWORK_NO_DEVICE
    struct referee_client *client; // who sent it
    // What came of it at the arrival:
    uint64_t draw;          // draw_call() of it
    enum rpc_error refusal; // RPC_OK but for a refused call
    uint32_t install;       // of one that installs: the referee's number of it
    struct fault_action fault;
};

// The request arrives; its params have passed console_check_params(). Zero the call but for what is
// asked for; the request is the call's from here on. Returns how long it takes.
uint64_t console_call_begin(struct console_call *call, struct world *w, uint64_t now_us);

struct console_call_result {
    struct console_reply reply; // the caller's
    enum world_outcome outcome;
    bool carried_out; // a login holds, a logout ends it
};

// Its time is up: it is carried out and answered, unless something is in the way. The call stays as
// it is until console_call_end(), which tells of it and frees it.
struct console_call_result console_call_finish(struct console_call *call, struct world *w,
                                               uint64_t now_us);
void console_call_end(struct console_call *call, struct world *w, uint64_t now_us,
                      enum world_outcome outcome);

// Whether any of the faults is for the device: others meet no fault, whatever is asked of them.
bool console_call_has_faults(const struct network *n, const struct fault_list *faults,
                             uint32_t device);

// What each method of the device protocol takes and does (spec/acmeos.md): a table by operation.
#pragma once

#include "common/rpc.h"
#include "simulator/fault_rule.h"
#include "simulator/world.h"

struct console_work { // a call that is carried out
    struct world *world;
    uint32_t device;
    const cJSON *params;      // have passed console_check_params()
    uint64_t draw;            // draw_call() of it
    enum fault_effect effect; // that it meets
};

// detail is for RPC_INVALID_PARAMS.
enum rpc_error console_check_params(const struct network *n, enum operation operation,
                                    const cJSON *params, struct error *detail);
// That a login says, or ACMEOS_NO_EPOCH.
uint64_t console_login_epoch(const cJSON *params);

// Does to the device what the method says, and writes its result as JSON text. Who is logged in to
// what is for the connection to know.
void console_carry_out(enum operation operation, const struct console_work *work,
                       struct buf *result);

// One simulated device: what it runs, its state, what was done to it.
#pragma once

#include "simulator/operation.h"

#include <stdbool.h>
#include <stdint.h>

struct console;

enum device_state {
#define X(name, text) DEVICE_##name,
#include "simulator/device_states.def"
#undef X
    DEVICE_STATE_COUNT
};

extern const char *const device_state_names[DEVICE_STATE_COUNT];

// 56 bytes; there may be millions.
struct device {
    struct console *consoles;           // logged in to it
    uint64_t epoch;                     // the highest that a login has said
    uint32_t attempts[OPERATION_COUNT]; // calls that reached it
    uint32_t logins;                    // that succeeded
    uint32_t installs;                  // that began
    uint32_t version;                   // of the world's versions
    uint32_t installing;                // what is being installed, while that is its state
    uint8_t state;
};

// Asserts that the change is a possible one. It is for world_turn() only, which tells the others
// who count states.
void device_turn(struct device *d, enum device_state state);

bool device_reachable(const struct device *d); // neither rebooting nor down

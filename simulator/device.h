// One simulated device: what it runs, its state, what was done to it.
#pragma once

#include "common/buf.h"
#include "simulator/operation.h"

#include <stdbool.h>
#include <stdint.h>

struct console;
struct world;

enum device_state {
#define X(name, text) DEVICE_##name,
#include "simulator/device_states.def"
#undef X
    DEVICE_STATE_COUNT
};

extern const char *const device_state_names[DEVICE_STATE_COUNT];

// 48 bytes; there may be millions.
struct device {
    struct console *consoles;           // logged in to it
    uint32_t attempts[OPERATION_COUNT]; // calls that reached it
    uint32_t logins;                    // that succeeded
    uint32_t installs;                  // that began
    uint32_t version;                   // of the world's versions
    uint8_t state;
};

// As born, from the world's seed.
void device_bear(struct world *w, uint32_t device);

// The one door: every change of state goes through it. Asserts that the change is a possible one.
void device_turn(struct world *w, uint32_t device, enum device_state state);

bool device_reachable(const struct world *w, uint32_t device); // neither rebooting nor down
const char *device_version(const struct world *w, uint32_t device);

// {"name": ..., "site": ..., ...}
void device_write(const struct world *w, uint32_t device, struct buf *out);

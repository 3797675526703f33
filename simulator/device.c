// A device is up until an install begins, and installing until the install's time is up. As a rule
// it is up again then, with the new version. A fault may let it reboot instead, after which it is
// up, or break it for good: nothing but a reset of the world brings back a device that is down.
#include "simulator/device.h"

#include <assert.h>

const char *const device_state_names[DEVICE_STATE_COUNT] = {
#define X(name, text) [DEVICE_##name] = #text,
#include "simulator/device_states.def"
#undef X
};

void device_turn(struct device *d, enum device_state state) {
    static const bool possible[DEVICE_STATE_COUNT][DEVICE_STATE_COUNT] = {
        [DEVICE_UP] = {[DEVICE_INSTALLING] = true},
        [DEVICE_INSTALLING] = {[DEVICE_UP] = true, [DEVICE_REBOOTING] = true, [DEVICE_DOWN] = true},
        [DEVICE_REBOOTING] = {[DEVICE_UP] = true},
    };
    assert(possible[d->state][state]);
    d->state = (uint8_t)state;
}

bool device_reachable(const struct device *d) {
    return d->state == DEVICE_UP || d->state == DEVICE_INSTALLING;
}

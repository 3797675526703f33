#include "simulator/device.h"

#include "simulator/draw.h"
#include "simulator/world.h"

#include <assert.h>
#include <stdio.h>

const char *const device_state_names[DEVICE_STATE_COUNT] = {
#define X(name, text) [DEVICE_##name] = #text,
#include "simulator/device_states.def"
#undef X
};

// 5.M.R, M from 1 to 4, R from 0 to 9; M = 4 always has R = 1 (spec/acmeos.md, "Birth").
static uint32_t birth_version(struct world *w, uint32_t device) {
    const struct network *n = w->network;
    const struct network_override *override = network_override_of(n, device);
    if (override != NULL && override->version != NULL)
        return versions_intern(&w->versions, override->version);
    uint64_t hash = network_hash(n, device);
    if (n->versions_len > 0) {
        uint64_t draw = draw_birth(w->seed, hash, DRAW_BIRTH_VERSION);
        return versions_intern(&w->versions, n->versions[rng_range(draw, 0, n->versions_len - 1)]);
    }
    unsigned minor = (unsigned)rng_range(draw_birth(w->seed, hash, DRAW_BIRTH_MINOR), 1, 4);
    unsigned revision = (unsigned)rng_range(draw_birth(w->seed, hash, DRAW_BIRTH_REVISION), 0, 9);
    char text[16];
    snprintf(text, sizeof text, "5.%u.%u", minor, minor == 4 ? 1 : revision);
    return versions_intern(&w->versions, text);
}

void device_bear(struct world *w, uint32_t device) {
    w->devices[device] = (struct device){.version = birth_version(w, device), .state = DEVICE_UP};
    w->states[DEVICE_UP]++;
}

bool device_reachable(const struct world *w, uint32_t device) {
    return w->devices[device].state == DEVICE_UP || w->devices[device].state == DEVICE_INSTALLING;
}

void device_turn(struct world *w, uint32_t device, enum device_state state) {
    static const bool possible[DEVICE_STATE_COUNT][DEVICE_STATE_COUNT] = {
        [DEVICE_UP] = {[DEVICE_INSTALLING] = true},
        [DEVICE_INSTALLING] = {[DEVICE_UP] = true, [DEVICE_REBOOTING] = true, [DEVICE_DOWN] = true},
        [DEVICE_REBOOTING] = {[DEVICE_UP] = true},
    };
    struct device *d = &w->devices[device];
    assert(possible[d->state][state]);
    bool was_reachable = device_reachable(w, device);
    w->states[d->state]--;
    w->states[state]++;
    d->state = (uint8_t)state;
    if (was_reachable && !device_reachable(w, device)) referee_down(&w->referee, device);
    if (!was_reachable && device_reachable(w, device)) referee_up(&w->referee, device);
}

const char *device_version(const struct world *w, uint32_t device) {
    return w->versions.texts[w->devices[device].version];
}

void device_write(const struct world *w, uint32_t device, struct buf *out) {
    const struct device *d = &w->devices[device];
    struct network_place at = network_place(w->network, device);
    char host[NETWORK_HOST_MAX];
    network_host(w->network, device, host);
    buf_addf(out,
             "{\"name\": \"%s\", \"site\": \"%s\", \"dev_type\": \"%s\", \"rack\": \"%u\", "
             "\"version\": \"%s\", \"state\": \"%s\", \"logins\": %u, \"installs\": %u}",
             host, at.site->name, at.type->name, network_rack(&at), device_version(w, device),
             device_state_names[d->state], d->logins, d->installs);
}

// The world changes only while somebody calls it, and knows no more of the time than it is told.
// What lies in the future, the end of a reboot, waits in a heap until world_advance() is told a
// later time; so whoever asks brings the world up to now first.
//
// The invariants: states[] counts the devices in each state, and the referee's count of devices
// that are away, in each group, is of those for which world_serves() says no. Both hold because
// world_turn() is the one door.
#include "simulator/world.h"

#include "common/mem.h"
#include "simulator/draw.h"

#include <stdio.h>
#include <stdlib.h>

const char *const world_outcome_names[WORLD_OUTCOME_COUNT] = {"answered", "error", "lost"};

// --- devices as they are born

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

// One that is down at its birth, or that nobody can reach.
static void bear_odd(struct world *w, const struct network_override *override) {
    if (override->down) {
        w->devices[override->device].state = DEVICE_DOWN;
        w->states[DEVICE_UP]--;
        w->states[DEVICE_DOWN]++;
    }
    if (!world_serves(w, override->device)) referee_down(&w->referee, override->device);
}

static void bear_all(struct world *w) {
    for (int i = 0; i < DEVICE_STATE_COUNT; i++)
        w->states[i] = 0;
    for (uint32_t device = 0; device < w->network->devices; device++)
        w->devices[device] =
            (struct device){.version = birth_version(w, device), .state = DEVICE_UP};
    w->states[DEVICE_UP] = w->network->devices;
    for (size_t i = 0; i < w->network->overrides_len; i++)
        bear_odd(w, &w->network->overrides[i]);
}

void world_init(struct world *w, const struct network *network, uint64_t seed, double time_scale) {
    *w = (struct world){.network = network, .seed = seed, .time_scale = time_scale};
    w->devices = mem_array(network->devices, sizeof *w->devices);
    referee_init(&w->referee, network);
    bear_all(w);
}

void world_deinit(struct world *w) {
    free(w->devices);
    heap_deinit(&w->wakes);
    versions_deinit(&w->versions);
    fault_deinit(&w->faults);
    referee_deinit(&w->referee);
    journal_deinit(&w->journal);
    *w = (struct world){0};
}

void world_reset(struct world *w, uint64_t seed) {
    for (int i = 0; i < FAULT_EFFECT_COUNT; i++)
        w->faults_fired[i] += w->faults.fired[i];
    for (int i = 0; i < REFEREE_KIND_COUNT; i++)
        w->violations[i] += w->referee.counts[i];
    w->seed = seed;
    w->wakes.count = 0;
    versions_deinit(&w->versions);
    struct fault_known known = w->faults.known;
    fault_deinit(&w->faults);
    w->faults.known = known;
    referee_deinit(&w->referee);
    referee_init(&w->referee, w->network);
    bear_all(w);
}

uint64_t world_faults_fired(const struct world *w, enum fault_effect effect) {
    return w->faults_fired[effect] + w->faults.fired[effect];
}

uint64_t world_violations(const struct world *w, enum referee_kind kind) {
    return w->violations[kind] + w->referee.counts[kind];
}

uint64_t world_scaled(const struct world *w, uint64_t simulated_us) {
    return (uint64_t)((double)simulated_us * w->time_scale);
}

// --- the states of devices

bool world_reachable(const struct world *w, uint32_t device) {
    return device_reachable(&w->devices[device]);
}

static bool born_unreachable(const struct world *w, uint32_t device) {
    const struct network_override *override = network_override_of(w->network, device);
    return override != NULL && override->port == NETWORK_PORT_UNREACHABLE;
}

bool world_serves(const struct world *w, uint32_t device) {
    return w->devices[device].state == DEVICE_UP && !born_unreachable(w, device);
}

const char *world_version(const struct world *w, uint32_t device) {
    return w->versions.texts[w->devices[device].version];
}

const char *world_installing(const struct world *w, uint32_t device) {
    const struct device *d = &w->devices[device];
    return d->state == DEVICE_INSTALLING ? w->versions.texts[d->installing] : NULL;
}

void world_turn(struct world *w, uint32_t device, enum device_state state) {
    struct device *d = &w->devices[device];
    bool served = world_serves(w, device);
    w->states[d->state]--;
    device_turn(d, state);
    w->states[d->state]++;
    if (served && !world_serves(w, device)) referee_down(&w->referee, device);
    if (!served && world_serves(w, device)) referee_up(&w->referee, device);
}

void world_wake_at(struct world *w, uint64_t due_us, uint32_t device, uint32_t install) {
    heap_push(&w->wakes, (struct heap_entry){due_us, device, install});
}

void world_advance(struct world *w, uint64_t now_us) {
    while (w->wakes.count > 0 && w->wakes.entries[0].key <= now_us) {
        const struct heap_entry wake = heap_pop(&w->wakes);
        world_turn(w, wake.id, DEVICE_UP);
        referee_installed(&w->referee, wake.key, wake.tag);
    }
}

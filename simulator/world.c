#include "simulator/world.h"

#include "common/mem.h"

#include <stdlib.h>

const char *const world_outcome_names[WORLD_OUTCOME_COUNT] = {"answered", "error", "lost"};

static void bear_all(struct world *w) {
    for (int i = 0; i < DEVICE_STATE_COUNT; i++)
        w->states[i] = 0;
    for (uint32_t device = 0; device < w->network->devices; device++)
        device_bear(w, device);
}

void world_init(struct world *w, const struct network *network, uint64_t seed, double time_scale) {
    *w = (struct world){.network = network, .seed = seed, .time_scale = time_scale};
    w->devices = mem_array(network->devices, sizeof *w->devices);
    referee_init(&w->referee, network);
    bear_all(w);
}

void world_deinit(struct world *w) {
    free(w->devices);
    free(w->wakes);
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
    w->wakes_len = 0;
    versions_deinit(&w->versions);
    fault_deinit(&w->faults);
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

// --- reboots: a binary heap, the earliest at its root

static void swap(struct world_wake *a, struct world_wake *b) {
    struct world_wake kept = *a;
    *a = *b;
    *b = kept;
}

void world_wake_at(struct world *w, uint64_t due_us, uint32_t device, uint32_t install) {
    if (w->wakes_len == w->wakes_cap) {
        w->wakes_cap = w->wakes_cap == 0 ? 16 : w->wakes_cap * 2;
        w->wakes = mem_resize(w->wakes, w->wakes_cap, sizeof *w->wakes);
    }
    size_t at = w->wakes_len++;
    w->wakes[at] = (struct world_wake){due_us, device, install};
    for (; at > 0 && w->wakes[at].due_us < w->wakes[(at - 1) / 2].due_us; at = (at - 1) / 2)
        swap(&w->wakes[at], &w->wakes[(at - 1) / 2]);
}

static struct world_wake take_wake(struct world *w) {
    struct world_wake first = w->wakes[0];
    w->wakes[0] = w->wakes[--w->wakes_len];
    for (size_t at = 0;;) {
        size_t least = at;
        for (size_t child = 2 * at + 1; child <= 2 * at + 2 && child < w->wakes_len; child++)
            if (w->wakes[child].due_us < w->wakes[least].due_us) least = child;
        if (least == at) return first;
        swap(&w->wakes[at], &w->wakes[least]);
        at = least;
    }
}

void world_advance(struct world *w, uint64_t now_us) {
    while (w->wakes_len > 0 && w->wakes[0].due_us <= now_us) {
        struct world_wake wake = take_wake(w);
        device_turn(w, wake.device, DEVICE_UP);
        referee_installed(&w->referee, wake.due_us, wake.install);
    }
}

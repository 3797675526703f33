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

// --- reboots

void world_wake_at(struct world *w, uint64_t due_us, uint32_t device, uint32_t install) {
    heap_push(&w->wakes, (struct heap_entry){due_us, device, install});
}

void world_advance(struct world *w, uint64_t now_us) {
    while (w->wakes.count > 0 && w->wakes.entries[0].key <= now_us) {
        const struct heap_entry wake = heap_pop(&w->wakes);
        device_turn(w, wake.id, DEVICE_UP);
        referee_installed(&w->referee, wake.key, wake.tag);
    }
}

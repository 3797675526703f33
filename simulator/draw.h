// The random numbers of the simulator. A generator that hands out one number after the other would
// give a device another latency whenever another connection came first. So there is none: a number
// is a hash of the seed and of what it is for, and a seed replays a run however its connections
// arrive.
//
// A call's draws come from its device, its operation and which attempt of it this is; what happens
// at a device's birth has OPERATION_COUNT in the operation's place, so no call shares its numbers.
// The purpose is mixed in last, for one call draws more than once. It changes every number of every
// run when a purpose is put before another, or the order of the mixing is changed.
#pragma once

#include "common/duration.h"
#include "common/rng.h"
#include "simulator/operation.h"

enum draw_purpose {
    DRAW_BIRTH_VERSION,
    DRAW_BIRTH_MINOR,
    DRAW_BIRTH_REVISION,
    DRAW_LATENCY,
    DRAW_CPU,
    DRAW_RAM,
    DRAW_FAULT,
    DRAW_REBOOT,
};

// What all draws of one call have in common. device is network_hash() of it; attempt counts that
// operation on that device since the reset, from 1.
static inline uint64_t draw_call(uint64_t seed, uint64_t device, enum operation operation,
                                 uint32_t attempt) {
    return rng_mix(rng_mix(rng_mix(seed, device), (uint64_t)operation), attempt);
}

static inline uint64_t draw_birth(uint64_t seed, uint64_t device, enum draw_purpose purpose) {
    return rng_mix(rng_mix(rng_mix(seed, device), OPERATION_COUNT), (uint64_t)purpose);
}

// Simulated time: the time scale has not been applied. call is draw_call().
static inline uint64_t draw_latency_us(uint64_t call, struct duration_range range) {
    return rng_range(rng_mix(call, DRAW_LATENCY), range.low_us, range.high_us);
}

static inline uint64_t draw_reboot_us(uint64_t call, struct duration_range range) {
    return rng_range(rng_mix(call, DRAW_REBOOT), range.low_us, range.high_us);
}

// In [0, 1): the rule takes hold where this is below its probability.
static inline double draw_fault(uint64_t call, uint64_t rule) {
    return rng_unit(rng_mix(rng_mix(call, DRAW_FAULT), rule));
}

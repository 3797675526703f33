// The simulated world: the network's devices in their states, the faults in force, the referee and
// the journal. No clock: time comes in as microseconds since the simulator's start. Simulated
// delays are multiplied by the time scale here, so that all that comes out is real time.
#pragma once

#include "common/heap.h"
#include "simulator/device.h"
#include "simulator/fault.h"
#include "simulator/journal.h"
#include "simulator/network.h"
#include "simulator/referee.h"
#include "simulator/versions.h"

enum world_outcome { WORLD_ANSWERED, WORLD_ERROR, WORLD_LOST, WORLD_OUTCOME_COUNT };
extern const char *const world_outcome_names[WORLD_OUTCOME_COUNT];

struct world {
    const struct network *network;
    uint64_t seed;
    double time_scale;
    struct device *devices;
    uint32_t states[DEVICE_STATE_COUNT]; // how many devices are in each
    struct versions versions;
    struct fault_list faults;
    struct referee referee;
    struct journal journal;
    struct heap wakes; // of rebooting devices: when, which, and its install, the referee's number
    struct console *condemned; // those whose connection is to be reset: console_condemned()
    uint64_t last_connection;  // ids, from 1
    // counters since the start
    uint64_t logins, bad_requests;
    uint64_t connections_kept; // whose client did not close it in time when all was said
    uint64_t delays_us;        // that calls were made to take
    uint64_t requests[OPERATION_COUNT][WORLD_OUTCOME_COUNT];
    uint64_t faults_fired[FAULT_EFFECT_COUNT]; // before the last reset, as is the next
    uint64_t violations[REFEREE_KIND_COUNT];
};

enum { WORLD_TIME_SCALE_MAX = 1000 };

// The network must outlive the world. Every device is as born.
void world_init(struct world *w, const struct network *network, uint64_t seed, double time_scale);
void world_deinit(struct world *w);

// As it began, without faults. No console may exist. The journal's numbers and the counters go on.
void world_reset(struct world *w, uint64_t seed);

// The one door: every change of a device's state goes through it. Counts it and tells the referee.
void world_turn(struct world *w, uint32_t device, enum device_state state);

bool world_reachable(const struct world *w, uint32_t device); // neither rebooting nor down
bool world_serves(const struct world *w, uint32_t device);    // up, and not unreachable by birth
const char *world_version(const struct world *w, uint32_t device);
const char *world_installing(const struct world *w, uint32_t device); // NULL: nothing

// Lets rebooting devices come back whose time has come. To be called before anything is asked of
// the world or read from it.
void world_advance(struct world *w, uint64_t now_us);

// The device comes back at due_us, which ends the install.
void world_wake_at(struct world *w, uint64_t due_us, uint32_t device, uint32_t install);

// Counted since the start, resets or not.
uint64_t world_faults_fired(const struct world *w, enum fault_effect effect);
uint64_t world_violations(const struct world *w, enum referee_kind kind);

uint64_t world_scaled(const struct world *w, uint64_t simulated_us);

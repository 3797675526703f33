// Connections with devices as the virtual clock knows them (orchestrator/virtual.h). Pure. Here are
// the contacts with devices of which the latencies tell all; visit.h has the others.
#pragma once

#include "orchestrator/virtual.h"
#include "simulator/operation.h"

#include <stdbool.h>
#include <stdint.h>

// What the devices are like. Times are real, in microseconds.
struct contact_devices {
    void *arg;
    uint64_t (*latency_us)(void *arg, uint32_t device, enum operation operation, uint32_t attempt);
    bool (*is_current)(void *arg, uint32_t device); // is born with the version that is wanted
    bool (*install_fails)(void *arg, uint32_t device, uint32_t attempt);
    uint64_t call_timeout_us, install_timeout_us, keep_us;
};

// A device, and the contact with it, of which there is one at most. Zeroed it is as born.
struct contact {
    uint64_t due_us;
    uint64_t installing_until_us; // though nobody listens any more
    uint32_t attempts[OPERATION_COUNT];
    uint8_t task, state;
    bool is_late, fails; // how the part that runs will end
    bool is_upgraded;
};

void contact_begin(struct contact *contact, const struct contact_devices *devices, uint32_t device,
                   enum contact_task task, uint64_t now_us, struct contact_update *update);
void contact_tell(struct contact *contact, const struct contact_devices *devices, uint32_t device,
                  enum contact_input input, uint64_t now_us, struct contact_update *update);

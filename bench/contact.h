// A connection with a device as the virtual clock knows it: what was done to it goes in, and what
// that amounts to comes out, as an orchestrator's runner hears it of its connections. Pure.
//
// Here are the contacts with devices of which the latencies tell all; visit.h has the others.
#pragma once

#include "simulator/operation.h"

#include <stdbool.h>
#include <stdint.h>

enum contact_task {
    CONTACT_UPGRADE,
    CONTACT_ASK,          // is it up? It stays logged in
    CONTACT_ASK_AND_LEAVE // and logs out at once
};

enum contact_input {
    CONTACT_DUE,     // its time has come
    CONTACT_GRANTED, // the answers to whether it may be changed
    CONTACT_REFUSED,
    CONTACT_TAKEN, // one that asks, and does not leave, is an upgrade from now on
    CONTACT_LEAVE, // one that is kept is to log out
};

enum contact_verdict { CONTACT_OPEN, CONTACT_DONE, CONTACT_FAILED };

struct contact_update {
    uint64_t due_us;              // CONTACT_DUE is due then; UINT64_MAX: not before something else
    bool asks;                    // whether it may be changed
    bool answered;                // its get_version was answered as it should be, just now
    bool pauses;                  // the connection was lost, and is opened anew
    bool is_kept;                 // from now on, until it is taken or leaves
    bool leaves;                  // it begins to log out
    bool is_over;                 // it is no more
    enum contact_verdict verdict; // told once; of an ask whether the device is up
    bool times_out;               // and fails by that
};

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

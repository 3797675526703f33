// The orchestrator's runner on a virtual clock: the same schedule.c and peers.c that run live,
// driven by a heap of the times at which something is due at a device. Pure.
#pragma once

#include "orchestrator/peers_config.h"
#include "orchestrator/schedule.h"

#include <stdbool.h>
#include <stdint.h>

// A connection with a device: what was done to it goes in, and what that amounts to comes out, as
// the runner hears it of its connections.
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

// The devices: host is an index into the inventory, and each has one contact at a time. begin is
// called for every run; then all devices are as born, and have none.
struct virtual_devices {
    void *arg;
    void (*begin)(void *arg);
    void (*contact)(void *arg, uint32_t host, enum contact_task task, uint64_t now_us,
                    struct contact_update *update);
    void (*tell)(void *arg, uint32_t host, enum contact_input input, uint64_t now_us,
                 struct contact_update *update);
};

enum virtual_end { VIRTUAL_UNCHANGED, VIRTUAL_CHANGED, VIRTUAL_FAILED, VIRTUAL_SKIPPED };

// A host of a run. One that was put back began when it had its last turn.
struct virtual_host {
    uint64_t start_us, end_us; // until its verdict; start_us UINT64_MAX: it never began
    uint32_t cause;            // of one that never began: whose failure; SCHEDULE_NO_HOST: nobody's
    uint8_t end;               // enum virtual_end
    bool times_out;            // it failed by that
};

struct virtual_job { // of all hosts of the grouping; those of another platform are skipped
    const struct inventory *inventory;
    const struct grouping *grouping;
    unsigned workers;
    struct peers_config peers; // asks 0: as many as workers
    past_of past;              // what has become of each before; NULL: nothing has begun
    void *past_arg;
    struct virtual_host *hosts; // what becomes of each of the inventory's; NULL: nobody asks
};

struct virtual_result {
    uint64_t makespan_us;
    uint64_t busy_us;          // that all hosts together were in hand
    uint64_t longest_group_us; // the group whose hosts took longest, as many at once as it allows
    size_t longest_group;      // which of the grouping's constraints; the first of several
    uint32_t completed, failed, skipped;
    uint32_t timed_out; // of the failed
    uint32_t asked;     // devices, for their peers
};

// From its start to its report.
void virtual_run(const struct virtual_job *job, const struct virtual_devices *devices,
                 struct virtual_result *result);

double virtual_window_s(const struct virtual_result *result);

// No order of work ends earlier: max(busy / workers, longest group).
double virtual_bound_us(const struct virtual_result *result, unsigned workers);

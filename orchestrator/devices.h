// What is known of devices. A device is a (name, address, port), whichever job's inventory it
// stands in. Pure; what changes it is in peers.c.
#pragma once

#include "common/inventory.h"

#include <stdbool.h>
#include <stdint.h>

enum { DEVICES_IDLE_MAX = 1 << 16 }; // that nobody works on and of which something is known

enum ask_state {
    ASK_NONE,
    ASK_WANTED,  // waits for its place among the asks
    ASK_RUNNING, // the driver asks it
    ASK_KEPT,    // it has answered, and its session is kept for its own turn
    ASK_LEAVING, // its session is on its way out
};

struct device {
    struct device *next;      // in its bucket
    struct host host;         // name, address and port, of its own
    void *contact;            // the driver's: the connection that it has; NULL: none
    void *runner;             // the driver's, too
    struct turn *turn;        // that has it in hand; NULL: nobody has
    struct member *waiting;   // turns that wait for its answer
    uint64_t up_ms;           // evidence: when it answered; 0: none
    uint64_t down_ms;         // since when it is known not to be up; 0: it is not
    uint64_t refuted_ms;      // when it was last asked and found not to be up
    char *why;                // of either
    char *version;            // that it last said it runs; NULL: not known
    struct credentials login; // of its contact, copies; NULL: the service's
    uint64_t epoch;           // the same: what its login says, or ACMEOS_NO_EPOCH
    uint16_t shard;           // of where it was logged in to last
    bool is_foreign;          // of a platform that cannot be asked: never up
    enum ask_state ask;
    uint64_t rank;    // while an ask is wanted: of the oldest turn that waits for it
    bool is_passing;  // whoever asks it logs out at once
    bool is_unwanted; // its session is kept, and nobody's turn is to come
    struct {
        void *run; // the driver's
        uint32_t cohort, host;
    } kept_for;
    bool is_next;                  // in the queue of peers_next_kept()
    uint32_t users;                // turns of whose groups it is a member
    struct device *ahead, *behind; // in the list of those wanted, kept, or idle
    char **held;                   // keys of groups that wait until it is in nobody's hand
    size_t held_count, held_cap;
};

struct device_list { // zeroed it is empty
    struct device *first, *last;
    size_t count;
};

void device_list_append(struct device_list *list, struct device *device);
// Behind ahead; NULL: first of all.
void device_list_insert(struct device_list *list, struct device *device, struct device *ahead);
void device_list_take_out(struct device_list *list, struct device *device);

struct devices {
    struct device **buckets;
    size_t buckets_count, count;
    struct device_list idle;
};

void devices_init(struct devices *devices);
void devices_deinit(struct devices *devices); // none may be in hand

struct device *devices_find(const struct devices *devices, const struct host *host); // NULL: none
// Found or new, and not idle: the caller counts itself among its users.
struct device *devices_use(struct devices *devices, const struct host *host);
// What is known of a device that nobody works on any more may be forgotten, when there are too
// many.
void devices_let_rest(struct devices *devices, struct device *device);

void device_set_why(struct device *device, const char *why); // copied; NULL: none
// How the next contact logs in. Copied. Not while it has a contact, which borrows it.
void device_set_login(struct device *device, struct credentials login, uint64_t epoch);
void device_set_version(struct device *device, const char *version); // copied; NULL: as before

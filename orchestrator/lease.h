// Whether this node may act, and which others are dead: the lease of several orchestrators over one
// store. Pure: times are arguments, in milliseconds of a clock that also runs while the machine
// sleeps (CLOCK_BOOTTIME). No wall clock decides anything, and no two clocks are ever compared.
//
// A node says that it lives by each write to the store, which counts its beat up. Its lease runs
// for LEASE_TTL_MS from before it *sent* a write that was acknowledged; it stops acting
// LEASE_MARGIN_MS earlier. A taker declares it dead when its beat has stood still for LEASE_TTL_MS
// on the taker's own clock, which began later: so it has stopped by then.
//
//   JOINED -> ALIVE -(nothing acknowledged that was sent in the last 7 s)-> QUIET -> ALIVE
//                \-----------------(the store says that it is dead)----------/-> DEAD
//
// One that is quiet has closed every connection to a device, and sends nothing to any until it is
// alive again; it has lost what it had in hand. One that is dead joins again under a new name.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    LEASE_TTL_MS = 10000,
    LEASE_MARGIN_MS = 3000,
    LEASE_ACT_MS = LEASE_TTL_MS - LEASE_MARGIN_MS, // from sending on
    LEASE_KILL_MS = LEASE_ACT_MS + 500, // a process that has not stopped by then is ended
    LEASE_BEAT_MS = 1000,               // a write at least so often
    LEASE_ID_MAX = 64,
    LEASE_SHARDS_AT_ONCE = 256, // that one write takes
};

enum lease_state { LEASE_JOINED, LEASE_ALIVE, LEASE_QUIET, LEASE_DEAD };

// What one look at the store has shown of a node.
struct lease_node {
    char id[LEASE_ID_MAX];
    uint64_t beat;
    uint32_t shards; // that it has
    bool is_hungry;  // it has workers for more
    bool is_ready;   // it may have some; else it gives up those that it has, and has no share
};

struct lease_view {
    const struct lease_node *nodes; // those that are not dead, this one among them
    size_t count;
    uint32_t free_shards;
    uint64_t incarnation; // of the store itself: another one after it was started anew, or promoted
    uint64_t age_ms;      // that it has been so for, as far as the store knows
};

struct lease_watch { // of another node
    struct lease_node seen;
    uint64_t since_ms; // its beat has been the same
    bool is_there;
};

struct lease {
    char id[LEASE_ID_MAX];
    uint32_t shards_all;
    enum lease_state state;
    uint64_t acts_until_ms;
    uint32_t shards; // that this node has
    struct lease_watch *watches;
    size_t count, cap;
    uint64_t incarnation;
    uint64_t claims_from_ms; // before, what looks free may be another node's still
    bool has_looked;
};

void lease_init(struct lease *lease, const char *id, uint32_t shards_all);
void lease_deinit(struct lease *lease);

// A write was acknowledged that was sent at that time, by this clock. False: the node was quiet
// until now, or had just joined, or is so still: it has no shards. What the store says it has it
// gives back before it claims any.
bool lease_acknowledge(struct lease *lease, uint64_t sent_ms, uint64_t now_ms);
void lease_die(struct lease *lease);                  // the store refuses it
void lease_join(struct lease *lease, const char *id); // again
// Time passes. True: the node is quiet from now on; all connections to devices are to be closed
// before anything else is done.
bool lease_pass(struct lease *lease, uint64_t now_ms);
bool lease_may_act(const struct lease *lease, uint64_t now_ms);

// What a look asks for.
struct lease_wants {
    const struct lease_node *dead; // declare it dead, while its beat is that; NULL: nobody. It
                                   // lives until the next look.
    uint32_t claim;                // so many free shards
    uint32_t give_up;              // so many of its own, as soon as nothing of them is in hand
};

// view is an answer that has just come. is_hungry: this node has workers that have nothing to do.
// is_ready: as of struct lease_node.
struct lease_wants lease_look(struct lease *lease, const struct lease_view *view, bool is_hungry,
                              bool is_ready, uint64_t now_ms);

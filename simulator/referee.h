// The referee: watches what is done to the devices and records what must not happen. It knows the
// redundancy groups from the network, and nothing of who drives it.
//
// group_overlap     two devices of one group are being installed: from the second's begin until
//                   either no longer is
// peer_down         an install begins while another device of its group is away: installing,
//                   rebooting, down, or unreachable by birth
// double_drive      two connections are logged in to one device, until either no longer is
// needless_install  an install of the version that the device already runs
//
// A device is being installed from the arrival of an install until it next tells its version or,
// where nobody asks, until the connection that sent the install has ended; and never less than the
// install and its restart take. The next install of the same device takes the place of the one
// before. peer_down and needless_install last as long.
#pragma once

#include "common/buf.h"
#include "simulator/network.h"

enum referee_kind {
#define X(name, text) REFEREE_##name,
#include "simulator/referee_kinds.def"
#undef X
    REFEREE_KIND_COUNT
};

extern const char *const referee_kind_names[REFEREE_KIND_COUNT];

enum { REFEREE_KEPT_MAX = 10 * 1000 }; // violations; beyond they are only counted

struct referee_group {
    uint32_t installs; // begun since the reset
    uint32_t running;  // the newest that has not ended: an entry + 1, or 0
    uint32_t down;     // devices that are away
};

struct referee_client { // who sends installs: set connection, zero the rest
    uint64_t connection;
    uint32_t installs; // those that have not ended, the newest first: an entry + 1, or 0
};

struct referee_entry { // an install that has not ended, or a login that holds
    uint64_t connection;
    uint32_t device;
    uint32_t next; // in the same group (installs) or on the same device (logins): + 1, or 0
    // Of an install:
    struct referee_client *client; // NULL: it has left
    uint32_t next_of_client;       // + 1, or 0
    bool busy;                     // the device is still at it
};

struct referee_violation {
    enum referee_kind kind;
    bool ended;
    uint32_t hosts[2]; // devices; the second is where the first is not alone
    uint32_t hosts_len, connections_len;
    uint64_t connections[2];
    uint64_t started_us, ended_us;
    uint32_t entries[2]; // whose end ends it
};

struct referee {
    const struct network *network;
    struct referee_group *groups;
    uint32_t *logins; // by device: the newest login's entry + 1, or 0
    struct referee_entry *entries;
    uint32_t entries_len, entries_free; // free ones are chained by next
    size_t entries_cap;
    struct referee_violation *violations;
    size_t violations_len, violations_cap;
    uint32_t *open; // indexes of violations that have not ended
    size_t open_len, open_cap;
    uint64_t counts[REFEREE_KIND_COUNT]; // kept or not
    uint64_t in_flight, max_in_flight;   // connections logged in
};

void referee_init(struct referee *r, const struct network *network); // network must outlive it
void referee_deinit(struct referee *r);

// A login that holds until referee_logout() of what is returned.
uint32_t referee_login(struct referee *r, uint64_t now_us, uint32_t device, uint64_t connection);
void referee_logout(struct referee *r, uint64_t now_us, uint32_t login);

// An install arrives, at a device that is not at one. The client must stay where it is until
// referee_client_left(). needless: the device runs the wanted version already. is_down says which
// devices are away, where a group has any. To referee_installed(), which must be told of each, goes
// what is returned.
typedef bool (*referee_is_down)(const void *arg, uint32_t device);
uint32_t referee_install(struct referee *r, uint64_t now_us, uint32_t device,
                         struct referee_client *client, bool needless, referee_is_down is_down,
                         const void *arg);
void referee_installed(struct referee *r, uint64_t now_us, uint32_t install); // restart included
void referee_version_told(struct referee *r, uint64_t now_us, uint32_t device);
void referee_client_left(struct referee *r, uint64_t now_us, struct referee_client *client);

void referee_down(struct referee *r, uint32_t device); // it is away from now on
void referee_up(struct referee *r, uint32_t device);

// {"violations": [...], "max_in_flight": N, "groups": {...}}, a line for each violation and for
// each group, in network order.
void referee_write(const struct referee *r, bool with_groups, struct buf *out);

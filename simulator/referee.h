// The referee: watches what is done to the devices and records what must not happen. It knows the
// groups from the network's policy, and nothing of who drives it.
//
// group_overlap     more than max_unavailable devices of a redundancy group are being installed:
//                   from the begin of the one too many until no longer
// peer_down         an install begins while too many others of a redundancy group of its device are
//                   away: installing, rebooting, down, or unreachable by birth
// throttle          more than at_once devices of a throttle are being installed
// double_drive      two connections are logged in to one device, until either no longer is; one
//                   whose client has ended it is so only while an install of it is still to begin,
//                   and one that may install no more, for its epoch is stale, is not
// needless_install  an install of the version that the device already runs
// stale_epoch       an install begins in a session whose epoch is older than one that a login to a
//                   device of a redundancy group of its device has said: whoever sent it has been
//                   replaced there. A session that says none is never stale
//
// Where one is one too many, each pair is a violation of its own, until either of the two is over.
// Else one violation tells of all who are too many together, the newcomer last, until they are few
// enough or the newcomer is over.
//
// A device is being installed from the arrival of an install until it next tells its version or,
// where nobody asks, until the connection that sent the install has ended; and never less than the
// install and its restart take. The next install of the same device takes the place of the one
// before. peer_down, needless_install and stale_epoch last as long.
#pragma once

#include "common/acmeos.h"
#include "common/buf.h"
#include "simulator/network.h"

enum referee_kind {
#define X(name, text) REFEREE_##name,
#include "simulator/referee_kinds.def"
#undef X
    REFEREE_KIND_COUNT
};

extern const char *const referee_kind_names[REFEREE_KIND_COUNT];

enum {
    REFEREE_KEPT_MAX = 10 * 1000, // violations; beyond they are only counted
    REFEREE_NAMED_MAX = 100       // hosts of one violation, the newest
};

struct referee_group {
    uint32_t installs; // begun since the reset
    uint32_t running;  // the newest that has not ended: a link + 1, or 0
    uint32_t running_count;
    uint32_t down; // devices that are away, in network order: a link + 1, or 0
    uint32_t down_count;
    uint64_t epoch; // the newest that a login to a device of it has said
};

struct referee_client { // who sends installs: set connection and epoch, zero the rest
    uint64_t connection;
    uint64_t epoch;    // that its login has said, or ACMEOS_NO_EPOCH
    uint32_t installs; // those that have not ended, the newest first: an entry + 1, or 0
};

struct referee_link { // of a chain of installs or devices: a device stands in one for each group
    uint32_t what;    // an entry's number, or a device
    uint32_t next;    // + 1, or 0
};

struct referee_entry { // an install that has not ended, or a login that holds
    uint64_t connection;
    uint32_t device;
    uint32_t next; // on the same device (logins), or free: + 1, or 0
    // Of an install:
    struct referee_client *client; // NULL: it has left
    uint32_t next_of_client;       // + 1, or 0
    bool busy;                     // the device is still at it
};

struct referee_violation {
    enum referee_kind kind;
    bool ended, has_group;
    uint32_t group;
    bool crowd;      // until the group's installs are few enough again
    uint32_t *hosts; // devices
    uint64_t *connections;
    uint32_t hosts_len, connections_len;
    uint64_t started_us, ended_us;
    uint32_t entries[2]; // whose end ends it; 0: nobody's
};

struct referee {
    const struct network *network;
    bool *named_twice; // by group, from the first time that names are told
    struct referee_group *groups;
    uint32_t *logins;   // by device: the newest login's entry + 1, or 0
    uint32_t *installs; // by device: the entry + 1 of the install that has not ended, or 0
    struct referee_entry *entries;
    uint32_t entries_len, entries_free; // free ones are chained by next
    size_t entries_cap;
    struct referee_link *links;
    uint32_t links_len, links_free; // the same
    size_t links_cap;
    struct referee_violation *violations;
    size_t violations_len, violations_cap;
    uint32_t *open; // indexes of violations that have not ended
    size_t open_len, open_cap;
    uint64_t counts[REFEREE_KIND_COUNT]; // kept or not
    uint64_t in_flight, max_in_flight;   // connections logged in
    uint64_t installing, max_installing; // devices being installed
};

void referee_init(struct referee *r, const struct network *network); // network must outlive it
void referee_deinit(struct referee *r);

// A login that holds until referee_logout() of what is returned.
uint32_t referee_login(struct referee *r, uint64_t now_us, uint32_t device, uint64_t connection);
void referee_epoch(struct referee *r, uint32_t device, uint64_t epoch); // that a login has said
void referee_logout(struct referee *r, uint64_t now_us, uint32_t login);

// An install arrives, at a device that is not at one. The client must stay where it is until
// referee_client_left(). needless: the device runs the wanted version already. To
// referee_installed(), which must be told of each, goes what is returned.
uint32_t referee_install(struct referee *r, uint64_t now_us, uint32_t device,
                         struct referee_client *client, bool needless);
void referee_installed(struct referee *r, uint64_t now_us, uint32_t install); // restart included
void referee_version_told(struct referee *r, uint64_t now_us, uint32_t device);
void referee_client_left(struct referee *r, uint64_t now_us, struct referee_client *client);

void referee_down(struct referee *r, uint32_t device); // it is away from now on
void referee_up(struct referee *r, uint32_t device);

// {"violations": [...], "max_in_flight": N, "max_installing": N, "groups": {...}}, a line for each
// violation and for each group, in network order.
void referee_write(struct referee *r, bool with_groups, struct buf *out);

// The referee: watches what is done to the devices and records what must not happen. It knows the
// redundancy groups from the network, and nothing of who drives it.
//
// group_overlap     installs of two devices of one group overlap: from the second's begin until
//                   either ends
// peer_down         an install begins while another device of its group is rebooting or down
// double_drive      two connections are logged in to one device, until either no longer is
// needless_install  an install of the version that the device already runs
// peer_down and needless_install last as long as the install.
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
    uint32_t running;  // the newest of them: an entry + 1, or 0
    uint32_t down;     // devices rebooting or down
};

struct referee_entry { // an install that runs, or a login that holds
    uint64_t connection;
    uint32_t device;
    uint32_t next; // in the same group (installs) or on the same device (logins): + 1, or 0
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

// A login that holds until referee_logout() of what is returned; likewise an install. needless: the
// device runs the wanted version already. is_down says which devices are down, where a group has
// any.
uint32_t referee_login(struct referee *r, uint64_t now_us, uint32_t device, uint64_t connection);
void referee_logout(struct referee *r, uint64_t now_us, uint32_t login);
typedef bool (*referee_is_down)(const void *arg, uint32_t device);
uint32_t referee_install(struct referee *r, uint64_t now_us, uint32_t device, uint64_t connection,
                         bool needless, referee_is_down is_down, const void *arg);
void referee_installed(struct referee *r, uint64_t now_us, uint32_t install);
void referee_down(struct referee *r, uint32_t device); // rebooting, or down for good
void referee_up(struct referee *r, uint32_t device);

// {"violations": [...], "max_in_flight": N, "groups": {...}}, all groups in network order.
void referee_write(const struct referee *r, struct buf *out);

// What the admin API tells of the devices: ACME's inventory and the list of devices, filtered.
#pragma once

#include "common/buf.h"
#include "common/error.h"
#include "simulator/world.h"

struct listing_filter {
    bool *sites; // by index; NULL: all
    bool *types;
};

// The lists are names with commas between, or NULL for all; an empty one takes none. The error
// names an unknown name and the known ones. Deinit it after success.
int listing_filter_init(struct listing_filter *f, const struct network *n, const char *sites,
                        const char *types, struct error *err);
void listing_filter_deinit(struct listing_filter *f);

struct listing_addresses { // where the devices listen: spread over them by index
    const char *const *hosts;
    unsigned count;
    unsigned port;
    bool tls;
};

enum listing_kind {
    LISTING_INVENTORY, // {"earth": {"spine00.earth": {"platform": ...}, ...}, ...}
    LISTING_DEVICES,   // {"devices": [...]}
};

enum { LISTING_PIECE = 2048 }; // devices looked at at once: about two milliseconds

// Both in network order, and in pieces, so that a million devices do not stall the loop. A device
// is listed as it is when its turn comes.
struct listing {
    enum listing_kind kind;
    const struct network *network;
    const struct world *world;          // of LISTING_DEVICES
    const struct listing_addresses *at; // of LISTING_INVENTORY
    const struct listing_filter *filter;
    uint32_t device;                 // the next
    const struct network_site *open; // of LISTING_INVENTORY: whose hosts are being listed
    bool any;                        // something was listed
};

// All it is given is borrowed.
void listing_init_inventory(struct listing *l, const struct network *n,
                            const struct listing_filter *f, const struct listing_addresses *at);
void listing_init_devices(struct listing *l, const struct world *w, const struct listing_filter *f);
// Appends the next piece. True: more is to come.
bool listing_next(struct listing *l, struct buf *out);

// All pieces of an inventory.
void listing_write(const struct network *n, const struct listing_filter *f,
                   const struct listing_addresses *at, struct buf *out);
// One device: {"name": ..., "site": ..., ...}
void listing_write_device(const struct world *w, uint32_t device, struct buf *out);

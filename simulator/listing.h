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
};

// {"earth": {"spine00.earth": {"platform": ...}, ...}, ...}, in network order.
void listing_write(const struct network *n, const struct listing_filter *f,
                   const struct listing_addresses *at, struct buf *out);
// {"name": ..., "site": ..., ...}
void listing_write_device(const struct world *w, uint32_t device, struct buf *out);
// {"devices": [...]}, in network order.
void listing_write_devices(const struct world *w, const struct listing_filter *f, struct buf *out);

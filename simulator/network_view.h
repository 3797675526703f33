// What is known of a device, by the names of attributes: for policies, faults and the inventory.
#pragma once

#include "common/terms.h"
#include "simulator/network.h"

// The fields that every device has, and behind them the network's own attributes.
enum network_field {
    NETWORK_SITE,
    NETWORK_DEV_TYPE,
    NETWORK_RACK,
    NETWORK_HOST,
    NETWORK_PLATFORM,
    NETWORK_FIELDS
};

// The number of an attribute; negative: no device has it.
int network_attribute(const struct network *n, const char *name);

// Whether it differs from device to device of a type.
bool network_is_computed(const struct network *n, int attribute);

enum {
    NETWORK_COMPUTED_MAX = 256, // bytes of a value, the NUL included: a longer one is cut
    NETWORK_COMPUTED_KEPT =
        10 // values of computed attributes stand until so many more are asked for
};

struct network_view {
    const struct network *network;
    uint32_t device;
    struct network_place place;
    const struct network_override *override; // NULL: it is none of the odd ones
    const char *fields[NETWORK_FIELDS];
    char host[NETWORK_HOST_MAX], rack[NETWORK_RACK_TEXT_MAX];
    char computed[NETWORK_COMPUTED_KEPT][NETWORK_COMPUTED_MAX];
    const char *computed_texts[NETWORK_COMPUTED_KEPT];
    unsigned computed_next;
};

// The view must stay where it is while its values are in use.
void network_view(struct network_view *view, const struct network *n, uint32_t device);
struct attribute_values network_view_values(struct network_view *view, int attribute);

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

struct network_view {
    const struct network *network;
    uint32_t device;
    struct network_place place;
    const struct network_override *override; // NULL: it is none of the odd ones
    const char *fields[NETWORK_FIELDS];
    char host[NETWORK_HOST_MAX], rack[NETWORK_RACK_TEXT_MAX];
};

// The view must stay where it is while its values are in use.
void network_view(struct network_view *view, const struct network *n, uint32_t device);
struct attribute_values network_view_values(struct network_view *view, int attribute);

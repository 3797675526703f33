// Hosts tied by groups and throttles, over a whole inventory, are a component: what is done to one
// of them may have to wait for any other, and for nobody else. Pure.
#pragma once

#include "orchestrator/policy.h"

struct components {
    uint32_t *parent; // by host: up to the host that stands for its component
    uint32_t *sizes;  // of the component that a host stands for
};

void components_find(struct components *components, const struct applied_policy *applied,
                     size_t hosts);
void components_deinit(struct components *components);

// The host that stands for the component: the same for all of its hosts.
uint32_t components_of(const struct components *components, uint32_t host);

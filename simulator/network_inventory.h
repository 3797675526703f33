// A network made of an inventory of any form (common/inventory_parse.h): every host is one of its
// own, with its name, place and attributes. Where it listens is the simulator's business.
#pragma once

#include "common/error.h"
#include "simulator/network.h"

// Adds the hosts of a file or of a folder, and lays the network out. Errors begin with the path. A
// host of another platform than acmeos is down; one of it without a site is in NETWORK_NONE.
int network_inventory_load(struct network *n, const char *path, struct error *err);

// The fields sites and dev_types of a network file.
#pragma once

#include "common/error.h"
#include "simulator/network.h"

#include <cjson/cJSON.h>

// Both may be NULL: absent. To be called before anything else adds sites or types.
int network_file_sites(struct network *n, const cJSON *sites, const cJSON *types,
                       struct error *err);

// The field hosts of a network file: the odd ones out, and hosts that exist nowhere else.
#pragma once

#include "common/error.h"
#include "simulator/network.h"

#include <cjson/cJSON.h>

// The hosts of their own, which say their site and dev_type; before the network is laid out.
int network_file_own_hosts(struct network *n, const cJSON *hosts, struct error *err);
// What is odd about each host; once the network is laid out.
int network_file_odd_hosts(struct network *n, const cJSON *hosts, struct error *err);

// The networks that the bench makes for itself.
#pragma once

#include "common/error.h"

#include <stdint.h>

enum { NETWORKS_PATH_MAX = 128 };

// A network of so many devices (a multiple of 1000): per site 4 edges, 16 spines and 490 racks of
// two leaves; all are born with 5.2.1, so that an upgrade installs on every one. latency is as in a
// network file. The file is the caller's to unlink.
int networks_make(uint32_t devices, const char *latency, char path[NETWORKS_PATH_MAX],
                  struct error *err);

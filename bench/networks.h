// The networks that the bench makes for itself, as files in its scratch folder. All devices are
// born with 5.2.1, so that an upgrade installs on every one. latency is as in a network file.
#pragma once

#include "bench/scratch.h"

#include <stdint.h>

// So many devices (a multiple of 1000): per site 4 edges, 16 spines and 490 racks of two leaves.
int networks_make(uint32_t devices, const char *latency, char path[SCRATCH_PATH_MAX],
                  struct error *err);

// Sites of 1000 leaves and nothing else, so many in a rack.
int networks_make_racks(uint32_t sites, unsigned per_rack, const char *latency,
                        char path[SCRATCH_PATH_MAX], struct error *err);

// Where a network comes from: the options of the simulator, and of the bench's forecast.
#pragma once

#include "common/error.h"
#include "simulator/fault.h"
#include "simulator/network.h"

struct network_source {
    const char *network;   // a network file; NULL: none
    const char *inventory; // a file or folder of any form, in place of the network file
    const char *policy;    // in place of the network's own
};

// Initialises n, fills and seals it; faults, which may have none yet, get those of the file.
// Without a file it is the ACME network. n and faults are the caller's to deinit, after an error
// too.
int network_source_load(const struct network_source *source, struct network *n,
                        struct fault_list *faults, struct error *err);

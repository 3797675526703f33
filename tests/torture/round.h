// One round: a scenario in which a network, jobs, people and the machine do what a seed says. The
// program `scenario` plays it, and holds what every scenario must hold: each host of each job has
// one outcome, which stays, and which its device, the events, the log and the report agree with;
// and the referee is silent. Pure.
#pragma once

#include <cjson/cJSON.h>
#include <stdint.h>

struct round {
    cJSON *scenario;  // in JSON, which is YAML
    cJSON *inventory; // of the simulator: a file beside it, inventory.json
    unsigned kills;   // that it plays
};

// preload: the paths of disk.so and network.so, from / on, with a colon between them.
void round_draw(uint64_t seed, const char *preload, struct round *round);
void round_deinit(struct round *round);

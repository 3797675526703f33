// Where a round takes place: a network, the policy for it, and how fast its devices are. Pure.
#pragma once

#include "tests/torture/draw.h"

#include <cjson/cJSON.h>

enum { PLACE_SITES = 3, PLACE_HOSTS = 200, PLACE_NAME = 32 };

struct place {
    cJSON *inventory; // in ACME's form; the ports are the simulator's to say
    cJSON *policy;    // NULL: ACME's
    cJSON *latency;   // of a network file
    unsigned sites;
    unsigned hosts;
    char names[PLACE_HOSTS][PLACE_NAME];
    bool has_first; // some members go before others, which canaries might contradict
};

extern const char *const place_sites[PLACE_SITES];
extern const char *const place_types[3];

void place_draw(struct place *p, struct draw *d);
void place_deinit(struct place *p);

// What the options say of peers.
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum { PEERS_MAX_AGE_MS = 60 * 1000 }; // unless an option says otherwise

struct peers_config {
    bool check;          // else nobody is asked, and every turn is granted
    uint64_t max_age_ms; // of evidence, and of a kept session
    uint64_t wait_ms;    // so long a turn asks again before its host is skipped
    unsigned asks;       // asks and kept sessions together; 1 at least
};

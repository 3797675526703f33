// What has become of a host of a job that is taken up again, before that.
#pragma once

#include <stdint.h>

enum past { // in the order in which they have begun
    PAST_OVER,
    PAST_FAILED,   // over, and a failure of its groups
    PAST_IN_DOUBT, // in hand, and nobody knows how that ended
    PAST_PENDING,
};

// host is an index into the inventory; asked once of each.
typedef enum past (*past_of)(void *arg, uint32_t host);

// Clients that follow all jobs by GET /events/, read by one thread, or by nobody.
#pragma once

#include "common/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct followers;

int followers_start(struct followers **started, const char *url, size_t count, bool read,
                    struct error *err);

struct followed {
    uint64_t bytes; // that were read
    size_t lost;    // clients whose stream had ended
};
struct followed followers_end(struct followers *f); // closes all; takes NULL

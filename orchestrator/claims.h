// Which devices are in hand, over all jobs. Jobs may see one device in different groups, for the
// inventory may have changed between them; a device is driven by one of them at a time all the
// same. Pure.
#pragma once

#include "common/inventory.h"

struct claim { // of one device; embedded in who works on it
    struct claim *next;
    const struct host *host; // whose name, address and port are the device
    const char **waiting;    // groups that wait for the device
    size_t waiting_count, waiting_cap;
};

struct claims {
    struct claim **buckets;
    size_t buckets_count; // a power of two
};

void claims_init(struct claims *claims, size_t devices); // at once, about so many
void claims_deinit(struct claims *claims);

// NULL: the device is the claim's now. Else whose it is; then nothing has changed. host must live
// as long as the claim.
struct claim *claims_take(struct claims *claims, struct claim *claim, const struct host *host);
// A group that is to be released once the device is free again. The key must live until then.
void claims_wait(struct claim *holder, const char *group);
// The device is free again; told of each group that waited for it.
void claims_release(struct claims *claims, struct claim *claim,
                    void (*released)(void *arg, const char *group), void *arg);

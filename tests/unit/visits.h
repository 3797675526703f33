// A whole visit for an upgrade that may go ahead at once.
#pragma once

#include "bench/visit.h"

struct visit_result {
    uint64_t us;
    bool fails, times_out;
};

static inline struct visit_result visit(struct visitor *visitor, const struct host *host,
                                        uint32_t device, uint64_t now_us) {
    const uint64_t begun_us = now_us;
    struct contact_update update;
    struct visit_result result = {0};
    struct visit *v = visit_begin(visitor, host, device, CONTACT_UPGRADE, now_us, &update);
    for (;;) {
        if (update.verdict != CONTACT_OPEN) {
            result.fails = update.verdict == CONTACT_FAILED;
            result.times_out = update.times_out;
        }
        if (update.is_over) break;
        if (!update.asks) now_us = update.due_us;
        visit_tell(v, update.asks ? CONTACT_GRANTED : CONTACT_DUE, now_us, &update);
    }
    visit_free(v, now_us);
    result.us = now_us - begun_us;
    return result;
}

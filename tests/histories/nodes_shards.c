// The shards of a history: drawn, so that components are of one node or of several, and those of a
// component are the same. Whoever asks for shards gets these: the build puts this file before
// shards.c (--wrap).
#include "tests/histories/world_internal.h"

#include <stdlib.h>

uint16_t *__real_shards_of(const struct policy *policy, const struct inventory *inventory,
                           const struct selection *selection);
uint16_t *__wrap_shards_of(const struct policy *policy, const struct inventory *inventory,
                           const struct selection *selection);

static const struct plan *drawn; // a process plays one history at a time

uint16_t *__wrap_shards_of(const struct policy *policy, const struct inventory *inventory,
                           const struct selection *selection) {
    uint16_t *shards = __real_shards_of(policy, inventory, selection);
    for (size_t i = 0; shards != NULL && i < selection->count; i++)
        shards[i] = plan_shard(drawn, shards[i], SHARDS);
    return shards;
}

void nodes_draw_shards(struct world *w) {
    uint32_t all[PLAN_HOSTS];
    const struct selection selection = {.hosts = all, .count = w->plan->hosts};
    drawn = w->plan;
    for (uint32_t h = 0; h < PLAN_HOSTS; h++)
        all[h] = h;
    for (unsigned i = 0; i < INVENTORIES; i++) {
        uint16_t *shards = shards_of(&w->policies[0], w->inventories[i], &selection);
        for (unsigned h = 0; h < w->plan->hosts; h++)
            w->shards[i][h] = shards[h];
        free(shards);
    }
}

uint16_t nodes_shard(const struct world *w, unsigned job, unsigned host) {
    return w->shards[(w->jobs[job].view & VIEW_INVENTORY) != 0][host];
}

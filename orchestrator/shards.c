#include "orchestrator/shards.h"

#include "common/mem.h"
#include "common/rng.h"
#include "orchestrator/components.h"

#include <stdlib.h>
#include <string.h>

// By the host that stands for a component: the name of its first.
static const char **first_names(const struct components *components,
                                const struct inventory *inventory) {
    const char **first = mem_array(inventory->count, sizeof *first);
    for (uint32_t i = 0; i < inventory->count; i++) {
        const char **name = &first[components_of(components, i)];
        if (*name == NULL || strcmp(inventory->hosts[i].name, *name) < 0)
            *name = inventory->hosts[i].name;
    }
    return first;
}

uint16_t *shards_of(const struct policy *policy, const struct inventory *inventory,
                    const struct selection *selection) {
    const struct selection nobody = {0}; // a task that reads may select hosts without groups
    struct applied_policy applied;
    struct components components;
    struct error err;
    if (policy_apply(&applied, policy, inventory, &nobody, &err) != 0) return NULL;
    components_find(&components, &applied, inventory->count);
    const char **first = first_names(&components, inventory);
    uint16_t *shards = mem_array(selection->count, sizeof *shards);
    for (size_t i = 0; i < selection->count; i++)
        shards[i] =
            (uint16_t)(rng_hash(first[components_of(&components, selection->hosts[i])]) % SHARDS);
    free(first);
    components_deinit(&components);
    applied_policy_deinit(&applied);
    return shards;
}

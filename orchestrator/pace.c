#include "orchestrator/pace.h"

#include "common/buf.h"
#include "common/mem.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct type_pace {
    double mean_ms;
    uint64_t hosts;
    char key[];
};

void pace_deinit(struct pace *pace) {
    for (size_t i = 0; i < pace->types.cap; i++)
        free(pace->types.slots[i].value);
    strmap_deinit(&pace->types);
}

static void write_key(struct buf *key, const char *task, const char *dev_type) {
    buf_adds(key, task);
    buf_adds(key, " ");
    buf_adds(key, dev_type);
}

void pace_learn(struct pace *pace, const char *task, const char *dev_type, uint64_t ms) {
    struct buf key = {0};
    write_key(&key, task, dev_type);
    struct type_pace *type = strmap_get(&pace->types, key.data);
    if (type == NULL) {
        type = mem_zalloc(sizeof *type + key.len + 1);
        memcpy(type->key, key.data, key.len + 1);
        strmap_put(&pace->types, type->key, type);
    }
    buf_deinit(&key);
    if (type->hosts < PACE_MEMORY) type->hosts++;
    type->mean_ms += ((double)ms - type->mean_ms) / (double)type->hosts;
}

// Of each device type of the inventory; 0: not known. The least of the known is *quickest.
static double *means_of(const struct pace *pace, const char *task,
                        const struct inventory *inventory, double *quickest) {
    double *means = mem_array(inventory->dev_types.count, sizeof *means);
    struct buf key = {0};
    *quickest = INFINITY;
    for (size_t i = 0; i < inventory->dev_types.count; i++) {
        buf_clear(&key);
        write_key(&key, task, inventory->dev_types.list[i]);
        const struct type_pace *type = strmap_get(&pace->types, key.data);
        if (type == NULL || type->hosts < PACE_HOSTS_MIN) continue;
        means[i] = fmax(type->mean_ms, 1); // a clock of milliseconds tells no less apart
        *quickest = fmin(*quickest, means[i]);
    }
    buf_deinit(&key);
    return means;
}

void pace_weigh(const struct pace *pace, const char *task, const struct inventory *inventory,
                struct grouping *grouping) {
    double quickest, *means = means_of(pace, task, inventory, &quickest);
    for (size_t g = 0; g < grouping->count; g++) {
        struct group *group = &grouping->groups[g];
        double mean = means[inventory->hosts[grouping->order[group->first]].dev_type];
        double multiple = mean > 0 ? round(mean / quickest) : 1;
        group->weight = (uint32_t)fmin(multiple, PACE_WEIGHT_MAX);
    }
    free(means);
}

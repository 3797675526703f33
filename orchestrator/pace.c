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

double *pace_means(const struct pace *pace, const char *task, const struct inventory *inventory) {
    double *means = mem_array(inventory->dev_types.count, sizeof *means);
    struct buf key = {0};
    for (size_t i = 0; i < inventory->dev_types.count; i++) {
        buf_clear(&key);
        write_key(&key, task, inventory->dev_types.list[i]);
        const struct type_pace *type = strmap_get(&pace->types, key.data);
        if (type == NULL || type->hosts < PACE_HOSTS_MIN) continue;
        means[i] = fmax(type->mean_ms, 1); // a clock of milliseconds tells no less apart
    }
    buf_deinit(&key);
    return means;
}

static double quickest_of(const double *means, size_t count) {
    double quickest = INFINITY;
    for (size_t i = 0; i < count; i++)
        if (means[i] > 0) quickest = fmin(quickest, means[i]);
    return quickest;
}

// The times that the selected hosts of each constraint take, in those of the quickest type.
static double *times_of(const struct inventory *inventory, const struct grouping *grouping,
                        const double *means, double quickest, uint32_t *hosts) {
    double *times = mem_array(grouping->count, sizeof *times);
    for (size_t c = 0; c < grouping->cohorts_count; c++) {
        const struct cohort *cohort = &grouping->cohorts[c];
        const uint32_t *needs = cohort_needs(grouping, cohort);
        double time = 0;
        for (uint32_t i = 0; i < cohort->count; i++) {
            const uint16_t type = inventory->hosts[grouping->order[cohort->first + i]].dev_type;
            const double mean = type == INVENTORY_NO_NAME ? 0 : means[type];
            time += mean > 0 ? mean / quickest : 1;
        }
        for (uint32_t i = 0; i < cohort->needs_count; i++) {
            times[need_constraint(needs[i])] += time;
            hosts[need_constraint(needs[i])] += cohort->count;
        }
    }
    return times;
}

void pace_weigh(const struct pace *pace, const char *task, const struct inventory *inventory,
                struct grouping *grouping) {
    double *means = pace_means(pace, task, inventory);
    const double quickest = quickest_of(means, inventory->dev_types.count);
    uint32_t *hosts = mem_array(grouping->count, sizeof *hosts);
    double *times = times_of(inventory, grouping, means, quickest, hosts);
    for (size_t g = 0; g < grouping->count; g++) {
        const double multiple = hosts[g] > 0 ? round(times[g] / hosts[g]) : 1;
        grouping->constraints[g].weight = (uint32_t)fmin(multiple, PACE_WEIGHT_MAX);
    }
    free(means);
    free(hosts);
    free(times);
}

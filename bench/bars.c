#include "bench/bars.h"

#include "bench/stats.h"
#include "common/mem.h"
#include "common/strmap.h"

#include <math.h>
#include <stdlib.h>

// --- a foretold run

static const enum timeline_end ends[] = {[VIRTUAL_UNCHANGED] = TIMELINE_UNCHANGED,
                                         [VIRTUAL_CHANGED] = TIMELINE_CHANGED,
                                         [VIRTUAL_FAILED] = TIMELINE_FAILED,
                                         [VIRTUAL_SKIPPED] = TIMELINE_SKIPPED};

static const char *reason_of(const struct plan *plan, uint32_t number,
                             const struct virtual_host *host) {
    const struct host *hosts = plan->inventory->hosts;
    if (host->times_out) return "no answer in time";
    if (host->end != VIRTUAL_SKIPPED) return NULL;
    if (hosts[number].platform != 0) return "another platform";
    if (host->start_us != UINT64_MAX) return "its peers are not up";
    return host->cause == SCHEDULE_NO_HOST ? NULL : hosts[host->cause].name;
}

static struct timeline_host bar_of(const struct plan *plan, uint32_t number,
                                   const struct virtual_host *host) {
    const struct host *h = &plan->inventory->hosts[number];
    const bool has_begun = host->start_us != UINT64_MAX;
    return (struct timeline_host){
        .name = h->name,
        .site = h->site == INVENTORY_NO_NAME ? NULL : inventory_site(plan->inventory, h),
        .reason = reason_of(plan, number, host),
        .start_us = has_begun ? host->start_us : TIMELINE_NEVER,
        .end_us = has_begun ? host->end_us : 0,
        .foretold_start_us = TIMELINE_NEVER,
        .foretold_end_us = TIMELINE_NEVER,
        .end = ends[host->end]};
}

struct timeline_host *bars_foretold(const struct plan *plan, const struct virtual_host *hosts) {
    const struct grouping *g = &plan->grouping;
    struct timeline_host *bars = mem_array(plan->inventory->count, sizeof *bars);
    for (uint32_t i = 0; i < plan->inventory->count; i++)
        bars[i] = bar_of(plan, i, &hosts[i]);
    for (size_t c = 0; c < g->cohorts_count; c++) {
        const struct cohort *cohort = &g->cohorts[c];
        const struct constraint *group = grouping_next(g, cohort, NULL);
        for (uint32_t i = 0; group != NULL && i < cohort->count; i++)
            bars[g->order[cohort->first + i]].group = group->name;
    }
    return bars;
}

// --- beside a real one

void bars_stretch(struct timeline_host *hosts, size_t count, double factor) {
    for (size_t i = 0; i < count; i++) {
        uint64_t *const times[] = {&hosts[i].start_us, &hosts[i].end_us,
                                   &hosts[i].foretold_start_us, &hosts[i].foretold_end_us};
        for (size_t t = 0; t < 4; t++)
            if (*times[t] != TIMELINE_NEVER)
                *times[t] = (uint64_t)llround((double)*times[t] * factor);
    }
}

static double share_of(uint64_t a, uint64_t b, uint64_t end_us) {
    return fabs((double)a - (double)b) / (double)(end_us == 0 ? 1 : end_us);
}

static void compare(struct timeline_host *real, uint64_t end_us,
                    const struct timeline_host *foretold, double off_share,
                    struct bars_distance *d) {
    const bool has_begun = real->start_us != TIMELINE_NEVER,
               was_to_begin = foretold->start_us != TIMELINE_NEVER;
    d->hosts_unlike += has_begun != was_to_begin || real->end != foretold->end;
    if (!was_to_begin) return;
    real->foretold_start_us = foretold->start_us;
    real->foretold_end_us = foretold->end_us;
    if (!has_begun) return;
    const double start = share_of(real->start_us, foretold->start_us, end_us),
                 end = share_of(real->end_us, foretold->end_us, end_us),
                 most = start > end ? start : end;
    d->hosts++;
    d->off[d->count++] = start;
    d->off[d->count++] = end;
    d->hosts_off += most > off_share;
    if (most <= d->most) return;
    d->most = most;
    d->host = real->name;
}

void bars_lay_over(struct timeline_host *real, size_t count, uint64_t end_us,
                   const struct timeline_host *foretold, size_t foretold_count, double off_share,
                   struct bars_distance *distance) {
    struct strmap by_name = {0};
    *distance = (struct bars_distance){.off = mem_array(2 * count, sizeof(double))};
    for (size_t i = 0; i < foretold_count; i++)
        strmap_put(&by_name, foretold[i].name, (void *)(uintptr_t)(i + 1));
    for (size_t i = 0; i < count; i++) {
        const uintptr_t found = (uintptr_t)strmap_get(&by_name, real[i].name);
        if (found == 0)
            distance->hosts_unlike++;
        else
            compare(&real[i], end_us, &foretold[found - 1], off_share, distance);
    }
    stats_sort(distance->off, distance->count);
    strmap_deinit(&by_name);
}

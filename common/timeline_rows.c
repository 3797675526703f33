#include "common/timeline_rows.h"

#include "common/mem.h"
#include "common/strmap.h"

#include <stdlib.h>

struct entry { // a host, while they are sorted
    uint64_t start_us;
    uint32_t row, host;
};

static int compare(uint64_t a, uint64_t b) {
    return (a > b) - (a < b);
}

static int by_row_and_start(const void *x, const void *y) {
    const struct entry *a = x, *b = y;
    if (a->row != b->row) return compare(a->row, b->row);
    if (a->start_us != b->start_us) return compare(a->start_us, b->start_us);
    return compare(a->host, b->host);
}

// Until they are sorted, first is the row's number.
static int by_site_and_start(const void *x, const void *y) {
    const struct timeline_row *a = x, *b = y;
    if (a->site_number != b->site_number) return compare(a->site_number, b->site_number);
    if (a->start_us != b->start_us) return compare(a->start_us, b->start_us);
    return compare(a->first, b->first);
}

// The number of the key, from 1 on, which is next where it is new.
static size_t number_of(struct strmap *numbers, const char *key, size_t next) {
    // cppcheck-suppress intToPointerCast
    const void *taken = strmap_put(numbers, key, (void *)(uintptr_t)next);
    return taken == NULL ? next : (size_t)(uintptr_t)taken;
}

// --- who is in which row

static void add_to_row(struct timeline_row *row, const struct timeline_host *host) {
    row->count++;
    row->ends[host->end]++;
    if (host->start_us == TIMELINE_NEVER) {
        row->left_out += host->end == TIMELINE_SKIPPED;
        return;
    }
    if (host->start_us < row->start_us) row->start_us = host->start_us;
    if (host->end_us > row->end_us) row->end_us = host->end_us;
}

static void find_rows(struct timeline_rows *rows, const struct timeline_host *hosts, size_t count,
                      struct entry *entries) {
    struct strmap groups = {0}, sites = {0};
    for (size_t i = 0; i < count; i++) {
        const struct timeline_host *host = &hosts[i];
        const size_t next = rows->count + 1;
        const size_t number = host->group == NULL ? next : number_of(&groups, host->group, next);
        struct timeline_row *row = &rows->list[number - 1];
        if (number == next) {
            *row = (struct timeline_row){
                .site = host->site,
                .name = host->group == NULL ? host->name : host->group,
                .site_number =
                    host->site == NULL ? 0 : number_of(&sites, host->site, sites.count + 1),
                .first = rows->count++,
                .start_us = TIMELINE_NEVER};
            rows->has_sites |= host->site != NULL;
        }
        add_to_row(row, host);
        entries[i] = (struct entry){host->start_us, (uint32_t)(number - 1), (uint32_t)i};
    }
    strmap_deinit(&groups);
    strmap_deinit(&sites);
}

// --- in which order

static void sort_rows(struct timeline_rows *rows, struct entry *entries, size_t count) {
    uint32_t *rank = mem_array(rows->count, sizeof *rank);
    size_t first = 0;
    qsort(rows->list, rows->count, sizeof *rows->list, by_site_and_start);
    for (size_t i = 0; i < rows->count; i++) {
        rank[rows->list[i].first] = (uint32_t)i;
        rows->list[i].first = first;
        first += rows->list[i].count;
    }
    for (size_t i = 0; i < count; i++)
        entries[i].row = rank[entries[i].row];
    qsort(entries, count, sizeof *entries, by_row_and_start);
    for (size_t i = 0; i < count; i++)
        rows->order[i] = entries[i].host;
    free(rank);
}

// The first that is free again by then. ends: when each will be.
static size_t free_lane(const uint64_t *ends, size_t lanes, uint64_t at_us) {
    size_t lane = 0;
    while (lane < lanes && ends[lane] > at_us)
        lane++;
    return lane;
}

static void find_lanes(struct timeline_rows *rows, const struct timeline_host *hosts,
                       size_t count) {
    uint64_t *ends = mem_array(count, sizeof *ends);
    for (size_t r = 0; r < rows->count; r++) {
        struct timeline_row *row = &rows->list[r];
        for (size_t i = 0; i < row->count; i++) {
            const uint32_t number = rows->order[row->first + i];
            const struct timeline_host *host = &hosts[number];
            if (host->start_us == TIMELINE_NEVER) break; // and so are those behind it
            const size_t lane = free_lane(ends, row->lanes, host->start_us);
            if (lane == row->lanes) row->lanes++;
            ends[lane] = host->end_us;
            rows->lane_of[number] = (uint32_t)lane;
        }
        if (row->lanes == 0) row->lanes = 1;
        rows->lanes += row->lanes;
    }
    free(ends);
}

void timeline_rows_make(struct timeline_rows *rows, const struct timeline_host *hosts,
                        size_t count) {
    struct entry *entries = mem_array(count, sizeof *entries);
    *rows = (struct timeline_rows){.list = mem_array(count, sizeof *rows->list),
                                   .order = mem_array(count, sizeof *rows->order),
                                   .lane_of = mem_array(count, sizeof *rows->lane_of)};
    find_rows(rows, hosts, count, entries);
    if (count > 0) sort_rows(rows, entries, count);
    find_lanes(rows, hosts, count);
    free(entries);
}

void timeline_rows_deinit(struct timeline_rows *rows) {
    free(rows->list);
    free(rows->order);
    free(rows->lane_of);
    *rows = (struct timeline_rows){0};
}

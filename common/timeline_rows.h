// Where the bars of a timeline stand: rows, and their lanes. Pure.
#pragma once

#include "common/timeline_host.h"

#include <stdbool.h>
#include <stddef.h>

struct timeline_row {
    const char *site;    // of its first host; NULL: none
    const char *name;    // the group, or the host that has none
    size_t site_number;  // sites are counted as they come
    size_t first, count; // its hosts are order[first] to order[first + count - 1], by their starts
    size_t lanes;        // 1 at least
    uint64_t start_us;   // of the first that began; TIMELINE_NEVER: none has
    uint64_t end_us;     // of the last
    size_t ends[TIMELINE_ENDS]; // how many hosts have come to each
    size_t left_out;            // of the skipped, those that never began
};

struct timeline_rows {
    struct timeline_row *list; // from the top
    size_t count;
    size_t lanes;      // of all rows
    bool has_sites;    // one row has at least
    uint32_t *order;   // indices of hosts
    uint32_t *lane_of; // of each host, in its row; of those that never began 0
};

void timeline_rows_make(struct timeline_rows *rows, const struct timeline_host *hosts,
                        size_t count);
void timeline_rows_deinit(struct timeline_rows *rows);

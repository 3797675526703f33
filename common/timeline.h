// The picture of a run, foretold or real, as SVG text: each group a row, each device a bar from its
// start to its end. Pure, and the same for the same run.
//
// It can be read without its text, in print, and by whoever does not tell colours apart. What
// became of a device has a shape of its own: changed is a full bar, unchanged a thin one, failed a
// hatched one that ends in a cross, skipped a ring behind the bars of its group (or behind a hollow
// bar of its own, where it had begun), in hand a pale one that ends in an arrow. The colours are
// those of a light page and of a dark one, as the reader's browser has it.
//
// Rows stand by site, and within a site by when they began: so the way of the work through the
// network is a staircase, and a group that had to wait stands out. Hosts of which several were in
// hand at once share a row, in as many lanes. A host that is in several groups is in the row of the
// first, in the order of the policy's rules: each device is one bar, so what is crowded in the
// picture was crowded in the run. Groups of the same name are one row.
#pragma once

#include "common/buf.h"
#include "common/error.h"
#include "common/timeline_host.h"

// More hosts are refused: at 110 to 170 bytes for each the file stays below 2 MB, which a browser
// shows at once, and twenty thousand pixels high.
enum { TIMELINE_HOSTS_MAX = 10000 };

struct timeline {
    const char *title;    // what the run did
    const char *subtitle; // where the picture comes from
    const struct timeline_host *hosts;
    size_t count;
    uint64_t end_us; // of the run, or so far
};

// Appends it, as a whole document. ERROR_INPUT where there are too many hosts.
int timeline_write(const struct timeline *timeline, struct buf *out, struct error *err);

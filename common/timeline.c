// Written from the back to the front: page, bands of the sites, ticks, the forecast's bars, the
// bars, the crosses and rings, the names. All that is said of colours is in one style sheet, so
// that a dark page needs no second picture; a viewer that knows no style sheets of dark pages has
// the light one.
#include "common/timeline.h"

#include "common/mem.h"
#include "common/text.h"
#include "common/timeline_axis.h"
#include "common/timeline_rows.h"
#include "common/xml.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { // pixels
    WIDTH = 1000,
    LEFT = 140,
    RIGHT = 950, // of the plot; what is skipped at the end stands beside it
    LEGEND = 64,
    HEAD = 96, // above the plot
    FOOT = 40,
    BAND_HEAD = 20,
    NAME_APART = 10, // two names, at least
    RING_APART = 8,
};
enum { RINGS_MAX = 4, NAMES_MAX = 10, NAME_MAX = 20, REASON_MAX = 160 };

struct drawing {
    const struct timeline *timeline;
    struct timeline_rows rows;
    struct timeline_axis axis;
    double *tops; // of each row
    double lane;  // its height
    double bottom;
    bool has_forecast;
    enum timeline_end end; // of the bars that are drawn just now
    size_t counts[TIMELINE_ENDS];
    struct buf *out;
};

static const char style[] =
    "<style>\n"
    "text{font-family:sans-serif;fill:#1c1c1c}\n"
    ".p{fill:#fff}.q{fill:#f1f3f5}.g{stroke:#c3c9cf;stroke-width:.6}.e{stroke:#1c1c1c}\n"
    ".c,.u{fill:#0b62a4}.f{fill:url(#hatch)}.k{fill:none;stroke:#555;stroke-width:.8}\n"
    ".h{fill:#d8a200}.w{fill:#c9ced4}\n"
    ".x{stroke:#b3261e;stroke-width:2.2;fill:none}.y{stroke:#fff;stroke-width:4.4;fill:none}\n"
    ".r{fill:#fff;stroke:#1c1c1c;stroke-width:1.5}.d{fill:#e7a79f}.l{stroke:#b3261e}\n"
    "@media (prefers-color-scheme:dark){\n"
    "text{fill:#e8e8e8}\n"
    ".p{fill:#14171a}.q{fill:#1e2327}.g{stroke:#4a5259}.e{stroke:#e8e8e8}\n"
    ".c,.u{fill:#5aa9e6}.k{stroke:#aaa}.h{fill:#f0c24b}.w{fill:#4a5259}\n"
    ".x{stroke:#ff8a75}.y{stroke:#14171a}\n"
    ".r{fill:#14171a;stroke:#e8e8e8}.d{fill:#6b2a22}.l{stroke:#ff8a75}}\n"
    "</style>\n"
    "<defs>\n"
    "<pattern id=\"hatch\" width=\"4\" height=\"4\" patternUnits=\"userSpaceOnUse\">"
    "<rect class=\"d\" width=\"4\" height=\"4\"/><path class=\"l\" d=\"M0 4L4 0\"/></pattern>\n"
    "<g id=\"x\"><path class=\"y\" d=\"M-4-4L4 4M4-4L-4 4\"/>"
    "<path class=\"x\" d=\"M-3.5-3.5L3.5 3.5M3.5-3.5L-3.5 3.5\"/></g>\n"
    "<circle id=\"r\" class=\"r\" r=\"3\"/>\n"
    "<path id=\"a\" class=\"h\" d=\"M0-4L6 0L0 4z\"/>\n"
    "</defs>\n";

// --- places

static double x_of(const struct drawing *d, uint64_t us) {
    const uint64_t end_us = d->timeline->end_us;
    if (us >= end_us) return RIGHT;
    return LEFT + (double)us / (double)end_us * (RIGHT - LEFT);
}

// High enough to be told apart, and all of them not too high to be seen.
static double lane_height(size_t lanes) {
    if (lanes <= 40) return 14;
    if (lanes <= 120) return 8;
    if (lanes <= 1000) return 4;
    return 2;
}

static bool begins_band(const struct drawing *d, size_t row) {
    const struct timeline_row *list = d->rows.list;
    return d->rows.has_sites && (row == 0 || list[row].site_number != list[row - 1].site_number);
}

static void place_rows(struct drawing *d) {
    double y = HEAD;
    d->lane = lane_height(d->rows.lanes);
    d->tops = mem_array(d->rows.count, sizeof *d->tops);
    for (size_t i = 0; i < d->rows.count; i++) {
        if (begins_band(d, i)) y += BAND_HEAD;
        d->tops[i] = y;
        y += d->lane * (double)d->rows.list[i].lanes;
    }
    d->bottom = y + 4;
}

static double middle_of(const struct drawing *d, size_t row, uint32_t host) {
    return d->tops[row] + d->lane * (d->rows.lane_of[host] + 0.5);
}

// --- texts

static void add_name(struct buf *out, const char *name) {
    const size_t len = strlen(name), fits = text_cut(name, len, NAME_MAX);
    char *begins = mem_strndup(name, fits);
    xml_add(out, begins);
    if (fits < len) buf_adds(out, "…");
    free(begins);
}

static void add_text(struct drawing *d, double x, double y, const char *attributes,
                     const char *text) {
    buf_addf(d->out, "<text x=\"%.1f\" y=\"%.1f\"%s>", x, y, attributes);
    xml_add(d->out, text);
    buf_adds(d->out, "</text>\n");
}

static void add_reason(struct buf *out, const char *reason) {
    if (reason == NULL) return;
    char *begins = mem_strndup(reason, text_cut(reason, strlen(reason), REASON_MAX));
    text_line(begins);
    buf_adds(out, ": ");
    xml_add(out, begins);
    free(begins);
}

static const char *const words[TIMELINE_ENDS] = {
    [TIMELINE_CHANGED] = "changed", [TIMELINE_UNCHANGED] = "unchanged",
    [TIMELINE_FAILED] = "failed",   [TIMELINE_SKIPPED] = "skipped",
    [TIMELINE_IN_HAND] = "in hand", [TIMELINE_WAITING] = "waiting",
};

// What stands at the end of a bar.
static const char *const marks[TIMELINE_ENDS] = {
    [TIMELINE_FAILED] = "x", [TIMELINE_SKIPPED] = "r", [TIMELINE_IN_HAND] = "a"};

static const char *const classes[TIMELINE_ENDS] = {[TIMELINE_CHANGED] = "c",
                                                   [TIMELINE_UNCHANGED] = "u",
                                                   [TIMELINE_FAILED] = "f",
                                                   [TIMELINE_SKIPPED] = "k",
                                                   [TIMELINE_IN_HAND] = "h"};

static void add_span(struct buf *out, uint64_t start_us, uint64_t end_us) {
    char start[TIMELINE_LABEL_MAX], end[TIMELINE_LABEL_MAX];
    timeline_clock(start_us, start);
    timeline_clock(end_us, end);
    start[strcspn(start, " ")] = '\0'; // the unit stands once
    buf_addf(out, "%s to %s", start, end);
}

static void add_tooltip(struct buf *out, const struct timeline_host *host) {
    buf_adds(out, "<title>");
    xml_add(out, host->name);
    if (host->group != NULL) {
        buf_adds(out, " of ");
        xml_add(out, host->group);
    }
    buf_addf(out, "\n%s, ", words[host->end]);
    add_span(out, host->start_us, host->end_us);
    add_reason(out, host->reason);
    if (host->foretold_start_us != TIMELINE_NEVER) {
        buf_adds(out, "\nforetold ");
        add_span(out, host->foretold_start_us, host->foretold_end_us);
    }
    buf_adds(out, "</title>");
}

// --- bars

// In tenths of a pixel, in as few digits as that takes.
static void add_number(struct buf *out, double pixels) {
    const long tenths = lround(pixels * 10);
    buf_addf(out, tenths % 10 == 0 ? "%ld" : "%ld.%ld", tenths / 10, tenths % 10);
}

// A rectangle from x to end with its middle at y, as a part of a path; one of no length can be
// seen, too.
static void add_box(struct buf *out, double x, double end, double y, double height) {
    const double width = end - x < 0.6 ? 0.6 : end - x;
    buf_adds(out, "M");
    add_number(out, x);
    buf_adds(out, " ");
    add_number(out, y - height / 2);
    buf_adds(out, "h");
    add_number(out, width);
    buf_adds(out, "v");
    add_number(out, height);
    buf_adds(out, "h-");
    add_number(out, width);
    buf_adds(out, "z");
}

static void add_foretold(const struct drawing *d, const struct timeline_host *host, double y) {
    if (host->foretold_start_us == TIMELINE_NEVER) return;
    add_box(d->out, x_of(d, host->foretold_start_us), x_of(d, host->foretold_end_us), y, d->lane);
}

static void add_bar(const struct drawing *d, const struct timeline_host *host, double y) {
    const double full = d->has_forecast ? d->lane / 2 : d->lane - (d->lane > 2 ? 1 : 0.5);
    if (host->end != d->end) return;
    buf_adds(d->out, "<path d=\"");
    add_box(d->out, x_of(d, host->start_us), x_of(d, host->end_us), y,
            host->end == TIMELINE_UNCHANGED ? full / 2 : full);
    buf_adds(d->out, "\">");
    add_tooltip(d->out, host);
    buf_adds(d->out, "</path>\n");
}

static void add_mark(const struct drawing *d, const char *mark, double x, double y) {
    buf_addf(d->out, "<use href=\"#%s\" x=\"%.1f\" y=\"%.1f\">", mark, x, y);
}

static void add_end(const struct drawing *d, const struct timeline_host *host, double y) {
    if (marks[host->end] == NULL) return;
    add_mark(d, marks[host->end], x_of(d, host->end_us), y);
    add_tooltip(d->out, host);
    buf_adds(d->out, "</use>\n");
}

typedef void add_host(const struct drawing *d, const struct timeline_host *host, double y);

static void each_begun(const struct drawing *d, add_host *add) {
    for (size_t row = 0; row < d->rows.count; row++) {
        const struct timeline_row *r = &d->rows.list[row];
        for (size_t i = 0; i < r->count; i++) {
            const uint32_t host = d->rows.order[r->first + i];
            if (d->timeline->hosts[host].start_us == TIMELINE_NEVER) break;
            add(d, &d->timeline->hosts[host], middle_of(d, row, host));
        }
    }
}

// Those of a kind after one another: what they share is written once.
static void add_bars(struct drawing *d) {
    if (d->has_forecast) {
        buf_adds(d->out, "<path class=\"w\" d=\"");
        each_begun(d, add_foretold);
        buf_adds(d->out, "\"/>\n");
    }
    for (int end = 0; end < TIMELINE_ENDS; end++) {
        if (classes[end] == NULL || d->counts[end] == 0) continue;
        d->end = (enum timeline_end)end;
        buf_addf(d->out, "<g class=\"%s\">\n", classes[end]);
        each_begun(d, add_bar);
        buf_adds(d->out, "</g>\n");
    }
    each_begun(d, add_end);
}

// --- those that never began

static void add_names_left_out(const struct drawing *d, const struct timeline_row *row) {
    size_t told = 0;
    const char *reason = NULL;
    for (size_t i = 0; i < row->count; i++) {
        const struct timeline_host *host = &d->timeline->hosts[d->rows.order[row->first + i]];
        if (host->start_us != TIMELINE_NEVER || host->end != TIMELINE_SKIPPED) continue;
        if (told++ == NAMES_MAX) {
            buf_addf(d->out, ", … (%zu)", row->left_out);
            break;
        }
        if (reason == NULL) reason = host->reason;
        if (told > 1) buf_adds(d->out, ", ");
        xml_add(d->out, host->name);
    }
    buf_adds(d->out, "\nskipped");
    add_reason(d->out, reason);
}

// A ring for each behind the last bar; of many one, and how many.
static void add_left_out(struct drawing *d, size_t number) {
    const struct timeline_row *row = &d->rows.list[number];
    if (row->left_out == 0) return;
    const double y = d->tops[number] + d->lane * (double)row->lanes / 2;
    const double x = row->start_us == TIMELINE_NEVER ? LEFT : x_of(d, row->end_us);
    const size_t rings = row->left_out > RINGS_MAX ? 1 : row->left_out;
    buf_adds(d->out, "<g><title>");
    add_names_left_out(d, row);
    buf_adds(d->out, "</title>");
    for (size_t i = 1; i <= rings; i++) {
        add_mark(d, "r", x + 2 + RING_APART * (double)i, y);
        buf_adds(d->out, "</use>");
    }
    if (rings < row->left_out)
        buf_addf(d->out, "<text x=\"%.1f\" y=\"%.1f\" font-size=\"9\">%zu</text>",
                 x + 2 * RING_APART, y + 3, row->left_out);
    buf_adds(d->out, "</g>\n");
}

// --- what the bars stand on

static void add_bands(struct drawing *d) {
    bool is_dark = false;
    for (size_t i = 0, last; i < d->rows.count; i = last + 1) {
        for (last = i; last + 1 < d->rows.count && !begins_band(d, last + 1);)
            last++;
        const struct timeline_row *end = &d->rows.list[last];
        const double top = d->tops[i] - (d->rows.has_sites ? BAND_HEAD : 0);
        const double bottom = d->tops[last] + d->lane * (double)end->lanes;
        if (d->rows.has_sites) is_dark = !is_dark;
        if (is_dark)
            buf_addf(d->out, "<rect class=\"q\" y=\"%.1f\" width=\"%d\" height=\"%.1f\"/>\n", top,
                     WIDTH, bottom - top);
        if (!d->rows.has_sites) continue;
        add_text(d, 8, top + 14, " font-size=\"12\" font-weight=\"bold\"",
                 end->site == NULL ? "no site" : end->site);
    }
}

static void add_ticks(struct drawing *d) {
    static const char small[] = " font-size=\"11\" text-anchor=\"middle\"";
    char label[TIMELINE_LABEL_MAX];
    for (uint64_t i = 0; i <= d->timeline->end_us / d->axis.step_us; i++) {
        const uint64_t at_us = i * d->axis.step_us;
        const double x = x_of(d, at_us);
        buf_addf(d->out, "<path class=\"g\" d=\"M%.2f %dV%.1f\"/>\n", x, HEAD - 6, d->bottom);
        timeline_axis_label(&d->axis, at_us, label);
        add_text(d, x, HEAD - 10, small, label);
        add_text(d, x, d->bottom + 13, small, label);
    }
    buf_addf(d->out, "<path class=\"e\" d=\"M%d %dV%.1f\"/>\n", RIGHT, HEAD - 6, d->bottom);
    add_text(d, LEFT + (RIGHT - LEFT) / 2.0, d->bottom + 29, small, d->axis.clock);
}

// Of low rows those that somebody will look for, as far as there is room.
static void add_names(struct drawing *d) {
    double last = 0;
    for (size_t i = 0; i < d->rows.count; i++) {
        const struct timeline_row *row = &d->rows.list[i];
        const double y = d->tops[i] + d->lane * (double)row->lanes / 2 + 3;
        const bool is_odd = row->ends[TIMELINE_FAILED] + row->ends[TIMELINE_SKIPPED] > 0;
        if (y - last < NAME_APART || (d->lane < NAME_APART && !is_odd)) continue;
        buf_addf(d->out, "<text x=\"%d\" y=\"%.1f\" font-size=\"10\" text-anchor=\"end\">",
                 LEFT - 8, y);
        add_name(d->out, row->name);
        buf_adds(d->out, "</text>\n");
        last = y;
    }
}

// --- above

static void add_sample_box(const struct drawing *d, const char *class, double x, double height) {
    buf_addf(d->out, "<path class=\"%s\" d=\"", class);
    add_box(d->out, x, x + 22, LEGEND, height);
    buf_adds(d->out, "\"/>");
}

// A ring stands for those that are skipped: most have no bar.
static void add_sample(const struct drawing *d, enum timeline_end end, double x) {
    const bool has_box = classes[end] != NULL && end != TIMELINE_SKIPPED;
    if (has_box) add_sample_box(d, classes[end], x, end == TIMELINE_UNCHANGED ? 4 : 8);
    if (marks[end] == NULL) return;
    add_mark(d, marks[end], has_box ? x + 22 : x + 15, LEGEND);
    buf_adds(d->out, "</use>");
}

static void add_legend(struct drawing *d) {
    static const char plain[] = " font-size=\"12\"";
    double x = LEFT;
    char text[64];
    for (int end = 0; end < TIMELINE_ENDS; end++) {
        if (d->counts[end] == 0) continue;
        snprintf(text, sizeof text, "%zu %s", d->counts[end], words[end]);
        add_sample(d, (enum timeline_end)end, x);
        add_text(d, x + 32, LEGEND + 4, plain, text);
        x += 32 + 7 * (double)strlen(text) + 18;
    }
    if (!d->has_forecast) return;
    add_sample_box(d, "w", x, 12);
    add_text(d, x + 32, LEGEND + 4, plain, "foretold, behind it");
}

static void add_head(struct drawing *d) {
    const struct timeline *t = d->timeline;
    const int height = (int)d->bottom + FOOT;
    buf_addf(d->out,
             "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
             "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" "
             "viewBox=\"0 0 %d %d\" role=\"img\">\n<title>",
             WIDTH, height, WIDTH, height);
    xml_add(d->out, t->title);
    buf_adds(d->out, "</title>\n<desc>");
    xml_add(d->out, t->subtitle);
    buf_addf(d->out, "</desc>\n%s<rect class=\"p\" width=\"%d\" height=\"%d\"/>\n", style, WIDTH,
             height);
    add_text(d, 8, 24, " font-size=\"17\" font-weight=\"bold\"", t->title);
    add_text(d, 8, 44, " font-size=\"12\"", t->subtitle);
}

int timeline_write(const struct timeline *timeline, struct buf *out, struct error *err) {
    struct timeline t = *timeline;
    struct drawing d = {.timeline = &t, .out = out};
    if (t.count > TIMELINE_HOSTS_MAX)
        return error_set(err, "a timeline shows %d hosts at most, and this run has %zu",
                         TIMELINE_HOSTS_MAX, t.count);
    if (t.end_us == 0) t.end_us = 1; // nothing has happened yet
    d.axis = timeline_axis_of(t.end_us);
    for (size_t i = 0; i < t.count; i++) {
        d.counts[t.hosts[i].end]++;
        d.has_forecast |= t.hosts[i].foretold_start_us != TIMELINE_NEVER;
    }
    timeline_rows_make(&d.rows, t.hosts, t.count);
    place_rows(&d);
    add_head(&d);
    add_legend(&d);
    add_bands(&d);
    add_ticks(&d);
    add_bars(&d);
    for (size_t i = 0; i < d.rows.count; i++)
        add_left_out(&d, i);
    add_names(&d);
    buf_adds(out, "</svg>\n");
    free(d.tops);
    timeline_rows_deinit(&d.rows);
    return 0;
}

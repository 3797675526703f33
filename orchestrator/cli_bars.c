#include "orchestrator/cli_bars.h"

#include "common/count.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { ID_SHOWN = 8, LONGEST_MAX = 4, PERCENT = 100, BAR_MAX = 100 };

const char cli_colour_end[] = "\x1b[0m";
const char *const cli_colours[HOST_STATES] = {
    [HOST_IN_HAND] = "\x1b[36m", [HOST_CHANGED] = "\x1b[32m", [HOST_UNCHANGED] = "\x1b[32m",
    [HOST_FAILED] = "\x1b[31m",  [HOST_SKIPPED] = "\x1b[33m",
};

void cli_duration(uint64_t ms, char text[CLI_DURATION_MAX]) {
    enum { S = 1000, MIN = 60, HOUR = 60, TENTH = 100 };
    const unsigned long long s = ms / S, min = s / MIN;
    if (s < 10)
        snprintf(text, CLI_DURATION_MAX, "%llu.%llus", s, (unsigned long long)ms % S / TENTH);
    else if (min == 0)
        snprintf(text, CLI_DURATION_MAX, "%llus", s);
    else if (min < HOUR)
        snprintf(text, CLI_DURATION_MAX, "%llum%02llus", min, s % MIN);
    else
        snprintf(text, CLI_DURATION_MAX, "%lluh%02llum", min / HOUR, min % HOUR);
}

// --- a row: what does not fit the terminal's width is left out, or it would take two

struct row {
    struct buf *out;
    const struct cli_style *style;
    size_t used; // columns: a character is taken to be one wide
};

static void add_text(struct row *r, const char *colour, const char *text) {
    const bool paints = r->style->has_colour && colour != NULL && *text != '\0';
    if (paints) buf_adds(r->out, colour);
    for (; *text != '\0'; text++) {
        const bool begins = ((unsigned char)*text & 0xc0) != 0x80;
        if (begins && r->style->width > 0 && r->used >= r->style->width) break;
        buf_add(r->out, text, 1);
        r->used += begins;
    }
    if (paints) buf_adds(r->out, cli_colour_end);
}

__attribute__((format(printf, 3, 4))) static void add(struct row *r, const char *colour,
                                                      const char *format, ...) {
    char text[512];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    add_text(r, colour, text);
}

static struct row next_row(const struct row *r) {
    buf_adds(r->out, "\n");
    return (struct row){r->out, r->style, 0};
}

// --- what is told

// Which states are one part of the bar; the last is what is left.
static const struct part {
    enum host_state state;
    char mark;
    const char *word;
} parts[] = {{HOST_CHANGED, '#', "done"},
             {HOST_FAILED, '!', "failed"},
             {HOST_SKIPPED, '-', "skipped"},
             {HOST_IN_HAND, '>', "in hand"},
             {HOST_WAITING, '.', "waiting"}};

static uint64_t count_of(const struct progress *p, size_t part) {
    const enum host_state state = parts[part].state;
    return p->counts[state] + (state == HOST_CHANGED ? p->counts[HOST_UNCHANGED] : 0);
}

static void add_pace(struct row *r, const struct cli_moment *now) {
    const double rate = progress_rate(now->progress);
    char left[CLI_DURATION_MAX];
    if (rate <= 0 || now->job->state != JOB_RUNNING) return;
    cli_duration(progress_left_ms(now->progress), left);
    add(r, NULL, ", %.1f hosts/s", rate);
    // The last in hand end when they end.
    if (now->progress->counts[HOST_WAITING] > 0) add(r, NULL, ", about %s left", left);
}

static void add_title(struct row *r, const struct cli_moment *now) {
    const struct cli_job *job = now->job;
    const struct progress *p = now->progress;
    char took[CLI_DURATION_MAX];
    cli_duration(cli_job_took_ms(job, now->wall_ms), took);
    add(r, NULL, "%s%s%s  %.*s  ", job->task == NULL ? "job" : job->task,
        job->version == NULL ? "" : " ", job->version == NULL ? "" : job->version, ID_SHOWN,
        job->id);
    if (now->is_lost)
        add(r, cli_colours[HOST_FAILED], "connection lost, trying again");
    else
        add(r, job->state == JOB_RUNNING ? NULL : cli_colours[HOST_SKIPPED], "%s",
            cli_job_state_name(job));
    add(r, NULL, "  %s", took);
    if (p->hosts > 0)
        add(r, NULL, "  %llu %%",
            (unsigned long long)(progress_count_over(p) * PERCENT / p->hosts));
    if (!now->is_lost) add_pace(r, now);
}

// A part of hosts that are there has one cell at least; what is over or missing is the largest's.
static void share_cells(const struct progress *p, size_t cells, size_t shares[COUNT(parts)]) {
    size_t given = 0, largest = 0;
    for (size_t i = 0; i < COUNT(parts); i++) {
        const uint64_t count = count_of(p, i);
        shares[i] = p->hosts == 0 ? 0 : (size_t)(count * cells / p->hosts);
        if (shares[i] == 0 && count > 0) shares[i] = 1;
        given += shares[i];
        if (shares[i] > shares[largest]) largest = i;
    }
    if (given > 0 && given - shares[largest] < cells)
        shares[largest] = cells - (given - shares[largest]);
}

static void add_bar(struct row *r, const struct progress *p) {
    size_t shares[COUNT(parts)], width = r->style->width == 0 ? BAR_MAX : r->style->width;
    char cells[BAR_MAX + 1];
    width = width < 10 ? 10 : width > BAR_MAX ? BAR_MAX : width;
    share_cells(p, width - 2, shares);
    add(r, NULL, "[");
    for (size_t i = 0; i < COUNT(parts); i++) {
        memset(cells, parts[i].mark, shares[i]);
        cells[shares[i]] = '\0';
        add_text(r, cli_colours[parts[i].state], cells);
    }
    add(r, NULL, "]");
}

static void add_counts(struct row *r, const struct progress *p) {
    for (size_t i = 0; i < COUNT(parts); i++) {
        const uint64_t count = count_of(p, i);
        const char *colour = count > 0 ? cli_colours[parts[i].state] : NULL;
        if (i > 0) add(r, NULL, "  ");
        add(r, colour, "%c %llu %s", parts[i].mark, (unsigned long long)count, parts[i].word);
    }
}

static void add_longest(struct row *r, const struct cli_moment *now) {
    const struct progress_host *longest[LONGEST_MAX];
    const size_t count = progress_longest(now->progress, longest, LONGEST_MAX);
    for (size_t i = 0; i < count; i++) {
        const long long ms = now->wall_ms - longest[i]->started_ms;
        char took[CLI_DURATION_MAX];
        cli_duration(ms > 0 ? (uint64_t)ms : 0, took);
        add(r, NULL, "%s%s %s%s", i == 0 ? "longest in hand: " : ", ", longest[i]->name, took,
            longest[i]->is_in_doubt ? " in doubt" : "");
    }
}

void cli_bars(struct buf *out, const struct cli_moment *now, const struct cli_style *style) {
    struct row r = {out, style, 0};
    add_title(&r, now);
    r = next_row(&r);
    add_bar(&r, now->progress);
    r = next_row(&r);
    add_counts(&r, now->progress);
    if (now->progress->counts[HOST_IN_HAND] == 0) return;
    r = next_row(&r);
    add_longest(&r, now);
}

void cli_bars_line(struct buf *out, const char *time, const struct cli_moment *now) {
    const struct cli_style plain = {0};
    struct row r = {out, &plain, 0};
    add(&r, NULL, "%s  %s: ", time, cli_job_state_name(now->job));
    for (size_t i = 0; i < COUNT(parts); i++)
        add(&r, NULL, "%s%llu %s", i == 0 ? "" : ", ",
            (unsigned long long)count_of(now->progress, i), parts[i].word);
    add(&r, NULL, " of %llu", (unsigned long long)now->progress->hosts);
    add_pace(&r, now);
    buf_adds(out, "\n");
}

size_t cli_bars_rows(const char *text, size_t width) {
    size_t rows = 1, used = 0;
    for (const char *c = text; *c != '\0'; c++) {
        if (*c == '\n') {
            rows++;
            used = 0;
        } else if (*c == '\x1b') { // a colour ends with its m
            c += strcspn(c, "m");
            if (*c == '\0') break;
        } else if (((unsigned char)*c & 0xc0) != 0x80 && used++ == width) {
            rows++;
            used = 1;
        }
    }
    return rows;
}

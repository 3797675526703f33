// How far a job is, as the terminal client shows it: bars that are redrawn in place, or a line of a
// file. Pure.
#pragma once

#include "orchestrator/cli_progress.h"

struct cli_style {
    size_t width;      // columns; 0: a line may be of any length
    bool has_colour;   // escapes are sent
    bool is_shortened; // many skipped hosts of one reason are one row
};

extern const char *const cli_colours[HOST_STATES]; // NULL: none
extern const char cli_colour_end[];

enum { CLI_DURATION_MAX = 24 };
void cli_duration(uint64_t ms, char text[CLI_DURATION_MAX]); // "8.4s", "45s", "2m05s", "3h07m"

struct cli_moment {
    const struct cli_job *job;
    const struct progress *progress;
    long long wall_ms;
    bool is_lost; // the connection
};

// Three lines or four, none wider than the style says, with an LF between them and none after.
void cli_bars(struct buf *out, const struct cli_moment *now, const struct cli_style *style);
// How many rows of a terminal such a text takes.
size_t cli_bars_rows(const char *text, size_t width);
// One line of any width, its LF included.
void cli_bars_line(struct buf *out, const char *time, const struct cli_moment *now);

// Line framing: bytes in, lines out, bounded. A line that arrives whole is handed out where it
// lies; only an unfinished one is copied, so an idle connection holds no buffer.
#pragma once

#include "common/buf.h"

#include <stdbool.h>
#include <stddef.h>

enum line_status {
    LINE_NONE,     // all bytes fed are used up
    LINE_READY,    // a line
    LINE_TOO_LONG, // over the limit; its LF, or drop_max bytes of it, have been read and dropped
};

struct line_reader {
    size_t max;      // longest line in bytes, its LF included
    size_t drop_max; // how much of a longer one is dropped before LINE_TOO_LONG is told anyway
    struct buf part; // the unfinished line
    const char *data;
    size_t left;
    size_t dropped; // > 0: inside a line that is too long
    bool part_given;
};

void line_reader_init(struct line_reader *r, size_t max, size_t drop_max);
void line_reader_deinit(struct line_reader *r);

// Feed what was read, then call next until it says LINE_NONE; until then data must stay. A line
// excludes its LF and a CR before it, is not NUL-terminated, and lives until the next call of
// either.
void line_reader_feed(struct line_reader *r, const char *data, size_t len);
enum line_status line_reader_next(struct line_reader *r, const char **line, size_t *len);

// A log file in the form that the original ACME orchestrator's Python logger wrote:
// INFO:2020-06-09 20:23:10,331:<id>:message
// Lines gather in memory until log_flush(): once a turn of the event loop, and before an answer
// that speaks of them is sent. No call waits: for a reader that stalls, lines are kept up to a
// limit; what a full disk does not take is dropped. Lost lines are counted, and a line says how
// many as soon as one can be written. Every line is whole, and the only one in its line, whatever
// happens.
#pragma once

#include "common/buf.h"
#include "common/error.h"

#include <stdbool.h>
#include <stdint.h>

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARNING, LOG_ERROR };

enum { LOG_BACKLOG_MAX = 4 << 20 }; // bytes that are kept for a reader that stalls

struct log {
    char *path;
    int fd;
    bool ours;            // the descriptor is closed with the log
    enum log_level level; // lines below it are not written
    struct buf pending;
    bool mid_line;      // the file ends within the line with which pending begins
    bool losing;        // lines are lost; nothing is taken until the file has what is pending
    uint64_t lost;      // lines, ever
    uint64_t lost_told; // of them, told in the log
    long long stamp_s;  // the second that stamp shows
    char stamp[32];
};

int log_level_parse(const char *text, enum log_level *level, struct error *err);

// path "-" is stderr. Appends to a file that exists, on a line of its own; a FIFO need not have a
// reader yet.
int log_open(struct log *l, const char *path, enum log_level level, struct error *err);
void log_close(
    struct log *l); // flushes; a reader that is slow gets a second for each piece it takes
// Opens the path anew, after a rotation moved the file away. On failure the old file stays in use.
int log_reopen(struct log *l, struct error *err);

// now_ms is wall time since the epoch. One line; control characters in it are written as '?'.
void log_line(struct log *l, enum log_level level, long long now_ms, const char *id,
              const char *format, ...) __attribute__((format(printf, 5, 6)));
void log_flush(struct log *l);

// There is something to write that could not be written: flush again soon.
bool log_behind(const struct log *l);

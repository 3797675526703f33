// A log file in the form that the original ACME orchestrator's Python logger wrote:
// INFO:2020-06-09 20:23:10,331:<id>:message
// Lines gather in memory until log_flush(): once a turn of the event loop, and before an answer
// that speaks of them is sent.
#pragma once

#include "common/buf.h"
#include "common/error.h"

#include <stdbool.h>

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARNING, LOG_ERROR };

struct log {
    char *path;
    int fd;
    enum log_level level; // lines below it are not written
    struct buf pending;
    long long stamp_s; // the second that stamp shows
    char stamp[32];
    bool failed; // the last write did not work: said once on stderr
};

int log_level_parse(const char *text, enum log_level *level, struct error *err);

// path "-" is stderr. Appends to a file that exists.
int log_open(struct log *l, const char *path, enum log_level level, struct error *err);
void log_close(struct log *l); // flushes
// Opens the path anew, after a rotation moved the file away. On failure the old file stays in use.
int log_reopen(struct log *l, struct error *err);

// now_ms is wall time since the epoch. One line; control characters in it are written as '?'.
void log_line(struct log *l, enum log_level level, long long now_ms, const char *id,
              const char *format, ...) __attribute__((format(printf, 5, 6)));
void log_flush(struct log *l);

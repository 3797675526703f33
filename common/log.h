// A log file in the form that the original ACME orchestrator's Python logger wrote:
// INFO:2020-06-09 20:23:10,331:<id>:message
// Or, for programs that read it, each line one JSON object:
// {"time": "2020-06-09T18:23:10.331Z", "level": "info", ...}
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
enum log_format { LOG_TEXT, LOG_JSON };

enum {
    LOG_BACKLOG_MAX = 4 << 20, // bytes that are kept for a reader that stalls
    LOG_LINE_MAX = 1024,       // of what a line says, which is cut off there
};

struct log {
    char *path;
    int fd;
    bool ours;            // the descriptor is closed with the log
    enum log_level level; // lines below it are not written
    enum log_format format;
    size_t line_max; // bytes of what a line says, or of each text of an object; 0: LOG_LINE_MAX
    struct buf pending;
    bool mid_line;      // the file ends within the line with which pending begins
    bool losing;        // lines are lost; nothing is taken until the file has what is pending
    uint64_t lost;      // lines, ever
    uint64_t lost_told; // of them, told in the log
    long long stamp_s;  // the second that stamp shows
    char stamp[32];
};

int log_level_parse(const char *text, enum log_level *level, struct error *err);
int log_format_parse(const char *text, enum log_format *format, struct error *err);

// path "-" is stderr. Of the format LOG_TEXT, until the caller sets another. Appends to a file that
// exists, on a line of its own; a FIFO need not have a reader yet.
int log_open(struct log *l, const char *path, enum log_level level, struct error *err);
void log_close(
    struct log *l); // flushes; a reader that is slow gets a second for each piece it takes
// Opens the path anew, after a rotation moved the file away. On failure the old file stays in use.
int log_reopen(struct log *l, struct error *err);

// now_ms is wall time since the epoch. One line; control characters in it are written as '?'.
void log_line(struct log *l, enum log_level level, long long now_ms, const char *id,
              const char *format, ...) __attribute__((format(printf, 5, 6)));

struct log_field {
    const char *name;
    const char *text; // NULL: the number
    uint64_t number;
};

// The same as a JSON object: the time and the level, then the fields in their order. Control
// characters in a text are '?' here too, so that both forms say the same.
void log_object(struct log *l, enum log_level level, long long now_ms,
                const struct log_field *fields, size_t count);
// What is said of no job, in the log's own format: `of` stands in the place of a job's id, or of
// the event.
void log_note(struct log *l, enum log_level level, long long now_ms, const char *of,
              const char *text);
void log_flush(struct log *l);

// There is something to write that could not be written: flush again soon.
bool log_behind(const struct log *l);

// Server-Sent Events as they are read: bytes in, events out, by the rules of the HTML standard
// ("Interpreting an event stream"), bounded. A retry field is passed over: how long to wait is for
// the reader to say.
#pragma once

#include "common/buf.h"

#include <stdbool.h>
#include <stddef.h>

enum sse_status {
    SSE_NONE,     // all bytes fed are used up
    SSE_READY,    // an event
    SSE_TOO_LONG, // an event over the limit; from here on nothing else is said
};

struct sse_event {
    const char *id;   // the last that the stream has named, in this event or earlier; "": none yet
    const char *name; // "message" where the stream names none; a NUL in it is '?'
    const char *data; // NUL-terminated, and it may hold more of them
    size_t len;
};

struct sse_reader {
    size_t max; // bytes of one event: its fields, and the line at hand
    const char *bytes;
    size_t left;
    unsigned mark_len; // of a byte order mark at the very beginning
    bool after_cr, is_over, too_long;
    struct buf line, id, name, data;
};

// last_id: what the stream is to go on after, as the client has told the server; "" otherwise.
void sse_reader_init(struct sse_reader *r, size_t max, const char *last_id);
void sse_reader_deinit(struct sse_reader *r);

// Feed what was read, then call next until it says SSE_NONE; until then bytes must stay. An event
// lives until the next call of either. One that the stream's end cuts off is never told.
void sse_reader_feed(struct sse_reader *r, const char *bytes, size_t len);
enum sse_status sse_reader_next(struct sse_reader *r, struct sse_event *event);

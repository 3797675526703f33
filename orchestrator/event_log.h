// What has happened lately, as text, for those who follow it: written once, and read by each from
// where he is. Pure.
#pragma once

#include "common/buf.h"

#include <stdbool.h>

struct event_entry {
    uint64_t job, n; // the job's number, and the event's in it; 0: it has none
    size_t len;      // of its text
};

struct event_log { // zeroed it is empty and ready
    struct buf text;
    struct event_entry *entries;
    size_t count, cap;
    size_t dropped; // entries that are gone from the front
    uint64_t start; // bytes that are
};

struct log_place { // in the log
    size_t entry;  // ever written
    uint64_t byte;
};

void event_log_deinit(struct event_log *log);
void event_log_add(struct event_log *log, uint64_t job, uint64_t n, const struct buf *text);

struct log_place event_log_end(const struct event_log *log);
// Bytes from the place to the end.
uint64_t event_log_behind(const struct event_log *log, const struct log_place *place);
// False: what stood there is gone.
bool event_log_has(const struct event_log *log, const struct log_place *place);
// The entry at the place, which moves on, and its text; NULL: it is at the end.
const struct event_entry *event_log_next(const struct event_log *log, struct log_place *place,
                                         const char **text);
// Whatever stands before the place is gone.
void event_log_drop(struct event_log *log, const struct log_place *place);

// How far a client of GET /events/ has come, over all jobs, as text that it gives back when it
// comes again (Last-Event-ID). Events have numbers in their job alone, so this says of each job
// that is open how far; and which job is the newest of those that have had their say: of the others
// up to it, all is told. Pure.
//
//     8e03978e-40d5-43dd-bc93-6894a57f9324;7:340,9:12,10-30:0
//
// Open jobs stand in ascending order, those of the same number of events behind one another
// together. Clients need not understand it.
#pragma once

#include "common/buf.h"
#include "common/error.h"
#include "orchestrator/job.h"

// A longer one is not sent, for a request could not bring it back: jobs that are open in thousands
// and differ.
enum { EVENT_CURSOR_MAX = 8000 };

struct event_place {
    uint64_t job, n; // numbers: the store's, and of the last event that was told; 0: of none
};

struct event_cursor { // zeroed it is empty: nothing was told yet
    char newest[JOB_ID_MAX];
    struct event_place *open;
    size_t count, cap;
};

void event_cursor_clear(struct event_cursor *cursor); // the memory stays
void event_cursor_deinit(struct event_cursor *cursor);
void event_cursor_set_newest(struct event_cursor *cursor, const char *id);
void event_cursor_add(struct event_cursor *cursor, uint64_t job, uint64_t n); // of a larger number

// Appends the text; false, and nothing is appended: it is longer than EVENT_CURSOR_MAX.
bool event_cursor_write(struct buf *out, const struct event_cursor *cursor);
// Of a text that is none: ERROR_INPUT, and the cursor is empty.
int event_cursor_parse(struct event_cursor *cursor, const char *text, struct error *err);

// A number as it stands in a stream of one job.
int event_number_parse(const char *text, uint64_t *n, struct error *err);

// The streams of Server-Sent Events that are open: each of one job or of all. What happens is
// written once, and sent to all within 25 ms; one that comes back is first told what it has missed
// (replay.h).
#pragma once

#include "common/http.h"
#include "common/log.h"
#include "orchestrator/replay.h"

enum {
    EVENTS_REPLAYS_MAX = 4, // at a time; the next waits: each holds a job in memory
};

struct event_streams;

struct event_streams_config { // all is borrowed
    uv_loop_t *loop;
    struct store *store;
    struct log *log;
    uint64_t streams_max; // at a time
    uint64_t backlog_max; // bytes that a client has not taken; beyond, its stream ends
    void (*snapshot)(void *arg, struct buf *out);      // what a stream of all jobs begins with
    void (*told)(void *arg, struct event_cursor *out); // of each open job, how far it was told
    void *arg;
};

struct event_streams *event_streams_new(const struct event_streams_config *config);
void event_streams_close(struct event_streams *s); // its handle in the loop
void event_streams_free(struct event_streams *s);  // after the server has ended; takes NULL

// Whether there may be one more. Else none is begun.
bool event_streams_have_room(const struct event_streams *s);

// Answers the request with a stream, of the job of this number; 0: of all jobs.
void event_streams_begin(struct event_streams *s, struct http_request *r, uint64_t job,
                         const struct buf *first);
// With what was missed, which is taken over. is_over: nothing follows it.
void event_streams_resume(struct event_streams *s, struct http_request *r, uint64_t job,
                          struct replay *replay, bool is_over);

bool event_streams_are_of(const struct event_streams *s, uint64_t job); // or of all
bool event_streams_are_of_all(const struct event_streams *s);

// What happened in the job: text to its own streams, and to those of all. n is 0 of what has no
// number.
void event_streams_tell(struct event_streams *s, uint64_t job, uint64_t n, const struct buf *text,
                        const struct buf *text_of_all);
// The job's streams end behind what they were told.
void event_streams_end(struct event_streams *s, uint64_t job);
// All end: the process does.
void event_streams_end_all(struct event_streams *s);
// Now and then: so that a client that has gone is noticed. One that takes nothing of what it has
// missed from one time to the next is let go.
void event_streams_beat(struct event_streams *s);

size_t event_streams_reading(const struct event_streams *s); // of the store: it must stay open
size_t event_streams_count(const struct event_streams *s);
uint64_t event_streams_let_go(const struct event_streams *s); // clients that were too far behind

// Events that a client has missed, read from the store piece by piece: those of one job after a
// number, or those of all jobs after a cursor, job by job. A job is read as a whole for it, and
// brought forward event by event, so that each is told as it was told when it happened.
#pragma once

#include "orchestrator/event_cursor.h"
#include "orchestrator/store.h"

enum { REPLAY_PIECE = 64 * 1024 }; // bytes of text, and one event more

struct replay;

struct replay *replay_of_job(const char *id, uint64_t after);
struct replay *replay_of_all(struct event_cursor *cursor); // takes it over
void replay_free(struct replay *replay);                   // takes NULL

enum replay_state {
    REPLAY_MORE,    // another piece may follow
    REPLAY_AT_END,  // of what was kept before it was read
    REPLAY_UNKNOWN, // the cursor is not of this store, or the job is there no more: nothing was
                    // told
    REPLAY_FAILED,  // the store cannot be read
};

// How far the jobs that are open have been told to those who follow them; taken over. What is kept
// and not told yet is not read: it comes to them all.
void replay_set_told(struct replay *replay, struct event_cursor *told);

// Appends the next piece to text; on the store's reader thread. After REPLAY_AT_END it may be asked
// again: for what was kept meanwhile.
enum replay_state replay_read(struct replay *replay, const struct store_reader *reader,
                              struct buf *text, struct error *err);

// After REPLAY_AT_END: adds each job that it has read, and the number up to which all its events
// have been told.
void replay_reached(const struct replay *replay, struct event_cursor *out);

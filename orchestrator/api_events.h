// GET /jobs/{id}/events/: what happens to a job, as Server-Sent Events, while it lives. First
// `snapshot`, the job as it is; then each event that is kept, when it is, with its number as id:
// `host` and `job`; and in between `step`, what is said to a device. After the job is done the
// stream ends.
#pragma once

#include "common/http.h"
#include "orchestrator/event.h"
#include "orchestrator/jobs.h"
#include "orchestrator/store.h"

enum {
    EVENTS_HEARTBEAT_MS = 15000,
    EVENTS_BACKLOG_MAX = 1 << 20, // bytes that a client has not taken; beyond, its stream ends
};

struct api_events;

struct api_events *api_events_new(uv_loop_t *loop, struct jobs *jobs, struct store *store);
void api_events_close(struct api_events *e); // its handle in the loop
void api_events_free(struct api_events *e);  // after the loop and the server have ended; takes NULL

// Answers the request; the job is one of jobs.
void api_events_answer(struct api_events *e, struct http_request *r, const struct job *job);
// A job that is over, or that the store alone knows of: a snapshot, and no more.
void api_events_answer_over(struct http_request *r, const struct buf *job);

// The processor of steps: self is a struct api_events.
void api_events_step(void *self, const struct event *event);

// GET /jobs/{id}/events/ and GET /events/: what happens to a job, or to all, as Server-Sent Events.
// First `snapshot`, the job as it is (or {"jobs": [...]}, those that are open); then each event
// that is kept, when it is, with an id: `host` and `job`; and in between `step`, what is said to a
// device. After its job is done a job's stream ends. A client that comes back with the id that it
// had last (Last-Event-ID) gets no snapshot, but what it has missed, from the store: also after a
// restart.
#pragma once

#include "orchestrator/event_streams.h"
#include "orchestrator/jobs.h"
#include "orchestrator/limit.h"

enum { EVENTS_HEARTBEAT_MS = 15000 };

struct api_events;

// Before the loop runs, for it reads the store.
struct api_events *api_events_new(uv_loop_t *loop, struct jobs *jobs, struct store *store,
                                  struct log *log, const struct limits *limits);
void api_events_leave_store(struct api_events *e); // the store is read no more: all streams end
void api_events_end(struct api_events *e);         // all streams end; their clients may come back
void api_events_close(struct api_events *e);       // its handle in the loop
void api_events_free(struct api_events *e);        // after the loop and the server; takes NULL

// Answers the request; the job is one of jobs. False: it is not answered, for the client has had
// events of a job that nodes share which are not known here yet; its row of the store says whether
// there are any.
bool api_events_answer(struct api_events *e, struct http_request *r, const struct job *job);
// A job that is over, or that the store alone knows of; text is its object, as JSON.
void api_events_answer_over(struct api_events *e, struct http_request *r,
                            const struct store_job *row, const struct buf *text);
void api_events_answer_all(struct api_events *e, struct http_request *r);

// The processor of steps: self is a struct api_events.
void api_events_step(void *self, const struct event *event);

const struct event_streams *api_events_streams(const struct api_events *e);

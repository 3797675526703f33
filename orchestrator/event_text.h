// What is kept of a job, as Server-Sent Events. Pure.
#pragma once

#include "orchestrator/job.h"

// One event as it is sent; id NULL: it has none.
void event_text_frame(struct buf *out, const char *id, const char *name, const char *data);

// "host" or "job".
const char *event_text_name(const struct store_event *event);

// What happened to a host: its row as in /jobs/{id}/hosts/ right after that, and "job", "n",
// "kind", "attempt" and "at", when it happened. cohorts are the job's: job_view_cohorts().
void event_text_write_host(struct buf *out, const struct job *job, const uint32_t *cohorts,
                           const struct store_event *event);
// The job has changed: its object, "n", and "at". text is the object: job_view_write().
void event_text_write_job(struct buf *out, const struct buf *text, const struct store_event *event);

// What was said to a device: the subtask began, or is over.
bool event_text_is_step(const struct event *event);
void event_text_write_step(struct buf *out, const struct event *event);

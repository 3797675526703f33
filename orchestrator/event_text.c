#include "orchestrator/event_text.h"

#include "common/timestamp.h"
#include "orchestrator/job_view.h"

void event_text_frame(struct buf *out, const char *id, const char *name, const char *data) {
    if (id != NULL) {
        buf_adds(out, "id: ");
        buf_adds(out, id);
        buf_adds(out, "\n");
    }
    buf_adds(out, "event: ");
    buf_adds(out, name);
    buf_adds(out, "\ndata: ");
    buf_adds(out, data);
    buf_adds(out, "\n\n");
}

const char *event_text_name(const struct store_event *event) {
    return event->kind == STORE_JOB ? "job" : "host";
}

// It may have gone on by the time that this is told.
static struct job_host as_then(const struct job_host *host, const struct store_event *event) {
    struct job_host as = *host;
    if (event->kind == STORE_OUTCOME) return as;
    as.state = event->kind == STORE_WITHDRAWN ? HOST_WAITING : HOST_IN_HAND;
    if (event->kind == STORE_STARTED) as.started_ms = event->wall_ms;
    return as;
}

void event_text_write_host(struct buf *out, const struct job *job, const uint32_t *cohorts,
                           const struct store_event *event) {
    static const char *const kinds[] = {[STORE_STARTED] = "started",
                                        [STORE_INTENT] = "intent",
                                        [STORE_WITHDRAWN] = "withdrawn",
                                        [STORE_OUTCOME] = "outcome"};
    char at[TIMESTAMP_MAX];
    const struct job_host as = as_then(&job->hosts[event->host], event);
    job_view_write_host(out, job, event->host, cohorts[event->host], &as);
    out->len--; // the row goes on
    timestamp_format(event->wall_ms, at);
    buf_addf(out,
             ", \"job\": \"%s\", \"n\": %llu, \"kind\": \"%s\", \"attempt\": %u, \"at\": \"%s\"}",
             job->id, (unsigned long long)event->n, kinds[event->kind], event->attempt, at);
}

void event_text_write_job(struct buf *out, const struct buf *text,
                          const struct store_event *event) {
    char at[TIMESTAMP_MAX];
    buf_add(out, text->data, text->len - 1); // the object goes on
    timestamp_format(event->wall_ms, at);
    buf_addf(out, ", \"n\": %llu, \"at\": \"%s\"}", (unsigned long long)event->n, at);
}

bool event_text_is_step(const struct event *event) {
    return event->kind == EVENT_SUBTASK_INSTANCE_STARTED ||
           event->kind == EVENT_SUBTASK_INSTANCE_COMPLETED;
}

void event_text_write_step(struct buf *out, const struct event *event) {
    char at[TIMESTAMP_MAX];
    const bool begins = event->kind == EVENT_SUBTASK_INSTANCE_STARTED;
    buf_adds(out, "{\"host\": ");
    buf_add_json(out, event->host);
    buf_adds(out, ", \"subtask\": ");
    buf_add_json(out, event->subtask);
    buf_addf(out, ", \"state\": \"%s\", \"error\": ", begins ? "started" : "completed");
    if (event->failed && event->text != NULL)
        buf_add_json(out, event->text);
    else
        buf_adds(out, "null");
    timestamp_format(event->wall_ms, at);
    buf_addf(out, ", \"job\": \"%s\", \"at\": \"%s\"}", event->job, at);
}

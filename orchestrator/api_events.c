// An event is written once, and added to what each stream of its job has not sent yet.
#include "orchestrator/api_events.h"

#include "common/http_stream.h"
#include "common/mem.h"
#include "orchestrator/job_view.h"

#include <stdlib.h>
#include <string.h>

static const char content_type[] = "text/event-stream";

struct followed { // a job with streams
    struct followed *next;
    struct api_events *events;
    char id[JOB_ID_MAX];
    uint64_t number;
    uint32_t *cohorts; // job_view_cohorts()
    struct buf last;   // the job as it was when it was done
    struct events_stream *streams;
};

struct events_stream {
    struct events_stream *next;
    struct followed *of; // NULL: the job is over
    struct buf pending;
    bool is_last;
    struct http_stream *http;
};

struct api_events {
    struct jobs *jobs;
    struct followed *followed;
    uv_timer_t heartbeat;
    struct buf text; // scratch
};

// --- streams

static void end_stream(struct events_stream *stream) {
    stream->is_last = true;
    stream->of = NULL;
}

// A client that does not read is let go, so that it costs no more.
static void add_text(struct events_stream *stream, const struct buf *text) {
    if (stream->is_last) return;
    if (stream->pending.len + text->len > EVENTS_BACKLOG_MAX)
        stream->is_last = true;
    else
        buf_add(&stream->pending, text->data, text->len);
    if (stream->http != NULL) http_stream_wake(stream->http);
}

static void tell_all(const struct followed *f, const struct buf *text) {
    for (struct events_stream *stream = f->streams; stream != NULL; stream = stream->next)
        add_text(stream, text);
}

static void forget(struct followed *f) {
    struct followed **link = &f->events->followed;
    while (*link != f)
        link = &(*link)->next;
    *link = f->next;
    jobs_unwatch(f->events->jobs, f);
    free(f->cohorts);
    buf_deinit(&f->last);
    free(f);
}

static void end_all(struct followed *f) {
    for (struct events_stream *stream = f->streams, *next; stream != NULL; stream = next) {
        next = stream->next;
        end_stream(stream);
        if (stream->http != NULL) http_stream_wake(stream->http);
    }
    f->streams = NULL;
    forget(f);
}

static enum http_piece next_piece(void *arg, struct buf *out) {
    struct events_stream *stream = arg;
    buf_add(out, stream->pending.data, stream->pending.len);
    buf_clear(&stream->pending);
    return stream->is_last ? HTTP_PIECE_LAST : HTTP_PIECE_WAIT;
}

static void leave(struct events_stream *stream) {
    struct followed *f = stream->of;
    if (f == NULL) return;
    struct events_stream **link = &f->streams;
    while (*link != stream)
        link = &(*link)->next;
    *link = stream->next;
    if (f->streams == NULL) forget(f);
}

static void close_stream(void *arg) {
    struct events_stream *stream = arg;
    leave(stream);
    buf_deinit(&stream->pending);
    free(stream);
}

static const struct http_source source = {next_piece, close_stream};

// --- what is sent

static void begin_event(struct buf *out, const char *name, uint64_t n) { // n 0: it has no number
    buf_clear(out);
    if (n > 0) buf_addf(out, "id: %llu\n", (unsigned long long)n);
    buf_addf(out, "event: %s\ndata: ", name);
}

static void end_event(struct buf *out) {
    buf_adds(out, "\n\n");
}

static struct followed *followed_of(const struct api_events *e, uint64_t number) {
    struct followed *f = e->followed;
    while (f != NULL && f->number != number)
        f = f->next;
    return f;
}

static void write_host_event(struct buf *out, const struct followed *f, const struct job *job,
                             const struct store_event *event) {
    static const char *const kinds[] = {[STORE_STARTED] = "started",
                                        [STORE_INTENT] = "intent",
                                        [STORE_WITHDRAWN] = "withdrawn",
                                        [STORE_OUTCOME] = "outcome"};
    begin_event(out, "host", event->n);
    job_view_write_host(out, job, event->host, f->cohorts[event->host]);
    out->len--; // the row goes on
    buf_addf(out, ", \"n\": %llu, \"kind\": \"%s\", \"attempt\": %u}", (unsigned long long)event->n,
             kinds[event->kind], event->attempt);
    end_event(out);
}

static void on_kept(void *arg, const struct store_event *event) {
    struct api_events *e = arg;
    struct followed *f = followed_of(e, event->job);
    if (f == NULL) return;
    const struct job *job = jobs_numbered(e->jobs, event->job);
    if (event->kind != STORE_JOB) {
        if (job == NULL) return;
        write_host_event(&e->text, f, job, event);
        tell_all(f, &e->text);
        return;
    }
    begin_event(&e->text, "job", event->n);
    if (job != NULL)
        job_view_write(&e->text, job);
    else
        buf_add(&e->text, f->last.data, f->last.len);
    end_event(&e->text);
    tell_all(f, &e->text);
    if (event->state == JOB_DONE) end_all(f);
}

void api_events_step(void *self, const struct event *event) {
    struct api_events *e = self;
    const bool begins = event->kind == EVENT_SUBTASK_INSTANCE_STARTED;
    struct followed *f = e->followed;
    if (!begins && event->kind != EVENT_SUBTASK_INSTANCE_COMPLETED) return;
    while (f != NULL && strcmp(f->id, event->job) != 0)
        f = f->next;
    if (f == NULL) return;
    begin_event(&e->text, "step", 0);
    buf_adds(&e->text, "{\"host\": ");
    buf_add_json(&e->text, event->host);
    buf_adds(&e->text, ", \"subtask\": ");
    buf_add_json(&e->text, event->subtask);
    buf_addf(&e->text, ", \"state\": \"%s\", \"error\": ", begins ? "started" : "completed");
    if (event->failed && event->text != NULL)
        buf_add_json(&e->text, event->text);
    else
        buf_adds(&e->text, "null");
    buf_adds(&e->text, "}");
    end_event(&e->text);
    tell_all(f, &e->text);
}

// --- the life of a stream

// It is done: its last event comes right after. Or the process ends before it.
static void on_told(void *arg, const struct job *job) {
    struct followed *f = arg;
    if (job->state == JOB_DONE) {
        job_view_write(&f->last, job);
        return;
    }
    for (struct events_stream *stream = f->streams; stream != NULL; stream = stream->next) {
        stream->is_last = true;
        if (stream->http != NULL) http_stream_wake(stream->http);
    }
}

static struct followed *follow(struct api_events *e, const struct job *job) {
    struct followed *f = followed_of(e, job->number);
    if (f != NULL) return f;
    f = mem_zalloc(sizeof *f);
    f->events = e;
    f->number = job->number;
    memcpy(f->id, job->id, sizeof f->id);
    f->cohorts = job_view_cohorts(job);
    f->next = e->followed;
    e->followed = f;
    jobs_watch(e->jobs, job, on_told, f);
    return f;
}

void api_events_answer(struct api_events *e, struct http_request *r, const struct job *job) {
    struct events_stream *stream = mem_zalloc(sizeof *stream);
    stream->of = follow(e, job);
    stream->next = stream->of->streams;
    stream->of->streams = stream;
    begin_event(&stream->pending, "snapshot", 0);
    job_view_write(&stream->pending, job);
    end_event(&stream->pending);
    http_answer_header(r, "Cache-Control", "no-store");
    stream->http = http_answer_stream(r, 200, content_type, &source, stream);
}

void api_events_answer_over(struct http_request *r, const struct buf *job) {
    struct buf text = {0};
    begin_event(&text, "snapshot", 0);
    buf_add(&text, job->data, job->len);
    end_event(&text);
    const size_t len = text.len;
    http_answer_header(r, "Cache-Control", "no-store");
    http_answer(r, 200, content_type, buf_take(&text), len);
}

// --- life

// So that a client that has gone is noticed.
static void on_heartbeat(uv_timer_t *timer) {
    static const char comment[] = ":\n\n";
    struct api_events *e = timer->data;
    buf_clear(&e->text);
    buf_adds(&e->text, comment);
    for (const struct followed *f = e->followed; f != NULL; f = f->next)
        tell_all(f, &e->text);
}

struct api_events *api_events_new(uv_loop_t *loop, struct jobs *jobs, struct store *store) {
    struct api_events *e = mem_zalloc(sizeof *e);
    e->jobs = jobs;
    uv_timer_init(loop, &e->heartbeat);
    e->heartbeat.data = e;
    uv_timer_start(&e->heartbeat, on_heartbeat, EVENTS_HEARTBEAT_MS, EVENTS_HEARTBEAT_MS);
    uv_unref((uv_handle_t *)&e->heartbeat);
    store_on_kept(store, on_kept, e);
    return e;
}

void api_events_close(struct api_events *e) {
    uv_close((uv_handle_t *)&e->heartbeat, NULL);
}

void api_events_free(struct api_events *e) {
    if (e == NULL) return;
    for (struct followed *f = e->followed, *next; f != NULL; f = next) {
        next = f->next;
        end_all(f);
    }
    buf_deinit(&e->text);
    free(e);
}

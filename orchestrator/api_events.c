// An event is written once, and framed twice at most: with its number for the streams of its job,
// and with a cursor for those of all.
#include "orchestrator/api_events.h"

#include "common/mem.h"
#include "orchestrator/event_text.h"
#include "orchestrator/job_view.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { RETRY_AFTER_S = 10 };

struct followed { // a job with streams
    struct followed *next;
    uint64_t number;
    uint32_t *cohorts; // job_view_cohorts()
};

struct api_events {
    struct jobs *jobs;
    struct event_streams *streams;
    struct followed *followed;
    uv_timer_t heartbeat;
    uint64_t newest; // job, of those that have had their say
    struct event_cursor cursor;
    struct buf object; // of a job; of one that is done, until its event comes right after
    struct buf data, id, text, text_of_all; // scratch
};

// --- jobs with streams

static struct followed *follow(struct api_events *e, const struct job *job) {
    struct followed *f = e->followed;
    while (f != NULL && f->number != job->number)
        f = f->next;
    if (f != NULL) return f;
    f = mem_alloc(sizeof *f);
    *f = (struct followed){
        .next = e->followed, .number = job->number, .cohorts = job_view_cohorts(job)};
    e->followed = f;
    return f;
}

static void unfollow(struct followed **link) {
    struct followed *f = *link;
    *link = f->next;
    free(f->cohorts);
    free(f);
}

// Whose streams have ended, or that is over itself.
static void unfollow_idle(struct api_events *e) {
    for (struct followed **link = &e->followed; *link != NULL;) {
        const uint64_t job = (*link)->number;
        if (jobs_numbered(e->jobs, job) != NULL && event_streams_are_of(e->streams, job))
            link = &(*link)->next;
        else
            unfollow(link);
    }
}

// --- what is kept

static void add_open(const struct api_events *e, uint64_t newest, struct event_cursor *out) {
    for (size_t i = 0; i < jobs_count(e->jobs); i++) {
        const struct job *job = jobs_at(e->jobs, i);
        if (job->number != 0 && job->number <= newest) event_cursor_add(out, job->number, job->n);
    }
}

static void write_told(void *arg, struct event_cursor *out) {
    add_open(arg, UINT64_MAX, out);
}

// How far a client has come that has had all that was told.
static void write_cursor(struct api_events *e) {
    e->cursor.count = 0;
    add_open(e, e->newest, &e->cursor);
    buf_clear(&e->id);
    event_cursor_write(&e->id, &e->cursor);
}

static void frame(struct api_events *e, const struct store_event *event) {
    char number[24];
    snprintf(number, sizeof number, "%" PRIu64, event->n);
    buf_clear(&e->text);
    event_text_frame(&e->text, number, event_text_name(event), e->data.data);
    if (!event_streams_are_of_all(e->streams)) return;
    write_cursor(e);
    buf_clear(&e->text_of_all);
    event_text_frame(&e->text_of_all, e->id.len > 0 ? e->id.data : NULL, event_text_name(event),
                     e->data.data);
}

static void tell(struct api_events *e, const struct store_event *event, const struct job *job) {
    buf_clear(&e->data);
    if (event->kind != STORE_JOB) {
        event_text_write_host(&e->data, job, follow(e, job)->cohorts, event);
    } else {
        if (job != NULL) { // else it was written when it was done
            buf_clear(&e->object);
            job_view_write(&e->object, job);
        }
        event_text_write_job(&e->data, &e->object, event);
    }
    frame(e, event);
    event_streams_tell(e->streams, event->job, event->n, &e->text, &e->text_of_all);
}

static void on_kept(void *arg, const struct store_event *event) {
    struct api_events *e = arg;
    struct job *job = jobs_numbered(e->jobs, event->job);
    if (job != NULL) job->n = event->n;
    if (job != NULL && job->number > e->newest) {
        e->newest = job->number;
        event_cursor_set_newest(&e->cursor, job->id);
    }
    if (job == NULL && event->kind != STORE_JOB) return;
    if (event_streams_are_of(e->streams, event->job)) tell(e, event, job);
    if (event->kind == STORE_JOB && event->state == JOB_DONE)
        event_streams_end(e->streams, event->job);
}

// It is done, and is freed before its last event is told.
static void on_told(void *arg, const struct job *job) {
    struct api_events *e = arg;
    if (job->state != JOB_DONE) return; // the process ends
    if (job->number > e->newest) {
        e->newest = job->number;
        event_cursor_set_newest(&e->cursor, job->id);
    }
    buf_clear(&e->object);
    job_view_write(&e->object, job);
}

void api_events_step(void *self, const struct event *event) {
    struct api_events *e = self;
    if (!event_text_is_step(event) || event_streams_count(e->streams) == 0) return;
    const struct job *job = jobs_find(e->jobs, event->job);
    if (job == NULL || !event_streams_are_of(e->streams, job->number)) return;
    buf_clear(&e->data);
    event_text_write_step(&e->data, event);
    buf_clear(&e->text);
    event_text_frame(&e->text, NULL, "step", e->data.data);
    event_streams_tell(e->streams, job->number, 0, &e->text, &e->text);
}

// --- answers

static void refuse_id(struct http_request *r, struct error *err) {
    error_in(err, "Last-Event-ID");
    http_answer_error(r, 400, err);
}

// Of a client that comes back; false: it does not, or is refused.
static bool find_missed(struct http_request *r, uint64_t last, uint64_t *after) {
    const char *id = http_header(r, "Last-Event-ID");
    struct error err;
    int rc = event_number_parse(id, after, &err);
    if (rc == 0 && *after > last)
        rc =
            error_set(&err, "the job has no event %" PRIu64 "; its last is %" PRIu64, *after, last);
    if (rc != 0) refuse_id(r, &err);
    return rc == 0;
}

// A stream ends when its client or its job does: when there is room again, nobody can say. False:
// it is answered.
static bool has_room(const struct api_events *e, struct http_request *r) {
    char seconds[16];
    if (event_streams_have_room(e->streams)) return true;
    snprintf(seconds, sizeof seconds, "%d", RETRY_AFTER_S);
    http_answer_header(r, "Retry-After", seconds);
    http_answer_problem(r, 503,
                        "%zu streams of events are open, and no more may be: end one, or start the "
                        "service with a larger --limit event-streams",
                        event_streams_count(e->streams));
    return false;
}

static void begin(struct api_events *e, struct http_request *r, uint64_t job) {
    buf_clear(&e->text);
    event_text_frame(&e->text, NULL, "snapshot", e->data.data);
    event_streams_begin(e->streams, r, job, &e->text);
}

// Another node may have told the client what this one is to hear yet.
static bool is_ahead(const struct http_request *r, const struct job *job) {
    const char *id = http_header(r, "Last-Event-ID");
    uint64_t after;
    struct error err;
    return id != NULL && event_number_parse(id, &after, &err) == 0 && after > job->n;
}

bool api_events_answer(struct api_events *e, struct http_request *r, const struct job *job) {
    uint64_t after;
    if (job->shards != NULL && is_ahead(r, job)) return false;
    if (!has_room(e, r)) return true;
    if (http_header(r, "Last-Event-ID") == NULL) {
        buf_clear(&e->data);
        job_view_write(&e->data, job);
        begin(e, r, job->number);
    } else if (find_missed(r, job->n, &after)) {
        event_streams_resume(e->streams, r, job->number, replay_of_job(job->id, after), false);
    }
    return true;
}

static void answer_later(struct http_request *r, uint64_t after) {
    http_answer_header(r, "Retry-After", "1");
    http_answer_problem(r, 503, "this node has not heard of event %" PRIu64 " of the job yet",
                        after);
}

// A client that has had all is told not to come again: as the HTML standard says of 204.
void api_events_answer_over(struct api_events *e, struct http_request *r,
                            const struct store_job *row, const struct buf *text) {
    uint64_t after;
    if (http_header(r, "Last-Event-ID") == NULL) {
        struct buf own = {0};
        event_text_frame(&own, NULL, "snapshot", text->data);
        const size_t len = own.len;
        http_answer_header(r, "Cache-Control", "no-store");
        http_answer(r, 200, "text/event-stream", buf_take(&own), len);
    } else if (find_missed(r, row->n, &after)) {
        const struct job *live = jobs_find(e->jobs, row->id);
        if (live != NULL && is_ahead(r, live))
            answer_later(r, after);
        else if (after == row->n && row->state == JOB_DONE)
            http_answer_empty(r, 204);
        else if (has_room(e, r))
            event_streams_resume(e->streams, r, row->number, replay_of_job(row->id, after), true);
    }
}

static void write_open(void *arg, struct buf *out) {
    struct api_events *e = arg;
    buf_clear(&e->data);
    buf_adds(&e->data, "{\"jobs\": [");
    for (size_t i = jobs_count(e->jobs); i-- > 0;) {
        job_view_write(&e->data, jobs_at(e->jobs, i));
        if (i > 0) buf_adds(&e->data, ", ");
    }
    buf_adds(&e->data, "]}");
    event_text_frame(out, NULL, "snapshot", e->data.data);
}

void api_events_answer_all(struct api_events *e, struct http_request *r) {
    const char *id = http_header(r, "Last-Event-ID");
    struct event_cursor cursor = {0};
    struct error err;
    if (!has_room(e, r)) return;
    if (id == NULL) {
        buf_clear(&e->text);
        write_open(e, &e->text);
        event_streams_begin(e->streams, r, 0, &e->text);
    } else if (event_cursor_parse(&cursor, id, &err) != 0) {
        refuse_id(r, &err);
    } else {
        event_streams_resume(e->streams, r, 0, replay_of_all(&cursor), false);
    }
    event_cursor_deinit(&cursor);
}

// --- life

static void on_heartbeat(uv_timer_t *timer) {
    struct api_events *e = timer->data;
    event_streams_beat(e->streams);
    unfollow_idle(e);
}

static bool take_newest(void *arg, const struct store_job *row, const struct store_event *event) {
    struct api_events *e = arg;
    (void)event;
    e->newest = row->number;
    event_cursor_set_newest(&e->cursor, row->id == NULL ? "" : row->id);
    return false;
}

// A store that cannot be read says so to whoever asks for jobs.
static void read_newest(void *arg, const struct store_reader *reader) {
    const struct store_query query = {.kind = STORE_READ_JOBS, .limit = 1};
    struct error err;
    store_rows(reader, &query, take_newest, arg, &err);
}

struct api_events *api_events_new(uv_loop_t *loop, struct jobs *jobs, struct store *store,
                                  struct log *log, const struct limits *limits) {
    struct api_events *e = mem_zalloc(sizeof *e);
    e->jobs = jobs;
    e->streams =
        event_streams_new(&(struct event_streams_config){.loop = loop,
                                                         .store = store,
                                                         .log = log,
                                                         .streams_max = limits->event_streams,
                                                         .backlog_max = limits->event_backlog,
                                                         .snapshot = write_open,
                                                         .told = write_told,
                                                         .arg = e});
    uv_timer_init(loop, &e->heartbeat);
    e->heartbeat.data = e;
    uv_timer_start(&e->heartbeat, on_heartbeat, EVENTS_HEARTBEAT_MS, EVENTS_HEARTBEAT_MS);
    uv_unref((uv_handle_t *)&e->heartbeat);
    store_read_now(store, read_newest, e);
    store_on_kept(store, on_kept, e);
    jobs_watch(jobs, NULL, on_told, e);
    return e;
}

void api_events_leave_store(struct api_events *e) {
    event_streams_end_all(e->streams);
}

void api_events_end(struct api_events *e) {
    event_streams_end_all(e->streams);
}

void api_events_close(struct api_events *e) {
    event_streams_close(e->streams);
    uv_close((uv_handle_t *)&e->heartbeat, NULL);
}

const struct event_streams *api_events_streams(const struct api_events *e) {
    return e->streams;
}

void api_events_free(struct api_events *e) {
    if (e == NULL) return;
    while (e->followed != NULL)
        unfollow(&e->followed);
    event_streams_free(e->streams);
    event_cursor_deinit(&e->cursor);
    buf_deinit(&e->object);
    buf_deinit(&e->data);
    buf_deinit(&e->id);
    buf_deinit(&e->text);
    buf_deinit(&e->text_of_all);
    free(e);
}

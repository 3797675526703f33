// What is to be told is a list of places: jobs by number, in ascending order, and after which of
// its events. That of a cursor has the jobs that were open then, and all newer ones; it is made
// anew whenever the end was reached. One job at a time is read: its row, then its events from the
// first on, of which those after its place are told.
#include "orchestrator/replay.h"

#include "common/mem.h"
#include "orchestrator/event_text.h"
#include "orchestrator/job_stored.h"
#include "orchestrator/job_view.h"

#include <stdlib.h>
#include <string.h>

struct place {
    uint64_t job, n; // n: of the last event that was told
    bool is_done;    // there is no more of it
};

struct replay {
    struct event_cursor from; // of all
    struct event_cursor told; // of jobs that are open
    char id[JOB_ID_MAX];      // of one; "": all
    uint64_t newest;          // job, of those that have had their say; its id is in from
    bool has_begun, is_listed;
    struct place *places;
    size_t count, cap, at;
    // Of the place at hand.
    struct job *job;
    uint32_t *cohorts;
    uint64_t n;
    uint64_t until; // this event
    // While it is read.
    struct buf *text;
    size_t text_end;
    struct buf data, object;
    struct event_cursor cursor; // scratch
    struct error *err;
    bool is_full, is_bad;
};

struct replay *replay_of_job(const char *id, uint64_t after) {
    struct replay *r = mem_zalloc(sizeof *r);
    memcpy(r->id, id, strnlen(id, JOB_ID_MAX - 1));
    r->places = mem_grow(r->places, &r->cap, 1, sizeof *r->places);
    r->places[r->count++] = (struct place){.n = after};
    r->is_listed = true;
    return r;
}

struct replay *replay_of_all(struct event_cursor *cursor) {
    struct replay *r = mem_zalloc(sizeof *r);
    r->from = *cursor;
    *cursor = (struct event_cursor){0};
    return r;
}

static void close_job(struct replay *r) {
    job_free(r->job);
    free(r->cohorts);
    r->job = NULL;
    r->cohorts = NULL;
    r->n = 0;
}

void replay_free(struct replay *r) {
    if (r == NULL) return;
    close_job(r);
    event_cursor_deinit(&r->from);
    event_cursor_deinit(&r->told);
    event_cursor_deinit(&r->cursor);
    buf_deinit(&r->data);
    buf_deinit(&r->object);
    free(r->places);
    free(r);
}

void replay_set_told(struct replay *r, struct event_cursor *told) {
    event_cursor_deinit(&r->told);
    r->told = *told;
    *told = (struct event_cursor){0};
}

void replay_reached(const struct replay *r, struct event_cursor *out) {
    for (size_t i = 0; i < r->count; i++)
        event_cursor_add(out, r->places[i].job, r->places[i].n);
}

// --- which jobs

static bool take_number(void *arg, const struct store_job *row, const struct store_event *event) {
    struct replay *r = arg;
    (void)event;
    r->newest = row->number;
    return false;
}

static struct place *find(struct replay *r, uint64_t job) {
    for (size_t i = 0; i < r->count; i++)
        if (r->places[i].job == job) return &r->places[i];
    return NULL;
}

static void add_place(struct replay *r, uint64_t job, uint64_t n) {
    r->places = mem_grow(r->places, &r->cap, r->count + 1, sizeof *r->places);
    r->places[r->count++] = (struct place){.job = job, .n = n};
}

// Newest first.
static bool take_newer(void *arg, const struct store_job *row, const struct store_event *event) {
    struct replay *r = arg;
    (void)event;
    if (row->number <= r->newest) return false;
    if (find(r, row->number) == NULL) add_place(r, row->number, 0);
    return true;
}

static int by_number(const void *a, const void *b) {
    const struct place *x = a, *y = b;
    return (x->job > y->job) - (x->job < y->job);
}

static enum replay_state find_newest(struct replay *r, const struct store_reader *reader) {
    const struct store_query query = {.kind = STORE_READ_JOBS, .id = r->from.newest};
    if (r->from.newest[0] == '\0') return REPLAY_MORE; // there was none
    if (store_rows(reader, &query, take_number, r, r->err) != 0) return REPLAY_FAILED;
    return r->newest == 0 ? REPLAY_UNKNOWN : REPLAY_MORE;
}

static enum replay_state list_places(struct replay *r, const struct store_reader *reader) {
    const struct store_query query = {.kind = STORE_READ_JOBS};
    enum replay_state state = REPLAY_MORE;
    if (!r->has_begun) {
        state = find_newest(r, reader);
        if (state != REPLAY_MORE) return state;
        r->has_begun = true;
        for (size_t i = 0; i < r->from.count; i++)
            add_place(r, r->from.open[i].job, r->from.open[i].n);
    }
    if (store_rows(reader, &query, take_newer, r, r->err) != 0) return REPLAY_FAILED;
    if (r->count > 0) qsort(r->places, r->count, sizeof *r->places, by_number);
    r->is_listed = true;
    r->at = 0;
    return REPLAY_MORE;
}

// --- one job

static bool take_job(void *arg, const struct store_job *row, const struct store_event *event) {
    struct replay *r = arg;
    (void)event;
    r->job = job_from_store(row, r->err);
    r->is_bad = r->job == NULL;
    return false;
}

// One that is there no more has nothing to tell.
static enum replay_state open_job(struct replay *r, const struct store_reader *reader) {
    struct place *place = &r->places[r->at];
    struct store_query query = {.kind = STORE_READ_JOB, .job = place->job};
    if (r->id[0] != '\0') query = (struct store_query){.kind = STORE_READ_JOB, .id = r->id};
    if (store_rows(reader, &query, take_job, r, r->err) != 0 || r->is_bad) return REPLAY_FAILED;
    if (r->job == NULL) {
        place->is_done = true;
        r->at++;
        return r->id[0] == '\0' ? REPLAY_MORE : REPLAY_UNKNOWN;
    }
    place->job = r->job->number;
    r->cohorts = job_view_cohorts(r->job);
    return REPLAY_MORE;
}

// What a client that has had the event gives back when it comes again.
static bool write_id(struct replay *r, struct buf *out, const struct store_event *event) {
    if (r->id[0] != '\0') {
        buf_add_uint(out, event->n);
        return true;
    }
    if (event->job > r->newest) {
        r->newest = event->job;
        event_cursor_set_newest(&r->from, r->job->id);
    }
    event_cursor_clear(&r->cursor);
    event_cursor_set_newest(&r->cursor, r->from.newest);
    for (size_t i = 0; i < r->count && r->places[i].job <= r->newest; i++)
        if (!r->places[i].is_done) event_cursor_add(&r->cursor, r->places[i].job, r->places[i].n);
    return event_cursor_write(out, &r->cursor);
}

static void tell(struct replay *r, const struct store_event *event) {
    struct buf id = {0};
    struct place *place = &r->places[r->at];
    place->n = event->n;
    place->is_done = event->kind == STORE_JOB && event->state == JOB_DONE;
    buf_clear(&r->data);
    if (event->kind == STORE_JOB) {
        buf_clear(&r->object);
        job_view_write(&r->object, r->job);
        event_text_write_job(&r->data, &r->object, event);
    } else {
        event_text_write_host(&r->data, r->job, r->cohorts, event);
    }
    const bool has_id = write_id(r, &id, event);
    event_text_frame(r->text, has_id ? id.data : NULL, event_text_name(event), r->data.data);
    buf_deinit(&id);
}

static bool take_event(void *arg, const struct store_job *row, const struct store_event *event) {
    struct replay *r = arg;
    (void)row;
    r->is_full = r->text->len >= r->text_end;
    if (r->is_full || event->n > r->until) return false;
    r->is_bad = job_apply(r->job, event, r->err) != 0;
    if (r->is_bad) return false;
    r->n = event->n;
    if (event->n > r->places[r->at].n) tell(r, event);
    return true;
}

// Of a job that is not open all has been told.
static uint64_t told_of(const struct replay *r, uint64_t job) {
    for (size_t i = 0; i < r->told.count; i++)
        if (r->told.open[i].job == job) return r->told.open[i].n;
    return UINT64_MAX;
}

static enum replay_state read_events(struct replay *r, const struct store_reader *reader) {
    const struct store_query query = {
        .kind = STORE_READ_EVENTS, .job = r->job->number, .after = r->n};
    r->is_full = false;
    r->until = told_of(r, r->job->number);
    if (store_rows(reader, &query, take_event, r, r->err) != 0 || r->is_bad) {
        error_from(r->err, "job %s", r->job->id);
        return REPLAY_FAILED;
    }
    return REPLAY_MORE;
}

// --- a piece

// Of a single job what was read stays, for what it tells next.
static enum replay_state end_pass(struct replay *r) {
    if (r->id[0] == '\0') r->is_listed = false;
    r->at = 0;
    return REPLAY_AT_END;
}

static enum replay_state go_on(struct replay *r, const struct store_reader *reader) {
    enum replay_state state = REPLAY_MORE;
    if (!r->is_listed) state = list_places(r, reader);
    while (state == REPLAY_MORE) {
        while (r->at < r->count && r->places[r->at].is_done && r->job == NULL)
            r->at++;
        if (r->at == r->count) return end_pass(r);
        if (r->job == NULL) {
            state = open_job(r, reader);
            continue;
        }
        state = read_events(r, reader);
        if (state != REPLAY_MORE || r->is_full) return state;
        r->at++;
        if (r->id[0] == '\0') close_job(r);
    }
    return state;
}

enum replay_state replay_read(struct replay *r, const struct store_reader *reader, struct buf *text,
                              struct error *err) {
    r->text = text;
    r->text_end = text->len + REPLAY_PIECE;
    r->err = err;
    return go_on(r, reader);
}

// A stream is told what happens (LIVE). One that comes back waits its turn to be told what it has
// missed, piece by piece, as it takes them; what happens meanwhile is held, and told behind it:
//
//     QUEUED -> READING <-> TAKING -> LIVE
//
// The last piece may have some of what is held, and what was kept and is about to happen; that is
// left out by its number. Where more happens meanwhile than may be held, what was held is
// forgotten, and the store is read once more.
#include "orchestrator/event_streams.h"

#include "common/clock.h"
#include "common/http_stream.h"
#include "common/mem.h"

#include <assert.h>
#include <stdlib.h>

static const char content_type[] = "text/event-stream";

enum stream_state { STREAM_LIVE, STREAM_QUEUED, STREAM_READING, STREAM_TAKING };

struct held {
    uint64_t job, n;
    size_t end; // of its text
};

struct stream {
    struct event_streams *all;
    struct stream *next, *previous;
    uint64_t job; // 0: of all
    enum stream_state state;
    bool is_last; // it ends behind what is pending
    bool is_over; // its job is: it ends behind what it has missed
    bool is_gone; // the client; it is read for still
    bool has_taken;
    struct buf pending;
    struct http_stream *http;
    struct replay *replay;
    // Of what is read, on the store's thread.
    struct buf piece;
    enum replay_state read;
    struct error err;
    // What happened meanwhile.
    struct buf held;
    struct held *held_list;
    size_t held_count, held_cap;
    bool has_forgotten;
    struct event_cursor reached; // what it was told already of what may happen
};

struct event_streams {
    struct store *store;
    struct log *log;
    void (*snapshot)(void *arg, struct buf *out);
    void *arg;
    struct stream *first, *last; // the oldest first
    size_t count, of_all, replaying, reading;
    uint64_t dropped;
};

// --- one stream

static void wake(const struct stream *st) {
    if (st->http != NULL) http_stream_wake(st->http);
}

static void end(struct stream *st) {
    st->is_last = true;
    wake(st);
}

static void let_go(struct stream *st, const char *why) {
    st->all->dropped++;
    buf_deinit(&st->pending);
    log_line(st->all->log, LOG_WARNING, clock_wall_ms(), "events", "%s", why);
    end(st);
}

static void add(struct stream *st, const struct buf *text) {
    if (st->is_last) return;
    if (st->pending.len + text->len > EVENTS_BACKLOG_MAX) {
        let_go(st, "a client was let go that has not taken 1 MiB of what happened");
        return;
    }
    buf_add(&st->pending, text->data, text->len);
    wake(st);
}

// --- what it has missed

static void forget_held(struct stream *st) {
    buf_clear(&st->held);
    st->held_count = 0;
}

static void hold(struct stream *st, uint64_t job, uint64_t n, const struct buf *text) {
    if (n == 0 || st->has_forgotten) return;
    if (st->held.len + text->len > EVENTS_BACKLOG_MAX) {
        st->has_forgotten = true;
        forget_held(st);
        return;
    }
    buf_add(&st->held, text->data, text->len);
    st->held_list =
        mem_grow(st->held_list, &st->held_cap, st->held_count + 1, sizeof *st->held_list);
    st->held_list[st->held_count++] = (struct held){job, n, st->held.len};
}

static void read_piece(void *arg, const struct store_reader *reader) {
    struct stream *st = arg;
    st->read = replay_read(st->replay, reader, &st->piece, &st->err);
}

static void on_piece(void *arg);

static void read_on(struct stream *st) {
    st->state = STREAM_READING;
    st->all->reading++;
    store_read(st->all->store, read_piece, on_piece, st);
}

// The one that has waited longest.
static void start_next(struct event_streams *s) {
    struct stream *st = s->first;
    while (st != NULL && (st->state != STREAM_QUEUED || st->is_last))
        st = st->next;
    if (st == NULL || s->replaying >= EVENTS_REPLAYS_MAX) return;
    s->replaying++;
    read_on(st);
}

static void end_replay(struct stream *st) {
    const bool had_begun = st->state != STREAM_QUEUED;
    replay_free(st->replay);
    st->replay = NULL;
    st->state = STREAM_LIVE;
    st->all->replaying -= had_begun;
    if (had_begun) start_next(st->all);
}

// Once there is one that it was not, there is no other.
static bool was_told(struct stream *st, uint64_t job, uint64_t n) {
    struct event_cursor *reached = &st->reached;
    size_t i = 0;
    while (i < reached->count && reached->open[i].job != job)
        i++;
    if (n == 0 || i == reached->count) return false;
    if (n <= reached->open[i].n) return true;
    reached->open[i] = reached->open[--reached->count];
    return false;
}

static void tell_held(struct stream *st) {
    replay_reached(st->replay, &st->reached);
    for (size_t i = 0, from = 0; i < st->held_count; i++) {
        const struct held *held = &st->held_list[i];
        if (!was_told(st, held->job, held->n))
            buf_add(&st->pending, st->held.data + from, held->end - from);
        from = held->end;
    }
    forget_held(st);
}

static void go_live(struct stream *st) {
    tell_held(st);
    end_replay(st);
    if (st->is_over) st->is_last = true;
}

// What the cursor says means nothing here: it begins as one that comes for the first time.
static void begin_anew(struct stream *st) {
    forget_held(st);
    end_replay(st);
    if (st->job != 0)
        st->is_last = true; // its job is no more
    else
        st->all->snapshot(st->all->arg, &st->pending);
}

static void take_piece(struct stream *st) {
    buf_add(&st->pending, st->piece.data, st->piece.len);
    buf_clear(&st->piece);
    st->state = STREAM_TAKING;
    switch (st->read) {
    case REPLAY_MORE:
        break;
    case REPLAY_AT_END:
        if (!st->has_forgotten) go_live(st);
        st->has_forgotten = false;
        break;
    case REPLAY_UNKNOWN:
        begin_anew(st);
        break;
    case REPLAY_FAILED:
        log_line(st->all->log, LOG_ERROR, clock_wall_ms(), "events", "the store: %s", st->err.text);
        end_replay(st);
        st->is_last = true;
        break;
    }
    wake(st);
}

// --- life

static void unlist(struct stream *st) {
    struct event_streams *s = st->all;
    *(st->previous == NULL ? &s->first : &st->previous->next) = st->next;
    *(st->next == NULL ? &s->last : &st->next->previous) = st->previous;
    s->count--;
    s->of_all -= st->job == 0;
}

static void free_stream(struct stream *st) {
    buf_deinit(&st->pending);
    buf_deinit(&st->piece);
    buf_deinit(&st->held);
    event_cursor_deinit(&st->reached);
    free(st->held_list);
    free(st);
}

static void on_piece(void *arg) {
    struct stream *st = arg;
    st->all->reading--;
    if (!st->is_gone) {
        take_piece(st);
        return;
    }
    end_replay(st);
    free_stream(st);
}

static enum http_piece next_piece(void *arg, struct buf *out) {
    struct stream *st = arg;
    buf_add(out, st->pending.data, st->pending.len);
    buf_clear(&st->pending);
    st->has_taken = true;
    if (st->state == STREAM_TAKING && !st->is_last) read_on(st);
    return st->is_last ? HTTP_PIECE_LAST : HTTP_PIECE_WAIT;
}

static void close_stream(void *arg) {
    struct stream *st = arg;
    unlist(st);
    st->http = NULL;
    st->is_gone = true;
    if (st->state == STREAM_READING) return; // on_piece() does the rest
    if (st->replay != NULL) end_replay(st);
    free_stream(st);
}

static const struct http_source source = {next_piece, close_stream};

static struct stream *open_stream(struct event_streams *s, uint64_t job) {
    struct stream *st = mem_zalloc(sizeof *st);
    st->all = s;
    st->job = job;
    st->previous = s->last;
    *(s->last == NULL ? &s->first : &s->last->next) = st;
    s->last = st;
    s->count++;
    s->of_all += job == 0;
    return st;
}

static void answer(struct stream *st, struct http_request *r) {
    http_answer_header(r, "Cache-Control", "no-store");
    st->http = http_answer_stream(r, 200, content_type, &source, st);
}

void event_streams_begin(struct event_streams *s, struct http_request *r, uint64_t job,
                         const struct buf *first) {
    struct stream *st = open_stream(s, job);
    buf_add(&st->pending, first->data, first->len);
    answer(st, r);
}

void event_streams_resume(struct event_streams *s, struct http_request *r, uint64_t job,
                          struct replay *replay, bool is_over) {
    struct stream *st = open_stream(s, job);
    st->replay = replay;
    st->is_over = is_over;
    st->state = STREAM_QUEUED;
    answer(st, r);
    start_next(s);
}

// --- all streams

bool event_streams_are_of_all(const struct event_streams *s) {
    return s->of_all > 0;
}

bool event_streams_are_of(const struct event_streams *s, uint64_t job) {
    if (s->of_all > 0) return true;
    for (const struct stream *st = s->first; st != NULL; st = st->next)
        if (st->job == job) return true;
    return false;
}

void event_streams_tell(struct event_streams *s, uint64_t job, uint64_t n, const struct buf *text,
                        const struct buf *text_of_all) {
    for (struct stream *st = s->first; st != NULL; st = st->next) {
        if (st->job != 0 && st->job != job) continue;
        const struct buf *own = st->job == 0 ? text_of_all : text;
        if (st->state != STREAM_LIVE)
            hold(st, job, n, own);
        else if (!was_told(st, job, n))
            add(st, own);
    }
}

void event_streams_end(struct event_streams *s, uint64_t job) {
    for (struct stream *st = s->first; st != NULL; st = st->next) {
        if (st->job != job) continue;
        st->is_over = true;
        if (st->state == STREAM_LIVE) end(st);
    }
}

void event_streams_end_all(struct event_streams *s) {
    for (struct stream *st = s->first; st != NULL; st = st->next)
        end(st);
}

void event_streams_beat(struct event_streams *s) {
    static char comment[] = ":\n\n";
    const struct buf text = {.data = comment, .len = sizeof comment - 1};
    for (struct stream *st = s->first; st != NULL; st = st->next) {
        if (st->state == STREAM_TAKING && !st->has_taken && !st->is_last)
            let_go(st, "a client was let go that did not take what it had missed");
        st->has_taken = st->state != STREAM_TAKING;
        if (st->state == STREAM_LIVE || st->state == STREAM_QUEUED) add(st, &text);
    }
}

size_t event_streams_reading(const struct event_streams *s) {
    return s->reading;
}

size_t event_streams_count(const struct event_streams *s) {
    return s->count;
}

uint64_t event_streams_dropped(const struct event_streams *s) {
    return s->dropped;
}

struct event_streams *event_streams_new(struct store *store, struct log *log,
                                        void (*snapshot)(void *arg, struct buf *out), void *arg) {
    struct event_streams *s = mem_zalloc(sizeof *s);
    *s = (struct event_streams){.store = store, .log = log, .snapshot = snapshot, .arg = arg};
    return s;
}

void event_streams_free(struct event_streams *s) {
    if (s == NULL) return;
    assert(s->first == NULL && s->reading == 0);
    free(s);
}

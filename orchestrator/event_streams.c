// What happens is written into a log, of its job and of all, and each stream reads its log from
// where it is (LIVE). One that comes back waits its turn to be told what it has missed, piece by
// piece, as it takes them; then it goes on in the log, from where that was when it came:
//
//     QUEUED -> READING <-> TAKING -> LIVE
//
// It is told what had been told to others by then, and no more: an id in the log says of all jobs
// how far they were told. The log may have some of that again; it is left out by its number. Where
// the log is gone from there by then, because more happened than it keeps, the store is read once
// more.
//
// Streams are woken now and then, not for each event: two hundred that follow a thousand events a
// second would be sent two hundred thousand pieces.
#include "orchestrator/event_streams.h"

#include "common/bytes.h"
#include "common/clock.h"
#include "common/http_stream.h"
#include "common/mem.h"
#include "orchestrator/event_log.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

static const char content_type[] = "text/event-stream";

enum { PIECE = 64 * 1024, FLUSH_MS = 25 };

enum stream_state { STREAM_LIVE, STREAM_QUEUED, STREAM_READING, STREAM_TAKING };

struct channel { // a log, and those who read it
    struct channel *next;
    uint64_t job; // 0: all
    struct event_log log;
    size_t streams;
    bool is_over; // the job is
};

struct stream {
    struct event_streams *all;
    struct stream *next, *previous;
    struct channel *channel;
    struct log_place place;
    enum stream_state state;
    bool is_last; // it ends behind what there is
    bool is_lost; // it ends where it is: its client is let go
    bool is_gone; // the client; it is read for still
    bool has_taken;
    struct buf pending; // before what the log has
    struct http_stream *http;
    struct replay *replay;
    struct event_cursor reached; // what it was told already of what the log may have
    // Of what is read, on the store's thread.
    struct buf piece;
    enum replay_state read;
    struct error err;
};

struct event_streams {
    struct event_streams_config config;
    uv_timer_t flush;
    struct channel *channels;
    struct stream *first, *last; // the oldest first
    size_t count, replaying, reading;
    uint64_t let_go; // clients, ever
};

// --- channels

static struct channel *find_channel(const struct event_streams *s, uint64_t job) {
    struct channel *c = s->channels;
    while (c != NULL && c->job != job)
        c = c->next;
    return c;
}

static struct channel *join(struct event_streams *s, uint64_t job) {
    struct channel *c = find_channel(s, job);
    if (c == NULL) {
        c = mem_zalloc(sizeof *c);
        c->job = job;
        c->next = s->channels;
        s->channels = c;
    }
    c->streams++;
    return c;
}

static void leave(struct event_streams *s, struct channel *c) {
    struct channel **link = &s->channels;
    if (--c->streams > 0) return;
    while (*link != c)
        link = &(*link)->next;
    *link = c->next;
    event_log_deinit(&c->log);
    free(c);
}

// --- one stream

static void wake(const struct stream *st) {
    if (st->http != NULL) http_stream_wake(st->http);
}

static void end(struct stream *st) {
    st->is_last = true;
    wake(st);
}

static void let_go(struct stream *st, const char *why) {
    buf_deinit(&st->pending);
    st->is_lost = true;
    st->all->let_go++;
    log_note(st->all->config.log, LOG_WARNING, clock_wall_ms(), "events", why);
    end(st);
}

static void let_go_behind(struct stream *st) {
    char max[BYTES_TEXT_MAX], why[100];
    bytes_format(st->all->config.backlog_max, max);
    snprintf(why, sizeof why, "a client was let go that has not taken %s of what happened", max);
    let_go(st, why);
}

static bool is_at_end(const struct stream *st) {
    return event_log_behind(&st->channel->log, &st->place) == 0;
}

// Once there is one that it was not told, there is no other.
static bool was_told(struct stream *st, const struct event_entry *entry) {
    struct event_cursor *reached = &st->reached;
    size_t i = 0;
    while (i < reached->count && reached->open[i].job != entry->job)
        i++;
    if (entry->n == 0 || i == reached->count) return false;
    if (entry->n <= reached->open[i].n) return true;
    reached->open[i] = reached->open[--reached->count];
    return false;
}

static void take_log(struct stream *st, struct buf *out) {
    const struct event_log *log = &st->channel->log;
    const struct event_entry *entry;
    const char *text;
    while (out->len < PIECE && (entry = event_log_next(log, &st->place, &text)) != NULL)
        if (!was_told(st, entry)) buf_add(out, text, entry->len);
}

// --- what it has missed

static void read_piece(void *arg, const struct store_reader *reader) {
    struct stream *st = arg;
    st->read = replay_read(st->replay, reader, &st->piece, &st->err);
}

static void on_piece(void *arg);

static void read_on(struct stream *st) {
    struct event_streams *s = st->all;
    struct event_cursor told = {0};
    s->config.told(s->config.arg, &told);
    replay_set_told(st->replay, &told);
    st->state = STREAM_READING;
    s->reading++;
    store_read(s->config.store, read_piece, on_piece, st);
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

static void end_pass(struct stream *st) {
    const struct event_log *log = &st->channel->log;
    if (event_log_has(log, &st->place)) {
        replay_reached(st->replay, &st->reached);
        end_replay(st);
    } else {
        st->place = event_log_end(log);
    }
}

// What the cursor says means nothing here: it begins as one that comes for the first time.
static void begin_anew(struct stream *st) {
    st->place = event_log_end(&st->channel->log);
    end_replay(st);
    if (st->channel->job != 0)
        st->is_last = true; // its job is no more
    else
        st->all->config.snapshot(st->all->config.arg, &st->pending);
}

static void take_piece(struct stream *st) {
    buf_add(&st->pending, st->piece.data, st->piece.len);
    buf_clear(&st->piece);
    st->state = STREAM_TAKING;
    switch (st->read) {
    case REPLAY_MORE:
        break;
    case REPLAY_AT_END:
        end_pass(st);
        break;
    case REPLAY_UNKNOWN:
        begin_anew(st);
        break;
    case REPLAY_FAILED:
        error_from(&st->err, "the store");
        log_note(st->all->config.log, LOG_ERROR, clock_wall_ms(), "events", st->err.text);
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
}

static void free_stream(struct stream *st) {
    leave(st->all, st->channel);
    buf_deinit(&st->pending);
    buf_deinit(&st->piece);
    event_cursor_deinit(&st->reached);
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
    if (st->is_lost) return HTTP_PIECE_LAST;
    buf_add(out, st->pending.data, st->pending.len);
    buf_clear(&st->pending);
    st->has_taken = true;
    if (st->state == STREAM_TAKING && !st->is_last) read_on(st);
    if (st->state != STREAM_LIVE) return st->is_last ? HTTP_PIECE_LAST : HTTP_PIECE_WAIT;
    take_log(st, out);
    if (!is_at_end(st)) return HTTP_PIECE_MORE;
    return st->is_last || st->channel->is_over ? HTTP_PIECE_LAST : HTTP_PIECE_WAIT;
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
    st->channel = join(s, job);
    st->place = event_log_end(&st->channel->log);
    st->previous = s->last;
    *(s->last == NULL ? &s->first : &s->last->next) = st;
    s->last = st;
    s->count++;
    return st;
}

bool event_streams_have_room(const struct event_streams *s) {
    return s->count < s->config.streams_max;
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
    st->state = STREAM_QUEUED;
    if (is_over) st->channel->is_over = true;
    answer(st, r);
    start_next(s);
}

// --- all streams

// Of those who read the log, a client that is too far behind is let go; what all have read is
// dropped, and what is too old for those who do not read it yet.
static void flush_streams(struct event_streams *s) {
    for (struct stream *st = s->first; st != NULL; st = st->next) {
        const uint64_t behind = event_log_behind(&st->channel->log, &st->place);
        if (st->state != STREAM_LIVE || st->is_last) continue;
        if (behind + st->pending.len > s->config.backlog_max)
            let_go_behind(st);
        else if (behind > 0 || st->channel->is_over)
            wake(st);
    }
}

static bool holds(const struct stream *st) {
    const uint64_t backlog_max = st->all->config.backlog_max;
    return !st->is_lost && (st->state == STREAM_LIVE ||
                            event_log_behind(&st->channel->log, &st->place) <= backlog_max);
}

static void trim(const struct event_streams *s, struct channel *c) {
    struct log_place place = event_log_end(&c->log);
    for (const struct stream *st = s->first; st != NULL; st = st->next)
        if (st->channel == c && holds(st) && st->place.entry < place.entry) place = st->place;
    event_log_drop(&c->log, &place);
}

static void on_flush(uv_timer_t *timer) {
    struct event_streams *s = timer->data;
    flush_streams(s);
    for (struct channel *c = s->channels; c != NULL; c = c->next)
        trim(s, c);
}

static void flush_soon(struct event_streams *s) {
    if (!uv_is_active((uv_handle_t *)&s->flush)) uv_timer_start(&s->flush, on_flush, FLUSH_MS, 0);
}

bool event_streams_are_of_all(const struct event_streams *s) {
    return find_channel(s, 0) != NULL;
}

bool event_streams_are_of(const struct event_streams *s, uint64_t job) {
    return event_streams_are_of_all(s) || find_channel(s, job) != NULL;
}

void event_streams_tell(struct event_streams *s, uint64_t job, uint64_t n, const struct buf *text,
                        const struct buf *text_of_all) {
    struct channel *own = find_channel(s, job), *all = find_channel(s, 0);
    if (own != NULL) event_log_add(&own->log, job, n, text);
    if (all != NULL) event_log_add(&all->log, job, n, text_of_all);
    flush_soon(s);
}

void event_streams_end(struct event_streams *s, uint64_t job) {
    struct channel *c = find_channel(s, job);
    if (c != NULL) c->is_over = true;
    flush_soon(s);
}

void event_streams_end_all(struct event_streams *s) {
    for (struct stream *st = s->first; st != NULL; st = st->next)
        end(st);
}

void event_streams_beat(struct event_streams *s) {
    static const char comment[] = ":\n\n";
    for (struct stream *st = s->first; st != NULL; st = st->next) {
        if (st->state == STREAM_TAKING && !st->has_taken && !st->is_last)
            let_go(st, "a client was let go that did not take what it had missed");
        st->has_taken = st->state != STREAM_TAKING;
        if (st->is_last || st->pending.len > 0) continue;
        if (st->state != STREAM_LIVE && st->state != STREAM_QUEUED) continue;
        buf_adds(&st->pending, comment);
        wake(st);
    }
}

size_t event_streams_reading(const struct event_streams *s) {
    return s->reading;
}

size_t event_streams_count(const struct event_streams *s) {
    return s->count;
}

uint64_t event_streams_let_go(const struct event_streams *s) {
    return s->let_go;
}

struct event_streams *event_streams_new(const struct event_streams_config *config) {
    struct event_streams *s = mem_zalloc(sizeof *s);
    s->config = *config;
    uv_timer_init(config->loop, &s->flush);
    s->flush.data = s;
    uv_unref((uv_handle_t *)&s->flush);
    return s;
}

void event_streams_close(struct event_streams *s) {
    uv_close((uv_handle_t *)&s->flush, NULL);
}

void event_streams_free(struct event_streams *s) {
    if (s == NULL) return;
    assert(s->first == NULL && s->reading == 0);
    free(s);
}

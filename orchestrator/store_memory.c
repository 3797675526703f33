// A store that lives as long as its process, or as whoever plays a crash with it lets it: the same
// contract as that of a file, at once and without a thread.
//
// The events of a job lie in one block, a few bytes each, for a million hosts have three and more.
// They are read in order; every MARK_EVERY-th has its place noted, so that whoever follows a job
// does not read it from the start each time.
#include "orchestrator/store_memory.h"
#include "common/buf.h"
#include "common/count.h"
#include "common/mem.h"

#include <stdlib.h>
#include <string.h>

enum { MARK_EVERY = 256, RETAIN_ROWS = 10000 };

struct memory_job {
    struct store_job row; // its strings and image are its own
    struct buf events;
    size_t *marks; // where event 1, 1 + MARK_EVERY, ... begins
    size_t marks_count, marks_cap;
};

// The newest lines, in a ring.
struct memory_audit {
    struct store_audit *lines; // their strings are their own
    size_t first, count, cap, max;
};

struct memory {
    struct memory_job **jobs; // by number
    size_t count, cap;
    uint64_t last_number; // that was given, dropped or not
    uint64_t epoch;
    long long alive_ms;
    struct memory_writer writer; // where there is one
    bool is_shared;
    struct memory_audit known, refused;
    uint64_t last_audit; // the number of its newest line
};

// --- events as bytes

static void put_number(struct buf *out, uint64_t n) {
    unsigned char bytes[10];
    size_t len = 0;
    for (; n >= 0x80; n >>= 7)
        bytes[len++] = (unsigned char)(n | 0x80);
    bytes[len++] = (unsigned char)n;
    buf_add(out, bytes, len);
}

static uint64_t get_number(const char **at) {
    uint64_t n = 0;
    for (unsigned shift = 0;; shift += 7) {
        const unsigned char byte = (unsigned char)*(*at)++;
        n |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80) return n;
    }
}

enum { HAS_VERSION = 1 << 3, HAS_TEXT = 1 << 4, HAS_EPOCH = 1 << 5, KIND = HAS_VERSION - 1 };

static void put_event(struct buf *out, const struct store_event *e) {
    put_number(out, (uint64_t)e->kind | (e->version != NULL ? HAS_VERSION : 0) |
                        (e->text != NULL ? HAS_TEXT : 0) | (e->epoch != 0 ? HAS_EPOCH : 0));
    put_number(out, (uint64_t)e->wall_ms);
    if (e->epoch != 0) put_number(out, e->epoch);
    if (e->kind == STORE_JOB) {
        put_number(out, (uint64_t)e->state);
        put_number(out, (uint64_t)e->outcome);
    } else {
        put_number(out, e->host);
        put_number(out, e->attempt);
    }
    if (e->kind == STORE_OUTCOME) {
        put_number(out, (uint64_t)e->result);
        put_number(out, e->ms);
    }
    if (e->version != NULL) buf_add(out, e->version, strlen(e->version) + 1);
    if (e->text != NULL) buf_add(out, e->text, strlen(e->text) + 1);
}

static const char *get_text(const char **at) {
    const char *text = *at;
    *at += strlen(text) + 1;
    return text;
}

static struct store_event get_event(const char **at) {
    const uint64_t head = get_number(at);
    struct store_event e = {.kind = (enum store_kind)(head & KIND), .host = STORE_NO_HOST};
    e.wall_ms = (long long)get_number(at);
    if ((head & HAS_EPOCH) != 0) e.epoch = get_number(at);
    if (e.kind == STORE_JOB) {
        e.state = (enum job_state)get_number(at);
        e.outcome = (enum job_outcome)get_number(at);
    } else {
        e.host = (uint32_t)get_number(at);
        e.attempt = (uint8_t)get_number(at);
    }
    if (e.kind == STORE_OUTCOME) {
        e.result = (enum host_state)get_number(at);
        e.ms = get_number(at);
    }
    if ((head & HAS_VERSION) != 0) e.version = get_text(at);
    if ((head & HAS_TEXT) != 0) e.text = get_text(at);
    return e;
}

// --- jobs

static void set_text(const char **text, const char *value) {
    char *copy = value == NULL ? NULL : mem_strdup(value);
    free((char *)(uintptr_t)*text); // a copy of ours
    *text = copy;
}

static void free_job(struct memory_job *job) {
    const char **texts[] = {&job->row.id, &job->row.key, &job->row.task, &job->row.request,
                            &job->row.text};
    for (size_t i = 0; i < COUNT(texts); i++)
        set_text(texts[i], NULL);
    free((void *)(uintptr_t)job->row.image);
    free((void *)(uintptr_t)job->row.shards);
    buf_deinit(&job->events);
    free(job->marks);
    free(job);
}

// The place of the job of this number, or of the first after it.
static size_t place_of(const struct memory *m, uint64_t number) {
    size_t low = 0, high = m->count;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if (m->jobs[middle]->row.number < number)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static struct memory_job *by_number(const struct memory *m, uint64_t number) {
    const size_t place = place_of(m, number);
    return place < m->count && m->jobs[place]->row.number == number ? m->jobs[place] : NULL;
}

static bool is_text(const char *a, const char *b) {
    return a != NULL && b != NULL && strcmp(a, b) == 0;
}

static struct memory_job *by_id(const struct memory *m, const char *id) {
    for (size_t i = m->count; i-- > 0;)
        if (is_text(m->jobs[i]->row.id, id)) return m->jobs[i];
    return NULL;
}

static struct memory_job *by_key(const struct memory *m, const char *key) {
    for (size_t i = m->count; i-- > 0;)
        if (is_text(m->jobs[i]->row.key, key)) return m->jobs[i];
    return NULL;
}

static void drop(struct memory *m, size_t place) {
    free_job(m->jobs[place]);
    m->count--;
    memmove(&m->jobs[place], &m->jobs[place + 1], (m->count - place) * sizeof *m->jobs);
}

// --- what is written

static void create(struct memory *m, struct store_op *op) {
    const struct memory_job *same = by_key(m, op->job.key);
    if (same != NULL) {
        op->status = STORE_CONFLICT;
        op->n = same->row.number;
        return;
    }
    struct memory_job *job = mem_zalloc(sizeof *job);
    job->row = op->job;
    job->row.id = job->row.key = job->row.task = job->row.request = job->row.text = NULL;
    set_text(&job->row.id, op->job.id);
    set_text(&job->row.key, op->job.key);
    set_text(&job->row.task, op->job.task);
    set_text(&job->row.request, op->job.request);
    set_text(&job->row.text, op->job.text);
    op->job.image = NULL; // the row has them
    op->job.shards = NULL;
    job->row.number = op->n = ++m->last_number;
    m->jobs = mem_grow(m->jobs, &m->cap, m->count + 1, sizeof(struct memory_job *));
    m->jobs[m->count++] = job;
}

static bool may_take(const struct memory *m, const struct store_job *job,
                     const struct store_event *event) {
    if (m->is_shared && event->kind == STORE_JOB) return store_job_may_enter(job->state, event);
    return store_job_may_take(job, event);
}

static void append(struct memory *m, struct memory_writer *writer, struct store_op *op,
                   size_t index) {
    struct memory_job *job = by_number(m, op->event.job);
    if (!may_take(m, &job->row, &op->event)) {
        store_held_add(&writer->held, index);
        op->status = STORE_HELD;
        return;
    }
    const char *text = job->row.text;
    store_job_take(&job->row, &op->event);
    op->n = op->event.n;
    if (op->event.kind == STORE_JOB) {
        job->row.text = text;
        set_text(&job->row.text, op->event.text);
    }
    if ((op->n - 1) % MARK_EVERY == 0) {
        job->marks =
            mem_grow(job->marks, &job->marks_cap, job->marks_count + 1, sizeof *job->marks);
        job->marks[job->marks_count++] = job->events.len;
    }
    put_event(&job->events, &op->event);
}

static uint64_t count_done(const struct memory *m) {
    uint64_t done = 0;
    for (size_t i = 0; i < m->count; i++)
        done += m->jobs[i]->row.state == JOB_DONE;
    return done;
}

static void retain(struct memory *m, struct store_op *op) {
    uint64_t done = count_done(m), rows = 0;
    for (size_t i = 0; i < m->count && done > op->keep && rows < RETAIN_ROWS;) {
        if (m->jobs[i]->row.state != JOB_DONE) {
            i++;
            continue;
        }
        rows += m->jobs[i]->row.n;
        drop(m, i);
        done--;
    }
    op->n = done > op->keep ? done - op->keep : 0;
}

static void forget(struct memory *m, const struct store_op *op) {
    const struct memory_job *job = by_id(m, op->job.id);
    if (job != NULL) drop(m, place_of(m, job->row.number));
}

// --- the audit

static void free_line(struct store_audit *line) {
    const char **texts[] = {&line->who, &line->from, &line->method, &line->path, &line->job};
    for (size_t i = 0; i < COUNT(texts); i++)
        set_text(texts[i], NULL);
}

static struct store_audit *line_at(const struct memory_audit *a, size_t i) {
    return &a->lines[(a->first + i) % a->max];
}

static void add_audit(struct memory *m, const struct store_audit *audit) {
    struct memory_audit *a = audit->is_refused ? &m->refused : &m->known;
    struct store_audit line = {.n = ++m->last_audit,
                               .wall_ms = audit->wall_ms,
                               .is_refused = audit->is_refused,
                               .status = audit->status};
    a->max = audit->is_refused ? STORE_REFUSED_MAX : STORE_AUDIT_MAX;
    set_text(&line.who, audit->who);
    set_text(&line.from, audit->from);
    set_text(&line.method, audit->method);
    set_text(&line.path, audit->path);
    set_text(&line.job, audit->job);
    if (a->count == a->max) {
        free_line(line_at(a, 0));
        a->first = (a->first + 1) % a->max;
        a->count--;
    } else {
        a->lines = mem_grow(a->lines, &a->cap, a->count + 1, sizeof *a->lines);
    }
    *line_at(a, a->count++) = line;
}

// The older, or the newer, of two lines; NULL: neither is there.
static const struct store_audit *next_line(const struct memory *m, size_t known, size_t refused,
                                           bool oldest_first) {
    const struct store_audit *a = NULL, *b = NULL;
    if (known < m->known.count)
        a = line_at(&m->known, oldest_first ? known : m->known.count - 1 - known);
    if (refused < m->refused.count)
        b = line_at(&m->refused, oldest_first ? refused : m->refused.count - 1 - refused);
    if (a == NULL || b == NULL) return a == NULL ? b : a;
    return (a->n < b->n) == oldest_first ? a : b;
}

static void read_audit(const struct memory *m, const struct store_query *query, void *arg) {
    size_t known = 0, refused = 0, told = 0;
    const struct store_audit *line;
    while ((line = next_line(m, known, refused, query->oldest_first)) != NULL) {
        known += !line->is_refused;
        refused += line->is_refused;
        if (query->oldest_first ? line->n <= query->after
                                : query->after != 0 && line->n >= query->after)
            continue;
        if (!query->audit(arg, line) || ++told == query->limit) return;
    }
}

static void free_audit(struct memory_audit *a) {
    for (size_t i = 0; i < a->count; i++)
        free_line(line_at(a, i));
    free(a->lines);
}

// --- a batch

static void carry_out(struct memory *m, struct memory_writer *writer, struct store_op *op,
                      size_t index) {
    op->status = STORE_OK;
    op->n = 0;
    switch (op->kind) {
    case STORE_CREATE:
        create(m, op);
        break;
    case STORE_APPEND:
        append(m, writer, op, index);
        break;
    case STORE_RETAIN:
        retain(m, op);
        break;
    case STORE_FORGET:
        forget(m, op);
        break;
    case STORE_AUDIT:
        add_audit(m, &op->audit);
        break;
    case STORE_ALIVE:
    case STORE_BEAT:
    case STORE_LEASE: // store_memory_shared.c
        break;
    }
}

// --- what was written before, and its answer lost

static int find_last(void *db, uint64_t number, uint64_t *n, struct error *err) {
    const struct memory_job *job = by_number(db, number);
    if (job == NULL)
        return error_set(err, "job %llu is not in the store", (unsigned long long)number);
    *n = job->row.n;
    return 0;
}

static int answer_create(const struct memory *m, struct store_op *op, struct error *err) {
    const struct memory_job *job = by_id(m, op->job.id);
    op->status = job == NULL ? STORE_CONFLICT : STORE_OK;
    if (job == NULL) job = by_key(m, op->job.key);
    if (job == NULL) return error_set(err, "job %s is not in the store", op->job.id);
    op->n = job->row.number;
    return 0;
}

static enum store_status answer_again(struct memory *m, const struct memory_writer *writer,
                                      struct store_op *ops, size_t count, struct error *err) {
    int rc = ops[0].kind == STORE_CREATE
                 ? answer_create(m, &ops[0], err)
                 : store_kept_answer(ops, count, &writer->held, find_last, m, err);
    return rc == 0 ? STORE_OK : STORE_UNREACHABLE;
}

// --- the back

static int memory_open(void **db, const char *where, long long wall_ms, struct store_found *found,
                       struct error *err) {
    (void)where;
    (void)err;
    *db = mem_zalloc(sizeof(struct memory));
    store_memory_reopen(*db, wall_ms, found);
    return 0;
}

void store_memory_reopen(void *db, long long wall_ms, struct store_found *found) {
    struct memory *m = db;
    const bool is_new = m->epoch == 0;
    const uint64_t now = wall_ms > 0 ? (uint64_t)wall_ms / 1000 : 0;
    m->epoch = now > m->epoch ? now : m->epoch + 1;
    *found = (struct store_found){.is_new = is_new,
                                  .alive_ms = m->alive_ms,
                                  .now_ms = wall_ms,
                                  .epoch = m->epoch,
                                  .beat = m->writer.beat};
}

// Nothing of a batch is kept where one op cannot be.
static bool has_jobs(struct memory *m, const struct store_op *ops, size_t count,
                     struct error *err) {
    uint64_t n;
    for (size_t i = 0; i < count; i++)
        if (ops[i].kind == STORE_APPEND && find_last(m, ops[i].event.job, &n, err) != 0)
            return false;
    return true;
}

enum store_status store_memory_write(struct memory *m, struct memory_writer *writer, uint64_t beat,
                                     long long wall_ms, struct store_op *ops, size_t count,
                                     struct error *err) {
    const bool is_next = beat == writer->beat + 1;
    if (!is_next && beat == writer->beat && !store_kept_may_repeat(ops, count))
        return answer_again(m, writer, ops, count, err);
    if (!is_next && beat != writer->beat) {
        store_kept_gap(beat, writer->beat, err);
        return STORE_UNREACHABLE;
    }
    if (!has_jobs(m, ops, count, err)) return STORE_UNREACHABLE;
    store_held_clear(&writer->held);
    for (size_t i = 0; i < count; i++)
        carry_out(m, writer, &ops[i], i);
    writer->beat = beat;
    m->alive_ms = wall_ms;
    return STORE_OK;
}

static enum store_status memory_write(void *db, uint64_t beat, long long wall_ms,
                                      struct store_op *ops, size_t count, struct error *err) {
    struct memory *m = db;
    return store_memory_write(m, &m->writer, beat, wall_ms, ops, count, err);
}

void store_memory_share(struct memory *m) {
    m->is_shared = true;
}

// --- what is read

static bool is_asked_for(const struct store_query *query, const struct store_job *job) {
    if (query->job != 0 && job->number >= query->job) return false;
    if (query->state != 0 && job->state != query->state) return false;
    if (query->id != NULL && strcmp(job->id, query->id) != 0) return false;
    if (query->key != NULL && (job->key == NULL || strcmp(job->key, query->key) != 0)) return false;
    return !query->is_open || job->state != JOB_DONE;
}

static void read_jobs(const struct memory *m, const struct store_query *query, store_row row,
                      void *arg) {
    size_t told = 0;
    for (size_t i = m->count; i-- > 0;) {
        struct store_job job = m->jobs[i]->row;
        if (!is_asked_for(query, &job)) continue;
        job.image = NULL;
        job.image_len = 0;
        if (!row(arg, &job, NULL) || ++told == query->limit) return;
    }
}

static const struct memory_job *find_one(const struct memory *m, const struct store_query *query) {
    if (query->id != NULL) return by_id(m, query->id);
    if (query->key != NULL) return by_key(m, query->key);
    return by_number(m, query->job);
}

static void read_events(const struct memory_job *job, const struct store_query *query,
                        store_row row, void *arg) {
    const uint64_t after = query->after;
    if (after >= job->row.n) return;
    uint64_t n = after / MARK_EVERY * MARK_EVERY;
    const char *at = job->events.data + job->marks[after / MARK_EVERY];
    for (size_t told = 0; n < job->row.n;) {
        struct store_event event = get_event(&at);
        event.job = job->row.number;
        event.n = ++n;
        if (n <= after) continue;
        if (!row(arg, NULL, &event) || ++told == query->limit) return;
    }
}

static int memory_read(void *db, const struct store_query *query, store_row row, void *arg,
                       struct error *err) {
    (void)err;
    const struct memory *m = db;
    if (query->kind == STORE_READ_AUDIT) {
        read_audit(m, query, arg);
        return 0;
    }
    if (query->kind == STORE_READ_JOBS) {
        read_jobs(m, query, row, arg);
        return 0;
    }
    const bool is_whole = query->kind == STORE_READ_JOB;
    const struct memory_job *job = is_whole ? find_one(m, query) : by_number(m, query->job);
    if (job == NULL) return 0;
    if (is_whole)
        row(arg, &job->row, NULL);
    else
        read_events(job, query, row, arg);
    return 0;
}

static void memory_close(void *db) {
    struct memory *m = db;
    if (m == NULL) return;
    while (m->count > 0)
        free_job(m->jobs[--m->count]);
    free(m->jobs);
    store_held_deinit(&m->writer.held);
    free_audit(&m->known);
    free_audit(&m->refused);
    free(m);
}

const struct store_back store_memory = {
    .open = memory_open, .write = memory_write, .read = memory_read, .close = memory_close};

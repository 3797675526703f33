// A write that is not answered is in doubt: it may be kept, or be kept yet. So before the next the
// node's row is looked at, which waits for whatever of this node is still under way there. Its beat
// says whether the write was kept:
//
//   known --(sent)--> in doubt --(answered)--------------------------> known
//                        |
//                        +--(look: beat as before)--> known: nothing of it is kept
//                        +--(look: one more)--------> known: it is kept
//                        +--(look: dead, gone, any other beat)--> fenced, for good
//
// A warning with the answer leaves it in doubt, too: that is how the server says that a synchronous
// standby may not have it. The look is a write itself, so it waits for that standby.
#include "orchestrator/store_postgres_write.h"

#include "common/mem.h"

#include <stdlib.h>
#include <string.h>

enum {
    PIECE = 4 << 20, // bytes of an image
    RETAIN_ROWS = 10000,
    RETAIN_MS = 3000,
};

#define SCHEMA "orchestrator."

void postgres_writer_deinit(struct postgres_writer *w) {
    pq_close(&w->pq);
    pq_params_deinit(&w->params);
    store_held_deinit(&w->held);
    free(w->jobs.jobs);
    free(w->jobs.lasts);
}

static enum store_status fence(struct postgres_writer *w, struct error *err) {
    w->is_fenced = true;
    w->why_fenced = *err;
    return STORE_FENCED;
}

// --- what is known of the last write

static void add_last(struct postgres_jobs *jobs, int64_t job, int64_t last) {
    jobs->jobs = mem_grow(jobs->jobs, &jobs->jobs_cap, jobs->count + 1, sizeof *jobs->jobs);
    jobs->lasts = mem_grow(jobs->lasts, &jobs->lasts_cap, jobs->count + 1, sizeof *jobs->lasts);
    jobs->jobs[jobs->count] = job;
    jobs->lasts[jobs->count++] = last;
}

// Three columns: jobs, the numbers of their last events, and which intents were held.
static void take_lasts(struct postgres_writer *w, const PGresult *row, int column) {
    const char *jobs = pq_text(row, column), *lasts = pq_text(row, column + 1);
    const char *held = pq_text(row, column + 2);
    w->jobs.count = 0;
    store_held_clear(&w->held);
    for (int64_t job, last; pq_array_next(&jobs, &job) && pq_array_next(&lasts, &last);)
        add_last(&w->jobs, job, last);
    for (int64_t op; pq_array_next(&held, &op);)
        store_held_add(&w->held, (size_t)op);
}

static int find_last(void *db, uint64_t job, uint64_t *n, struct error *err) {
    const struct postgres_writer *w = db;
    for (size_t i = 0; i < w->jobs.count; i++) {
        if ((uint64_t)w->jobs.jobs[i] != job) continue;
        *n = (uint64_t)w->jobs.lasts[i];
        return 0;
    }
    return error_set(err, "job %llu is not there", (unsigned long long)job);
}

static enum store_status judge_beat(struct postgres_writer *w, uint64_t beat, bool is_dead,
                                    struct error *err) {
    const bool is_one_more = beat == w->beat + 1 && w->sent != SENT_NOTHING;
    if (is_dead) {
        error_set(err, "another orchestrator took this one for dead: nothing that it asks for is "
                       "kept any more: end it, and start it again");
        return fence(w, err);
    }
    if (beat != w->beat && !is_one_more) {
        error_set(err,
                  "the database has come to write %llu of this orchestrator, which has come to "
                  "%llu: it was put back, or a standby took over that had not all: start again",
                  (unsigned long long)beat, (unsigned long long)w->beat);
        return fence(w, err);
    }
    if (is_one_more && w->sent == SENT_PIECE) w->ahead++;
    w->beat = beat;
    w->sent = SENT_NOTHING;
    w->is_known = true;
    return STORE_OK;
}

// Also the last events of the batch's jobs.
static enum store_status look(struct postgres_writer *w, const struct store_op *ops, size_t count,
                              struct error *err) {
    struct pq_params *p = &w->params;
    pq_params_clear(p);
    pq_add_text(p, w->id);
    const int jobs = pq_add_arrays(p, 1);
    for (size_t i = 0; i < count; i++)
        if (ops[i].kind == STORE_APPEND) pq_element(p, jobs, (int64_t)ops[i].event.job);
    PGresult *row =
        pq_ask(&w->pq, "select beat, dead, jobs, lasts, held from " SCHEMA "look($1, $2)", p,
               PQ_REPLY_MS, err);
    if (row == NULL) return STORE_UNREACHABLE;
    if (w->pq.warning[0] != '\0') {
        error_set(err, "%s", w->pq.warning);
        PQclear(row);
        return STORE_UNREACHABLE;
    }
    const bool is_gone = PQntuples(row) == 0;
    const uint64_t beat = (uint64_t)pq_number(row, 0);
    const bool is_dead = is_gone || pq_bool(row, 1);
    take_lasts(w, row, 2);
    PQclear(row);
    return judge_beat(w, beat, is_dead, err);
}

// --- one call

// It is under way from here on.
static PGresult *call(struct postgres_writer *w, enum postgres_sent sent, const char *question,
                      unsigned reply_ms, struct error *err) {
    w->sent = sent;
    PGresult *row = pq_ask(&w->pq, question, &w->params, reply_ms, err);
    if (row != NULL && w->pq.warning[0] != '\0') {
        error_set(err, "it may be kept on this server alone: %s", w->pq.warning);
        PQclear(row);
        row = NULL;
        w->is_known = false;
    } else if (row == NULL && w->pq.is_answered && strcmp(w->pq.state, "OR001") != 0) {
        w->sent = SENT_NOTHING; // an error, so nothing of it is kept
    } else if (row == NULL) {
        w->is_known = false;
    }
    return row;
}

static void begin(struct postgres_writer *w, uint64_t beat) {
    pq_params_clear(&w->params);
    pq_add_text(&w->params, w->id);
    pq_add_number(&w->params, (int64_t)beat);
}

// The time is kept with all but beats.
static bool only_beats(struct postgres_writer *w, const struct store_op *ops, struct error *err) {
    pq_add_bool(&w->params, false);
    PGresult *row =
        call(w, SENT_BATCH,
             ops[0].kind == STORE_BEAT ? "select " SCHEMA "renew($1, $2, $3, null)"
                                       : "select " SCHEMA "renew($1, $2, $3, " POSTGRES_NOW ")",
             PQ_REPLY_MS, err);
    PQclear(row);
    return row != NULL;
}

// --- jobs

// All but the last of its pieces.
static bool add_pieces(struct postgres_writer *w, const struct store_job *job, uint64_t *beat,
                       int64_t *pieces, struct error *err) {
    const char *image = job->image;
    for (size_t at = 0; job->image_len - at > PIECE; at += PIECE, ++*pieces) {
        begin(w, *beat);
        pq_add_text(&w->params, job->id);
        pq_add_number(&w->params, *pieces);
        pq_add_bytes(&w->params, image + at, PIECE);
        PGresult *row =
            call(w, SENT_PIECE, "select " SCHEMA "add_piece($1, $2, $3, $4, $5)", PQ_REPLY_MS, err);
        if (row == NULL) return false;
        PQclear(row);
        w->sent = SENT_NOTHING;
        w->beat = (*beat)++;
        w->ahead++;
    }
    return true;
}

static void add_job(struct pq_params *p, const struct store_job *job, int64_t pieces) {
    pq_add_text(p, job->id);
    pq_add_text(p, job->key);
    pq_add_text(p, job->task);
    pq_add_text(p, job->request);
    pq_add_number(p, (int64_t)job->hosts);
    pq_add_number(p, job->state);
    pq_add_number(p, job->outcome);
    pq_add_text(p, job->text);
    pq_add_number(p, job->created_ms);
    pq_add_number(p, job->started_ms);
    pq_add_number(p, job->ended_ms);
    pq_add_number(p, pieces);
    const size_t gone = (size_t)pieces * PIECE;
    if (job->image_len == 0)
        pq_add_null(p);
    else
        pq_add_bytes(p, (const char *)job->image + gone, job->image_len - gone);
}

// Two bytes a host, the higher first.
static void add_shards(struct pq_params *p, struct buf *bytes, const struct store_job *job) {
    if (job->shards == NULL) {
        pq_add_null(p);
        return;
    }
    for (uint64_t i = 0; i < job->hosts; i++) {
        const char both[] = {(char)(job->shards[i] >> 8), (char)(job->shards[i] & 0xff)};
        buf_add(bytes, both, sizeof both);
    }
    pq_add_bytes(p, bytes->data, bytes->len);
}

static bool create(struct postgres_writer *w, uint64_t *beat, struct store_op *op,
                   struct error *err) {
    int64_t pieces = 0;
    if (!add_pieces(w, &op->job, beat, &pieces, err)) return false;
    begin(w, *beat);
    struct buf shards = {0};
    add_job(&w->params, &op->job, pieces);
    add_shards(&w->params, &shards, &op->job);
    PGresult *row = call(w, SENT_BATCH,
                         "select number, is_kept from " SCHEMA "create_job($1, $2, " POSTGRES_NOW
                         ", $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)",
                         PQ_REPLY_MS, err);
    buf_deinit(&shards);
    if (row == NULL) return false;
    op->n = (uint64_t)pq_number(row, 0);
    op->status = pq_bool(row, 1) ? STORE_OK : STORE_CONFLICT;
    PQclear(row);
    return true;
}

static bool forget(struct postgres_writer *w, bool is_again, struct store_op *op,
                   struct error *err) {
    pq_add_bool(&w->params, is_again);
    pq_add_text(&w->params, op->job.id);
    PGresult *row = call(w, SENT_BATCH, "select " SCHEMA "forget($1, $2, $3, " POSTGRES_NOW ", $4)",
                         RETAIN_MS, err);
    PQclear(row);
    op->status = STORE_OK;
    op->n = 0;
    return row != NULL;
}

static bool retain(struct postgres_writer *w, bool is_again, struct store_op *op,
                   struct error *err) {
    pq_add_bool(&w->params, is_again);
    pq_add_number(&w->params, op->keep < INT64_MAX ? (int64_t)op->keep : INT64_MAX);
    pq_add_number(&w->params, RETAIN_ROWS);
    PGresult *row =
        call(w, SENT_BATCH, "select " SCHEMA "retain($1, $2, $3, " POSTGRES_NOW ", $4, $5)",
             RETAIN_MS, err);
    if (row == NULL) return false;
    op->status = STORE_OK;
    op->n = (uint64_t)pq_number(row, 0);
    PQclear(row);
    return true;
}

// --- events, and lines of the audit

static void add_event(struct pq_params *p, int at, size_t index, const struct store_event *e) {
    const bool is_of_job = e->kind == STORE_JOB, is_outcome = e->kind == STORE_OUTCOME;
    pq_element(p, at, (int64_t)index);
    pq_element(p, at + 1, (int64_t)e->job);
    pq_element(p, at + 2, e->kind);
    pq_element(p, at + 3, e->wall_ms);
    pq_element_or_null(p, at + 4, !is_of_job, e->host);
    pq_element_or_null(p, at + 5, !is_of_job, e->attempt);
    pq_element_or_null(p, at + 6, is_outcome, e->result);
    pq_element_or_null(p, at + 7, is_outcome, (int64_t)e->ms);
    pq_element_or_null(p, at + 8, is_of_job, e->state);
    pq_element_or_null(p, at + 9, is_of_job, e->outcome);
    pq_element_text(p, at + 10, e->version);
    pq_element_text(p, at + 11, e->text);
    pq_element_or_null(p, at + 12, e->epoch != 0, (int64_t)e->epoch);
}

static void add_line(struct pq_params *p, int at, const struct store_audit *a) {
    pq_element_text(p, at, a->is_refused ? "t" : "f");
    pq_element(p, at + 1, a->wall_ms);
    pq_element(p, at + 2, a->status);
    pq_element_text(p, at + 3, a->who);
    pq_element_text(p, at + 4, a->from);
    pq_element_text(p, at + 5, a->method);
    pq_element_text(p, at + 6, a->path);
    pq_element_text(p, at + 7, a->job);
}

static bool has_kind(const struct store_op *ops, size_t count, enum store_op_kind kind) {
    for (size_t i = 0; i < count; i++)
        if (ops[i].kind == kind) return true;
    return false;
}

#define APPEND                                                                                     \
    "select jobs, lasts, held from " SCHEMA "append($1, $2, " POSTGRES_NOW                         \
    ", $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15"
#define LINES ", $16, $17, $18, $19, $20, $21, $22, $23, $24, $25"

static bool append(struct postgres_writer *w, struct store_op *ops, size_t count,
                   struct error *err) {
    enum { EVENT_ARRAYS = 13, LINE_ARRAYS = 8 };
    struct pq_params *p = &w->params;
    const bool has_lines = has_kind(ops, count, STORE_AUDIT);
    const int events = pq_add_arrays(p, EVENT_ARRAYS);
    const int lines = has_lines ? pq_add_arrays(p, LINE_ARRAYS) : 0;
    for (size_t i = 0; i < count; i++) {
        if (ops[i].kind == STORE_APPEND) add_event(p, events, i, &ops[i].event);
        if (ops[i].kind == STORE_AUDIT) add_line(p, lines, &ops[i].audit);
    }
    if (has_lines) {
        pq_add_number(p, STORE_REFUSED_MAX);
        pq_add_number(p, STORE_AUDIT_MAX);
    }
    PGresult *row =
        call(w, SENT_BATCH, has_lines ? APPEND LINES ")" : APPEND ")", PQ_REPLY_MS, err);
    if (row == NULL) return false;
    take_lasts(w, row, 0);
    PQclear(row);
    return store_kept_answer(ops, count, &w->held, find_last, w, err) == 0;
}

// --- the lease

static void take_shards(const PGresult *row, struct shards_held *held) {
    const char *shards = pq_text(row, 0), *epochs = pq_text(row, 1);
    *held = (struct shards_held){0};
    for (int64_t shard, epoch; pq_array_next(&shards, &shard) && pq_array_next(&epochs, &epoch);)
        if (shard >= 0 && shard < SHARDS) held->epochs[shard] = (uint64_t)epoch;
}

static bool lease(struct postgres_writer *w, struct store_op *op, struct error *err) {
    struct pq_params *p = &w->params;
    struct store_lease *wants = op->lease;
    pq_add_bool(p, wants->is_hungry);
    pq_add_bool(p, wants->is_ready);
    pq_add_bool(p, wants->gives_all);
    const int gives = pq_add_arrays(p, 1);
    for (size_t i = 0; i < SHARDS; i++)
        if (wants->gives[i]) pq_element(p, gives, (int64_t)i);
    pq_add_text(p, wants->dead[0] == '\0' ? NULL : wants->dead);
    pq_add_number(p, (int64_t)wants->dead_beat);
    pq_add_number(p, wants->claim);
    PGresult *row = call(w, SENT_BATCH,
                         "select shards, epochs from " SCHEMA "lease($1, $2, " POSTGRES_NOW
                         ", $3, $4, $5, $6, $7, $8, $9)",
                         PQ_REPLY_MS, err);
    if (row == NULL) return false;
    take_shards(row, &wants->result);
    PQclear(row);
    op->status = STORE_OK;
    op->n = 0;
    return true;
}

static bool answer_lease(struct postgres_writer *w, struct store_op *op, struct error *err) {
    pq_params_clear(&w->params);
    pq_add_text(&w->params, w->id);
    PGresult *row = pq_ask(&w->pq,
                           "select array_agg(shard order by shard), array_agg(epoch order by shard)"
                           " from " SCHEMA "shards where node = $1",
                           &w->params, PQ_REPLY_MS, err);
    if (row == NULL) return false;
    take_shards(row, &op->lease->result);
    PQclear(row);
    op->status = STORE_OK;
    op->n = 0;
    return true;
}

// --- a batch

static bool carry_out(struct postgres_writer *w, uint64_t *beat, struct store_op *ops, size_t count,
                      struct error *err) {
    const bool is_again = *beat == w->beat;
    begin(w, *beat);
    switch (ops[0].kind) {
    case STORE_CREATE:
        return create(w, beat, &ops[0], err);
    case STORE_RETAIN:
        return retain(w, is_again, &ops[0], err);
    case STORE_FORGET:
        return forget(w, is_again, &ops[0], err);
    case STORE_LEASE:
        return lease(w, &ops[0], err);
    case STORE_APPEND:
    case STORE_AUDIT:
    case STORE_ALIVE:
    case STORE_BEAT:
        break;
    }
    if (count == 1 && (ops[0].kind == STORE_BEAT || ops[0].kind == STORE_ALIVE)) {
        ops[0].status = STORE_OK;
        ops[0].n = 0;
        return only_beats(w, ops, err);
    }
    return append(w, ops, count, err);
}

static bool answer_create(struct postgres_writer *w, struct store_op *op, struct error *err) {
    pq_params_clear(&w->params);
    pq_add_text(&w->params, op->job.id);
    pq_add_text(&w->params, op->job.key);
    PGresult *row = pq_ask(&w->pq,
                           "select number, id = $1 from " SCHEMA "jobs where id = $1 or key = $2"
                           " order by id = $1 desc limit 1",
                           &w->params, PQ_REPLY_MS, err);
    if (row == NULL) return false;
    op->n = (uint64_t)pq_number(row, 0);
    op->status = pq_bool(row, 1) ? STORE_OK : STORE_CONFLICT;
    PQclear(row);
    if (op->n == 0) error_set(err, "job %s is not there", op->job.id);
    return op->n != 0;
}

static enum store_status answer_again(struct postgres_writer *w, struct store_op *ops, size_t count,
                                      struct error *err) {
    const enum store_status status = look(w, ops, count, err);
    if (status != STORE_OK) return status;
    bool is_well;
    if (ops[0].kind == STORE_CREATE)
        is_well = answer_create(w, &ops[0], err);
    else if (ops[0].kind == STORE_LEASE)
        is_well = answer_lease(w, &ops[0], err);
    else
        is_well = store_kept_answer(ops, count, &w->held, find_last, w, err) == 0;
    return is_well ? STORE_OK : STORE_UNREACHABLE;
}

enum store_status postgres_writer_write(struct postgres_writer *w, uint64_t number,
                                        struct store_op *ops, size_t count, struct error *err) {
    if (w->is_fenced) {
        *err = w->why_fenced;
        return STORE_FENCED;
    }
    const enum store_status status = w->is_known ? STORE_OK : look(w, NULL, 0, err);
    if (status != STORE_OK) return status;
    uint64_t beat = number + w->ahead;
    if (beat == w->beat && !store_kept_may_repeat(ops, count))
        return answer_again(w, ops, count, err);
    if (beat != w->beat && beat != w->beat + 1) {
        store_kept_gap(number, w->beat - w->ahead, err);
        return STORE_UNREACHABLE;
    }
    if (carry_out(w, &beat, ops, count, err)) {
        w->beat = beat;
        w->sent = SENT_NOTHING;
        return STORE_OK;
    }
    if (strcmp(w->pq.state, "OR001") != 0) return STORE_UNREACHABLE;
    // Not the next write of a node that is alive: which of the two is it?
    if (look(w, NULL, 0, err) == STORE_FENCED) return STORE_FENCED;
    if (w->is_known) error_set(err, "another write of this node came before: it is asked again");
    return STORE_UNREACHABLE;
}

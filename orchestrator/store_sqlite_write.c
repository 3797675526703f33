// A row of jobs is written once for each batch, whatever number of its events the batch has, and
// stays small: what may be large lies apart. A job that is dropped is gone at once; its events,
// millions perhaps, go in pieces.
//
// Each function says whether all went well. Else the reason is in err, where there is one of ours,
// or is SQLite's last.
#include "orchestrator/store_sqlite_write.h"

#include "common/mem.h"

#include <stdlib.h>
#include <string.h>

enum { RETAIN_ROWS = 10000 };

// --- what is written: jobs

static bool add_body(struct sqlite_writer *w, const struct store_job *job, uint64_t number) {
    sqlite3_stmt *statement = w->sql->statements[SQL_ADD_BODY];
    sql_bind(w->sql, SQL_ADD_BODY, 1, number);
    sql_bind_text(w->sql, SQL_ADD_BODY, 2, job->request);
    sqlite3_bind_blob64(statement, 3, job->image, job->image_len, SQLITE_STATIC);
    return sql_run(w->sql, SQL_ADD_BODY);
}

static bool add_job(struct sqlite_writer *w, const struct store_job *job) {
    sql_bind_text(w->sql, SQL_ADD_JOB, 1, job->id);
    sql_bind_text(w->sql, SQL_ADD_JOB, 2, job->key);
    sql_bind_text(w->sql, SQL_ADD_JOB, 3, job->task);
    sql_bind(w->sql, SQL_ADD_JOB, 4, job->hosts);
    sql_bind(w->sql, SQL_ADD_JOB, 5, (uint64_t)job->state);
    sql_bind(w->sql, SQL_ADD_JOB, 6, (uint64_t)job->outcome);
    sql_bind_text(w->sql, SQL_ADD_JOB, 7, job->text);
    sql_bind(w->sql, SQL_ADD_JOB, 8, (uint64_t)job->created_ms);
    sql_bind(w->sql, SQL_ADD_JOB, 9, (uint64_t)job->started_ms);
    sql_bind(w->sql, SQL_ADD_JOB, 10, (uint64_t)job->ended_ms);
    return sql_run(w->sql, SQL_ADD_JOB);
}

static bool create(struct sqlite_writer *w, struct store_op *op, struct error *err) {
    uint64_t same = 0;
    if (op->job.key != NULL && !sql_number_of(w->sql, SQL_NUMBER_BY_KEY, op->job.key, &same))
        return false;
    op->status = same == 0 ? STORE_OK : STORE_CONFLICT;
    op->n = same;
    if (same != 0) return true;
    if (!add_job(w, &op->job)) return false;
    op->n = (uint64_t)sqlite3_last_insert_rowid(w->sql->writer);
    if (op->n > INT32_MAX) {
        error_set(err, "it has given all numbers that there are for jobs");
        return false;
    }
    return add_body(w, &op->job, op->n);
}

// --- what is written: events

static bool load_row(struct sqlite_writer *w, struct store_job *row, struct error *err) {
    sqlite3_stmt *statement = w->sql->statements[SQL_GET_ROW];
    sql_bind(w->sql, SQL_GET_ROW, 1, row->number);
    const bool is_there = sqlite3_step(statement) == SQLITE_ROW;
    for (int i = 0; is_there && i < HOST_STATES - HOST_CHANGED; i++)
        row->results[HOST_CHANGED + i] = (uint64_t)sqlite3_column_int64(statement, i);
    row->n = (uint64_t)sqlite3_column_int64(statement, 4);
    row->state = (enum job_state)sqlite3_column_int(statement, 5);
    row->outcome = (enum job_outcome)sqlite3_column_int(statement, 6);
    row->started_ms = sqlite3_column_int64(statement, 7);
    row->ended_ms = sqlite3_column_int64(statement, 8);
    if (sqlite3_reset(statement) != SQLITE_OK) return false;
    if (!is_there) error_set(err, "job %llu is not there", (unsigned long long)row->number);
    return is_there;
}

// NULL: it could not be read.
static struct touched *touch(struct sqlite_writer *w, uint64_t number, struct error *err) {
    for (size_t i = w->touched_count; i-- > 0;)
        if (w->touched[i].row.number == number) return &w->touched[i];
    struct touched touched = {.row.number = number};
    if (!load_row(w, &touched.row, err)) return NULL;
    w->touched = mem_grow(w->touched, &w->touched_cap, w->touched_count + 1, sizeof *w->touched);
    w->touched[w->touched_count] = touched;
    return &w->touched[w->touched_count++];
}

static void bind_some(struct sqlite_writer *w, enum sql_statement which, int at, bool is_there,
                      uint64_t value) {
    if (is_there)
        sql_bind(w->sql, which, at, value);
    else
        sqlite3_bind_null(w->sql->statements[which], at);
}

static void bind_event(struct sqlite_writer *w, enum sql_statement which, int at,
                       const struct store_event *e) {
    const bool is_of_job = e->kind == STORE_JOB, is_outcome = e->kind == STORE_OUTCOME;
    sql_bind(w->sql, which, at + 1, sql_event_id(e->job, e->n));
    sql_bind(w->sql, which, at + 2, (uint64_t)e->wall_ms);
    sql_bind(w->sql, which, at + 3, (uint64_t)e->kind);
    bind_some(w, which, at + 4, !is_of_job, e->host);
    bind_some(w, which, at + 5, !is_of_job, e->attempt);
    bind_some(w, which, at + 6, is_outcome, (uint64_t)e->result);
    bind_some(w, which, at + 7, is_outcome, e->ms);
    bind_some(w, which, at + 8, is_of_job, (uint64_t)e->state);
    bind_some(w, which, at + 9, is_of_job, (uint64_t)e->outcome);
    sql_bind_text(w->sql, which, at + 10, e->version);
    sql_bind_text(w->sql, which, at + 11, e->text);
}

// Those that have gathered: all at once where there are enough.
static bool add_events(struct sqlite_writer *w) {
    const bool is_full = w->events_count == SQL_EVENTS_AT_ONCE;
    for (size_t i = 0; i < w->events_count; i++) {
        bind_event(w, is_full ? SQL_ADD_EVENTS : SQL_ADD_EVENT,
                   is_full ? (int)i * SQL_EVENT_COLUMNS : 0, w->events[i]);
        if (!is_full && !sql_run(w->sql, SQL_ADD_EVENT)) return false;
    }
    w->events_count = 0;
    return !is_full || sql_run(w->sql, SQL_ADD_EVENTS);
}

static bool append(struct sqlite_writer *w, struct store_op *op, size_t index, struct error *err) {
    struct touched *job = touch(w, op->event.job, err);
    if (job == NULL) return false;
    if (!store_job_may_take(&job->row, &op->event)) {
        store_held_add(&w->held, index);
        op->status = STORE_HELD;
        return true;
    }
    store_job_take(&job->row, &op->event);
    op->n = op->event.n;
    if (op->event.kind == STORE_JOB) job->has_entered = true;
    if (op->n > UINT32_MAX) {
        error_set(err, "it has given all numbers that there are for events");
        return false;
    }
    w->events[w->events_count++] = &op->event;
    return w->events_count < SQL_EVENTS_AT_ONCE || add_events(w);
}

static bool save_row(struct sqlite_writer *w, const struct touched *job) {
    sql_bind(w->sql, SQL_SET_COUNTS, 1, job->row.number);
    for (int i = 0; i < HOST_STATES - HOST_CHANGED; i++)
        sql_bind(w->sql, SQL_SET_COUNTS, 2 + i, job->row.results[HOST_CHANGED + i]);
    sql_bind(w->sql, SQL_SET_COUNTS, 6, job->row.n);
    if (!sql_run(w->sql, SQL_SET_COUNTS)) return false;
    if (!job->has_entered) return true;
    sql_bind(w->sql, SQL_SET_STATE, 1, job->row.number);
    sql_bind(w->sql, SQL_SET_STATE, 2, (uint64_t)job->row.state);
    sql_bind(w->sql, SQL_SET_STATE, 3, (uint64_t)job->row.outcome);
    sql_bind_text(w->sql, SQL_SET_STATE, 4, job->row.text);
    sql_bind(w->sql, SQL_SET_STATE, 5, (uint64_t)job->row.started_ms);
    sql_bind(w->sql, SQL_SET_STATE, 6, (uint64_t)job->row.ended_ms);
    return sql_run(w->sql, SQL_SET_STATE);
}

static bool save_rows(struct sqlite_writer *w) {
    for (size_t i = 0; i < w->touched_count; i++)
        if (!save_row(w, &w->touched[i])) return false;
    return true;
}

// --- what is dropped

static bool drop_row(struct sqlite_writer *w, uint64_t job) {
    return sql_run_with(w->sql, SQL_DROP_JOB, job) && sql_run_with(w->sql, SQL_DROP_BODY, job);
}

// So many events at most, which is counted down.
static bool drop_events(struct sqlite_writer *w, uint64_t job, uint64_t *rows) {
    sql_bind(w->sql, SQL_DROP_EVENTS, 1, sql_event_id(job, 0));
    sql_bind(w->sql, SQL_DROP_EVENTS, 2, sql_event_id(job, UINT32_MAX));
    sql_bind(w->sql, SQL_DROP_EVENTS, 3, *rows);
    if (!sql_run(w->sql, SQL_DROP_EVENTS)) return false;
    *rows -= (uint64_t)sqlite3_changes64(w->sql->writer);
    return true;
}

// What an earlier batch has left of a job, before another is begun.
static bool drop_piece(struct sqlite_writer *w, uint64_t *excess, uint64_t *rows) {
    uint64_t job;
    if (!sql_number(w->sql, SQL_GET_DROPPED, &job)) return false;
    if (job == 0) {
        sql_bind(w->sql, SQL_OLDEST_DONE, 1, JOB_DONE);
        if (!sql_number(w->sql, SQL_OLDEST_DONE, &job)) return false;
        if (!drop_row(w, job) || !sql_run_with(w->sql, SQL_ADD_DROPPED, job)) return false;
        --*excess;
    }
    if (!drop_events(w, job, rows)) return false;
    return *rows == 0 || sql_run_with(w->sql, SQL_END_DROPPED, job);
}

static bool retain(struct sqlite_writer *w, struct store_op *op) {
    uint64_t done, left, rows = RETAIN_ROWS;
    sql_bind(w->sql, SQL_COUNT_DONE, 1, JOB_DONE);
    if (!sql_number(w->sql, SQL_COUNT_DONE, &done) || !sql_number(w->sql, SQL_COUNT_DROPPED, &left))
        return false;
    uint64_t excess = done > op->keep ? done - op->keep : 0;
    while (rows > 0 && (excess > 0 || left > 0))
        if (!drop_piece(w, &excess, &rows) || !sql_number(w->sql, SQL_COUNT_DROPPED, &left))
            return false;
    op->n = excess + left;
    return true;
}

static bool forget(struct sqlite_writer *w, const struct store_op *op) {
    uint64_t job, rows = INT64_MAX;
    if (!sql_number_of(w->sql, SQL_NUMBER_BY_ID, op->job.id, &job)) return false;
    return job == 0 || (drop_row(w, job) && drop_events(w, job, &rows));
}

// --- the audit

static bool add_audit(struct sqlite_writer *w, const struct store_audit *audit) {
    const uint64_t refused = audit->is_refused;
    const uint64_t keep = audit->is_refused ? STORE_REFUSED_MAX : STORE_AUDIT_MAX;
    uint64_t nth;
    sql_bind(w->sql, SQL_NEWEST_AUDIT, 1, refused);
    if (!sql_number(w->sql, SQL_NEWEST_AUDIT, &nth)) return false;
    nth++;
    sql_bind(w->sql, SQL_ADD_AUDIT, 1, refused);
    sql_bind(w->sql, SQL_ADD_AUDIT, 2, nth);
    sql_bind(w->sql, SQL_ADD_AUDIT, 3, (uint64_t)audit->wall_ms);
    sql_bind(w->sql, SQL_ADD_AUDIT, 4, (uint64_t)audit->status);
    sql_bind_text(w->sql, SQL_ADD_AUDIT, 5, audit->who);
    sql_bind_text(w->sql, SQL_ADD_AUDIT, 6, audit->from);
    sql_bind_text(w->sql, SQL_ADD_AUDIT, 7, audit->method);
    sql_bind_text(w->sql, SQL_ADD_AUDIT, 8, audit->path);
    sql_bind_text(w->sql, SQL_ADD_AUDIT, 9, audit->job);
    if (!sql_run(w->sql, SQL_ADD_AUDIT)) return false;
    if (nth <= keep) return true;
    sql_bind(w->sql, SQL_DROP_AUDIT, 1, refused);
    sql_bind(w->sql, SQL_DROP_AUDIT, 2, nth - keep);
    return sql_run(w->sql, SQL_DROP_AUDIT);
}

// --- one transaction

static bool carry_out(struct sqlite_writer *w, struct store_op *op, size_t index,
                      struct error *err) {
    op->status = STORE_OK;
    op->n = 0;
    switch (op->kind) {
    case STORE_CREATE:
        return create(w, op, err);
    case STORE_APPEND:
        return append(w, op, index, err);
    case STORE_RETAIN:
        return retain(w, op);
    case STORE_FORGET:
        return forget(w, op);
    case STORE_AUDIT:
        return add_audit(w, &op->audit);
    case STORE_ALIVE:
    case STORE_BEAT:
    case STORE_LEASE: // it is the store of one process
        break;
    }
    return true;
}

static bool set_meta(struct sqlite_writer *w, uint64_t beat, long long wall_ms) {
    sql_bind(w->sql, SQL_SET_META, 1, beat);
    sql_bind(w->sql, SQL_SET_META, 2, (uint64_t)wall_ms);
    const size_t len = w->held.count * sizeof *w->held.ops;
    sqlite3_bind_blob64(w->sql->statements[SQL_SET_META], 3, len > 0 ? w->held.ops : NULL, len,
                        SQLITE_STATIC);
    return sql_run(w->sql, SQL_SET_META);
}

static void get_held(struct sqlite_writer *w, const char *bytes, size_t len) {
    store_held_clear(&w->held);
    for (uint32_t op; len >= sizeof op; bytes += sizeof op, len -= sizeof op) {
        memcpy(&op, bytes, sizeof op);
        store_held_add(&w->held, op);
    }
}

bool sqlite_writer_meta(struct sqlite_writer *w, struct store_found *found, struct error *err) {
    sqlite3_stmt *statement = w->sql->statements[SQL_GET_META];
    const bool is_there = sqlite3_step(statement) == SQLITE_ROW;
    if (is_there) {
        *found = (struct store_found){.epoch = (uint64_t)sqlite3_column_int64(statement, 0),
                                      .alive_ms = sqlite3_column_int64(statement, 1),
                                      .beat = (uint64_t)sqlite3_column_int64(statement, 2)};
        get_held(w, sqlite3_column_blob(statement, 3), (size_t)sqlite3_column_bytes(statement, 3));
    }
    if (sqlite3_reset(statement) != SQLITE_OK) return false;
    if (!is_there) error_set(err, "what says how far it has come is missing");
    return is_there;
}

static int get_last(void *db, uint64_t job, uint64_t *n, struct error *err) {
    struct store_job row = {.number = job};
    if (!load_row(db, &row, err)) return ERROR_INPUT;
    *n = row.n;
    return 0;
}

static bool answer_create(struct sqlite_writer *w, struct store_op *op, struct error *err) {
    if (!sql_number_of(w->sql, SQL_NUMBER_BY_ID, op->job.id, &op->n)) return false;
    op->status = op->n == 0 ? STORE_CONFLICT : STORE_OK;
    if (op->n == 0 && !sql_number_of(w->sql, SQL_NUMBER_BY_KEY, op->job.key, &op->n)) return false;
    if (op->n == 0) error_set(err, "job %s is not there", op->job.id);
    return op->n != 0;
}

static bool answer_again(struct sqlite_writer *w, struct store_op *ops, size_t count,
                         struct error *err) {
    const bool is_well = ops[0].kind == STORE_CREATE
                             ? answer_create(w, &ops[0], err)
                             : store_kept_answer(ops, count, &w->held, get_last, w, err) == 0;
    return is_well && sql_run(w->sql, SQL_ROLLBACK);
}

bool sqlite_writer_transact(struct sqlite_writer *w, uint64_t beat, long long wall_ms,
                            struct store_op *ops, size_t count, struct error *err) {
    struct store_found meta;
    if (!sql_run(w->sql, SQL_BEGIN) || !sqlite_writer_meta(w, &meta, err)) return false;
    const bool is_next = beat == meta.beat + 1;
    if (!is_next && beat == meta.beat && !store_kept_may_repeat(ops, count))
        return answer_again(w, ops, count, err);
    if (!is_next && beat != meta.beat) return store_kept_gap(beat, meta.beat, err) == 0;
    store_held_clear(&w->held);
    w->touched_count = w->events_count = 0;
    for (size_t i = 0; i < count; i++)
        if (!carry_out(w, &ops[i], i, err)) return false;
    return add_events(w) && save_rows(w) && set_meta(w, beat, wall_ms) &&
           sql_run(w->sql, SQL_COMMIT);
}

void sqlite_writer_deinit(struct sqlite_writer *w) {
    store_held_deinit(&w->held);
    free(w->touched);
}

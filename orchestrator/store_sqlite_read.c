#include "orchestrator/store_sqlite_read.h"

#include <errno.h>
#include <string.h>

enum { STATUS_MAX = 999 };

// A row under a reader's eyes; is_wrong where a value is not of its type or too large.
struct cells {
    sqlite3_stmt *row;
    bool is_wrong;
};

static uint64_t cell(struct cells *c, int column, uint64_t max) {
    const int type = sqlite3_column_type(c->row, column);
    const sqlite3_int64 value = sqlite3_column_int64(c->row, column);
    if (type == SQLITE_INTEGER && value >= 0 && (uint64_t)value <= max) return (uint64_t)value;
    c->is_wrong = true;
    return 0;
}

static uint64_t cell_or(struct cells *c, int column, uint64_t max, uint64_t otherwise) {
    if (sqlite3_column_type(c->row, column) == SQLITE_NULL) return otherwise;
    return cell(c, column, max);
}

static const char *text_cell(struct cells *c, int column) {
    const int type = sqlite3_column_type(c->row, column);
    if (type == SQLITE_NULL) return NULL;
    const char *text = (const char *)sqlite3_column_text(c->row, column);
    const int len = sqlite3_column_bytes(c->row, column);
    if (type == SQLITE_TEXT && text != NULL && strlen(text) == (size_t)len) return text;
    c->is_wrong = true;
    return NULL;
}

static struct store_job job_of(struct cells *c, bool has_image) {
    struct store_job job = {.number = cell(c, 0, INT32_MAX),
                            .id = text_cell(c, 1),
                            .key = text_cell(c, 2),
                            .task = text_cell(c, 3),
                            .request = text_cell(c, 4),
                            .hosts = cell(c, 5, UINT32_MAX),
                            .n = cell(c, 10, UINT32_MAX),
                            .state = (enum job_state)cell(c, 11, JOB_DONE),
                            .outcome = (enum job_outcome)cell(c, 12, JOB_STOPPED),
                            .text = text_cell(c, 13),
                            .created_ms = (long long)cell(c, 14, INT64_MAX),
                            .started_ms = (long long)cell(c, 15, INT64_MAX),
                            .ended_ms = (long long)cell(c, 16, INT64_MAX)};
    for (int i = 0; i < HOST_STATES - HOST_CHANGED; i++)
        job.results[HOST_CHANGED + i] = cell(c, 6 + i, UINT32_MAX);
    if (!has_image) return job;
    job.image = sqlite3_column_blob(c->row, 17);
    job.image_len = (size_t)sqlite3_column_bytes(c->row, 17);
    return job;
}

static struct store_event event_of(struct cells *c) {
    const uint64_t id = cell(c, 0, INT64_MAX);
    return (struct store_event){.job = id >> 32,
                                .n = id & UINT32_MAX,
                                .wall_ms = (long long)cell(c, 1, INT64_MAX),
                                .kind = (enum store_kind)cell(c, 2, STORE_JOB),
                                .host = (uint32_t)cell_or(c, 3, UINT32_MAX, STORE_NO_HOST),
                                .attempt = (uint8_t)cell_or(c, 4, UINT8_MAX, 0),
                                .result = (enum host_state)cell_or(c, 5, HOST_STATES, HOST_WAITING),
                                .ms = cell_or(c, 6, INT64_MAX, 0),
                                .state = (enum job_state)cell_or(c, 7, JOB_DONE, 0),
                                .outcome = (enum job_outcome)cell_or(c, 8, JOB_STOPPED, 0),
                                .version = text_cell(c, 9),
                                .text = text_cell(c, 10)};
}

// A reading under way.
struct reading {
    struct cells cells;
    const struct store_query *query;
    store_row row;
    void *arg;
    uint64_t n; // of the event before
    bool goes_on;
};

static int tell_job(struct reading *r, struct error *err) {
    const struct store_job job = job_of(&r->cells, r->query->kind == STORE_READ_JOB);
    int rc = store_job_check(&job, err);
    if (r->cells.is_wrong) rc = error_set(err, "a value that is none of its column");
    if (rc != 0) error_from(err, "job %llu", (unsigned long long)job.number);
    if (rc == 0) r->goes_on = r->row(r->arg, &job, NULL);
    return rc;
}

static int tell_event(struct reading *r, struct error *err) {
    const struct store_event event = event_of(&r->cells);
    int rc = store_event_check(&event, err);
    if (r->cells.is_wrong) rc = error_set(err, "a value that is none of its column");
    if (rc == 0 && event.n != r->n + 1)
        rc = error_set(err, "event %llu is missing", (unsigned long long)r->n + 1);
    if (rc != 0) {
        error_from(err, "job %llu, event %llu", (unsigned long long)event.job,
                   (unsigned long long)event.n);
        return rc;
    }
    r->n = event.n;
    r->goes_on = r->row(r->arg, NULL, &event);
    return 0;
}

static int tell_audit(struct reading *r, struct error *err) {
    struct cells *c = &r->cells;
    const struct store_audit audit = {.n = cell(c, 0, INT64_MAX),
                                      .is_refused = cell(c, 1, 1) != 0,
                                      .wall_ms = (long long)cell(c, 2, INT64_MAX),
                                      .status = (int)cell(c, 3, STATUS_MAX),
                                      .who = text_cell(c, 4),
                                      .from = text_cell(c, 5),
                                      .method = text_cell(c, 6),
                                      .path = text_cell(c, 7),
                                      .job = text_cell(c, 8)};
    if (c->is_wrong || audit.from == NULL || audit.method == NULL || audit.path == NULL)
        return error_set(err, "line %llu of the audit: a value that is none of its column",
                         (unsigned long long)audit.n);
    r->goes_on = r->query->audit(r->arg, &audit);
    return 0;
}

static void bind_unless_0(struct sql *sql, enum sql_statement which, int at, uint64_t value) {
    if (value == 0)
        sqlite3_bind_null(sql->statements[which], at);
    else
        sql_bind(sql, which, at, value);
}

static enum sql_statement bind_query(struct sql *sql, const struct store_query *query) {
    const uint64_t limit = query->limit == 0 ? INT64_MAX : query->limit;
    switch (query->kind) {
    case STORE_READ_JOBS:
        bind_unless_0(sql, SQL_READ_JOBS, 1, query->job < INT64_MAX ? query->job : INT64_MAX);
        bind_unless_0(sql, SQL_READ_JOBS, 2, (uint64_t)query->state);
        bind_unless_0(sql, SQL_READ_JOBS, 3, query->is_open ? JOB_DONE : 0);
        sql_bind(sql, SQL_READ_JOBS, 4, limit);
        sql_bind_text(sql, SQL_READ_JOBS, 5, query->id);
        sql_bind_text(sql, SQL_READ_JOBS, 6, query->key);
        return SQL_READ_JOBS;
    case STORE_READ_JOB:
        bind_unless_0(sql, SQL_READ_JOB, 1,
                      query->id == NULL && query->key == NULL ? query->job : 0);
        sql_bind_text(sql, SQL_READ_JOB, 2, query->id);
        sql_bind_text(sql, SQL_READ_JOB, 3, query->id == NULL ? query->key : NULL);
        return SQL_READ_JOB;
    case STORE_READ_AUDIT:
        if (query->oldest_first)
            sql_bind(sql, SQL_READ_AUDIT_ON, 1, query->after);
        else
            bind_unless_0(sql, SQL_READ_AUDIT, 1, query->after);
        sql_bind(sql, query->oldest_first ? SQL_READ_AUDIT_ON : SQL_READ_AUDIT, 2, limit);
        return query->oldest_first ? SQL_READ_AUDIT_ON : SQL_READ_AUDIT;
    case STORE_READ_EVENTS:
        break;
    }
    sql_bind(sql, SQL_READ_EVENTS, 1, sql_event_id(query->job, query->after + 1));
    sql_bind(sql, SQL_READ_EVENTS, 2, sql_event_id(query->job, UINT32_MAX));
    sql_bind(sql, SQL_READ_EVENTS, 3, limit);
    return SQL_READ_EVENTS;
}

static int tell_row(struct reading *r, struct error *err) {
    if (r->query->kind == STORE_READ_AUDIT) return tell_audit(r, err);
    return r->query->kind == STORE_READ_EVENTS ? tell_event(r, err) : tell_job(r, err);
}

int sqlite_read_rows(struct sql *sql, const struct store_query *query, store_row row, void *arg,
                     struct error *err) {
    if (query->kind == STORE_READ_AUDIT && query->after > INT64_MAX) return 0; // likewise
    if (query->kind != STORE_READ_JOBS && query->kind != STORE_READ_AUDIT &&
        (query->job > INT32_MAX || query->after >= UINT32_MAX))
        return 0; // there are none
    sqlite3_stmt *statement = sql->statements[bind_query(sql, query)];
    struct reading r = {{.row = statement}, query, row, arg, query->after, true};
    int rc = 0;
    errno = 0;
    while (rc == 0 && r.goes_on && sqlite3_step(statement) == SQLITE_ROW)
        rc = tell_row(&r, err);
    if (sqlite3_reset(statement) == SQLITE_OK || rc != 0) return rc;
    const char *advice = sql_describe(sql->reader, err);
    if (advice != NULL) error_advise(err, "%s", advice);
    return ERROR_INPUT;
}

#include "orchestrator/store_sqlite_read.h"

#include "orchestrator/store_rows.h"

#include <errno.h>
#include <string.h>

static struct store_cell text_cell(sqlite3_stmt *row, int column) {
    const char *text = (const char *)sqlite3_column_text(row, column);
    const int len = sqlite3_column_bytes(row, column);
    if (text == NULL || strlen(text) != (size_t)len) return (struct store_cell){.kind = CELL_WRONG};
    return (struct store_cell){.kind = CELL_TEXT, .text = text};
}

static struct store_cell number_cell(sqlite3_stmt *row, int column) {
    const sqlite3_int64 number = sqlite3_column_int64(row, column);
    if (number < 0) return (struct store_cell){.kind = CELL_WRONG};
    return (struct store_cell){.kind = CELL_NUMBER, .number = (uint64_t)number};
}

static struct store_cell cell_at(void *row, int column) {
    switch (sqlite3_column_type(row, column)) {
    case SQLITE_NULL:
        return (struct store_cell){.kind = CELL_NULL};
    case SQLITE_INTEGER:
        return number_cell(row, column);
    case SQLITE_TEXT:
        return text_cell(row, column);
    default:
        return (struct store_cell){.kind = CELL_WRONG};
    }
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

static int tell_row(struct store_rows *rows, sqlite3_stmt *row, struct error *err) {
    if (rows->query->kind != STORE_READ_JOB) return store_rows_tell(rows, row, NULL, err);
    const struct store_blobs blobs = {.image = sqlite3_column_blob(row, STORE_JOB_CELLS),
                                      .image_len =
                                          (size_t)sqlite3_column_bytes(row, STORE_JOB_CELLS)};
    return store_rows_tell(rows, row, &blobs, err);
}

int sqlite_read_rows(struct sql *sql, const struct store_query *query, store_row row, void *arg,
                     struct error *err) {
    struct store_rows rows;
    if (!store_rows_begin(&rows, query, row, arg, cell_at)) return 0;
    sqlite3_stmt *statement = sql->statements[bind_query(sql, query)];
    int rc = 0;
    errno = 0;
    while (rc == 0 && rows.goes_on && sqlite3_step(statement) == SQLITE_ROW)
        rc = tell_row(&rows, statement, err);
    if (sqlite3_reset(statement) == SQLITE_OK || rc != 0) return rc;
    const char *advice = sql_describe(sql->reader, err);
    if (advice != NULL) error_advise(err, "%s", advice);
    return ERROR_INPUT;
}

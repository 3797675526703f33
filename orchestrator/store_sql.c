#include "orchestrator/store_sql.h"

#include "common/buf.h"
#include "orchestrator/store_file.h"
#include "orchestrator/store_rows.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#if defined(SQLITE_VERSION_NUMBER) && SQLITE_VERSION_NUMBER < 3037000
#error "strict tables came with SQLite 3.37"
#endif

enum { BUSY_MS = 1000 }; // a person who looks in with sqlite3 may hold it

static const struct {
    const char *text;
    bool reads;
} statements[SQL_STATEMENTS] = {
#define WRITER(name, text) {text, false},
#define READER(name, text) {text, true},
#include "orchestrator/store_sql.def"
};

// --- connections

bool sql_execute(sqlite3 *db, const char *text) {
    return sqlite3_exec(db, text, NULL, NULL, NULL) == SQLITE_OK;
}

bool sql_ask(sqlite3 *db, const char *question, char *answer, size_t size) {
    sqlite3_stmt *statement = NULL;
    sqlite3_prepare_v2(db, question, -1, &statement, NULL);
    if (sqlite3_step(statement) == SQLITE_ROW)
        snprintf(answer, size, "%s", (const char *)sqlite3_column_text(statement, 0));
    return sqlite3_finalize(statement) == SQLITE_OK;
}

bool sql_connect(sqlite3 **db, const char *path) {
    // Until all is well a file that is looked at is left as it is, what waits in its WAL included.
    if (sqlite3_open_v2(path, db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL) != SQLITE_OK)
        return false;
    sqlite3_db_config(*db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    sqlite3_db_config(*db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    sqlite3_db_config(*db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
    sqlite3_busy_timeout(*db, BUSY_MS);
    return sql_execute(*db, "pragma synchronous = full; pragma secure_delete = off;"
                            "pragma cell_size_check = on; pragma temp_store = memory;"
                            "pragma journal_size_limit = 33554432");
}

// SQLite takes a file that does not change for one without a WAL.
bool sql_ask_alone(const char *path, const char *question, char *answer, size_t size) {
    struct buf uri = {0};
    sqlite3 *db = NULL;
    buf_adds(&uri, "file:");
    for (const char *c = path; *c != '\0'; c++)
        buf_addf(&uri, strchr("?#%", *c) == NULL ? "%c" : "%%%02x", *c);
    buf_adds(&uri, "?immutable=1");
    const bool is_told =
        sqlite3_open_v2(uri.data, &db, SQLITE_OPEN_READONLY | SQLITE_OPEN_URI | SQLITE_OPEN_NOMUTEX,
                        NULL) == SQLITE_OK &&
        sql_ask(db, question, answer, size);
    sqlite3_close(db);
    buf_deinit(&uri);
    return is_told;
}

void sql_keep(struct sql *sql) {
    sqlite3_db_config(sql->writer, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 0, NULL);
}

bool sql_prepare(struct sql *sql) {
    for (size_t i = 0; i < SQL_STATEMENTS; i++)
        if (sqlite3_prepare_v3(statements[i].reads ? sql->reader : sql->writer, statements[i].text,
                               -1, SQLITE_PREPARE_PERSISTENT, &sql->statements[i],
                               NULL) != SQLITE_OK)
            return false;
    return true;
}

void sql_close(struct sql *sql) {
    for (size_t i = 0; i < SQL_STATEMENTS; i++)
        sqlite3_finalize(sql->statements[i]);
    sqlite3_close(sql->reader);
    sqlite3_close(sql->writer);
}

// --- statements

void sql_bind(struct sql *sql, enum sql_statement which, int at, uint64_t value) {
    sqlite3_bind_int64(sql->statements[which], at, (sqlite3_int64)value);
}

void sql_bind_text(struct sql *sql, enum sql_statement which, int at, const char *text) {
    sqlite3_bind_text(sql->statements[which], at, text, -1, SQLITE_STATIC);
}

bool sql_run(struct sql *sql, enum sql_statement which) {
    sqlite3_step(sql->statements[which]);
    return sqlite3_reset(sql->statements[which]) == SQLITE_OK;
}

bool sql_run_with(struct sql *sql, enum sql_statement which, uint64_t value) {
    sql_bind(sql, which, 1, value);
    return sql_run(sql, which);
}

bool sql_number(struct sql *sql, enum sql_statement which, uint64_t *n) {
    sqlite3_stmt *statement = sql->statements[which];
    *n = sqlite3_step(statement) == SQLITE_ROW ? (uint64_t)sqlite3_column_int64(statement, 0) : 0;
    return sqlite3_reset(statement) == SQLITE_OK;
}

bool sql_number_of(struct sql *sql, enum sql_statement which, const char *text, uint64_t *n) {
    sql_bind_text(sql, which, 1, text);
    return sql_number(sql, which, n);
}

// --- what went wrong

// A commit that fails does not tell SQLite's system error; errno is of the same thread.
const char *sql_describe(sqlite3 *db, struct error *err) {
    const int last = errno, told = sqlite3_system_errno(db);
    const int code = sqlite3_errcode(db) & 0xff, system = told == 0 ? last : told;
    error_set(err, "%s", sqlite3_errmsg(db));
    if (code == SQLITE_FULL) return store_file_advice(ENOSPC);
    if (code == SQLITE_CORRUPT || code == SQLITE_NOTADB)
        return "end the service, and put a copy of it back";
    if ((code != SQLITE_IOERR && code != SQLITE_CANTOPEN) || system == 0) return NULL;
    error_set(err, "%s (%s)", sqlite3_errmsg(db), strerror(system));
    return store_file_advice(system);
}

uint64_t sql_event_id(uint64_t job, uint64_t n) {
    return job << 32 | n;
}

// The two connections of a store in SQLite and their statements (store_sql.def), kept prepared.
// Where a function answers false, the reason is SQLite's last of that connection.
#pragma once

#include "common/error.h"

#include <sqlite3.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    SQL_EVENT_COLUMNS = 11,
    SQL_EVENTS_AT_ONCE = 8, // of SQL_ADD_EVENTS, which takes two thirds of the time of one by one
};

enum sql_statement {
#define WRITER(name, text) SQL_##name,
#define READER(name, text) SQL_##name,
#include "orchestrator/store_sql.def"
    SQL_STATEMENTS
};

struct sql {
    sqlite3 *writer, *reader;
    sqlite3_stmt *statements[SQL_STATEMENTS];
};

// Connects both to the file, which must be there. What waits in its WAL stays there until
// sql_keep(), even if it is closed.
bool sql_connect(sqlite3 **db, const char *path);
// What the file itself says, without its WAL. False: it cannot tell.
bool sql_ask_alone(const char *path, const char *question, char *answer, size_t size);
void sql_keep(struct sql *sql);
bool sql_prepare(struct sql *sql); // all statements; the tables must be there
void sql_close(struct sql *sql);

// A text that is no statement of ours: without an answer, and with one, of which the first value is
// given as text.
bool sql_execute(sqlite3 *db, const char *text);
bool sql_ask(sqlite3 *db, const char *question, char *answer, size_t size);

void sql_bind(struct sql *sql, enum sql_statement which, int at, uint64_t value);
// Borrowed until the statement has run.
void sql_bind_text(struct sql *sql, enum sql_statement which, int at, const char *text);
bool sql_run(struct sql *sql, enum sql_statement which);
bool sql_run_with(struct sql *sql, enum sql_statement which, uint64_t value);
// The number that a query answers; 0: none.
bool sql_number(struct sql *sql, enum sql_statement which, uint64_t *n);
bool sql_number_of(struct sql *sql, enum sql_statement which, const char *text, uint64_t *n);

// err: what SQLite says, and which of the system's errors that was. What to do about it; NULL:
// nothing in particular.
const char *sql_describe(sqlite3 *db, struct error *err);

uint64_t sql_event_id(uint64_t job, uint64_t n);

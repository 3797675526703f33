// A store in one file, for one process at a time. In WAL mode a reader does not keep the writer
// waiting, nor the other way round; with synchronous=FULL what is committed is on disk.
//
// Everything is looked at before anything is changed: whose file it is (store_file.h), its version,
// whether its pages hold together.
#include "common/count.h"
#include "common/mem.h"
#include "orchestrator/store_file.h"
#include "orchestrator/store_sqlite_read.h"
#include "orchestrator/store_sqlite_write.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    APPLICATION = 0x6f726368, // "orch"
    LARGE = 64 << 20,         // bytes
};

// Text n makes version n + 1 of n. All are additive: what a version has written stays as it is.
static const char *const migrations[] = {
    "create table meta (one integer primary key check (one = 1), epoch integer not null,"
    " alive_ms integer not null, beat integer not null, held blob) strict;"
    "insert into meta values (1, 0, 0, 0, null);"
    "create table jobs (number integer primary key autoincrement, id text not null unique,"
    " key text unique, task text not null, hosts integer not null,"
    " changed integer not null default 0, unchanged integer not null default 0,"
    " failed integer not null default 0, skipped integer not null default 0,"
    " n integer not null default 0, state integer not null, outcome integer not null, text text,"
    " created_ms integer not null, started_ms integer not null, ended_ms integer not null) strict;"
    "create table bodies (job integer primary key, request text not null, image blob) strict;"
    // id: job << 32 | n
    "create table events (id integer primary key, wall_ms integer not null, kind integer not null,"
    " host integer, attempt integer, result integer, ms integer, state integer, outcome integer,"
    " version text, text text) strict;"
    // Jobs that are dropped, and some of whose events are still there.
    "create table dropped (job integer primary key) strict;",
    // nth: the number among those that were refused, or among the others, without a gap.
    "create table audit (n integer primary key autoincrement, refused integer not null,"
    " nth integer not null, wall_ms integer not null, status integer not null, who text,"
    " source text not null, method text not null, path text not null, job text) strict;"
    "create unique index audit_nth on audit (refused, nth);",
    // The epoch that the file itself may have still: see check_wal().
    "alter table meta add column before integer not null default 0;",
};
enum { BEFORE_SINCE = 3 }; // the version that has it

struct sqlite {
    struct store_file file;
    char *where; // as it was given
    struct sql sql;
    struct sqlite_writer writer;
    long long looked_s; // when the file was last seen to be there
    char alone[24];     // the epoch of the file without its WAL; "": it does not tell
};

static void explain(const struct sqlite *s, sqlite3 *db, struct error *err) {
    const char *advice = NULL;
    if (err->text[0] == '\0') advice = sql_describe(db, err);
    error_from(err, "%.200s", s->where);
    if (advice != NULL) error_advise(err, "%s", advice);
}

// Not for each batch: it is two calls of the system.
static bool is_file_there(struct sqlite *s, long long wall_ms) {
    if (wall_ms / 1000 == s->looked_s) return true;
    if (!store_file_is_there(&s->file)) return false;
    s->looked_s = wall_ms / 1000;
    return true;
}

static enum store_status sqlite_write(void *db, uint64_t beat, long long wall_ms,
                                      struct store_op *ops, size_t count, struct error *err) {
    struct sqlite *s = db;
    err->text[0] = '\0';
    errno = 0;
    if (!is_file_there(s, wall_ms))
        error_set(err, "it or its -wal was removed, or replaced by another: what is written now "
                       "would be lost: put that file back");
    else if (sqlite_writer_transact(&s->writer, beat, wall_ms, ops, count, err))
        return STORE_OK;
    explain(s, s->sql.writer, err);
    if (!sqlite3_get_autocommit(s->sql.writer)) sql_run(&s->sql, SQL_ROLLBACK);
    return STORE_UNREACHABLE;
}

static int sqlite_read(void *db, const struct store_query *query, store_row row, void *arg,
                       struct error *err) {
    struct sqlite *s = db;
    const int rc = sqlite_read_rows(&s->sql, query, row, arg, err);
    if (rc != 0) error_from(err, "%.200s", s->where);
    return rc;
}

// Pages that are free again are used before the file grows.
static uint64_t sqlite_size(void *db) {
    struct sqlite *s = db;
    uint64_t pages = 0, free_pages = 0, bytes = 0;
    sql_number(&s->sql, SQL_PAGE_COUNT, &pages);
    sql_number(&s->sql, SQL_FREE_PAGES, &free_pages);
    sql_number(&s->sql, SQL_PAGE_SIZE, &bytes);
    return (pages - free_pages) * bytes;
}

// --- opening

static int damaged(const struct sqlite *s, const char *why, struct error *err) {
    return error_set(err,
                     "%.200s is damaged (%.200s): put a copy of it back, or use another "
                     "--state FILE",
                     s->where, why);
}

// SQLite's verdict has a headline, which names the database.
static int check(struct sqlite *s, const char *check_text, struct error *err) {
    char verdict[200] = "";
    if (!sql_ask(s->sql.writer, check_text, verdict, sizeof verdict)) return ERROR_INPUT;
    if (strcmp(verdict, "ok") == 0) return 0;
    char *line = strchr(verdict, '\n');
    line = line == NULL ? verdict : line + 1;
    line[strcspn(line, "\n")] = '\0';
    return damaged(s, line, err);
}

// All pages of a store of 400 MB take 2 s to look at, 20 s from a cold disk. So of a large one only
// those are that each start needs; what is wrong with others is found when they are read.
static int check_all(struct sqlite *s, struct error *err) {
    static const char *const needed[] = {"pragma quick_check(meta)", "pragma quick_check(jobs)",
                                         "pragma quick_check(dropped)"};
    if (store_file_size(&s->file) < LARGE) return check(s, "pragma quick_check(1)", err);
    int rc = 0;
    for (size_t i = 0; i < COUNT(needed) && rc == 0; i++)
        rc = check(s, needed[i], err);
    return rc;
}

// --- whose WAL it is
//
// SQLite takes any WAL beside a file for that file's, also where somebody has put a copy back and
// left the WAL there: pages of both are one store then. So each start brings its epoch home to the
// file itself before anything else is written. Whatever comes into the WAL later says the same
// epoch as the file, or, until it is home, that the file has the one before.

// Before anybody else has the file open: to close it drops this process's locks of it.
static void look_alone(struct sqlite *s) {
    char version[24] = "";
    if (sql_ask_alone(s->file.path, "pragma user_version", version, sizeof version) &&
        strtoul(version, NULL, 10) >= BEFORE_SINCE &&
        !sql_ask_alone(s->file.path, "select epoch from meta", s->alone, sizeof s->alone))
        s->alone[0] = '\0';
}

static int check_wal(struct sqlite *s, struct error *err) {
    char epoch[24] = "", before[24] = "";
    if (s->alone[0] == '\0') return 0;
    if (!sql_ask(s->sql.writer, "select epoch from meta", epoch, sizeof epoch) ||
        !sql_ask(s->sql.writer, "select before from meta", before, sizeof before))
        return 0; // what is wrong is found below
    if (strcmp(s->alone, epoch) == 0 || strcmp(s->alone, before) == 0) return 0;
    return error_set(err,
                     "%.200s-wal is not of this file, but of another store or of a later copy: put "
                     "back what belongs together, or move the -wal away",
                     s->where);
}

static bool bring_epoch_home(struct sqlite *s) {
    char is_busy[8] = "1";
    if (!sql_ask(s->sql.writer, "pragma wal_checkpoint(truncate)", is_busy, sizeof is_busy))
        return false;
    return strcmp(is_busy, "0") != 0 || sql_run(&s->sql, SQL_END_BEFORE);
}

static int migrate(struct sqlite *s, struct error *err) {
    char found[20] = "0", text[100];
    if (!sql_ask(s->sql.writer, "pragma user_version", found, sizeof found)) return ERROR_INPUT;
    size_t version = strtoul(found, NULL, 10);
    if (version > COUNT(migrations)) // what waits in its WAL says so
        return store_file_newer(s->where, version, COUNT(migrations), err);
    if (version == COUNT(migrations)) return 0;
    snprintf(text, sizeof text, "pragma application_id = %d; pragma user_version = %zu; commit",
             APPLICATION, COUNT(migrations));
    bool is_well = sql_execute(s->sql.writer, "begin immediate");
    for (; is_well && version < COUNT(migrations); version++)
        is_well = sql_execute(s->sql.writer, migrations[version]);
    return is_well && sql_execute(s->sql.writer, text) ? 0 : ERROR_INPUT;
}

// The header of the file itself says its version from here on: what was changed in a WAL is brought
// home, and a new file was changed before it has one.
static int enter_wal(struct sqlite *s, struct error *err) {
    char mode[20] = "";
    if (!sql_execute(s->sql.writer, "pragma wal_checkpoint(truncate)") ||
        !sql_ask(s->sql.writer, "pragma journal_mode = wal", mode, sizeof mode))
        return ERROR_INPUT;
    if (strcmp(mode, "wal") == 0) return 0;
    return error_set(err, "%.200s cannot have a WAL: use another --state FILE", s->where);
}

static int begin_epoch(struct sqlite *s, long long wall_ms, struct store_found *found,
                       struct error *err) {
    const uint64_t now = wall_ms > 0 ? (uint64_t)wall_ms / 1000 : 0;
    struct error why = {0};
    if (!sql_run(&s->sql, SQL_BEGIN)) return ERROR_INPUT;
    if (!sqlite_writer_meta(&s->writer, found, &why))
        return why.text[0] == '\0' ? ERROR_INPUT : damaged(s, why.text, err);
    found->is_new = found->epoch == 0;
    found->now_ms = wall_ms;
    found->epoch = now > found->epoch ? now : found->epoch + 1;
    const bool is_kept =
        sql_run_with(&s->sql, SQL_SET_EPOCH, found->epoch) && sql_run(&s->sql, SQL_COMMIT);
    return is_kept ? 0 : ERROR_INPUT;
}

static void free_store(struct sqlite *s, bool is_used) {
    sql_close(&s->sql);
    store_file_close(&s->file, is_used);
    sqlite_writer_deinit(&s->writer);
    free(s->where);
    free(s);
}

static int open_database(struct sqlite *s, long long wall_ms, struct store_found *found,
                         struct error *err) {
    look_alone(s);
    int rc = sql_connect(&s->sql.writer, s->file.path) ? 0 : ERROR_INPUT;
    if (rc == 0) rc = check_wal(s, err);
    if (rc == 0) rc = check_all(s, err);
    if (rc == 0) rc = migrate(s, err);
    if (rc == 0) rc = enter_wal(s, err);
    if (rc == 0) rc = sql_connect(&s->sql.reader, s->file.path) ? 0 : ERROR_INPUT;
    if (rc == 0) rc = sql_prepare(&s->sql) ? 0 : ERROR_INPUT;
    if (rc == 0) rc = begin_epoch(s, wall_ms, found, err);
    if (rc == 0) rc = bring_epoch_home(s) ? 0 : ERROR_INPUT;
    return rc;
}

// What SQLite says of it, for want of words of ours.
static void explain_opening(const struct sqlite *s, struct error *err) {
    const bool is_readers = s->sql.reader != NULL && sqlite3_errcode(s->sql.reader) != SQLITE_OK;
    sqlite3 *db = is_readers ? s->sql.reader : s->sql.writer;
    const int code = sqlite3_errcode(db) & 0xff;
    if (code == SQLITE_CORRUPT || code == SQLITE_NOTADB) {
        damaged(s, sqlite3_errmsg(db), err);
        return;
    }
    // It takes a file that it could not make for one that is not there.
    const int why = code == SQLITE_CANTOPEN ? store_file_why_none_beside(&s->file) : 0;
    const char *advice = why == 0 ? sql_describe(db, err) : store_file_advice(why);
    if (why != 0) error_set(err, "%s (%s)", sqlite3_errmsg(db), strerror(why));
    error_from(err, "%.200s cannot be opened", s->where);
    error_advise(err, "%s%suse another --state FILE", advice == NULL ? "" : advice,
                 advice == NULL ? "" : ", or ");
}

static int sqlite_open(void **db, const char *where, long long wall_ms, struct store_found *found,
                       struct error *err) {
    struct sqlite *s = mem_zalloc(sizeof *s);
    s->writer.sql = &s->sql;
    s->where = mem_strdup(where);
    err->text[0] = '\0';
    sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0); // nobody asks; where it is too late, no harm
    int rc = store_file_open(&s->file, where, APPLICATION, COUNT(migrations), err);
    if (rc == 0) rc = open_database(s, wall_ms, found, err);
    if (rc != 0) {
        if (err->text[0] == '\0') explain_opening(s, err);
        free_store(s, false);
        return rc;
    }
    sql_keep(&s->sql);
    store_file_has_wal(&s->file);
    *db = s;
    return 0;
}

static void sqlite_close(void *db) {
    if (db != NULL) free_store(db, true);
}

const struct store_back store_sqlite = {.open = sqlite_open,
                                        .write = sqlite_write,
                                        .read = sqlite_read,
                                        .size = sqlite_size,
                                        .close = sqlite_close,
                                        .blocks = true};

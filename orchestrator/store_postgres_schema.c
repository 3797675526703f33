// All or nothing: a version is made in one transaction. Two that start at once may both find
// nothing: the later is told by the server that a name is taken, and looks again.
//
// A program of version N runs on schema N, and on N + 1, which it leaves as it is: so nodes come to
// a new version, and back to the one before, one after the other.
#include "orchestrator/store_postgres_schema.h"

#include "common/count.h"
#include "common/embed.h"
#include "orchestrator/store_file.h"

#include <string.h>

EMBED(store_postgres_v1, "orchestrator/store_postgres.sql");
extern const char store_postgres_v1[];

// Of a job that waits no intent is kept: another that sees its hosts differently may run instead.
static const char store_postgres_v2[] =
    "do $$ declare f oid; begin"
    " select oid from pg_proc where pronamespace = 'orchestrator'::regnamespace and proname = "
    "'append'"
    " and prosrc like '%s.now in (1, 2)%' into f;"
    " if found then"
    " execute replace(pg_get_functiondef(f), 's.now in (1, 2)', 's.now = 2');"
    " elsif not exists (select from pg_proc where pronamespace = 'orchestrator'::regnamespace"
    " and proname = 'append' and prosrc like '%s.now = 2%') then"
    " raise exception 'the function append is not that of version 1';"
    " end if; end $$;\n";

// Text n makes version n + 1 of n. All are additive: what a version has written stays as it is, and
// a function that changes what it is called with gets another name. A new kind of event is written
// once every node that is alive knows it (nodes.version).
static const char *const migrations[] = {store_postgres_v1, store_postgres_v2};

enum { VERSION = COUNT(migrations), VERSION_MAX = VERSION + 1 }; // its own; on which it runs

enum { MIGRATE_MS = 20000, TRIES = 5 };

#define PROGRAM "orchestrator"

struct schema {
    bool is_there;
    long version; // 0: it is empty, or not there; -1: it is not ours
};

static int find_version(struct pq *pq, struct schema *schema, struct error *err) {
    PGresult *row = pq_ask(pq,
                           "select to_regnamespace('orchestrator') is not null,"
                           " to_regclass('orchestrator.meta') is not null, (select count(*)"
                           " from pg_class where relnamespace = to_regnamespace('orchestrator'))",
                           NULL, PQ_REPLY_MS, err);
    if (row == NULL) return ERROR_INPUT;
    const bool has_meta = pq_bool(row, 1), is_empty = pq_number(row, 2) == 0;
    *schema = (struct schema){.is_there = pq_bool(row, 0), .version = is_empty ? 0 : -1};
    PQclear(row);
    if (!has_meta) return 0;
    row = pq_ask(pq, "select version, program from orchestrator.meta", NULL, PQ_REPLY_MS, err);
    if (row == NULL) return strcmp(pq->state, "42703") == 0 ? 0 : ERROR_INPUT; // no such column
    if (strcmp(pq_text(row, 1), PROGRAM) == 0) schema->version = (long)pq_number(row, 0);
    PQclear(row);
    return 0;
}

// Several statements that are sent as one are one transaction. To make a schema takes a right that
// whoever owns one may lack.
static void add_migrations(struct buf *out, const struct schema *from) {
    buf_adds(out, "set local client_min_messages = error;");
    if (!from->is_there) buf_adds(out, "create schema orchestrator;");
    buf_adds(out, "set local search_path = orchestrator, pg_temp;\n");
    if (from->version > 0) buf_adds(out, "lock table meta in access exclusive mode;\n");
    for (long i = from->version; i < VERSION; i++)
        buf_adds(out, migrations[i]);
    buf_addf(out, "update meta set version = %d where version = %ld", VERSION, from->version);
}

// What another has made meanwhile: a name that is taken, or was there when it was looked for.
static bool is_taken(const char *state) {
    static const char *const states[] = {"23505", "42P06", "42P07", "42701",
                                         "42710", "42723", "40001"};
    for (size_t i = 0; i < COUNT(states); i++)
        if (strcmp(state, states[i]) == 0) return true;
    return false;
}

// 0: it is to be looked again.
static int migrate(struct pq *pq, const struct schema *from, struct error *err) {
    struct buf text = {0};
    add_migrations(&text, from);
    int rc = pq_run(pq, text.data, MIGRATE_MS, err);
    buf_deinit(&text);
    return rc != 0 && is_taken(pq->state) ? 0 : rc;
}

int postgres_schema_ready(struct pq *pq, const char *shown, struct error *err) {
    for (int i = 0; i < TRIES; i++) {
        struct schema schema;
        int rc = find_version(pq, &schema, err);
        if (rc != 0) return rc;
        if (schema.version < 0)
            return error_set(err,
                             "%s has a schema named orchestrator that is not of this program: use "
                             "another database",
                             shown);
        if (schema.version > VERSION_MAX)
            return store_file_newer(shown, (size_t)schema.version, VERSION, err);
        if (schema.version >= VERSION) return 0;
        rc = migrate(pq, &schema, err);
        if (rc != 0) return rc;
    }
    return error_set(err, "its schema is being made by somebody else: start again");
}

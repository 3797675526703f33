// A store in a PostgreSQL database, which any number of nodes share. Each start is a node:
//
//   absent --enter--> ALIVE --(a beat with each write)--> ALIVE --leave--> dead
//                       |
//                       +--(lease.h, of another node: its beat stands still)--lease--> dead
//
// Whoever was declared dead learns it with its next write, which is not kept
// (store_postgres_write.c).
//
// One connection is the writer's thread's, the other the reader's. Each is made anew where it is
// lost, by whoever needs it next.
#include "common/mem.h"
#include "orchestrator/store_postgres_read.h"
#include "orchestrator/store_postgres_schema.h"
#include "orchestrator/store_postgres_write.h"
#include "orchestrator/store_where.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

enum {
    BEAT_MS = 2000,
    NODE_VERSION = 1, // which kinds of events it knows
};

struct postgres {
    char *where;
    char shown[STORE_SHOWN_MAX];
    struct postgres_writer writer;
    struct pq reader;
    bool has_entered;
};

static bool allows_async;

void store_postgres_allow_async(bool is_allowed) {
    allows_async = is_allowed;
}

// --- a connection

// An answer comes after the commit is on disk, here and on the synchronous standbys. Nothing waits
// for a lock as long as its asker waits for the answer. Each query has its index, and takes it: a
// table that has grown since anybody counted its rows was read and sorted whole for each page.
#define SESSION                                                                                    \
    "set synchronous_commit = on; set lock_timeout = 800; set statement_timeout = 30000;"          \
    " set idle_in_transaction_session_timeout = 10000;"                                            \
    " set default_transaction_isolation = 'read committed';"                                       \
    " set enable_bitmapscan = off; set enable_seqscan = off; set jit = off;"                       \
    " set search_path = pg_catalog, pg_temp; set client_min_messages = warning"

static int check_database(struct pq *pq, struct error *err) {
    PGresult *row = pq_ask(pq,
                           "select current_setting('server_encoding'),"
                           " current_setting('synchronous_standby_names'),"
                           " (select count(*) from pg_stat_replication"
                           "   where coalesce(state, '') <> 'backup'"
                           "     and coalesce(application_name, '') <> 'pg_basebackup')",
                           NULL, PQ_REPLY_MS, err);
    if (row == NULL) return ERROR_INPUT;
    int rc = 0;
    if (strcmp(pq_text(row, 0), "UTF8") != 0)
        rc = error_set(err,
                       "the database is in %.20s: make one in UTF8 (createdb -E UTF8 -T template0)",
                       pq_text(row, 0));
    else if (pq_text(row, 1)[0] == '\0' && pq_number(row, 2) > 0 && !allows_async)
        rc = error_set(err,
                       "it has a standby that may lack what was kept, and jobs would be lost with "
                       "the primary: set synchronous_standby_names on the server, or start with "
                       "--allow-async");
    PQclear(row);
    return rc;
}

static int make_session(struct pq *pq, struct error *err) {
    int rc = pq_connect(pq, err);
    if (rc == 0) rc = pq_run(pq, SESSION, PQ_REPLY_MS, err);
    if (rc == 0) rc = check_database(pq, err);
    if (rc != 0) pq_close(pq);
    return rc;
}

// --- writing, reading

static bool connect_writer(struct postgres *s, struct error *err) {
    if (s->writer.pq.conn != NULL) return true;
    s->writer.is_known = false;
    return make_session(&s->writer.pq, err) == 0;
}

static enum store_status postgres_write(void *db, uint64_t number, long long wall_ms,
                                        struct store_op *ops, size_t count, struct error *err) {
    struct postgres *s = db;
    enum store_status status = STORE_UNREACHABLE;
    (void)wall_ms; // of this node alone: the database has a clock
    if (s->writer.is_fenced || connect_writer(s, err))
        status = postgres_writer_write(&s->writer, number, ops, count, err);
    if (status != STORE_OK) error_from(err, "%s", s->shown);
    return status;
}

// A connection that has lain still may be over: then it is asked once more over another.
static int postgres_read(void *db, const struct store_query *query, store_row row, void *arg,
                         struct error *err) {
    struct postgres *s = db;
    int rc = 0;
    for (int tries = 0; tries < 2; tries++) {
        const bool was_connected = s->reader.conn != NULL;
        bool told = false;
        rc = was_connected ? 0 : make_session(&s->reader, err);
        if (rc == 0) rc = postgres_read_rows(&s->reader, query, row, arg, &told, err);
        if (rc == 0 || told || !was_connected || s->reader.conn != NULL) break;
    }
    if (rc != 0) error_from(err, "%s", s->shown);
    return rc;
}

// --- the start

static void name_node(char id[STORE_NODE_ID_MAX]) {
    unsigned char bytes[12] = {0};
    size_t len = 0;
    if (getrandom(bytes, sizeof bytes, 0) != (ssize_t)sizeof bytes) abort(); // it never fails
    for (size_t i = 0; i < sizeof bytes; i++)
        len += (size_t)snprintf(id + len, STORE_NODE_ID_MAX - len, "%02x", bytes[i]);
}

static int enter(struct postgres *s, long long wall_ms, struct store_found *found,
                 struct error *err) {
    struct pq_params *p = &s->writer.params;
    char host[65] = "?", place[100];
    gethostname(host, sizeof host - 1);
    snprintf(place, sizeof place, "process %ld on %s", (long)getpid(), host);
    pq_params_clear(p);
    pq_add_text(p, s->writer.id);
    pq_add_text(p, place);
    pq_add_number(p, NODE_VERSION);
    pq_add_number(p, wall_ms > 0 ? wall_ms / 1000 : 0);
    PGresult *row = pq_ask(&s->writer.pq,
                           "select epoch, is_new, alive_ms, " POSTGRES_NOW
                           " from orchestrator.enter($1, $2, $3, $4)",
                           p, PQ_REPLY_MS, err);
    if (row == NULL) return ERROR_INPUT;
    *found = (struct store_found){.epoch = (uint64_t)pq_number(row, 0),
                                  .is_new = pq_bool(row, 1),
                                  .alive_ms = pq_number(row, 2),
                                  .now_ms = pq_number(row, 3)};
    snprintf(found->node, sizeof found->node, "%s", s->writer.id);
    s->has_entered = s->writer.is_known = true;
    PQclear(row);
    return 0;
}

// --- who shares it

// An epoch that was never given says that no shard ever was anybody's.
// Shards come as the numbers of their nodes: what is asked for ten times a second is short.
#define LOOK                                                                                       \
    "select n.id, n.beat, n.nth, n.hungry, n.version, n.place, n.ready,"                           \
    " (select string_agg(coalesce(m.nth, 0)::text, ' ' order by s.shard)"                          \
    "   from orchestrator.shards s left join orchestrator.nodes m on m.id = s.node),"              \
    " (extract(epoch from pg_postmaster_start_time()) * 1000)::bigint * 64"                        \
    "   + ('x' || left(pg_walfile_name(pg_current_wal_lsn()), 8))::bit(32)::bigint,"               \
    " case when is_called"                                                                         \
    "   then (extract(epoch from clock_timestamp() - pg_postmaster_start_time()) * 1000)::bigint"  \
    "   else 9223372036854775807 end"                                                              \
    " from orchestrator.epochs, orchestrator.nodes n where not n.dead order by n.nth"

static void take_node(struct store_view *view, const PGresult *rows, int row) {
    struct lease_node *node = &view->nodes[view->count];
    struct store_who *place = &view->places[view->count++];
    snprintf(node->id, sizeof node->id, "%s", PQgetvalue(rows, row, 0));
    node->beat = strtoull(PQgetvalue(rows, row, 1), NULL, 10);
    node->is_hungry = PQgetvalue(rows, row, 3)[0] == 't';
    node->is_ready = PQgetvalue(rows, row, 6)[0] == 't';
    place->version = atoi(PQgetvalue(rows, row, 4));
    snprintf(place->text, sizeof place->text, "%s", PQgetvalue(rows, row, 5));
}

// 1 + the index of the node that has the number; 0: it is dead, or nobody's.
static uint16_t index_of(const PGresult *rows, const char *number, size_t len) {
    for (int i = 0; i < PQntuples(rows); i++)
        if (strncmp(PQgetvalue(rows, i, 2), number, len) == 0 &&
            PQgetvalue(rows, i, 2)[len] == '\0')
            return (uint16_t)(i + 1);
    return 0;
}

static void take_owners(struct store_view *view, const PGresult *rows) {
    const char *at = PQgetvalue(rows, 0, 7), *last = "";
    size_t last_len = 0;
    uint16_t owner = 0;
    for (size_t i = 0; i < SHARDS && *at != '\0'; i++) {
        const size_t len = strcspn(at, " ");
        if (len != last_len || strncmp(at, last, len) != 0) owner = index_of(rows, at, len);
        view->owners[i] = owner;
        ++*(owner == 0 ? &view->free_shards : &view->nodes[owner - 1].shards);
        last = at;
        last_len = len;
        at += len + (at[len] == ' ');
    }
}

static int postgres_look(void *db, struct store_view *view, struct error *err) {
    struct postgres *s = db;
    int rc = s->reader.conn != NULL ? 0 : make_session(&s->reader, err);
    PGresult *rows = rc == 0 ? pq_ask(&s->reader, LOOK, NULL, PQ_REPLY_MS, err) : NULL;
    if (rows == NULL) {
        error_from(err, "%s", s->shown);
        return ERROR_INPUT;
    }
    const int count = PQntuples(rows);
    *view = (struct store_view){.nodes = mem_array((size_t)count, sizeof *view->nodes),
                                .places = mem_array((size_t)count, sizeof *view->places),
                                .owners = mem_array(SHARDS, sizeof *view->owners)};
    for (int i = 0; i < count; i++)
        take_node(view, rows, i);
    if (count > 0) {
        take_owners(view, rows);
        view->incarnation = (uint64_t)pq_number(rows, 8);
        view->age_ms = (uint64_t)pq_number(rows, 9);
    }
    PQclear(rows);
    return 0;
}

// --- opening, closing

// What libpq says of a wrong URI may hold its password.
static int check_uri(const struct postgres *s, struct error *err) {
    char *why = NULL;
    PQconninfoOption *options = PQconninfoParse(s->where, &why);
    const bool is_well = options != NULL;
    PQfreemem(why);
    PQconninfoFree(options);
    if (is_well) return 0;
    return error_set(err,
                     "%s is no URI of PostgreSQL: expected "
                     "postgresql://USER@HOST:PORT/DATABASE?OPTION=VALUE, and %%40 for an @ in "
                     "a name or a password",
                     s->shown);
}

static void free_store(struct postgres *s) {
    pq_close(&s->reader);
    postgres_writer_deinit(&s->writer);
    free(s->where);
    free(s);
}

static int open_database(struct postgres *s, long long wall_ms, struct store_found *found,
                         struct error *err) {
    int rc = make_session(&s->writer.pq, err);
    if (rc == 0) rc = postgres_schema_ready(&s->writer.pq, s->shown, err);
    if (rc == 0) rc = enter(s, wall_ms, found, err);
    if (rc == 0) rc = make_session(&s->reader, err);
    return rc;
}

// Its next start need not wait then.
static void leave(struct postgres *s) {
    struct error ignored;
    if (!s->has_entered || s->writer.is_fenced || !connect_writer(s, &ignored)) return;
    pq_params_clear(&s->writer.params);
    pq_add_text(&s->writer.params, s->writer.id);
    PQclear(pq_ask(&s->writer.pq, "select orchestrator.leave($1)", &s->writer.params, PQ_REPLY_MS,
                   &ignored));
}

static int postgres_open(void **db, const char *where, long long wall_ms, struct store_found *found,
                         struct error *err) {
    struct postgres *s = mem_zalloc(sizeof *s);
    s->where = mem_strdup(where);
    s->writer.pq.where = s->reader.where = s->where;
    store_where_show(where, s->shown);
    name_node(s->writer.id);
    int rc = check_uri(s, err);
    if (rc == 0) {
        rc = open_database(s, wall_ms, found, err);
        if (rc != 0 && strncmp(err->text, s->shown, strlen(s->shown)) != 0)
            error_from(err, "%s", s->shown);
    }
    if (rc == 0) {
        *db = s;
        return 0;
    }
    leave(s);
    free_store(s);
    return rc;
}

static void postgres_close(void *db) {
    if (db == NULL) return;
    leave(db);
    free_store(db);
}

const struct store_back store_postgres = {.open = postgres_open,
                                          .write = postgres_write,
                                          .read = postgres_read,
                                          .look = postgres_look,
                                          .close = postgres_close,
                                          .blocks = true,
                                          .beat_ms = BEAT_MS};

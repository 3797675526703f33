// Jobs and lines of the audit come one at a time, for a job may be large: nothing of it is kept but
// an image, which comes in pieces. Events are many and small: they come some thousand at a time.
// More may be added meanwhile, and are read as well; if their job is dropped meanwhile, that is no
// more than if it had been dropped before.
#include "orchestrator/store_postgres_read.h"

#include "orchestrator/store_rows.h"

enum {
    ROWS_MS = 5000,        // between two rows, or for some thousand
    EVENTS_AT_FIRST = 256, // whoever reads may want no more; doubling
    EVENTS_AT_ONCE = 4096,
    JOB_IMAGE = STORE_JOB_CELLS, // columns
    JOB_SHARDS,
};

enum { BOOL = 16, BYTEA = 17, INT8 = 20, INT2 = 21, INT4 = 23, TEXT = 25 }; // types, by the server

struct place {
    const PGresult *rows;
    int row;
};

static struct store_cell number_cell(const unsigned char *bytes, int len) {
    uint64_t number = 0;
    if (bytes[0] > INT8_MAX) return (struct store_cell){.kind = CELL_WRONG}; // it is negative
    for (int i = 0; i < len; i++)
        number = number << 8 | bytes[i];
    return (struct store_cell){.kind = CELL_NUMBER, .number = number};
}

static struct store_cell cell_at(void *row, int column) {
    const struct place *p = row;
    const char *bytes = PQgetvalue(p->rows, p->row, column);
    if (PQgetisnull(p->rows, p->row, column) != 0) return (struct store_cell){.kind = CELL_NULL};
    switch (PQftype(p->rows, column)) {
    case BOOL:
    case INT2:
    case INT4:
    case INT8:
        return number_cell((const unsigned char *)bytes, PQgetlength(p->rows, p->row, column));
    case TEXT:
        return (struct store_cell){.kind = CELL_TEXT, .text = bytes};
    default:
        return (struct store_cell){.kind = CELL_WRONG};
    }
}

// A reading under way.
struct reading {
    struct store_rows rows;
    struct buf image; // of the job, as far as its pieces have come
    PGresult *first;  // of a job that comes with its image: the row of the first piece
    bool told;
};

static int tell(struct reading *r, const PGresult *rows, int row, struct error *err) {
    struct place place = {rows, row};
    r->told = true;
    return store_rows_tell(&r->rows, &place, NULL, err);
}

static int tell_job(struct reading *r, struct error *err) {
    struct place place = {r->first, 0};
    struct store_blobs blobs = {.image = r->image.data, .image_len = r->image.len};
    if (PQgetisnull(r->first, 0, JOB_SHARDS) == 0) {
        blobs.shards = PQgetvalue(r->first, 0, JOB_SHARDS);
        blobs.shards_len = (size_t)PQgetlength(r->first, 0, JOB_SHARDS);
    }
    r->told = true;
    return store_rows_tell(&r->rows, &place, &blobs, err);
}

// One row a piece of its image, in order; without one, one row. Returns whether the row is kept.
static bool gather_image(struct reading *r, PGresult *row) {
    if (PQgetisnull(row, 0, JOB_IMAGE) == 0 && PQftype(row, JOB_IMAGE) == BYTEA)
        buf_add(&r->image, PQgetvalue(row, 0, JOB_IMAGE), (size_t)PQgetlength(row, 0, JOB_IMAGE));
    if (r->first != NULL) return false;
    r->first = row;
    return true;
}

// --- what is asked

#define JOBS  " from orchestrator.jobs join orchestrator.bodies on job = number"
#define AUDIT "select " STORE_AUDIT_COLUMNS " from orchestrator.audit where "

static void add_unless_0(struct pq_params *p, uint64_t value) {
    if (value == 0)
        pq_add_null(p);
    else
        pq_add_number(p, value < INT64_MAX ? (int64_t)value : INT64_MAX);
}

static const char *ask_for_jobs(struct pq_params *p, const struct store_query *query) {
    add_unless_0(p, query->job);
    add_unless_0(p, (uint64_t)query->state);
    pq_add_bool(p, query->is_open);
    add_unless_0(p, query->limit);
    pq_add_text(p, query->id);
    pq_add_text(p, query->key);
    return "select " STORE_JOB_COLUMNS JOBS " where ($1::bigint is null or number < $1) and"
           " ($2::smallint is null or state = $2) and (not $3::bool or state <> 5) and"
           " ($5::text is null or id = $5) and ($6::text is null or key = $6)"
           " order by number desc limit $4::bigint";
}

static const char *ask_for_job(struct pq_params *p, const struct store_query *query) {
    add_unless_0(p, query->id == NULL && query->key == NULL ? query->job : 0);
    pq_add_text(p, query->id);
    pq_add_text(p, query->id == NULL ? query->key : NULL);
    return "select " STORE_JOB_COLUMNS ", bytes, shards" JOBS
           " left join (select id as of, piece, bytes from orchestrator.images) i"
           " on of = id where number = $1 or id = $2 or key = $3 order by piece";
}

static const char *ask_for_audit(struct pq_params *p, const struct store_query *query) {
    if (query->oldest_first)
        pq_add_number(p, (int64_t)query->after);
    else
        add_unless_0(p, query->after);
    add_unless_0(p, query->limit);
    return query->oldest_first ? AUDIT "n > $1 order by n limit $2::bigint"
                               : AUDIT
               "($1::bigint is null or n < $1) order by n desc limit $2::bigint";
}

static const char *ask_for(struct pq_params *p, const struct store_query *query) {
    _Static_assert(JOB_DONE == 5, "the queries say so");
    if (query->kind == STORE_READ_JOBS) return ask_for_jobs(p, query);
    return query->kind == STORE_READ_JOB ? ask_for_job(p, query) : ask_for_audit(p, query);
}

static const char *ask_for_events(struct pq_params *p, uint64_t job, uint64_t after, size_t limit) {
    pq_params_clear(p);
    pq_add_number(p, (int64_t)job);
    pq_add_number(p, (int64_t)after);
    pq_add_number(p, (int64_t)limit);
    return "select " STORE_EVENT_COLUMNS(
        "job", "n",
        "epoch") " from orchestrator.events where job = $1 and n > $2 order by n limit $3";
}

static int read_events(struct reading *r, struct pq *pq, struct pq_params *p, struct error *err) {
    const struct store_query *query = r->rows.query;
    size_t left = query->limit == 0 ? SIZE_MAX : query->limit;
    size_t limit = EVENTS_AT_FIRST, rows = limit;
    int rc = 0;
    for (; rc == 0 && r->rows.goes_on && rows == limit && left > 0; left -= rows) {
        if (r->rows.n > query->after && limit < EVENTS_AT_ONCE) limit *= 2;
        if (limit > left) limit = left;
        const char *question = ask_for_events(p, query->job, r->rows.n, limit);
        PGresult *events = pq_ask_rows(pq, question, p, ROWS_MS, err);
        if (events == NULL) return ERROR_INPUT;
        rows = (size_t)PQntuples(events);
        for (int i = 0; i < (int)rows && rc == 0 && r->rows.goes_on; i++)
            rc = tell(r, events, i, err);
        PQclear(events);
    }
    return rc;
}

static int read_one_by_one(struct reading *r, struct pq *pq, struct pq_params *p,
                           struct error *err) {
    int rc = pq_begin(pq, ask_for(p, r->rows.query), p, err);
    while (rc == 0 && r->rows.goes_on) {
        PGresult *row = NULL;
        rc = pq_next(pq, &row, ROWS_MS, err);
        if (rc != 0 || row == NULL) break;
        if (r->rows.query->kind == STORE_READ_JOB) {
            if (!gather_image(r, row)) PQclear(row);
            continue;
        }
        rc = tell(r, row, 0, err);
        PQclear(row);
    }
    if (rc == 0 && r->first != NULL) rc = tell_job(r, err);
    pq_end(pq);
    return rc;
}

int postgres_read_rows(struct pq *pq, const struct store_query *query, store_row row, void *arg,
                       bool *told, struct error *err) {
    struct pq_params params = {0};
    struct reading r = {0};
    if (!store_rows_begin(&r.rows, query, row, arg, cell_at)) return 0;
    int rc = query->kind == STORE_READ_EVENTS ? read_events(&r, pq, &params, err)
                                              : read_one_by_one(&r, pq, &params, err);
    *told = r.told;
    PQclear(r.first);
    buf_deinit(&r.image);
    pq_params_deinit(&params);
    return rc;
}

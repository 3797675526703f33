// Jobs and lines of the audit come one at a time, for a job may be large: nothing of it is kept but
// an image, which comes in pieces. Events are many and small: they come some thousand at a time.
// More may be added meanwhile, and are read as well; if their job is dropped meanwhile, that is no
// more than if it had been dropped before.
#include "orchestrator/store_postgres_read.h"

#include "common/mem.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum {
    STATUS_MAX = 999,
    ROWS_MS = 5000,        // between two rows, or for some thousand
    EVENTS_AT_FIRST = 256, // whoever reads may want no more; doubling
    EVENTS_AT_ONCE = 4096,
    INT8 = 20,
    TEXT = 25,
    BYTEA = 17, // types, as the server numbers them
};

// A row under a reader's eyes; is_wrong where a value is not of its type or too large.
struct cells {
    const PGresult *rows;
    int row; // which of them
    bool is_wrong;
};

static uint64_t cell(struct cells *c, int column, uint64_t max) {
    uint64_t value = 0;
    if (PQftype(c->rows, column) == INT8 && PQgetlength(c->rows, c->row, column) == 8) {
        const char *bytes = PQgetvalue(c->rows, c->row, column);
        for (int i = 0; i < 8; i++)
            value = value << 8 | (unsigned char)bytes[i];
        if (value <= max && value <= INT64_MAX) return value;
    }
    c->is_wrong = true;
    return 0;
}

static uint64_t cell_or(struct cells *c, int column, uint64_t max, uint64_t otherwise) {
    return PQgetisnull(c->rows, c->row, column) != 0 ? otherwise : cell(c, column, max);
}

static const char *text_cell(struct cells *c, int column) {
    if (PQgetisnull(c->rows, c->row, column) != 0) return NULL;
    if (PQftype(c->rows, column) == TEXT) return PQgetvalue(c->rows, c->row, column);
    c->is_wrong = true;
    return NULL;
}

enum { JOB_IMAGE = 17, JOB_SHARDS = 18, SHARD_BYTES = 2 };

static struct store_job job_of(struct cells *c) {
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
    return job;
}

static struct store_event event_of(struct cells *c) {
    return (struct store_event){.job = cell(c, 0, INT32_MAX),
                                .n = cell(c, 1, UINT32_MAX),
                                .wall_ms = (long long)cell(c, 2, INT64_MAX),
                                .kind = (enum store_kind)cell(c, 3, STORE_JOB),
                                .host = (uint32_t)cell_or(c, 4, UINT32_MAX, STORE_NO_HOST),
                                .attempt = (uint8_t)cell_or(c, 5, UINT8_MAX, 0),
                                .result = (enum host_state)cell_or(c, 6, HOST_STATES, HOST_WAITING),
                                .ms = cell_or(c, 7, INT64_MAX, 0),
                                .state = (enum job_state)cell_or(c, 8, JOB_DONE, 0),
                                .outcome = (enum job_outcome)cell_or(c, 9, JOB_STOPPED, 0),
                                .version = text_cell(c, 10),
                                .text = text_cell(c, 11),
                                .epoch = cell_or(c, 12, INT64_MAX, 0)};
}

// A reading under way.
struct reading {
    struct cells cells;
    const struct store_query *query;
    store_row row;
    void *arg;
    uint64_t n;       // of the event before
    struct buf image; // of the job, as far as its pieces have come
    PGresult *first;  // of a job that comes with its image: the row of the first piece
    bool goes_on;
};

// Two bytes a host, the higher first; NULL: there are none.
static uint16_t *shards_in(struct cells *c, uint64_t hosts) {
    if (PQgetisnull(c->rows, c->row, JOB_SHARDS) != 0) return NULL;
    const unsigned char *bytes = (const unsigned char *)PQgetvalue(c->rows, c->row, JOB_SHARDS);
    if ((uint64_t)PQgetlength(c->rows, c->row, JOB_SHARDS) != hosts * SHARD_BYTES) {
        c->is_wrong = true;
        return NULL;
    }
    uint16_t *shards = mem_array(hosts, sizeof *shards);
    for (uint64_t i = 0; i < hosts; i++) {
        shards[i] = (uint16_t)(bytes[2 * i] << 8 | bytes[2 * i + 1]);
        c->is_wrong |= shards[i] >= SHARDS;
    }
    return shards;
}

static int tell_job(struct reading *r, struct error *err) {
    struct store_job job = job_of(&r->cells);
    uint16_t *shards = r->query->kind == STORE_READ_JOB ? shards_in(&r->cells, job.hosts) : NULL;
    job.shards = shards;
    int rc = store_job_check(&job, err);
    if (r->cells.is_wrong) rc = error_set(err, "a value that is none of its column");
    if (rc != 0) error_from(err, "job %llu", (unsigned long long)job.number);
    job.image = r->image.len == 0 ? NULL : r->image.data;
    job.image_len = r->image.len;
    if (rc == 0) r->goes_on = r->row(r->arg, &job, NULL);
    free(shards);
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

// One row a piece of its image, in order; without one, one row. Returns whether the row is kept.
static bool gather_image(struct reading *r, PGresult *row) {
    if (PQgetisnull(row, 0, JOB_IMAGE) == 0 && PQftype(row, JOB_IMAGE) == BYTEA)
        buf_add(&r->image, PQgetvalue(row, 0, JOB_IMAGE), (size_t)PQgetlength(row, 0, JOB_IMAGE));
    if (r->first != NULL) return false;
    r->first = row;
    return true;
}

// --- what is asked

#define JOB                                                                                        \
    "select number, id, key, task, request, hosts, changed, unchanged, failed, skipped, n,"        \
    " state::bigint, outcome::bigint, text, created_ms, started_ms, ended_ms"
#define JOBS " from orchestrator.jobs join orchestrator.bodies on job = number"
#define AUDIT                                                                                      \
    "select n, refused::int::bigint, wall_ms, status::bigint, who, source, method, path, job"      \
    " from orchestrator.audit where "

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
    return JOB JOBS " where ($1::bigint is null or number < $1) and"
                    " ($2::smallint is null or state = $2) and (not $3::bool or state <> 5) and"
                    " ($5::text is null or id = $5) and ($6::text is null or key = $6)"
                    " order by number desc limit $4::bigint";
}

static const char *ask_for_job(struct pq_params *p, const struct store_query *query) {
    add_unless_0(p, query->id == NULL && query->key == NULL ? query->job : 0);
    pq_add_text(p, query->id);
    pq_add_text(p, query->id == NULL ? query->key : NULL);
    return JOB ", bytes, shards" JOBS
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
    return "select job, n, wall_ms, kind::bigint, host, attempt::bigint, result::bigint, ms,"
           " state::bigint, outcome::bigint, version, text, epoch from orchestrator.events"
           " where job = $1 and n > $2 order by n limit $3";
}

static bool has_none(const struct store_query *query) {
    if (query->kind == STORE_READ_JOBS) return false;
    return query->after > INT64_MAX || query->job > INT32_MAX;
}

static int read_events(struct reading *r, struct pq *pq, struct pq_params *p, struct error *err) {
    size_t left = r->query->limit == 0 ? SIZE_MAX : r->query->limit;
    size_t limit = EVENTS_AT_FIRST, rows = limit;
    int rc = 0;
    for (; rc == 0 && r->goes_on && rows == limit && left > 0; left -= rows) {
        if (r->n > r->query->after && limit < EVENTS_AT_ONCE) limit *= 2;
        if (limit > left) limit = left;
        const char *question = ask_for_events(p, r->query->job, r->n, limit);
        PGresult *events = pq_ask_rows(pq, question, p, ROWS_MS, err);
        if (events == NULL) return ERROR_INPUT;
        rows = (size_t)PQntuples(events);
        for (int i = 0; i < (int)rows && rc == 0 && r->goes_on; i++) {
            r->cells = (struct cells){.rows = events, .row = i};
            rc = tell_event(r, err);
        }
        PQclear(events);
    }
    return rc;
}

static int read_one_by_one(struct reading *r, struct pq *pq, struct pq_params *p,
                           struct error *err) {
    int rc = pq_begin(pq, ask_for(p, r->query), p, err);
    while (rc == 0 && r->goes_on) {
        PGresult *row = NULL;
        rc = pq_next(pq, &row, ROWS_MS, err);
        if (rc != 0 || row == NULL) break;
        if (r->query->kind == STORE_READ_JOB) {
            if (!gather_image(r, row)) PQclear(row);
            continue;
        }
        r->cells = (struct cells){.rows = row};
        rc = r->query->kind == STORE_READ_AUDIT ? tell_audit(r, err) : tell_job(r, err);
        PQclear(row);
    }
    if (rc == 0 && r->first != NULL) {
        r->cells = (struct cells){.rows = r->first};
        rc = tell_job(r, err);
    }
    pq_end(pq);
    return rc;
}

int postgres_read_rows(struct pq *pq, const struct store_query *query, store_row row, void *arg,
                       bool *told, struct error *err) {
    if (has_none(query)) return 0;
    struct pq_params params = {0};
    struct reading r = {.query = query, .row = row, .arg = arg, .n = query->after, .goes_on = true};
    int rc = query->kind == STORE_READ_EVENTS ? read_events(&r, pq, &params, err)
                                              : read_one_by_one(&r, pq, &params, err);
    *told = r.cells.rows != NULL;
    PQclear(r.first);
    buf_deinit(&r.image);
    pq_params_deinit(&params);
    return rc;
}

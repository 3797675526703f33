#include "orchestrator/store_rows.h"

#include "common/mem.h"

#include <stdlib.h>

enum { STATUS_MAX = 999, SHARD_BYTES = 2 };

// A row under a reader's eyes; is_wrong where a value is not of its column or too large.
struct cells {
    store_cell_at at;
    void *row;
    bool is_wrong;
};

static uint64_t number_in(struct cells *c, struct store_cell cell, uint64_t max) {
    if (cell.kind == CELL_NUMBER && cell.number <= max) return cell.number;
    c->is_wrong = true;
    return 0;
}

static uint64_t number(struct cells *c, int column, uint64_t max) {
    return number_in(c, c->at(c->row, column), max);
}

static uint64_t number_or(struct cells *c, int column, uint64_t max, uint64_t otherwise) {
    const struct store_cell cell = c->at(c->row, column);
    return cell.kind == CELL_NULL ? otherwise : number_in(c, cell, max);
}

static const char *text(struct cells *c, int column) {
    const struct store_cell cell = c->at(c->row, column);
    if (cell.kind == CELL_TEXT) return cell.text;
    c->is_wrong |= cell.kind != CELL_NULL;
    return NULL;
}

static int judge(const struct cells *c, int rc, struct error *err) {
    return c->is_wrong ? error_set(err, "a value that is none of its column") : rc;
}

// --- a job

static struct store_job job_of(struct cells *c) {
    struct store_job job = {.number = number(c, 0, INT32_MAX),
                            .id = text(c, 1),
                            .key = text(c, 2),
                            .task = text(c, 3),
                            .request = text(c, 4),
                            .hosts = number(c, 5, UINT32_MAX),
                            .n = number(c, 10, UINT32_MAX),
                            .state = (enum job_state)number(c, 11, JOB_DONE),
                            .outcome = (enum job_outcome)number(c, 12, JOB_STOPPED),
                            .text = text(c, 13),
                            .created_ms = (long long)number(c, 14, INT64_MAX),
                            .started_ms = (long long)number(c, 15, INT64_MAX),
                            .ended_ms = (long long)number(c, STORE_JOB_CELLS - 1, INT64_MAX)};
    for (int i = 0; i < HOST_STATES - HOST_CHANGED; i++)
        job.results[HOST_CHANGED + i] = number(c, 6 + i, UINT32_MAX);
    return job;
}

static uint16_t *shards_of_hosts(struct cells *c, const struct store_blobs *blobs, uint64_t hosts) {
    const unsigned char *bytes = blobs->shards;
    if (bytes == NULL) return NULL;
    if (blobs->shards_len != hosts * SHARD_BYTES) {
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

static int tell_job(struct store_rows *r, struct cells *c, const struct store_blobs *blobs,
                    struct error *err) {
    struct store_job job = job_of(c);
    uint16_t *shards = NULL;
    if (blobs != NULL) {
        job.image = blobs->image_len == 0 ? NULL : blobs->image;
        job.image_len = blobs->image_len;
        job.shards = shards = shards_of_hosts(c, blobs, job.hosts);
    }
    int rc = judge(c, store_job_check(&job, err), err);
    if (rc != 0)
        error_from(err, "job %llu", (unsigned long long)job.number);
    else
        r->goes_on = r->row(r->arg, &job, NULL);
    free(shards);
    return rc;
}

// --- an event

static struct store_event event_of(struct cells *c) {
    return (struct store_event){.job = number(c, 0, INT32_MAX),
                                .n = number(c, 1, UINT32_MAX),
                                .wall_ms = (long long)number(c, 2, INT64_MAX),
                                .kind = (enum store_kind)number(c, 3, STORE_JOB),
                                .host = (uint32_t)number_or(c, 4, UINT32_MAX, STORE_NO_HOST),
                                .attempt = (uint8_t)number_or(c, 5, UINT8_MAX, 0),
                                .result =
                                    (enum host_state)number_or(c, 6, HOST_STATES, HOST_WAITING),
                                .ms = number_or(c, 7, INT64_MAX, 0),
                                .state = (enum job_state)number_or(c, 8, JOB_DONE, 0),
                                .outcome = (enum job_outcome)number_or(c, 9, JOB_STOPPED, 0),
                                .version = text(c, 10),
                                .text = text(c, 11),
                                .epoch = number_or(c, 12, INT64_MAX, 0)};
}

static int tell_event(struct store_rows *r, struct cells *c, struct error *err) {
    const struct store_event event = event_of(c);
    int rc = judge(c, store_event_check(&event, err), err);
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

// --- a line of the audit

static int tell_audit(struct store_rows *r, struct cells *c, struct error *err) {
    const struct store_audit audit = {.n = number(c, 0, INT64_MAX),
                                      .is_refused = number(c, 1, 1) != 0,
                                      .wall_ms = (long long)number(c, 2, INT64_MAX),
                                      .status = (int)number(c, 3, STATUS_MAX),
                                      .who = text(c, 4),
                                      .from = text(c, 5),
                                      .method = text(c, 6),
                                      .path = text(c, 7),
                                      .job = text(c, 8)};
    c->is_wrong |= audit.from == NULL || audit.method == NULL || audit.path == NULL;
    int rc = judge(c, 0, err);
    if (rc != 0)
        error_from(err, "line %llu of the audit", (unsigned long long)audit.n);
    else
        r->goes_on = r->query->audit(r->arg, &audit);
    return rc;
}

// --- a reading

bool store_rows_begin(struct store_rows *rows, const struct store_query *query, store_row row,
                      void *arg, store_cell_at at) {
    const uint64_t last = query->kind == STORE_READ_AUDIT ? INT64_MAX : UINT32_MAX - 1;
    *rows = (struct store_rows){query, row, arg, at, query->after, true};
    return query->kind == STORE_READ_JOBS || (query->job <= INT32_MAX && query->after <= last);
}

int store_rows_tell(struct store_rows *rows, void *row, const struct store_blobs *blobs,
                    struct error *err) {
    struct cells cells = {.at = rows->at, .row = row};
    if (rows->query->kind == STORE_READ_AUDIT) return tell_audit(rows, &cells, err);
    if (rows->query->kind == STORE_READ_EVENTS) return tell_event(rows, &cells, err);
    return tell_job(rows, &cells, blobs, err);
}

// What a row of a table becomes: a job, an event or a line of the audit, which whoever reads is
// told; and whether it is what was written. What backs with tables share: each says what stands in
// a cell. Pure.
#pragma once

#include "orchestrator/store_back.h"

// The columns of a query, in this order.
#define STORE_JOB_COLUMNS                                                                          \
    "number, id, key, task, request, hosts, changed, unchanged, failed, skipped, n, state,"        \
    " outcome, text, created_ms, started_ms, ended_ms"
#define STORE_EVENT_COLUMNS(job, n, epoch)                                                         \
    job ", " n ", wall_ms, kind, host, attempt, result, ms, state, outcome, version, text, " epoch
#define STORE_AUDIT_COLUMNS "n, refused, wall_ms, status, who, source, method, path, job"

enum { STORE_JOB_CELLS = 17 }; // behind them a back has its own

struct store_cell {
    enum { CELL_WRONG, CELL_NULL, CELL_NUMBER, CELL_TEXT } kind;
    uint64_t number;
    const char *text; // lives as long as the row
};

// CELL_WRONG: a number that is negative, a text with a NUL in it, or another type.
typedef struct store_cell (*store_cell_at)(void *row, int column);

struct store_rows { // a reading under way
    const struct store_query *query;
    store_row row; // as of the back's read()
    void *arg;
    store_cell_at at;
    uint64_t n;   // of the event before
    bool goes_on; // more rows are wanted
};

// What a job has beside its cells, of STORE_READ_JOB; NULL: nothing.
struct store_blobs {
    const void *image, *shards; // shards: two bytes a host, the higher first
    size_t image_len, shards_len;
};

// False: no row can be what the query asks for.
bool store_rows_begin(struct store_rows *rows, const struct store_query *query, store_row row,
                      void *arg, store_cell_at at);
// blobs: of a job; NULL: it has none. ERROR_INPUT: the row is not what was written; nobody was
// told.
int store_rows_tell(struct store_rows *rows, void *row, const struct store_blobs *blobs,
                    struct error *err);

// A connection to PostgreSQL of which every wait has an end: libpq's calls that do not block, and
// poll(2). The only file that speaks to libpq.
//
// A reply has PQ_REPLY_MS, and a second more for each 8 MB that are sent. Who takes longer is cut
// off and not connected any more: whether what was asked is done is not known then. Name look-ups
// may take as long as the resolver lets them.
#pragma once

#include "common/buf.h"
#include "common/error.h"

#include <libpq-fe.h>
#include <stdbool.h>
#include <stdint.h>

enum {
    PQ_REPLY_MS = 1000,
    PQ_CONNECT_MS = 3000,
    PQ_PARAMS_MAX = 26,
    PQ_OLDEST = 130000, // the server's version
};

struct pq {
    const char *where; // borrowed; it may hold a password
    PGconn *conn;      // NULL: not connected
    bool is_answered;  // the last question, whatever the answer: it has an end
    char state[6];     // SQLSTATE of the last error; "": it is none of the server's
    char warning[200]; // that came with the last answer; "": none
};

// Nothing is asked there yet. err says what is wrong and what to do.
int pq_connect(struct pq *pq, struct error *err);
void pq_close(struct pq *pq);

// --- what is asked

// Parameters, $1 and up. Texts are copied; what is not UTF-8 in them becomes '?', a byte each, for
// the server would refuse it for ever.
struct pq_params { // zeroed it is empty and ready
    struct buf texts[PQ_PARAMS_MAX];
    const void *bytes[PQ_PARAMS_MAX]; // borrowed; NULL: texts
    size_t lens[PQ_PARAMS_MAX];
    bool are_null[PQ_PARAMS_MAX];
    int count;
};

void pq_params_clear(struct pq_params *p); // memory is kept
void pq_params_deinit(struct pq_params *p);
void pq_add_null(struct pq_params *p);
void pq_add_number(struct pq_params *p, int64_t value);
void pq_add_bool(struct pq_params *p, bool value);
void pq_add_text(struct pq_params *p, const char *text); // NULL: null
void pq_add_bytes(struct pq_params *p, const void *bytes, size_t len);
// Arrays: so many are begun at once, then each element is added to each. They are whole when the
// question is asked.
int pq_add_arrays(struct pq_params *p, int count); // the place of the first
void pq_element(struct pq_params *p, int array, int64_t value);
void pq_element_or_null(struct pq_params *p, int array, bool is_there, int64_t value);
void pq_element_text(struct pq_params *p, int array, const char *text); // NULL: null

// Asks for rows as text, and waits for all of the answer, the commit included. NULL: err says why.
PGresult *pq_ask(struct pq *pq, const char *question, struct pq_params *params, unsigned reply_ms,
                 struct error *err);
// Statements without parameters, of which no rows are wanted.
int pq_run(struct pq *pq, const char *statements, unsigned reply_ms, struct error *err);

// The same with rows in binary form.
PGresult *pq_ask_rows(struct pq *pq, const char *question, struct pq_params *params,
                      unsigned reply_ms, struct error *err);

// Rows in binary form, one at a time: for those that may be large. NULL with rc 0: there are no
// more.
int pq_begin(struct pq *pq, const char *question, struct pq_params *params, struct error *err);
int pq_next(struct pq *pq, PGresult **row, unsigned reply_ms, struct error *err);
void pq_end(struct pq *pq); // in the middle, too

// --- what was answered

bool pq_is_null(const PGresult *result, int column);
int64_t pq_number(const PGresult *result, int column); // of a text; null: 0
bool pq_bool(const PGresult *result, int column);
// Of a text like {1,2}: the next number of it. False: there is none.
bool pq_array_next(const char **at, int64_t *value);
const char *pq_text(const PGresult *result, int column); // null: ""

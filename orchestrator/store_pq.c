#include "orchestrator/store_pq.h"

#include "common/clock.h"
#include "common/count.h"
#include "common/text.h"
#include "common/utf8.h"
#include "orchestrator/store_pq_advice.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

enum { BYTES_A_MS = 8192 };

// --- waiting

static int wait_until(PGconn *conn, short events, uint64_t until_ms) {
    for (;;) {
        const uint64_t now = clock_boot_ms();
        if (now >= until_ms) return 0;
        struct pollfd poller = {.fd = PQsocket(conn), .events = events};
        const int rc = poll(&poller, 1, (int)(until_ms - now));
        if (rc > 0) return 1;
        if (rc < 0 && errno != EINTR) return 0;
    }
}

// What is in its buffer is not to be waited for.
static void cut_off(struct pq *pq) {
    if (PQsocket(pq->conn) >= 0) shutdown(PQsocket(pq->conn), SHUT_RDWR);
    pq_close(pq);
}

void pq_close(struct pq *pq) {
    PQfinish(pq->conn);
    pq->conn = NULL;
}

static int overrun(struct pq *pq, unsigned reply_ms, struct error *err) {
    cut_off(pq);
    error_set(err, "no answer within %u ms", reply_ms);
    error_advise(err, "look whether the server works, and what its disk does");
    return ERROR_INPUT;
}

// --- connecting

// What the server says beside its answers: on a write a warning means that it may be kept nowhere
// else.
static void on_notice(void *arg, const PGresult *notice) {
    struct pq *pq = arg;
    const char *severity = PQresultErrorField(notice, PG_DIAG_SEVERITY_NONLOCALIZED);
    const char *text = PQresultErrorField(notice, PG_DIAG_MESSAGE_PRIMARY);
    if (severity == NULL || strcmp(severity, "WARNING") != 0) return;
    snprintf(pq->warning, sizeof pq->warning, "%s", text == NULL ? severity : text);
    text_line(pq->warning);
}

// Ours stand before the URI, which may say otherwise.
static PGconn *start(const char *where) {
    static const char *const names[] = {
        "tcp_user_timeout", "keepalives_idle",      "keepalives_interval",
        "keepalives_count", "target_session_attrs", "fallback_application_name",
        "dbname",           "client_encoding",      NULL};
    const char *const values[] = {"2000",         "2",   "1",    "3", "read-write",
                                  "orchestrator", where, "UTF8", NULL};
    _Static_assert(COUNT(names) == COUNT(values), "a value for each");
    return PQconnectStartParams(names, values, 1);
}

// The server's SQLSTATE is in the message then, as "FATAL:  28P01: ...".
static bool connect_until(PGconn *conn, uint64_t until_ms) {
    PostgresPollingStatusType status = PGRES_POLLING_WRITING;
    PQsetErrorVerbosity(conn, PQERRORS_VERBOSE);
    while (status == PGRES_POLLING_READING || status == PGRES_POLLING_WRITING) {
        if (wait_until(conn, status == PGRES_POLLING_READING ? POLLIN : POLLOUT, until_ms) == 0)
            return false;
        status = PQconnectPoll(conn);
    }
    return true;
}

static int refuse_old(const struct pq *pq, struct error *err) {
    const int version = PQserverVersion(pq->conn);
    if (version >= PQ_OLDEST) return 0;
    return error_set(err, "the server is PostgreSQL %d: use one of %d or newer", version / 10000,
                     PQ_OLDEST / 10000);
}

int pq_connect(struct pq *pq, struct error *err) {
    int rc = 0;
    pq_close(pq);
    pq->conn = start(pq->where);
    const bool has_begun = PQstatus(pq->conn) != CONNECTION_BAD;
    if (has_begun && !connect_until(pq->conn, clock_boot_ms() + PQ_CONNECT_MS)) {
        rc = overrun(pq, PQ_CONNECT_MS, err);
        error_from(err, "connecting");
        return rc;
    }
    if (PQstatus(pq->conn) != CONNECTION_OK) rc = pq_explain_connecting(pq->conn, err);
    if (rc == 0) rc = refuse_old(pq, err);
    if (rc != 0) {
        pq_close(pq);
        return rc;
    }
    PQsetErrorVerbosity(pq->conn, PQERRORS_DEFAULT);
    PQsetNoticeReceiver(pq->conn, on_notice, pq);
    PQsetnonblocking(pq->conn, 1);
    return 0;
}

// --- asking

static size_t bind_all(struct pq_params *p, const char **values, int *lens, int *formats) {
    size_t bytes = 0;
    for (int i = 0; i < p->count; i++) {
        const bool is_binary = p->bytes[i] != NULL;
        const char *text = p->texts[i].len == 0 ? "" : p->texts[i].data;
        formats[i] = is_binary;
        values[i] = p->are_null[i] ? NULL : is_binary ? p->bytes[i] : text;
        lens[i] = is_binary ? (int)p->lens[i] : 0;
        bytes += is_binary ? p->lens[i] : p->texts[i].len;
    }
    return bytes;
}

// Not connected, or not any more.
static int lost(struct pq *pq, struct error *err) {
    pq_explain(pq->conn, NULL, pq->state, err);
    pq_close(pq);
    return ERROR_INPUT;
}

static int flush(struct pq *pq, uint64_t until_ms, unsigned reply_ms, struct error *err) {
    int rc;
    while ((rc = PQflush(pq->conn)) == 1) {
        // An answer in the middle is taken, or both sides would wait for each other.
        if (wait_until(pq->conn, POLLIN | POLLOUT, until_ms) == 0)
            return overrun(pq, reply_ms, err);
        if (PQconsumeInput(pq->conn) == 0) return lost(pq, err);
    }
    return rc == 0 ? 0 : lost(pq, err);
}

static int send_question(struct pq *pq, const char *question, struct pq_params *p, int format,
                         unsigned *reply_ms, struct error *err) {
    const char *values[PQ_PARAMS_MAX];
    int lens[PQ_PARAMS_MAX], formats[PQ_PARAMS_MAX], is_sent;
    pq->is_answered = false;
    pq->state[0] = pq->warning[0] = '\0';
    if (pq->conn == NULL) return error_set(err, "not connected");
    if (p == NULL) {
        is_sent = PQsendQuery(pq->conn, question);
    } else {
        *reply_ms += (unsigned)(bind_all(p, values, lens, formats) / BYTES_A_MS);
        is_sent =
            PQsendQueryParams(pq->conn, question, p->count, NULL, values, lens, formats, format);
    }
    return is_sent == 1 ? flush(pq, clock_boot_ms() + *reply_ms, *reply_ms, err) : lost(pq, err);
}

static int next_result(struct pq *pq, PGresult **result, uint64_t until_ms, unsigned reply_ms,
                       struct error *err) {
    while (PQisBusy(pq->conn) != 0) {
        if (wait_until(pq->conn, POLLIN, until_ms) == 0) return overrun(pq, reply_ms, err);
        if (PQconsumeInput(pq->conn) == 0) return lost(pq, err);
    }
    *result = PQgetResult(pq->conn);
    return 0;
}

static bool is_error(const PGresult *result) {
    const ExecStatusType status = PQresultStatus(result);
    return status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK && status != PGRES_SINGLE_TUPLE;
}

// Rows come before the commit, and what goes wrong there behind them: so the answer is read to its
// end, where the server is ready for the next.
static int read_answer(struct pq *pq, PGresult **answer, unsigned reply_ms, struct error *err) {
    const uint64_t until_ms = clock_boot_ms() + reply_ms;
    int rc = 0;
    for (PGresult *result;;) {
        if (next_result(pq, &result, until_ms, reply_ms, err) != 0) return ERROR_INPUT;
        if (result == NULL) break;
        if (rc == 0 && is_error(result)) rc = pq_explain(pq->conn, result, pq->state, err);
        PQclear(*answer);
        *answer = result;
    }
    if (PQstatus(pq->conn) != CONNECTION_OK) {
        if (rc == 0) return lost(pq, err);
        pq_close(pq);
        return rc;
    }
    pq->is_answered = PQtransactionStatus(pq->conn) == PQTRANS_IDLE;
    if (rc == 0 && !pq->is_answered) rc = error_set(err, "a transaction was left open");
    if (!pq->is_answered) cut_off(pq);
    return rc;
}

static PGresult *ask(struct pq *pq, const char *question, struct pq_params *params, int format,
                     unsigned reply_ms, struct error *err) {
    PGresult *answer = NULL;
    int rc = send_question(pq, question, params, format, &reply_ms, err);
    if (rc == 0) rc = read_answer(pq, &answer, reply_ms, err);
    if (rc == 0) return answer;
    PQclear(answer);
    return NULL;
}

PGresult *pq_ask(struct pq *pq, const char *question, struct pq_params *params, unsigned reply_ms,
                 struct error *err) {
    return ask(pq, question, params, 0, reply_ms, err);
}

PGresult *pq_ask_rows(struct pq *pq, const char *question, struct pq_params *params,
                      unsigned reply_ms, struct error *err) {
    return ask(pq, question, params, 1, reply_ms, err);
}

int pq_run(struct pq *pq, const char *statements, unsigned reply_ms, struct error *err) {
    PGresult *answer = pq_ask(pq, statements, NULL, reply_ms, err);
    PQclear(answer);
    return answer == NULL ? ERROR_INPUT : 0;
}

int pq_begin(struct pq *pq, const char *question, struct pq_params *params, struct error *err) {
    unsigned reply_ms = PQ_REPLY_MS;
    int rc = send_question(pq, question, params, 1, &reply_ms, err);
    if (rc == 0) PQsetSingleRowMode(pq->conn);
    return rc;
}

int pq_next(struct pq *pq, PGresult **row, unsigned reply_ms, struct error *err) {
    *row = NULL;
    if (next_result(pq, row, clock_boot_ms() + reply_ms, reply_ms, err) != 0) return ERROR_INPUT;
    if (*row == NULL || PQresultStatus(*row) == PGRES_SINGLE_TUPLE) return 0;
    int rc = is_error(*row) ? pq_explain(pq->conn, *row, pq->state, err) : 0;
    PQclear(*row);
    *row = NULL;
    if (rc != 0 && PQstatus(pq->conn) != CONNECTION_OK) pq_close(pq);
    return rc;
}

// What is left of a long answer is not waited for: a new connection is cheaper.
void pq_end(struct pq *pq) {
    enum { LEFT_MAX = 3 };
    for (int i = 0; pq->conn != NULL && i < LEFT_MAX; i++) {
        struct error err;
        PGresult *result;
        if (next_result(pq, &result, clock_boot_ms() + PQ_REPLY_MS, PQ_REPLY_MS, &err) != 0) return;
        if (result == NULL) return;
        PQclear(result);
    }
    if (pq->conn != NULL) cut_off(pq);
}

// --- parameters

void pq_params_clear(struct pq_params *p) {
    for (int i = 0; i < p->count; i++) {
        buf_clear(&p->texts[i]);
        p->bytes[i] = NULL;
        p->are_null[i] = false;
    }
    p->count = 0;
}

void pq_params_deinit(struct pq_params *p) {
    for (int i = 0; i < PQ_PARAMS_MAX; i++)
        buf_deinit(&p->texts[i]);
    *p = (struct pq_params){0};
}

static struct buf *add(struct pq_params *p) {
    if (p->count == PQ_PARAMS_MAX) abort(); // our own mistake
    return &p->texts[p->count++];
}

void pq_add_null(struct pq_params *p) {
    add(p);
    p->are_null[p->count - 1] = true;
}

void pq_add_number(struct pq_params *p, int64_t value) {
    buf_addf(add(p), "%lld", (long long)value);
}

void pq_add_bool(struct pq_params *p, bool value) {
    buf_adds(add(p), value ? "t" : "f");
}

// Each character with `escape` before it where it has to have one.
static void add_clean(struct buf *out, const char *text, const char *to_escape) {
    const unsigned char *s = (const unsigned char *)text;
    for (size_t left = strlen(text), len; left > 0; s += len, left -= len) {
        const size_t known = utf8_len(s, left);
        len = known == 0 ? 1 : known;
        if (known == 1 && strchr(to_escape, *s) != NULL) buf_adds(out, "\\");
        if (known == 0)
            buf_adds(out, "?");
        else
            buf_add(out, s, len);
    }
}

void pq_add_text(struct pq_params *p, const char *text) {
    if (text == NULL) {
        pq_add_null(p);
        return;
    }
    add_clean(add(p), text, "");
}

void pq_add_bytes(struct pq_params *p, const void *bytes, size_t len) {
    add(p);
    p->bytes[p->count - 1] = len == 0 ? "" : bytes;
    p->lens[p->count - 1] = len;
}

int pq_add_arrays(struct pq_params *p, int count) {
    const int first = p->count;
    for (int i = 0; i < count; i++)
        buf_adds(add(p), "{}");
    return first;
}

// The brace at the end moves on.
static struct buf *begin_element(struct pq_params *p, int array) {
    struct buf *out = &p->texts[array];
    const bool is_first = out->len == 2;
    out->len--;
    if (!is_first) buf_adds(out, ",");
    return out;
}

void pq_element(struct pq_params *p, int array, int64_t value) {
    struct buf *out = begin_element(p, array);
    if (value < 0) buf_adds(out, "-");
    buf_add_uint(out, value < 0 ? 0 - (uint64_t)value : (uint64_t)value);
    buf_adds(out, "}");
}

void pq_element_or_null(struct pq_params *p, int array, bool is_there, int64_t value) {
    if (is_there)
        pq_element(p, array, value);
    else
        pq_element_text(p, array, NULL);
}

void pq_element_text(struct pq_params *p, int array, const char *text) {
    struct buf *out = begin_element(p, array);
    if (text == NULL) {
        buf_adds(out, "null}");
        return;
    }
    buf_adds(out, "\"");
    add_clean(out, text, "\"\\");
    buf_adds(out, "\"}");
}

// --- answers

bool pq_is_null(const PGresult *result, int column) {
    return PQntuples(result) == 0 || PQgetisnull(result, 0, column) != 0;
}

const char *pq_text(const PGresult *result, int column) {
    return pq_is_null(result, column) ? "" : PQgetvalue(result, 0, column);
}

int64_t pq_number(const PGresult *result, int column) {
    return strtoll(pq_text(result, column), NULL, 10);
}

bool pq_bool(const PGresult *result, int column) {
    return pq_text(result, column)[0] == 't';
}

bool pq_array_next(const char **at, int64_t *value) {
    *at += strspn(*at, "{,");
    if (**at == '}' || **at == '\0') return false;
    char *end;
    *value = strtoll(*at, &end, 10);
    const bool is_number = end != *at;
    *at = end;
    return is_number;
}

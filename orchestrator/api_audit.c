// All of it, as JSON lines, comes in pieces: each is read from the store once the client has taken
// the one before.
#include "orchestrator/api_audit.h"

#include "common/clock.h"
#include "common/http_stream.h"
#include "common/mem.h"
#include "common/options.h"
#include "common/text.h"
#include "common/timestamp.h"
#include "orchestrator/job.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PATH_MAX_SHOWN = 300, PAGE = 100, PAGE_MAX = 1000, STATUS_UNKNOWN = 401 };

const char *const api_audit_query[] = {"after", "limit", "format", NULL};

// --- writing

// The path without its query, which is free text, on one line.
static char *path_of(const struct http_request *r) {
    const char *target = http_target(r);
    size_t len = strcspn(target, "?");
    if (len > PATH_MAX_SHOWN) len = PATH_MAX_SHOWN;
    char *path = mem_strndup(target, len);
    text_line(path);
    return path;
}

static bool is_one_too_many(struct api_audit *a, const struct store_audit *line) {
    const long long second = line->wall_ms / 1000;
    if (!line->is_refused) return false;
    a->refused++;
    if (second != a->second) a->refused_now = 0;
    a->second = second;
    return ++a->refused_now > API_AUDIT_REFUSED_A_SECOND;
}

static void write_line(struct api_audit *a, struct store_audit *line) {
    line->wall_ms = clock_wall_ms();
    const bool is_left_out = is_one_too_many(a, line);
    if (is_left_out || !a->is_open || a->is_closed || !store_is_well(a->store, NULL))
        a->not_written++;
    else
        store_audit(a->store, line);
}

struct audit_by *audit_by_new(const struct http_request *r) {
    struct audit_by *by = mem_zalloc(sizeof *by);
    by->who = http_who(r) == NULL ? NULL : mem_strdup(http_who(r));
    by->method = mem_strdup(http_method(r));
    text_line(by->method);
    by->path = path_of(r);
    snprintf(by->from, sizeof by->from, "%s", http_from(r));
    return by;
}

void audit_by_free(struct audit_by *by) {
    if (by == NULL) return;
    free(by->who);
    free(by->method);
    free(by->path);
    free(by);
}

static void write_of(struct api_audit *a, const struct audit_by *by, int status, bool is_refused,
                     const char *job) {
    struct store_audit line = {.status = status,
                               .is_refused = is_refused,
                               .who = by->who,
                               .from = by->from,
                               .method = by->method,
                               .path = by->path,
                               .job = job};
    write_line(a, &line);
}

// A path under /jobs/ names one, and so does a Location.
static char *job_of(const char *path) {
    static const char jobs[] = "/jobs/";
    if (path == NULL || strncmp(path, jobs, strlen(jobs)) != 0) return NULL;
    const char *id = path + strlen(jobs);
    const size_t len = strcspn(id, "/");
    return len == 0 || len >= JOB_ID_MAX ? NULL : mem_strndup(id, len);
}

void api_audit_answered(struct api_audit *a, const struct http_request *r, int status) {
    struct audit_by *by = audit_by_new(r);
    char *job = job_of(http_answered_header(r, "Location"));
    if (job == NULL) job = job_of(by->path);
    if (job != NULL) text_line(job);
    write_of(a, by, status, !http_was_handled(r), job);
    free(job);
    audit_by_free(by);
}

void api_audit_accepted(struct api_audit *a, const struct audit_by *by, const char *job) {
    enum { ACCEPTED = 202 };
    write_of(a, by, ACCEPTED, false, job);
}

// --- telling

struct look {
    struct api_audit *audit;
    struct http_request *r; // until it is answered
    struct http_stream *stream;
    uint64_t after, limit;
    bool is_lines; // all of it, a line each
    bool is_reading, is_over, is_closed;
    size_t told;       // in this piece
    unsigned accesses; // when it began
    struct buf text;   // that was read, and not taken yet
    int rc;
    struct error err;
};

static void look_free(struct look *look) {
    buf_deinit(&look->text);
    free(look);
}

static void add_text(struct buf *out, const char *key, const char *value) {
    buf_addf(out, ", \"%s\": ", key);
    if (value == NULL)
        buf_adds(out, "null");
    else
        buf_add_json(out, value);
}

static bool take_line(void *arg, const struct store_audit *line) {
    struct look *look = arg;
    struct buf *out = &look->text;
    char at[TIMESTAMP_MAX];
    timestamp_format(line->wall_ms, at);
    if (!look->is_lines && look->told > 0) buf_adds(out, ",\n");
    look->told++;
    look->after = line->n;
    buf_addf(out, "{\"n\": %llu, \"at\": \"%s\"", (unsigned long long)line->n, at);
    add_text(out, "who", line->who);
    add_text(out, "from", line->from);
    add_text(out, "method", line->method);
    add_text(out, "path", line->path);
    buf_addf(out, ", \"status\": %d", line->status);
    add_text(out, "job", line->job);
    buf_adds(out, look->is_lines ? "}\n" : "}");
    return true;
}

static void read_lines(void *arg, const struct store_reader *reader) {
    struct look *look = arg;
    const struct store_query query = {.kind = STORE_READ_AUDIT,
                                      .after = look->after,
                                      .limit = look->is_lines ? PAGE_MAX : look->limit,
                                      .audit = take_line,
                                      .oldest_first = look->is_lines};
    look->told = 0;
    look->rc = store_rows(reader, &query, NULL, look, &look->err);
}

static void answer_page(struct look *look) {
    struct buf out = {0};
    buf_adds(&out, "{\"audit\": [");
    if (look->text.len > 0) buf_add(&out, look->text.data, look->text.len);
    buf_adds(&out, "]}\n");
    const size_t len = out.len;
    http_answer(look->r, 200, "application/json", buf_take(&out), len);
}

static void read_more(struct look *look);

// Where the rest cannot be told, or not to this client any more, its connection breaks: what it has
// must not look whole.
static enum http_piece next_piece(void *arg, struct buf *out) {
    struct look *look = arg;
    if (look->is_reading) return HTTP_PIECE_WAIT;
    if (look->text.len > 0) {
        buf_add(out, look->text.data, look->text.len);
        buf_clear(&look->text);
    }
    if (look->is_over) return look->rc == 0 ? HTTP_PIECE_LAST : HTTP_PIECE_BROKEN;
    if (look->audit->is_closed || look->accesses != look->audit->accesses) return HTTP_PIECE_BROKEN;
    read_more(look);
    return HTTP_PIECE_WAIT;
}

static void close_look(void *arg) {
    struct look *look = arg;
    look->is_closed = true;
    if (!look->is_reading) look_free(look);
}

static const struct http_source lines_source = {next_piece, close_look};

static void on_read(void *arg) {
    struct look *look = arg;
    look->audit->reading--;
    look->is_reading = false;
    look->is_over = look->rc != 0 || look->told < PAGE_MAX;
    if (look->is_closed) {
        look_free(look);
        return;
    }
    if (look->stream != NULL) {
        http_stream_wake(look->stream);
        return;
    }
    if (look->rc != 0)
        http_answer_problem(look->r, 503, "the store: %s", look->err.text);
    else if (!look->is_lines)
        answer_page(look);
    if (look->rc != 0 || !look->is_lines) {
        look_free(look);
        return;
    }
    struct http_stream *stream =
        http_answer_stream(look->r, 200, "application/x-ndjson", &lines_source, look);
    if (stream != NULL) look->stream = stream; // else the look is over
}

static void read_more(struct look *look) {
    look->is_reading = true;
    look->audit->reading++;
    store_read(look->audit->store, read_lines, on_read, look);
}

static int read_number(const struct http_request *r, const char *name, uint64_t low, uint64_t high,
                       uint64_t *out, struct error *err) {
    if (!http_has_query(r, name)) return 0;
    const char *value = http_query(r, name);
    int rc = options_number(value == NULL ? "" : value, low, high, out, err);
    if (rc != 0) error_in(err, "%s", name);
    return rc;
}

static int read_query(struct look *look, struct error *err) {
    const char *format = http_query(look->r, "format");
    int rc = read_number(look->r, "after", 1, INT64_MAX, &look->after, err);
    if (rc == 0) rc = read_number(look->r, "limit", 1, PAGE_MAX, &look->limit, err);
    if (rc != 0 || !http_has_query(look->r, "format")) return rc;
    look->is_lines = format != NULL && strcmp(format, "jsonl") == 0;
    if (!look->is_lines && (format == NULL || strcmp(format, "json") != 0))
        rc = error_set(err, "'%.60s': expected json or jsonl", format == NULL ? "" : format);
    if (rc == 0 && look->is_lines && http_has_query(look->r, "limit"))
        rc = error_set(err, "with jsonl all lines come: leave limit away");
    if (rc != 0) error_in(err, "format");
    return rc;
}

void api_audit_get(struct api_audit *a, struct http_request *r) {
    struct look *look = mem_zalloc(sizeof *look);
    struct error err;
    *look = (struct look){.audit = a, .r = r, .limit = PAGE, .accesses = a->accesses};
    if (a->is_closed) {
        http_answer_problem(r, 503, "the orchestrator is shutting down");
    } else if (read_query(look, &err) != 0) {
        http_answer_error(r, 400, &err);
    } else {
        read_more(look);
        return;
    }
    look_free(look);
}

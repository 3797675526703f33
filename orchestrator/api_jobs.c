// A job that lives is told from memory, at once. All others are read on the store's thread, where a
// row becomes text, or a job again where its hosts are asked for (job_loader.h).
//
//      handler -> [work: on the reader's thread, touches the visit alone] -> then: the answer
//
// A client that leaves meanwhile changes nothing: what is answered then goes nowhere.
#include "orchestrator/api_jobs.h"

#include "common/json.h"
#include "common/mem.h"
#include "orchestrator/job_view.h"
#include "orchestrator/request_headers.h"
#include "orchestrator/retry.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *const api_jobs_list_query[] = {"state", "key", "limit", "after", NULL};
const char *const api_jobs_hosts_query[] = {"state", "after", "limit", NULL};

// False: it is answered.
static bool is_open(const struct api_jobs *a, struct http_request *r) {
    if (a->is_closed) http_answer_problem(r, 503, "the orchestrator is shutting down");
    return !a->is_closed;
}

// "": the parameter is there, without a value.
static const char *query(const struct http_request *r, const char *name) {
    const char *value = http_query(r, name);
    return value == NULL && http_has_query(r, name) ? "" : value;
}

// --- answers

static void answer_text(struct http_request *r, int status, struct buf *text) {
    buf_adds(text, "\n"); // so that a shell prompt does not stick to it
    const size_t len = text->len;
    http_answer(r, status, "application/json", buf_take(text), len);
}

static void answer_job(struct http_request *r, int status, const struct job *job) {
    struct buf text = {0};
    job_view_write(&text, job);
    answer_text(r, status, &text);
}

static void answer_hosts(struct http_request *r, const struct job *job) {
    struct job_page page;
    struct error err;
    struct buf text = {0};
    if (job_page_parse(job, query(r, "state"), query(r, "after"), query(r, "limit"), &page, &err) !=
        0) {
        http_answer_error(r, 400, &err);
        return;
    }
    char n[24];
    snprintf(n, sizeof n, "%" PRIu64, job->n);
    http_answer_header(r, "Last-Event-ID", n);
    job_view_write_hosts(&text, job, &page);
    answer_text(r, 200, &text);
}

static void answer_report(struct http_request *r, const struct job *job) {
    size_t len;
    char *report = job_report_json(job, &len);
    http_answer(r, 200, "application/json", report, len);
}

static void answer_unknown(struct http_request *r) {
    http_answer_problem(r, 404, "there is no job %.100s", http_param(r));
}

// --- one job: its row alone

struct visit {
    struct visit *next; // of those that are held, or unkept
    void (*carry_out)(struct visit *visit);
    struct api_jobs *a;
    struct http_request *r;
    char *id;
    int status; // of the answer, if all is well
    bool is_reading;
    bool wants_events;
    struct store_job row;                                          // found, without its texts
    void (*answer)(struct http_request *r, const struct job *job); // of a job as a whole
    unsigned states;                                               // of the hosts to be tried again
    // What was found of its row.
    struct buf text;
    int rc;
    struct error err;
};

static struct visit *visit_new(struct api_jobs *a, struct http_request *r) {
    struct visit *visit = mem_zalloc(sizeof *visit);
    *visit = (struct visit){.a = a, .r = r, .id = mem_strdup(http_param(r)), .status = 200};
    return visit;
}

// From now on the store must stay open until it is answered.
static struct visit *visit_reads(struct visit *visit) {
    visit->is_reading = true;
    visit->a->reading++;
    return visit;
}

static void visit_free(struct visit *visit) {
    visit->a->reading -= visit->is_reading;
    buf_deinit(&visit->text);
    free(visit->id);
    free(visit);
}

static bool take_row(void *arg, const struct store_job *row, const struct store_event *event) {
    struct visit *visit = arg;
    (void)event;
    job_view_write_row(&visit->text, row);
    visit->row = (struct store_job){
        .id = visit->id, .number = row->number, .n = row->n, .state = row->state};
    return false;
}

static void read_row(void *arg, const struct store_reader *reader) {
    struct visit *visit = arg;
    const struct store_query query = {.kind = STORE_READ_JOBS, .id = visit->id};
    visit->rc = store_rows(reader, &query, take_row, visit, &visit->err);
}

static void answer_row(void *arg) {
    struct visit *visit = arg;
    if (visit->rc != 0)
        http_answer_problem(visit->r, 503, "the store: %s", visit->err.text);
    else if (visit->text.len == 0)
        answer_unknown(visit->r);
    else if (visit->wants_events)
        api_events_answer_over(visit->a->events, visit->r, &visit->row, &visit->text);
    else
        answer_text(visit->r, visit->status, &visit->text);
    visit_free(visit);
}

void api_jobs_get(struct api_jobs *a, struct http_request *r) {
    const struct job *job = jobs_find(a->jobs, http_param(r));
    if (!is_open(a, r)) return;
    if (job != NULL)
        answer_job(r, 200, job);
    else
        store_read(a->store, read_row, answer_row, visit_reads(visit_new(a, r)));
}

void api_jobs_events(struct api_jobs *a, struct http_request *r) {
    const struct job *job = jobs_find(a->jobs, http_param(r));
    if (!is_open(a, r)) return;
    if (job != NULL && api_events_answer(a->events, r, job)) return;
    struct visit *visit = visit_reads(visit_new(a, r));
    visit->wants_events = true;
    store_read(a->store, read_row, answer_row, visit);
}

void api_jobs_all_events(struct api_jobs *a, struct http_request *r) {
    if (is_open(a, r)) api_events_answer_all(a->events, r);
}

// --- ... as a whole

static void on_loaded(void *arg, const struct job *job, const struct error *err) {
    struct visit *visit = arg;
    if (err != NULL)
        http_answer_problem(visit->r, 503, "%s", err->text);
    else if (job == NULL)
        answer_unknown(visit->r);
    else
        visit->answer(visit->r, job);
    visit_free(visit);
}

static void answer_with(struct api_jobs *a, struct http_request *r,
                        void (*answer)(struct http_request *r, const struct job *job)) {
    const struct job *job = jobs_find(a->jobs, http_param(r));
    if (!is_open(a, r)) return;
    if (job != NULL) {
        answer(r, job);
        return;
    }
    struct visit *visit = visit_reads(visit_new(a, r));
    visit->answer = answer;
    job_load_by_id(a->loader, visit->id, on_loaded, visit);
}

void api_jobs_hosts(struct api_jobs *a, struct http_request *r) {
    answer_with(a, r, answer_hosts);
}

void api_jobs_report(struct api_jobs *a, struct http_request *r) {
    answer_with(a, r, answer_report);
}

// --- ... to go on

static void refuse_resume(struct http_request *r, const struct job *job) {
    http_answer_problem(r, 409, "the job is %s, not paused", job_state_names[job->state]);
}

static void on_client_left(void *arg) {
    struct visit *visit = arg;
    recovery_forget(visit->a->recovery, visit);
    http_answer_problem(visit->r, 503, "the client has left");
    visit_free(visit);
}

static void on_resumed(void *arg, const struct job *job, const struct error *why) {
    struct visit *visit = arg;
    if (why != NULL)
        http_answer_problem(visit->r, 409, "the job stays paused: %s", why->text);
    else if (job == NULL)
        http_answer_problem(visit->r, 409, "the job has ended meanwhile");
    else
        answer_job(visit->r, 202, job);
    visit_free(visit);
}

// A body is not needed, and whatever it asks for is not understood. False: it is answered.
static bool body_is_right(struct http_request *r) {
    struct error err;
    size_t len;
    http_body(r, &len);
    if (len == 0) return true;
    cJSON *body = http_json_body(r);
    if (body == NULL) return false;
    int rc = json_as_object(body, &err);
    if (rc != 0)
        error_from(&err, "the body");
    else
        rc = json_only(body, NULL, 0, &err);
    cJSON_Delete(body);
    if (rc != 0) http_answer_error(r, 400, &err);
    return rc == 0;
}

static void refuse_visit(struct visit *visit) {
    http_answer_problem(visit->r, 503, "the orchestrator is shutting down");
    visit_free(visit);
}

static void hold(struct visit *visit) {
    struct visit **end = &visit->a->held;
    while (*end != NULL)
        end = &(*end)->next;
    *end = visit;
}

// What is to change a job waits for the gate to have it, and is done though its client has left.
static void ask_for(struct api_jobs *a, struct http_request *r,
                    void (*carry_out)(struct visit *visit)) {
    if (!is_open(a, r) || !body_is_right(r)) return;
    struct visit *visit = visit_new(a, r);
    visit->status = 202;
    visit->carry_out = carry_out;
    if (a->are_taken_up)
        carry_out(visit);
    else if (a->is_draining)
        refuse_visit(visit);
    else
        hold(visit);
}

static struct visit *next_held(struct api_jobs *a) {
    struct visit *visit = a->held;
    if (visit != NULL) a->held = visit->next;
    return visit;
}

void api_jobs_open(struct api_jobs *a) {
    struct visit *visit;
    a->are_taken_up = true;
    while ((visit = next_held(a)) != NULL)
        visit->carry_out(visit);
}

void api_jobs_drain(struct api_jobs *a) {
    struct visit *visit;
    a->is_draining = true;
    while ((visit = next_held(a)) != NULL)
        refuse_visit(visit);
}

// Other nodes are at work on it. Whoever wants it changed need not wait until this one knows it.
static void answer_strange(const struct visit *visit) {
    const char *why = recovery_joins_wait(visit->a->recovery);
    char location[JOB_ID_MAX + 8];
    snprintf(location, sizeof location, "/jobs/%.*s/", JOB_ID_MAX - 1, visit->id);
    http_answer_header(visit->r, "Location", location);
    http_answer_header(visit->r, "Retry-After", "1");
    http_answer_problem(visit->r, 503,
                        "this node does not know the job yet%s%s%s: ask again, or another node; "
                        "nothing was changed",
                        why == NULL ? "" : " (", why == NULL ? "" : why, why == NULL ? "" : ")");
}

static void on_loaded_instead(void *arg, const struct job *job, const struct error *err) {
    struct visit *visit = arg;
    if (job == NULL || job->state == JOB_DONE) {
        on_loaded(visit, job, err);
        return;
    }
    answer_strange(visit);
    visit_free(visit);
}

// Of a job that is in another state, or does not live: it is over, or other nodes', or there is
// none.
static void answer_instead(struct visit *visit,
                           void (*answer)(struct http_request *r, const struct job *job)) {
    const struct job *job = jobs_find(visit->a->jobs, visit->id);
    if (!is_open(visit->a, visit->r) || job != NULL) {
        if (!visit->a->is_closed) answer(visit->r, job);
        visit_free(visit);
        return;
    }
    visit->answer = answer;
    job_load_by_id(visit->a->loader, visit->id, on_loaded_instead, visit_reads(visit));
}

static void resume(struct visit *visit) {
    struct api_jobs *a = visit->a;
    const struct job *job = jobs_find(a->jobs, visit->id);
    if (job == NULL || job->state != JOB_PAUSED) {
        answer_instead(visit, refuse_resume);
    } else if (a->is_draining) {
        refuse_visit(visit);
    } else {
        visit_reads(visit);
        http_on_left(visit->r, on_client_left, visit);
        recovery_resume(a->recovery, job, on_resumed, visit);
    }
}

void api_jobs_resume(struct api_jobs *a, struct http_request *r) {
    ask_for(a, r, resume);
}

// --- ... to be paused, or cancelled

typedef bool (*control_fn)(struct gate *g, struct job *job, gate_kept kept, void *arg);

static void refuse_control(struct http_request *r, const struct job *job) {
    http_answer_problem(r, 409, "the job is %s", job_state_names[job->state]);
}

static void list_unkept(struct visit *visit) {
    visit->next = visit->a->unkept;
    visit->a->unkept = visit;
}

static void unlist_unkept(struct visit *visit) {
    struct visit **link = &visit->a->unkept;
    while (*link != NULL && *link != visit)
        link = &(*link)->next;
    if (*link != NULL) *link = visit->next;
}

// A disk may stay full for hours. Of what changes a job, the gate has all that there is to know:
// the client need not wait for it to be kept, but must not be told that it is.
void api_jobs_unwell(struct api_jobs *a, const char *why) {
    struct visit *visit;
    while ((visit = a->unkept) != NULL) {
        a->unkept = visit->next;
        http_answer_problem(visit->r, 503,
                            "what was asked for takes effect, but is lost if the service ends "
                            "before the store can be written again: %s",
                            why);
        visit->r = NULL;
    }
}

static void tell_if_unwell(struct api_jobs *a) {
    const char *why;
    if (!store_is_well(a->store, &why)) api_jobs_unwell(a, why);
}

// What the client is told is on disk. The job may be over by then.
static void on_kept(void *arg, enum store_status status, uint64_t n) {
    struct visit *visit = arg;
    const struct job *job = jobs_find(visit->a->jobs, visit->id);
    (void)n;
    if (visit->r == NULL) { // it was told meanwhile
        visit_free(visit);
        return;
    }
    unlist_unkept(visit);
    if (status == STORE_OK && job == NULL && !visit->a->is_closed) {
        store_read(visit->a->store, read_row, answer_row, visit_reads(visit));
        return;
    }
    if (status == STORE_HELD) { // another node has changed the job meanwhile
        answer_instead(visit, refuse_control);
        return;
    }
    if (status == STORE_OK && job != NULL)
        answer_job(visit->r, visit->status, job);
    else
        http_answer_problem(visit->r, 503, "the orchestrator is shutting down");
    visit_free(visit);
}

static void have(struct visit *visit, control_fn control) {
    struct api_jobs *a = visit->a;
    struct job *job = jobs_find(a->jobs, visit->id);
    list_unkept(visit); // which on_kept() may be called for at once
    if (job != NULL && control(a->gate, job, on_kept, visit)) {
        tell_if_unwell(a);
        return;
    }
    unlist_unkept(visit);
    answer_instead(visit, refuse_control);
}

static void have_paused(struct visit *visit) {
    have(visit, gate_pause);
}

static void have_cancelled(struct visit *visit) {
    have(visit, gate_cancel);
}

void api_jobs_pause(struct api_jobs *a, struct http_request *r) {
    ask_for(a, r, have_paused);
}

void api_jobs_cancel(struct api_jobs *a, struct http_request *r) {
    ask_for(a, r, have_cancelled);
}

// --- ... to be tried again

static void on_loaded_to_retry(void *arg, const struct job *job, const struct error *why) {
    struct visit *visit = arg;
    struct error err;
    int status;
    cJSON *body = NULL;
    if (why != NULL)
        http_answer_problem(visit->r, 503, "%s", why->text);
    else if (job == NULL)
        answer_unknown(visit->r);
    else if ((body = retry_request(job, visit->states, &status, &err)) == NULL)
        http_answer_problem(visit->r, status, "%s", err.text);
    else
        api_tasks_post_again(visit->a->tasks, visit->r, job->task, body);
    visit_free(visit);
}

// Without a body: all that failed or was skipped. False: it is answered.
static bool parse_states(struct http_request *r, unsigned *states) {
    struct error err;
    size_t len;
    cJSON *body = NULL;
    http_body(r, &len);
    if (len > 0 && (body = http_json_body(r)) == NULL) return false;
    int rc = retry_parse_states(body, states, &err);
    if (rc != 0) http_answer_error(r, 400, &err);
    cJSON_Delete(body);
    return rc == 0;
}

void api_jobs_retry(struct api_jobs *a, struct http_request *r) {
    const struct job *job = jobs_find(a->jobs, http_param(r));
    unsigned states;
    if (!is_open(a, r) || !parse_states(r, &states)) return;
    if (job != NULL) {
        http_answer_problem(r, 409, "the job is %s; only what is done is tried again",
                            job_state_names[job->state]);
        return;
    }
    struct visit *visit = visit_reads(visit_new(a, r));
    visit->states = states;
    job_load_by_id(a->loader, visit->id, on_loaded_to_retry, visit);
}

// --- the list

struct listed {
    char id[JOB_ID_MAX];
    enum job_state state;
    size_t end; // of its object, in the list's text
};

struct list {
    struct api_jobs *a;
    struct http_request *r;
    enum job_state state;          // 0: all
    char key[REQUEST_KEY_MAX + 1]; // "": any
    char *after;                   // NULL: from the newest on
    uint64_t before;               // the number of that job
    size_t limit;
    struct buf text;
    struct listed *rows;
    size_t count, cap;
    int status; // 0: all is well; else what to answer with the error
    struct error err;
};

static void list_free(struct list *list) {
    list->a->reading--;
    buf_deinit(&list->text);
    free(list->rows);
    free(list->after);
    free(list);
}

static bool take_number(void *arg, const struct store_job *row, const struct store_event *event) {
    struct list *list = arg;
    (void)event;
    list->before = row->number;
    return false;
}

static bool take_listed(void *arg, const struct store_job *row, const struct store_event *event) {
    struct list *list = arg;
    (void)event;
    list->rows = mem_grow(list->rows, &list->cap, list->count + 1, sizeof *list->rows);
    struct listed *listed = &list->rows[list->count++];
    snprintf(listed->id, sizeof listed->id, "%s", row->id);
    listed->state = row->state;
    job_view_write_row(&list->text, row);
    listed->end = list->text.len;
    return list->count < list->limit;
}

static int read_before(struct list *list, const struct store_reader *reader) {
    const struct store_query rows = {.kind = STORE_READ_JOBS, .id = list->after};
    if (store_rows(reader, &rows, take_number, list, &list->err) != 0) return 503;
    if (list->before > 0) return 0;
    error_set(&list->err, "there is no job '%.100s'", list->after);
    error_in(&list->err, "after");
    return 400;
}

static void read_list(void *arg, const struct store_reader *reader) {
    struct list *list = arg;
    if (list->after != NULL) list->status = read_before(list, reader);
    const struct store_query rows = {.kind = STORE_READ_JOBS,
                                     .key = list->key[0] == '\0' ? NULL : list->key,
                                     .state = list->state,
                                     .job = list->before,
                                     .limit = list->key[0] == '\0' ? list->limit : 0};
    if (list->status == 0 && store_rows(reader, &rows, take_listed, list, &list->err) != 0)
        list->status = 503;
    if (list->status == 503) error_from(&list->err, "the store");
}

// The store is behind a job that lives by what is not kept yet.
static void write_listed(struct buf *out, const struct list *list, size_t i) {
    const struct listed *listed = &list->rows[i];
    const size_t start = i == 0 ? 0 : list->rows[i - 1].end;
    const struct job *job = jobs_find(list->a->jobs, listed->id);
    if (job != NULL && (list->state == 0 || job->state == list->state))
        job_view_write(out, job);
    else
        buf_add(out, list->text.data + start, listed->end - start);
}

static void answer_list(void *arg) {
    struct list *list = arg;
    struct buf text = {0};
    if (list->status != 0) {
        http_answer_error(list->r, list->status, &list->err);
    } else {
        buf_adds(&text, "{\"jobs\": [");
        for (size_t i = 0; i < list->count; i++) {
            if (i > 0) buf_adds(&text, ", ");
            write_listed(&text, list, i);
        }
        buf_adds(&text, "]}");
        answer_text(list->r, 200, &text);
    }
    list_free(list);
}

static int parse_list(struct list *list, const struct http_request *r, struct error *err) {
    const char *key = query(r, "key"), *after = query(r, "after");
    int rc = job_page_limit(query(r, "limit"), &list->limit, err);
    if (rc == 0) rc = job_page_state(query(r, "state"), &list->state, err);
    if (rc == 0 && key != NULL) rc = request_key(key, "key", list->key, err);
    if (rc == 0 && after != NULL) list->after = mem_strdup(after);
    return rc;
}

void api_jobs_list(struct api_jobs *a, struct http_request *r) {
    if (!is_open(a, r)) return;
    struct list *list = mem_zalloc(sizeof *list);
    struct error err;
    a->reading++;
    list->a = a;
    list->r = r;
    if (parse_list(list, r, &err) == 0) {
        store_read(a->store, read_list, answer_list, list);
    } else {
        http_answer_error(r, 400, &err);
        list_free(list);
    }
}

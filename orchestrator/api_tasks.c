// A post is one request on its way:
//
//   (HELD ->) FETCHING the inventory -> MAKING the job (on a thread, for it may be large)
//             -> CREATING it in the store -> WATCHING it -> its report
//             \> PLAYING it, of a dry run -> what it would do
//
// with LOADING before, or in place, of it where its key may have a job already. One that another
// node was asked for may be STRANGE to this one: until it is joined here, or done, its post is
// looked at again with each look of the node. A client that leaves while the inventory is awaited
// takes its post along, for nobody wants the inventory without it; from the job's creation on the
// job goes on without the client.
#include "orchestrator/api_tasks.h"

#include "common/clock.h"
#include "common/json.h"
#include "common/mem.h"
#include "common/policy_hash.h"
#include "orchestrator/api_dry_run.h"
#include "orchestrator/canaries.h"
#include "orchestrator/job_image.h"
#include "orchestrator/job_view.h"
#include "orchestrator/request_headers.h"
#include "orchestrator/select.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

enum {
    RETRY_AFTER_S = 5,
    LINE_RETRY_AFTER_S = 10, // jobs take minutes; a client that asks sooner is not told otherwise
};

struct post {
    struct post *next; // of those that are held, or of those that are strange
    struct api_tasks *tasks;
    enum post_state {
        POST_HELD,
        POST_LOADING, // the job of its key, from the store
        POST_STRANGE, // that job is not done, and not here
        POST_FETCHING,
        POST_MAKING,
        POST_CREATING,
        POST_PLAYING,
        POST_WATCHING,
    } state;
    struct http_request *http; // NULL: its client has left
    struct audit_by *by;       // whose it is
    cJSON *body;               // the request borrows its strings
    struct task_request request;
    char key[REQUEST_KEY_MAX + 1]; // "": none
    bool is_async;
    char id[JOB_ID_MAX]; // of the job that is strange, and its number
    uint64_t number;
    struct job *job;             // from MAKING to CREATING: it is not in tasks->jobs yet
    struct inventory *inventory; // while MAKING
    struct buf image;            // of the job, from then on
    int status;                  // of MAKING: 0, or what to answer with the error
    struct error err;
};

static void free_post(struct post *post) {
    request_deinit(&post->request);
    cJSON_Delete(post->body);
    job_free(post->job);
    buf_deinit(&post->image);
    audit_by_free(post->by);
    free(post);
}

static void refuse(struct post *post, int status, const char *why) {
    if (post->http != NULL) http_answer_problem(post->http, status, "%s", why);
    free_post(post);
}

static void answer_retry_after(struct http_request *r, int seconds) {
    char text[16];
    snprintf(text, sizeof text, "%d", seconds);
    http_answer_header(r, "Retry-After", text);
}

// --- answers that speak of a job

static void name_job(struct http_request *r, const char *id) {
    char location[JOB_ID_MAX + 8];
    snprintf(location, sizeof location, "/jobs/%s/", id);
    http_answer_header(r, "Location", location);
}

static void answer_report(struct http_request *r, const struct job *job) {
    size_t len;
    char *report = job_report_json(job, &len);
    name_job(r, job->id);
    http_answer(r, 200, "application/json", report, len);
}

static void answer_accepted(struct http_request *r, const struct job *job) {
    struct buf out = {0};
    job_view_write(&out, job);
    const size_t len = out.len;
    name_job(r, job->id);
    if (request_prefers_async(http_header(r, "Prefer")))
        http_answer_header(r, "Preference-Applied", "respond-async");
    http_answer(r, 202, "application/json", buf_take(&out), len);
}

static void answer_left(struct http_request *r, const char *id) {
    name_job(r, id);
    answer_retry_after(r, RETRY_AFTER_S);
    http_answer_problem(r, 503,
                        "the orchestrator is shutting down; the job goes on when it is back");
}

static void on_job_told(void *arg, const struct job *job) {
    struct post *post = arg;
    log_flush(post->tasks->log); // before the answer that speaks of it
    if (post->http == NULL)
        ;
    else if (job->state == JOB_DONE)
        answer_report(post->http, job);
    else
        answer_left(post->http, job->id);
    free_post(post);
}

static void watch(struct post *post, struct job *job) {
    if (post->is_async) {
        if (post->http != NULL) answer_accepted(post->http, job);
        free_post(post);
        return;
    }
    post->state = POST_WATCHING;
    jobs_watch(post->tasks->jobs, job, on_job_told, post);
}

// --- a key that has a job

static bool is_same_request(const struct post *post, const struct job *job) {
    cJSON *body = NULL;
    struct error err;
    if (job->task != post->request.task) return false;
    if (json_parse(job->request, strlen(job->request), &body, &err) != 0) return false;
    const bool is_same = cJSON_Compare(body, post->body, true);
    cJSON_Delete(body);
    return is_same;
}

static void put_last(struct post **list, struct post *post) {
    while (*list != NULL)
        list = &(*list)->next;
    post->next = NULL;
    *list = post;
}

static struct post *take_first(struct post **list) {
    struct post *post = *list;
    if (post != NULL) *list = post->next;
    return post;
}

static void find_job(struct post *post);

static void refuse_strange(struct post *post) {
    answer_left(post->http, post->id);
    free_post(post);
}

// Alone, a process knows all jobs that are not done: this one came to its end while it was read.
static void await_strange(struct post *post, const struct job *job) {
    snprintf(post->id, sizeof post->id, "%s", job->id);
    post->number = job->number;
    post->state = POST_STRANGE;
    if (post->tasks->is_draining)
        refuse_strange(post);
    else if (post->tasks->nodes == NULL)
        find_job(post);
    else
        put_last(&post->tasks->strange, post);
}

// A live one is a job of tasks->jobs. Of any other the report is told once it is over.
static void answer_with(struct post *post, const struct job *job, struct job *live) {
    if (!is_same_request(post, job)) {
        refuse(post, 422,
               "Idempotency-Key: another request has had this key; give this one its own");
    } else if (live != NULL) {
        watch(post, live);
    } else if (post->http != NULL && !post->is_async && job->state != JOB_DONE) {
        await_strange(post, job);
    } else {
        if (post->http != NULL && post->is_async) answer_accepted(post->http, job);
        if (post->http != NULL && !post->is_async) answer_report(post->http, job);
        free_post(post);
    }
}

static void begin_job(struct post *post);

static void on_loaded(void *arg, const struct job *job, const struct error *err) {
    struct post *post = arg;
    if (post->http == NULL)
        free_post(post);
    else if (err != NULL)
        refuse(post, 503, err->text);
    else if (job != NULL)
        answer_with(post, job, jobs_numbered(post->tasks->jobs, job->number));
    else if (post->number != 0)
        refuse(post, 503, "the job of this Idempotency-Key is done, and is not kept any more");
    else
        begin_job(post);
}

static void find_job(struct post *post) {
    struct api_tasks *posts = post->tasks;
    struct job *live = post->key[0] == '\0' ? NULL : jobs_keyed(posts->jobs, post->key);
    if (post->key[0] == '\0' || post->request.is_dry_run) {
        begin_job(post);
    } else if (live != NULL) {
        answer_with(post, live, live);
    } else {
        post->state = POST_LOADING;
        job_load_by_key(posts->loader, post->key, on_loaded, post);
    }
}

void api_tasks_look_again(struct api_tasks *posts) {
    struct post *strange = posts->strange, *post;
    posts->strange = NULL;
    while ((post = take_first(&strange)) != NULL) {
        const bool is_here = jobs_numbered(posts->jobs, post->number) != NULL;
        if (!is_here && nodes_show_open(posts->nodes, post->number))
            put_last(&posts->strange, post);
        else
            find_job(post);
    }
}

// --- room for one more

// Those that are being kept count. A dry run is no job. False: it is answered.
static bool has_room(struct post *post) {
    const struct api_tasks *posts = post->tasks;
    const uint64_t open = jobs_count(posts->jobs) + posts->creating;
    struct error err;
    if (post->request.is_dry_run) return true;
    if (open >= posts->open_jobs_max) {
        error_set(&err,
                  "%llu jobs are not done, and no more may be: wait for one to end, cancel one, or "
                  "start the service with a larger --limit open-jobs; nothing was begun",
                  (unsigned long long)open);
        if (post->http != NULL) answer_retry_after(post->http, LINE_RETRY_AFTER_S);
        refuse(post, 429, err.text);
        return false;
    }
    if (store_has_room(posts->store, &err)) return true;
    char text[ERROR_TEXT_MAX + 40];
    snprintf(text, sizeof text, "the store: %s; nothing was begun", err.text);
    refuse(post, 503, text);
    return false;
}

static void fetch_inventory(struct post *post);

static void begin_job(struct post *post) {
    if (has_room(post)) fetch_inventory(post);
}

// --- the job

// A random UUID: RFC 9562, version 4.
static void make_id(char id[JOB_ID_MAX]) {
    unsigned char b[16];
    if (getrandom(b, sizeof b, 0) != (ssize_t)sizeof b) abort(); // cannot fail for 16 bytes
    b[6] = (unsigned char)((b[6] & 0x0f) | 0x40);
    b[8] = (unsigned char)((b[8] & 0x3f) | 0x80);
    snprintf(id, JOB_ID_MAX, "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x",
             b[0], b[1], b[2], b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11], b[12], b[13],
             b[14], b[15]);
}

static void start_job(struct post *post, uint64_t number) {
    struct api_tasks *posts = post->tasks;
    struct job *job = post->job;
    post->job = NULL;
    job->number = number;
    jobs_add(posts->jobs, job);
    api_audit_accepted(posts->audit, post->by, job->id);
    if (post->http != NULL) http_told(post->http);
    watch(post, job);
    gate_submit(posts->gate, job);
}

static void on_created(void *arg, enum store_status status, uint64_t number) {
    struct post *post = arg;
    struct api_tasks *posts = post->tasks;
    const char *why;
    posts->creating--;
    if (status == STORE_OK) {
        start_job(post, number);
    } else if (status == STORE_CONFLICT) {
        job_free(post->job); // two of the same key at the same time
        post->job = NULL;
        find_job(post);
    } else if (store_is_well(posts->store, &why)) {
        refuse(post, 503, "the store did not keep the job; nothing was begun");
    } else {
        char text[ERROR_TEXT_MAX];
        snprintf(text, sizeof text, "the store: %s; nothing was begun", why);
        refuse(post, 503, text);
    }
}

static bool is_number_expected(const struct post *post, const struct selection *selection,
                               struct error *err) {
    const uint32_t expected = post->request.expected_hosts;
    if (expected == REQUEST_ANY_HOSTS || selection->count == expected) return true;
    error_set(err, "%zu hosts are selected, not %u; nothing was begun", selection->count, expected);
    error_in(err, "expect_hosts");
    return false;
}

// The HTTP status, where it cannot be made. What was made of it until then is the post's.
static int make_job(struct post *post, struct error *err) {
    struct selection selection;
    struct grouping grouping;
    struct buf request = {0};
    char id[JOB_ID_MAX];
    const struct policy *policy = post->tasks->policy;
    const int rc =
        select_hosts(&post->request, policy, post->inventory, &selection, &grouping, err);
    if (rc != 0) return rc == POLICY_UNFIT ? 502 : 400;
    const bool is_expected = is_number_expected(post, &selection, err);
    make_id(id);
    json_add_text(&request, post->body);
    post->job = job_new(id, post->request.task, &post->request.args, request.data, post->inventory,
                        &selection, &grouping);
    buf_deinit(&request);
    post->job->brakes = post->request.brakes;
    if (!is_expected) return 409;
    if (canaries_mark(post->job, &post->request.canaries, err) != 0) return 400;
    if (post->request.is_dry_run) return 0;
    if (store_is_shared(post->tasks->store))
        job_share_out(post->job, shards_of(policy, post->job->inventory, &post->job->selection));
    job_image_write(&post->image, post->job->inventory, &post->job->selection, &post->job->grouping,
                    policy_hash(policy));
    return 0;
}

static void make_on_thread(void *arg) {
    struct post *post = arg;
    post->status = make_job(post, &post->err);
}

static void on_played(void *arg, struct buf *body) {
    struct post *post = arg;
    const size_t len = body->len;
    if (post->http != NULL) http_answer(post->http, 200, "application/json", buf_take(body), len);
    free_post(post);
}

static void play_job(struct post *post) {
    struct job *job = post->job;
    post->job = NULL;
    post->state = POST_PLAYING;
    dry_run(&post->tasks->playing, post->tasks->gate, job, on_played, post);
}

static void create_job(struct post *post) {
    struct api_tasks *posts = post->tasks;
    struct job *job = post->job;
    if (!has_room(post)) return;
    assert(job != NULL); // it was made
    if (post->key[0] != '\0') job->key = mem_strdup(post->key);
    job->created_ms = clock_wall_ms();
    post->state = POST_CREATING;
    posts->creating++;
    const size_t image_len = post->image.len;
    void *image = buf_take(&post->image); // the store's
    const struct store_job row = {.id = job->id,
                                  .key = job->key,
                                  .task = job->task->name,
                                  .request = job->request,
                                  .image = image,
                                  .image_len = image_len,
                                  .shards = job->shards,
                                  .hosts = job->selection.count,
                                  .state = JOB_WAITING,
                                  .created_ms = job->created_ms};
    store_create(posts->store, &row, on_created, post); // with the image
}

// The client may have left meanwhile: nothing has begun.
static void on_made(void *arg) {
    struct post *post = arg;
    if (post->job == NULL) inventory_unref(post->inventory);
    if (post->http == NULL)
        free_post(post);
    else if (post->tasks->is_draining)
        refuse(post, 503, "the orchestrator is shutting down");
    else if (post->status == 0 && post->request.is_dry_run)
        play_job(post);
    else if (post->status == 0)
        create_job(post);
    else {
        http_answer_error(post->http, post->status, &post->err);
        free_post(post);
    }
}

// --- waiting for the inventory

static void take_out(struct post **link, const struct post *post) {
    while (*link != post)
        link = &(*link)->next;
    *link = post->next;
}

static void on_left(void *arg) {
    struct post *post = arg;
    if (post->state == POST_MAKING || post->state == POST_CREATING)
        http_told(post->http); // there may be a job yet
    http_answer_problem(post->http, 503, "the client has left");
    post->http = NULL;
    if (post->state == POST_HELD)
        take_out(&post->tasks->held, post);
    else if (post->state == POST_STRANGE)
        take_out(&post->tasks->strange, post);
    else if (post->state == POST_FETCHING)
        fetcher_forget(post->tasks->fetcher, post);
    else
        return;
    free_post(post);
}

static void on_inventory(void *arg, struct inventory *inventory, const struct error *why) {
    struct post *post = arg;
    if (why == NULL && !post->tasks->is_draining) {
        post->state = POST_MAKING;
        post->inventory = inventory;
        errands_add(&post->tasks->making, make_on_thread, on_made, post);
        return;
    }
    if (post->tasks->is_draining)
        http_answer_problem(post->http, 503, "the orchestrator is shutting down");
    else
        http_answer_problem(post->http, 502, "the inventory: %s", why->text);
    inventory_unref(inventory);
    free_post(post);
}

static void fetch_inventory(struct post *post) {
    if (post->tasks->is_draining) {
        refuse(post, 503, "the orchestrator is shutting down");
        return;
    }
    post->state = POST_FETCHING;
    fetcher_ask(post->tasks->fetcher, on_inventory, post);
}

// --- the request

// False: it is answered.
static bool may_begin(const struct api_tasks *posts, struct http_request *r) {
    const char *why;
    if (posts->is_draining)
        http_answer_problem(r, 503, "the orchestrator is shutting down");
    else if (!store_is_well(posts->store, &why))
        http_answer_problem(r, 503, "the store: %s; nothing was begun", why);
    else
        return true;
    return false;
}

static int parse(struct post *post, const struct task *task, struct error *err) {
    const char *key = http_header(post->http, "Idempotency-Key");
    int rc = key == NULL ? 0 : request_key(key, "Idempotency-Key", post->key, err);
    return rc == 0 ? request_parse(task, post->body, &post->request, err) : rc;
}

static void begin(struct api_tasks *posts, struct http_request *r, const struct task *task,
                  cJSON *body, bool is_async) {
    struct post *post = mem_zalloc(sizeof *post);
    struct error err;
    *post = (struct post){.tasks = posts, .http = r, .body = body, .is_async = is_async};
    post->by = audit_by_new(r);
    if (parse(post, task, &err) != 0) {
        http_answer_error(r, 400, &err);
        free_post(post);
        return;
    }
    http_on_left(r, on_left, post);
    if (posts->is_open)
        find_job(post);
    else
        put_last(&posts->held, post);
}

void api_tasks_post(struct api_tasks *posts, struct http_request *r) {
    if (!may_begin(posts, r)) return;
    cJSON *body = http_json_body(r);
    if (body == NULL) return;
    begin(posts, r, http_arg(r), body, request_prefers_async(http_header(r, "Prefer")));
}

void api_tasks_post_again(struct api_tasks *posts, struct http_request *r, const struct task *task,
                          cJSON *body) {
    if (may_begin(posts, r))
        begin(posts, r, task, body, true);
    else
        cJSON_Delete(body);
}

void api_tasks_open(struct api_tasks *posts) {
    struct post *post;
    posts->is_open = true;
    while ((post = take_first(&posts->held)) != NULL)
        find_job(post);
}

void api_tasks_drain(struct api_tasks *posts) {
    struct post *post;
    posts->is_draining = true;
    while ((post = take_first(&posts->held)) != NULL)
        refuse(post, 503, "the orchestrator is shutting down");
    while ((post = take_first(&posts->strange)) != NULL)
        refuse_strange(post);
}

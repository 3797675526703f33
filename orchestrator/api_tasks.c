// A post is one request on its way: it waits for the inventory, then it watches its job, and the
// job's end answers it. A client that leaves while it waits for the inventory takes its post along,
// for nobody wants the inventory without it; later the job goes on without the client.
#include "orchestrator/api_tasks.h"

#include "common/mem.h"
#include "orchestrator/policy_grouping.h"
#include "orchestrator/request.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>

struct post {
    struct api_tasks *tasks;
    bool has_job;              // else it waits for the inventory
    struct http_request *http; // NULL: its client has left
    cJSON *body;               // the request borrows its strings
    struct task_request request;
};

static void free_post(struct post *post) {
    request_deinit(&post->request);
    cJSON_Delete(post->body);
    free(post);
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

static void on_job_done(void *arg, const struct job *job) {
    struct post *post = arg;
    struct api_tasks *posts = post->tasks;
    log_flush(posts->log); // before the answer that speaks of it
    if (post->http != NULL) {
        size_t len;
        char *report = job_report_json(job, &len);
        http_answer(post->http, 200, "application/json", report, len);
    }
    free_post(post);
    posts->answered(posts->answered_arg);
}

static void start_job(struct post *post, struct inventory *inventory, struct selection *selection,
                      struct grouping *grouping) {
    struct api_tasks *posts = post->tasks;
    char id[JOB_ID_MAX];
    make_id(id);
    struct job *job =
        job_new(id, post->request.task, &post->request.args, inventory, selection, grouping);
    jobs_add(posts->jobs, job);
    post->has_job = true;
    jobs_watch(posts->jobs, job, on_job_done, post);
    runner_submit(posts->runner, job);
}

// --- waiting for the inventory

static void on_left(void *arg) {
    struct post *post = arg;
    http_answer_problem(post->http, 503, "the client has left");
    post->http = NULL;
    if (post->has_job) return;
    fetcher_forget(post->tasks->fetcher, post);
    free_post(post);
}

static int select_hosts(const struct task_request *request, const struct inventory *inventory,
                        struct selection *selection, struct error *err) {
    int rc = inventory_select(inventory, &request->sites, &request->dev_types, selection, err);
    if (rc != 0) return rc;
    rc = inventory_narrow(inventory, &request->hosts, selection, err);
    if (rc != 0) selection_deinit(selection);
    return rc;
}

static int prepare(const struct post *post, const struct inventory *inventory,
                   struct selection *selection, struct grouping *grouping, struct error *err) {
    int rc = select_hosts(&post->request, inventory, selection, err);
    if (rc != 0) return rc;
    rc = policy_grouping(grouping, post->tasks->policy, inventory, selection, err);
    if (rc != 0) selection_deinit(selection);
    return rc;
}

static void on_inventory(void *arg, struct inventory *inventory, const struct error *why) {
    struct post *post = arg;
    struct selection selection;
    struct grouping grouping;
    struct error err;
    int rc;
    if (post->tasks->draining) {
        http_answer_problem(post->http, 503, "the orchestrator is shutting down");
        inventory_unref(inventory);
    } else if (why != NULL) {
        http_answer_problem(post->http, 502, "the inventory: %s", why->text);
    } else if ((rc = prepare(post, inventory, &selection, &grouping, &err)) != 0) {
        http_answer_error(post->http, rc == POLICY_UNFIT ? 502 : 400, &err);
        inventory_unref(inventory);
    } else {
        start_job(post, inventory, &selection, &grouping);
        return;
    }
    free_post(post);
}

// --- the request

void api_tasks_post(struct api_tasks *posts, struct http_request *r) {
    if (posts->draining) {
        http_answer_problem(r, 503, "the orchestrator is shutting down");
        return;
    }
    cJSON *body = http_json_body(r);
    if (body == NULL) return;
    struct post *post = mem_zalloc(sizeof *post);
    *post = (struct post){.tasks = posts, .http = r, .body = body};
    struct error err;
    if (request_parse(http_arg(r), body, &post->request, &err) == 0) {
        http_on_left(r, on_left, post);
        fetcher_ask(posts->fetcher, on_inventory, post);
    } else {
        http_answer_error(r, 400, &err);
        free_post(post);
    }
}

void api_tasks_drain(struct api_tasks *posts) {
    posts->draining = true;
}

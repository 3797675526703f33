#include "orchestrator/api.h"

#include "common/count.h"
#include "common/json.h"
#include "common/mem.h"
#include "common/yml.h"
#include "orchestrator/fetch.h"
#include "orchestrator/request.h"
#include "orchestrator/swagger.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

struct api {
    const struct api_config *config;
    struct jobs *jobs;
    struct runner *runner;
    struct metrics *metrics;
    struct log *log;
    struct http_server *http;
    struct http_route *list;
    struct http_routes routes;
    char *swagger;           // the OpenAPI document as JSON
    struct fetcher *fetcher; // NULL: closed, while draining
    uv_idle_t idle;          // runs while there are scrapes: a piece of each a turn
    struct scrape *scrapes;
    struct post *waiting; // for the inventory
    uv_timer_t look;      // runs while there are any: are their clients still there?
    bool draining;
    void (*drained)(void *arg);
    void *drained_arg;
};

// A request for a task, until its job is done.
struct post {
    struct api *api;
    struct post *next; // of those that wait for the inventory
    unsigned silent;   // for how many looks in a row its client has sent its last byte
    struct http_request *http;
    cJSON *body; // the request borrows its strings
    struct task_request request;
};

static void on_look_closed(uv_handle_t *handle) {
    struct api *api = handle->data;
    api->drained(api->drained_arg);
}

static void on_idle_closed(uv_handle_t *handle) {
    struct api *api = handle->data;
    uv_close((uv_handle_t *)&api->look, on_look_closed);
}

static void on_http_closed(void *arg) {
    struct api *api = arg;
    uv_close((uv_handle_t *)&api->idle, on_idle_closed);
}

static void close_when_idle(struct api *api) {
    if (api->draining && api->http != NULL && api->fetcher == NULL && jobs_count(api->jobs) == 0) {
        http_close(api->http, on_http_closed, api);
        api->http = NULL;
    }
}

// --- POST /upgrade-os/, and every task's endpoint

static void post_free(struct post *post) {
    request_deinit(&post->request);
    cJSON_Delete(post->body);
    free(post);
}

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
    struct api *api = post->api;
    log_flush(api->log); // before the answer that speaks of it
    size_t len;
    char *report = job_report_json(job, &len);
    http_answer(post->http, 200, "application/json", report, len);
    post_free(post);
    close_when_idle(api);
}

static void start_job(struct post *post, struct inventory *inventory, struct selection *selection) {
    struct api *api = post->api;
    char id[JOB_ID_MAX];
    make_id(id);
    struct job *job = job_new(id, post->request.task, &post->request.args, inventory, selection);
    jobs_add(api->jobs, job);
    jobs_watch(api->jobs, job, on_job_done, post);
    runner_submit(api->runner, job);
}

static void stop_waiting(struct post *post) {
    struct post **link = &post->api->waiting;
    while (*link != post)
        link = &(*link)->next;
    *link = post->next;
}

// Nobody wants the inventory for the sake of a client that has left. One that has only shut its
// sending side is not told apart from it: it has some time more.
enum { LOOK_MS = 1000, SILENT_LOOKS_MAX = 5 };

static void on_look(uv_timer_t *timer) {
    struct api *api = timer->data;
    for (struct post *post = api->waiting, *next; post != NULL; post = next) {
        next = post->next;
        int left = http_client_left(post->http);
        post->silent = left == 0 ? 0 : post->silent + 1;
        if (left != 1 && post->silent < SILENT_LOOKS_MAX) continue;
        fetcher_forget(api->fetcher, post);
        stop_waiting(post);
        http_answer_problem(post->http, 503, NULL, "the client left before the inventory came");
        post_free(post);
    }
    if (api->waiting == NULL) uv_timer_stop(timer);
}

static void on_inventory(void *arg, struct inventory *inventory, const struct error *why) {
    struct post *post = arg;
    struct api *api = post->api;
    const struct task_request *request = &post->request;
    struct selection selection;
    const char *field;
    struct error err;
    stop_waiting(post);
    if (api->draining) {
        http_answer_problem(post->http, 503, NULL, "the orchestrator is shutting down");
        inventory_unref(inventory);
    } else if (why != NULL) {
        http_answer_problem(post->http, 502, NULL, "the inventory: %s", why->text);
    } else if (inventory_select(inventory, &request->sites, &request->dev_types, &selection, &field,
                                &err) != 0) {
        http_answer_problem(post->http, 400, field, "%s", err.text);
        inventory_unref(inventory);
    } else {
        start_job(post, inventory, &selection);
        return;
    }
    post_free(post);
}

static void post_task(void *app, struct http_request *r) {
    struct api *api = app;
    if (api->draining) {
        http_answer_problem(r, 503, NULL, "the orchestrator is shutting down");
        return;
    }
    cJSON *body = http_json_body(r);
    if (body == NULL) return;
    struct post *post = mem_zalloc(sizeof *post);
    *post = (struct post){.api = api, .http = r, .body = body};
    char field[REQUEST_FIELD_MAX];
    struct error err;
    if (request_parse(http_arg(r), body, &post->request, field, &err) != 0) {
        http_answer_problem(r, 400, field[0] == '\0' ? NULL : field, "%s", err.text);
        post_free(post);
        return;
    }
    post->next = api->waiting;
    api->waiting = post;
    if (!uv_is_active((uv_handle_t *)&api->look))
        uv_timer_start(&api->look, on_look, LOOK_MS, LOOK_MS);
    fetcher_ask(api->fetcher, on_inventory, post);
}

// --- GET

static void get_swagger(void *app, struct http_request *r) {
    const struct api *api = app;
    http_answer(r, 200, "application/json", mem_strdup(api->swagger), strlen(api->swagger));
}

struct scrape { // one that did not fit into a piece
    struct scrape *next;
    struct http_request *http;
    struct metrics_scrape *text;
    const char *content_type;
    struct buf out;
};

// True: more of it is to come, in a later turn.
static bool go_on_scraping(struct scrape *s) {
    if (metrics_scrape_next(s->text, &s->out)) return true;
    size_t len = s->out.len;
    http_answer(s->http, 200, s->content_type, buf_take(&s->out), len);
    metrics_scrape_free(s->text);
    free(s);
    return false;
}

static void on_idle(uv_idle_t *idle) {
    struct api *api = idle->data;
    for (struct scrape **link = &api->scrapes, *s; (s = *link) != NULL;) {
        struct scrape *next = s->next;
        if (go_on_scraping(s))
            link = &s->next;
        else
            *link = next;
    }
    if (api->scrapes == NULL) uv_idle_stop(idle);
}

static void get_metrics(void *app, struct http_request *r) {
    struct api *api = app;
    enum prom_format format = prom_negotiate(http_header(r, "Accept"));
    struct scrape *s = mem_zalloc(sizeof *s);
    s->http = r;
    s->text = metrics_scrape_new(api->metrics, format, runner_groups_pending(api->runner));
    s->content_type = prom_content_type(format);
    if (!go_on_scraping(s)) return;
    s->next = api->scrapes;
    api->scrapes = s;
    uv_idle_start(&api->idle, on_idle);
}

static void answer_ok(struct http_request *r) {
    http_answer(r, 200, "text/plain; charset=utf-8", mem_strdup("ok\n"), 3);
}

static void get_livez(void *app, struct http_request *r) {
    (void)app;
    answer_ok(r);
}

static void on_probed(void *arg, struct inventory *none, const struct error *err) {
    struct http_request *r = arg;
    (void)none;
    if (err == NULL)
        answer_ok(r);
    else
        http_answer_problem(r, 503, NULL, "the inventory: %s", err->text);
}

static void get_readyz(void *app, struct http_request *r) {
    struct api *api = app;
    if (api->draining) {
        http_answer_problem(r, 503, NULL, "the orchestrator is shutting down");
        return;
    }
    fetcher_probe(api->fetcher, on_probed, r);
}

// --- life

static const struct http_route fixed_routes[] = {
    {HTTP_GET, "/swagger/", get_swagger, true, NULL},
    {HTTP_GET, "/metrics/", get_metrics, true, NULL},
    {HTTP_GET, "/livez", get_livez, false, NULL},
    {HTTP_GET, "/readyz", get_readyz, false, NULL},
};
enum { FIXED_ROUTES = COUNT(fixed_routes) };

static void make_routes(struct api *api) {
    size_t count = 0;
    api->list = mem_array(tasks_count + FIXED_ROUTES, sizeof *api->list);
    for (size_t i = 0; i < tasks_count; i++)
        api->list[count++] =
            (struct http_route){HTTP_POST, tasks[i]->path, post_task, false, tasks[i]};
    memcpy(api->list + count, fixed_routes, sizeof fixed_routes);
    api->routes = (struct http_routes){.list = api->list,
                                       .count = count + FIXED_ROUTES,
                                       .origins = api->config->origins,
                                       .origins_count = api->config->origins_count};
}

static void on_breath(void *arg) {
    const struct api *api = arg;
    if (api->http != NULL) http_poll(api->http);
}

int api_start(struct api **started, uv_loop_t *loop, const struct api_config *config,
              struct jobs *jobs, struct runner *runner, struct metrics *metrics, struct log *log,
              struct error *err) {
    struct api *api = mem_zalloc(sizeof *api);
    api->config = config;
    api->jobs = jobs;
    api->runner = runner;
    api->metrics = metrics;
    api->log = log;
    make_routes(api);
    struct yml y = {0};
    int rc = yml_parse(&y, "spec/orchestrator.yaml", swagger_yaml, swagger_yaml_len, err);
    if (rc == 0) api->swagger = cJSON_Print(y.root);
    yml_deinit(&y);
    if (rc == 0) rc = http_start(&api->http, loop, &config->listen, &api->routes, api, err);
    if (rc != 0) {
        api_free(api);
        return rc;
    }
    api->fetcher = fetcher_new(loop, config->inventory);
    uv_idle_init(loop, &api->idle);
    api->idle.data = api;
    uv_timer_init(loop, &api->look);
    api->look.data = api;
    runner_on_breath(runner, on_breath, api);
    *started = api;
    return 0;
}

const union address *api_address(const struct api *api) {
    return http_address(api->http);
}

static void on_fetcher_closed(void *arg) {
    struct api *api = arg;
    api->fetcher = NULL;
    close_when_idle(api);
}

void api_drain(struct api *api, void (*done)(void *arg), void *arg) {
    api->draining = true;
    api->drained = done;
    api->drained_arg = arg;
    runner_drain(api->runner);
    fetcher_close(api->fetcher, on_fetcher_closed, api);
}

void api_free(struct api *api) {
    if (api == NULL) return;
    cJSON_free(api->swagger);
    free(api->list);
    free(api);
}

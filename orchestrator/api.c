#include "orchestrator/api.h"

#include "common/count.h"
#include "common/json.h"
#include "common/mem.h"
#include "common/yml.h"
#include "orchestrator/fetch.h"
#include "orchestrator/report.h"
#include "orchestrator/request.h"
#include "orchestrator/swagger.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

struct api {
    const struct api_config *config;
    uv_loop_t *loop;
    struct runner *runner;
    struct metrics *metrics;
    struct log *log;
    struct http_server *http;
    struct http_route *list;
    struct http_routes routes;
    char *swagger;    // the OpenAPI document as JSON
    unsigned fetches; // of the inventory, under way
    uv_idle_t idle;   // runs while there are scrapes: a piece of each a turn
    struct scrape *scrapes;
    bool draining;
    void (*drained)(void *arg);
    void *drained_arg;
};

struct order { // a request for a task, while it waits for the inventory and then for its job
    struct api *api;
    struct http_request *http;
    cJSON *body; // the request borrows its strings
    struct task_request request;
};

static void on_idle_closed(uv_handle_t *handle) {
    struct api *api = handle->data;
    api->drained(api->drained_arg);
}

static void on_http_closed(void *arg) {
    struct api *api = arg;
    uv_close((uv_handle_t *)&api->idle, on_idle_closed);
}

static void close_when_idle(struct api *api) {
    if (api->draining && api->http != NULL && api->fetches == 0 && runner_jobs(api->runner) == 0) {
        http_close(api->http, on_http_closed, api);
        api->http = NULL;
    }
}

// --- POST /upgrade-os/, and every task's endpoint

static void order_free(struct order *order) {
    request_deinit(&order->request);
    cJSON_Delete(order->body);
    free(order);
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

static void on_job_done(void *arg, struct job *job) {
    struct order *order = arg;
    struct api *api = order->api;
    log_flush(api->log); // before the answer that speaks of it
    size_t len;
    char *report = report_json(job, &len);
    http_answer(order->http, 200, "application/json", report, len);
    job_free(job);
    order_free(order);
    close_when_idle(api);
}

static void on_inventory(void *arg, struct inventory *inventory, const struct error *why) {
    struct order *order = arg;
    struct api *api = order->api;
    const struct task_request *request = &order->request;
    struct selection selection;
    const char *field;
    struct error err;
    api->fetches--;
    if (inventory == NULL) {
        http_answer_problem(order->http, 502, NULL, "the inventory: %s", why->text);
    } else if (inventory_select(inventory, &request->sites, &request->dev_types, &selection, &field,
                                &err) != 0) {
        http_answer_problem(order->http, 400, field, "%s", err.text);
        inventory_unref(inventory);
    } else {
        char id[JOB_ID_MAX];
        make_id(id);
        struct job *job = job_new(id, request->task, &request->args, inventory, &selection);
        job->done = on_job_done;
        job->done_arg = order;
        runner_submit(api->runner, job);
        return;
    }
    order_free(order);
    close_when_idle(api);
}

static const struct task *task_at(const char *path) {
    for (size_t i = 0; i < tasks_count; i++)
        if (strcmp(tasks[i]->path, path) == 0) return tasks[i];
    return NULL;
}

static void post_task(void *app, struct http_request *r) {
    struct api *api = app;
    if (api->draining) {
        http_answer_problem(r, 503, NULL, "the orchestrator is shutting down");
        return;
    }
    cJSON *body = http_json_body(r);
    if (body == NULL) return;
    struct order *order = mem_zalloc(sizeof *order);
    *order = (struct order){.api = api, .http = r, .body = body};
    char field[REQUEST_FIELD_MAX];
    struct error err;
    if (request_parse(task_at(http_path(r)), body, &order->request, field, &err) != 0) {
        http_answer_problem(r, 400, field[0] == '\0' ? NULL : field, "%s", err.text);
        order_free(order);
        return;
    }
    api->fetches++;
    fetch_inventory(api->loop, api->config->inventory, on_inventory, order);
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
    enum prom_format format = prom_negotiate(http_accept(r));
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

static void on_probed(void *arg, const struct error *err) {
    struct order *order = arg;
    struct api *api = order->api;
    api->fetches--;
    if (err == NULL)
        answer_ok(order->http);
    else
        http_answer_problem(order->http, 503, NULL, "the inventory: %s", err->text);
    order_free(order);
    close_when_idle(api);
}

static void get_readyz(void *app, struct http_request *r) {
    struct api *api = app;
    if (api->draining) {
        http_answer_problem(r, 503, NULL, "the orchestrator is shutting down");
        return;
    }
    struct order *order = mem_zalloc(sizeof *order);
    *order = (struct order){.api = api, .http = r};
    api->fetches++;
    fetch_probe(api->loop, api->config->inventory, on_probed, order);
}

// --- life

static const struct http_route fixed_routes[] = {
    {HTTP_GET, "/swagger/", get_swagger, true},
    {HTTP_GET, "/metrics/", get_metrics, true},
    {HTTP_GET, "/livez", get_livez, false},
    {HTTP_GET, "/readyz", get_readyz, false},
};
enum { FIXED_ROUTES = COUNT(fixed_routes) };

static void make_routes(struct api *api) {
    size_t count = 0;
    api->list = mem_array(tasks_count + FIXED_ROUTES, sizeof *api->list);
    for (size_t i = 0; i < tasks_count; i++)
        api->list[count++] =
            (struct http_route){.method = HTTP_POST, .path = tasks[i]->path, .handle = post_task};
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
              struct runner *runner, struct metrics *metrics, struct log *log, struct error *err) {
    struct api *api = mem_zalloc(sizeof *api);
    api->config = config;
    api->loop = loop;
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
    uv_idle_init(loop, &api->idle);
    api->idle.data = api;
    runner_on_breath(runner, on_breath, api);
    *started = api;
    return 0;
}

const union address *api_address(const struct api *api) {
    return http_address(api->http);
}

void api_drain(struct api *api, void (*done)(void *arg), void *arg) {
    api->draining = true;
    api->drained = done;
    api->drained_arg = arg;
    runner_drain(api->runner);
    close_when_idle(api);
}

void api_free(struct api *api) {
    if (api == NULL) return;
    cJSON_free(api->swagger);
    free(api->list);
    free(api);
}

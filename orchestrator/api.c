#include "orchestrator/api.h"

#include "common/count.h"
#include "common/mem.h"
#include "common/yml.h"
#include "orchestrator/api_metrics.h"
#include "orchestrator/api_tasks.h"
#include "orchestrator/swagger.h"

#include <stdlib.h>
#include <string.h>

struct api {
    const struct api_config *config;
    struct jobs *jobs;
    struct runner *runner;
    struct metrics *metrics;
    struct http_server *http;
    struct http_route *list;
    struct http_routes routes;
    char *swagger;           // the OpenAPI document as JSON
    struct fetcher *fetcher; // NULL: closed, while draining
    struct api_tasks tasks;
    bool draining;
    void (*drained)(void *arg);
    void *drained_arg;
};

static void on_http_closed(void *arg) {
    struct api *api = arg;
    api->drained(api->drained_arg);
}

static void close_when_idle(struct api *api) {
    if (api->draining && api->http != NULL && api->fetcher == NULL && jobs_count(api->jobs) == 0) {
        http_close(api->http, on_http_closed, api);
        api->http = NULL;
    }
}

static void on_report_answered(void *arg) {
    close_when_idle(arg);
}

// --- endpoints

static void post_task(void *app, struct http_request *r) {
    api_tasks_post(&((struct api *)app)->tasks, r);
}

static void get_swagger(void *app, struct http_request *r) {
    const struct api *api = app;
    http_answer(r, 200, "application/json", mem_strdup(api->swagger), strlen(api->swagger));
}

static void get_metrics(void *app, struct http_request *r) {
    struct api *api = app;
    api_metrics_answer(r, api->metrics, runner_groups_pending(api->runner));
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
        http_answer_problem(r, 503, "the inventory: %s", err->text);
}

static void get_readyz(void *app, struct http_request *r) {
    struct api *api = app;
    if (api->draining) {
        http_answer_problem(r, 503, "the orchestrator is shutting down");
        return;
    }
    fetcher_probe(api->fetcher, on_probed, r);
}

// --- life

static const struct http_route fixed_routes[] = {
    {HTTP_GET, "/swagger/", get_swagger, true, NULL, http_any_query, false},
    {HTTP_GET, "/metrics/", get_metrics, true, NULL, http_any_query, false},
    {HTTP_GET, "/livez", get_livez, false, NULL, http_any_query, true},
    {HTTP_GET, "/readyz", get_readyz, false, NULL, http_any_query, true},
};
enum { FIXED_ROUTES = COUNT(fixed_routes) };

static void make_routes(struct api *api) {
    size_t count = 0;
    api->list = mem_array(tasks_count + FIXED_ROUTES, sizeof *api->list);
    for (size_t i = 0; i < tasks_count; i++)
        api->list[count++] =
            (struct http_route){HTTP_POST, tasks[i]->path, post_task, false, tasks[i], NULL, false};
    memcpy(api->list + count, fixed_routes, sizeof fixed_routes);
    api->routes = (struct http_routes){.list = api->list,
                                       .count = count + FIXED_ROUTES,
                                       .origins = api->config->origins,
                                       .origins_count = api->config->origins_count,
                                       .hosts = &api->config->hosts};
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
    api->tasks = (struct api_tasks){.fetcher = api->fetcher,
                                    .policy = config->policy,
                                    .jobs = jobs,
                                    .runner = runner,
                                    .log = log,
                                    .answered = on_report_answered,
                                    .answered_arg = api};
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
    api_tasks_drain(&api->tasks);
    runner_drain(api->runner);
    fetcher_close(api->fetcher, on_fetcher_closed, api);
}

void api_abort(struct api *api) {
    runner_abort(api->runner);
    close_when_idle(api);
}

void api_free(struct api *api) {
    if (api == NULL) return;
    cJSON_free(api->swagger);
    free(api->list);
    free(api);
}

#include "orchestrator/api.h"

#include "common/clock.h"
#include "common/count.h"
#include "common/http_tls.h"
#include "common/mem.h"
#include "common/yml.h"
#include "orchestrator/api_audit.h"
#include "orchestrator/api_hosts.h"
#include "orchestrator/api_jobs.h"
#include "orchestrator/api_metrics.h"
#include "orchestrator/api_page.h"
#include "orchestrator/api_tasks.h"
#include "orchestrator/swagger.h"

#include <stdlib.h>
#include <string.h>

struct api {
    const struct api_config *config;
    struct access *access;
    struct http_tls *tls; // until the server has it
    struct http_guard guard;
    struct api_parts parts;
    struct http_server *http;
    struct http_route *list;
    struct http_routes routes;
    char *swagger; // the OpenAPI document as JSON
    struct api_page *page;
    struct fetcher *fetcher; // NULL: closed, while draining
    struct job_loader *loader;
    struct recovery *recovery;
    struct api_tasks tasks;
    struct api_jobs job_views;
    struct api_hosts hosts;
    struct api_audit audit;
    struct api_events *events;
    bool is_draining;
    void (*closed)(void *arg);
    void *closed_arg;
};

// --- endpoints

static void post_task(void *app, struct http_request *r) {
    api_tasks_post(&((struct api *)app)->tasks, r);
}

static void get_jobs(void *app, struct http_request *r) {
    api_jobs_list(&((struct api *)app)->job_views, r);
}

static void get_job(void *app, struct http_request *r) {
    api_jobs_get(&((struct api *)app)->job_views, r);
}

static void get_job_hosts(void *app, struct http_request *r) {
    api_jobs_hosts(&((struct api *)app)->job_views, r);
}

static void get_job_report(void *app, struct http_request *r) {
    api_jobs_report(&((struct api *)app)->job_views, r);
}

static void get_job_events(void *app, struct http_request *r) {
    api_jobs_events(&((struct api *)app)->job_views, r);
}

static void get_events(void *app, struct http_request *r) {
    api_jobs_all_events(&((struct api *)app)->job_views, r);
}

static void get_hosts(void *app, struct http_request *r) {
    api_hosts_list(&((struct api *)app)->hosts, r);
}

static void get_host(void *app, struct http_request *r) {
    api_hosts_get(&((struct api *)app)->hosts, r);
}

static void get_audit(void *app, struct http_request *r) {
    api_audit_get(&((struct api *)app)->audit, r);
}

static void on_changed(void *app, struct http_request *r, int status) {
    api_audit_answered(&((struct api *)app)->audit, r, status);
}

static void post_job_resume(void *app, struct http_request *r) {
    api_jobs_resume(&((struct api *)app)->job_views, r);
}

static void post_job_pause(void *app, struct http_request *r) {
    api_jobs_pause(&((struct api *)app)->job_views, r);
}

static void post_job_cancel(void *app, struct http_request *r) {
    api_jobs_cancel(&((struct api *)app)->job_views, r);
}

static void post_job_retry(void *app, struct http_request *r) {
    api_jobs_retry(&((struct api *)app)->job_views, r);
}

static void get_page(void *app, struct http_request *r) {
    api_page_answer(((struct api *)app)->page, r);
}

static void get_swagger(void *app, struct http_request *r) {
    const struct api *api = app;
    http_answer(r, 200, "application/json", mem_strdup(api->swagger), strlen(api->swagger));
}

static void add_nodes(const struct nodes *nodes, struct metrics_now *now) {
    const struct node_counts counts = nodes_count(nodes);
    now->is_shared = true;
    now->nodes = counts.nodes;
    now->shards = counts.shards;
    now->shards_taken = counts.taken;
    now->leases_lost = counts.lost;
    now->nodes_declared_dead = counts.dead;
    now->free_shards = counts.free_shards;
    now->cut_off = counts.cut_off;
}

static void get_metrics(void *app, struct http_request *r) {
    struct api *api = app;
    const struct gate *gate = runner_gate(api->parts.runner);
    const struct event_streams *streams = api_events_streams(api->events);
    struct metrics_now now = {.event_streams = event_streams_count(streams),
                              .clients_let_go = event_streams_let_go(streams),
                              .requests_refused = api->audit.refused,
                              .audit_lost = api->audit.not_written,
                              .hides_hosts = !http_is_trusted(r),
                              .groups_pending = gate_groups_pending(gate),
                              .groups_stopped = gate_groups_stopped(gate),
                              .store_is_well = store_is_well(api->parts.store, NULL)};
    if (api->parts.nodes != NULL) add_nodes(api->parts.nodes, &now);
    api_metrics_answer(r, api->parts.metrics, &now);
}

static void get_nodes(void *app, struct http_request *r) {
    const struct api *api = app;
    size_t len;
    if (api->parts.nodes == NULL) {
        http_answer_problem(r, 404,
                            "the store is this orchestrator's alone: several share one that "
                            "--state postgresql://... names");
        return;
    }
    char *text = nodes_json(api->parts.nodes, &len);
    http_answer(r, 200, "application/json", text, len);
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
    else if (http_is_known(r))
        http_answer_problem(r, 503, "the inventory: %s", err->text);
    else
        http_answer_problem(r, 503,
                            "the inventory cannot be read; asked with a token this says why");
}

static void get_readyz(void *app, struct http_request *r) {
    struct api *api = app;
    const char *why;
    struct error err;
    if (api->is_draining)
        http_answer_problem(r, 503, "the orchestrator is shutting down");
    else if (!store_is_well(api->parts.store, &why))
        http_answer_problem(
            r, 503, "the store%s%s", http_is_known(r) ? ": " : "",
            http_is_known(r) ? why : " cannot be written; asked with a token this says why");
    else if (!store_has_room(api->parts.store, &err))
        http_answer_problem(r, 503, "the store: %s", err.text);
    else if (api->parts.nodes != NULL && (why = nodes_why_not(api->parts.nodes)) != NULL)
        http_answer_problem(r, 503, "this node: %s", why);
    else
        fetcher_probe(api->fetcher, on_probed, r);
}

// --- life

static const struct http_route fixed_routes[] = {
    {HTTP_GET, "/jobs/", get_jobs, .query = api_jobs_list_query},
    {HTTP_GET, "/jobs/{id}/", get_job, .arg = NULL},
    {HTTP_GET, "/jobs/{id}/hosts/", get_job_hosts, .query = api_jobs_hosts_query},
    {HTTP_GET, "/jobs/{id}/report/", get_job_report, .arg = NULL},
    {HTTP_GET, "/jobs/{id}/events/", get_job_events, .arg = NULL},
    {HTTP_GET, "/events/", get_events, .arg = NULL},
    {HTTP_GET, "/hosts/", get_hosts, .arg = NULL},
    {HTTP_GET, "/hosts/{host}/", get_host, .arg = NULL},
    {HTTP_GET, "/audit/", get_audit, .query = api_audit_query},
    {HTTP_GET, "/nodes/", get_nodes, .arg = NULL},
    {HTTP_POST, "/jobs/{id}/resume/", post_job_resume, .arg = NULL},
    {HTTP_POST, "/jobs/{id}/pause/", post_job_pause, .arg = NULL},
    {HTTP_POST, "/jobs/{id}/cancel/", post_job_cancel, .arg = NULL},
    {HTTP_POST, "/jobs/{id}/retry/", post_job_retry, .arg = NULL},
    {HTTP_GET, "/", get_page, .arg = &api_page_index, .query = http_any_query, .open = true},
    {HTTP_GET, "/web/{file}", get_page, .arg = &api_page_web, .query = http_any_query,
     .open = true},
    {HTTP_GET, "/docs/", get_page, .arg = &api_page_docs_index, .query = http_any_query,
     .open = true},
    {HTTP_GET, "/docs/{file}", get_page, .arg = &api_page_docs, .query = http_any_query,
     .open = true},
    {HTTP_GET, "/swagger/", get_swagger, .any_origin = true, .query = http_any_query, .open = true},
    {HTTP_GET, "/metrics/", get_metrics, .any_origin = true, .query = http_any_query},
    {HTTP_GET, "/livez", get_livez, .query = http_any_query, .vital = true, .open = true},
    {HTTP_GET, "/readyz", get_readyz, .query = http_any_query, .vital = true, .open = true},
};
enum { FIXED_ROUTES = COUNT(fixed_routes) };

static void make_routes(struct api *api) {
    size_t count = 0;
    api->list = mem_array(tasks_count + FIXED_ROUTES, sizeof *api->list);
    for (size_t i = 0; i < tasks_count; i++)
        api->list[count++] =
            (struct http_route){HTTP_POST, tasks[i]->path, post_task, .arg = tasks[i]};
    memcpy(api->list + count, fixed_routes, sizeof fixed_routes);
    api->routes = (struct http_routes){.list = api->list,
                                       .count = count + FIXED_ROUTES,
                                       .origins = api->config->origins,
                                       .origins_count = api->config->origins_count,
                                       .hosts = &api->config->hosts,
                                       .guard = api->access == NULL ? NULL : &api->guard,
                                       .changed = on_changed};
}

static enum http_admission admit(const void *arg, const char *authorization, bool changes,
                                 const char **who) {
    return access_admit(((const struct api *)arg)->access, authorization, changes, who);
}

static void on_fetcher_gone(void *arg) {
    (void)arg;
}

static void on_breath(void *arg) {
    const struct api *api = arg;
    if (api->http != NULL) http_poll(api->http);
}

static void on_recovered(void *arg) {
    struct api *api = arg;
    struct error err;
    api->audit.is_open = true;
    if (!store_has_room(api->parts.store, &err)) store_retain(api->parts.store);
    api_jobs_open(&api->job_views);
    api_tasks_open(&api->tasks);
}

static void on_looked(void *arg) {
    api_tasks_look_again(&((struct api *)arg)->tasks);
}

// Where nodes share the store their jobs are joined, one by one.
static void on_nothing_left(void *arg) {
    (void)arg;
}

// What serves requests about jobs.
static int start_parts(struct api *api, struct error *err) {
    const struct api_config *config = api->config;
    const struct api_parts *parts = &api->parts;
    api->fetcher = fetcher_new(parts->loop, config->inventory, &config->limits);
    api->loader = job_loader_new(parts->store);
    api->audit = (struct api_audit){.store = parts->store};
    api->tasks = (struct api_tasks){.fetcher = api->fetcher,
                                    .audit = &api->audit,
                                    .policy = config->policy,
                                    .jobs = parts->jobs,
                                    .gate = runner_gate(parts->runner),
                                    .store = parts->store,
                                    .nodes = parts->nodes,
                                    .loader = api->loader,
                                    .log = parts->log,
                                    .open_jobs_max = config->limits.open_jobs,
                                    .making = {.loop = parts->loop},
                                    .playing = {.loop = parts->loop}};
    const struct recovery_config recovery = {.loop = parts->loop,
                                             .store = parts->store,
                                             .fetcher = api->fetcher,
                                             .policy = config->policy,
                                             .jobs = parts->jobs,
                                             .gate = api->tasks.gate,
                                             .resume_within_ms = config->resume_within_ms};
    int rc = recovery_new(&api->recovery, &recovery, err);
    if (rc != 0) return rc;
    api->job_views = (struct api_jobs){.jobs = parts->jobs,
                                       .store = parts->store,
                                       .loader = api->loader,
                                       .recovery = api->recovery,
                                       .gate = api->tasks.gate,
                                       .tasks = &api->tasks};
    api->hosts = (struct api_hosts){.fetcher = api->fetcher,
                                    .policy = config->policy,
                                    .gate = api->tasks.gate,
                                    .grouping = {.loop = parts->loop}};
    return 0;
}

static int start(struct api *api, struct error *err) {
    struct yml y = {0};
    make_routes(api);
    int rc = yml_parse(&y, "spec/orchestrator.yaml", swagger_yaml, swagger_yaml_len, err);
    if (rc == 0) api->swagger = cJSON_Print(y.root);
    api->page =
        api_page_new(&(struct page_facts){.simulator = api->config->simulator,
                                          .started_ms = clock_wall_ms(),
                                          .install_timeout_ms = api->config->install_timeout_ms});
    yml_deinit(&y);
    if (rc == 0) rc = start_parts(api, err);
    const struct http_config http = {.listen = api->config->listen,
                                     .routes = &api->routes,
                                     .app = api,
                                     .tls = api->tls,
                                     .limits = &api->config->limits.http};
    if (rc == 0) rc = http_start(&api->http, api->parts.loop, &http, err);
    if (rc != 0) return rc;
    api->tls = NULL;
    api->events = api_events_new(api->parts.loop, api->parts.jobs, api->parts.store, api->parts.log,
                                 &api->config->limits);
    api->job_views.events = api->events;
    processors_add(api->parts.processors, (struct processor){api_events_step, api->events});
    return 0;
}

int api_start(struct api **started, const struct api_config *config, const struct api_parts *parts,
              struct error *err) {
    struct api *api = mem_zalloc(sizeof *api);
    api->config = config;
    api->access = config->access;
    api->tls = config->tls;
    api->guard = (struct http_guard){admit, api, "orchestrator"};
    api->parts = *parts;
    int rc = start(api, err);
    if (rc != 0) {
        if (api->fetcher != NULL) fetcher_close(api->fetcher, on_fetcher_gone, NULL);
        api_free(api);
        return rc;
    }
    runner_on_breath(parts->runner, on_breath, api);
    *started = api;
    if (parts->nodes == NULL) {
        recovery_begin(api->recovery, on_recovered, api);
    } else {
        recovery_begin(api->recovery, on_nothing_left, api);
        nodes_on_look(parts->nodes, on_looked, api);
        nodes_begin(parts->nodes, api->recovery, on_recovered, api);
    }
    return 0;
}

const union address *api_address(const struct api *api) {
    return http_address(api->http);
}

void api_set_access(struct api *api, struct access *access) {
    access_free(api->access);
    api->access = access;
    api->audit.accesses++;
    api_events_end(api->events);
}

void api_set_tls(struct api *api, struct http_tls *tls) {
    http_set_tls(api->http, tls);
}

// --- the end

static void on_fetcher_closed(void *arg) {
    ((struct api *)arg)->fetcher = NULL;
}

void api_store_unwell(struct api *api, const char *why) {
    api_jobs_unwell(&api->job_views, why);
}

void api_drain(struct api *api) {
    api->is_draining = true;
    api_jobs_drain(&api->job_views);
    api_tasks_drain(&api->tasks);
    api_hosts_drain(&api->hosts);
    recovery_stop(api->recovery);
    fetcher_close(api->fetcher, on_fetcher_closed, api);
}

void api_leave_store(struct api *api) {
    api->job_views.is_closed = true;
    api->audit.is_closed = true;
    api_events_leave_store(api->events);
}

bool api_is_idle(const struct api *api) {
    return api->is_draining && api->fetcher == NULL && api->tasks.creating == 0 &&
           errands_is_idle(&api->tasks.making) && errands_is_idle(&api->tasks.playing) &&
           errands_is_idle(&api->hosts.grouping) && recovery_is_idle(api->recovery) &&
           job_loader_is_idle(api->loader) && api->job_views.reading == 0 &&
           api->audit.reading == 0 && event_streams_reading(api_events_streams(api->events)) == 0;
}

static void on_http_closed(void *arg) {
    struct api *api = arg;
    api->http = NULL;
    api_events_close(api->events);
    api->closed(api->closed_arg);
}

void api_close(struct api *api, void (*closed)(void *arg), void *arg) {
    api->closed = closed;
    api->closed_arg = arg;
    jobs_leave(api->parts.jobs);
    http_close(api->http, on_http_closed, api);
}

void api_free(struct api *api) {
    if (api == NULL) return;
    access_free(api->access);
    http_tls_free(api->tls);
    cJSON_free(api->swagger);
    api_page_free(api->page);
    recovery_free(api->recovery);
    job_loader_free(api->loader);
    api_events_free(api->events);
    free(api->list);
    free(api);
}

#include "simulator/admin.h"

#include "common/count.h"
#include "common/http_stream.h"
#include "common/json.h"
#include "common/mem.h"
#include "simulator/admin_answer.h"
#include "simulator/admin_metrics.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

// Brings the world up to now, as every handler must before it reads it.
static struct world *world_now(struct admin *a) {
    world_advance(a->world, server_now_us(a->server));
    return a->world;
}

// --- devices

// The arguments of the two routes that get_listing() serves.
static const enum listing_kind inventory = LISTING_INVENTORY, devices = LISTING_DEVICES;

struct listing_answer {
    struct admin *admin;
    struct listing_filter filter;
    struct listing listing;
};

static enum http_piece next_hosts(void *arg, struct buf *out) {
    struct listing_answer *answer = arg;
    world_now(answer->admin);
    if (listing_next(&answer->listing, out)) return HTTP_PIECE_MORE;
    buf_adds(out, "\n");
    return HTTP_PIECE_LAST;
}

static void free_listing(void *arg) {
    struct listing_answer *answer = arg;
    listing_filter_deinit(&answer->filter);
    free(answer);
}

static const struct http_source listing_source = {next_hosts, free_listing};

static void get_listing(void *app, struct http_request *r) {
    struct admin *a = app;
    const enum listing_kind *kind = http_arg(r);
    struct listing_answer *answer = mem_zalloc(sizeof *answer);
    struct error err;
    answer->admin = a;
    if (listing_filter_init(&answer->filter, a->world->network, http_query(r, "filter_sites"),
                            http_query(r, "filter_dev_types"), &err) != 0) {
        http_answer_error(r, 400, &err);
        free(answer);
        return;
    }
    if (*kind == LISTING_INVENTORY)
        listing_init_inventory(&answer->listing, a->world->network, &answer->filter, &a->addresses);
    else
        listing_init_devices(&answer->listing, a->world, &answer->filter);
    http_answer_stream(r, 200, "application/json", &listing_source, answer);
}

static void get_device(void *app, struct http_request *r) {
    struct admin *a = app;
    struct buf json = {0};
    uint32_t device;
    if (!network_find(a->world->network, http_param(r), &device)) {
        http_answer_problem(r, 404, "the network has no device %.200s", http_param(r));
        return;
    }
    listing_write_device(world_now(a), device, &json);
    admin_answer_text(r, 200, &json);
}

// --- faults

static void answer_faults(const struct admin *a, struct http_request *r, int status,
                          uint64_t after) {
    struct buf json = {0};
    fault_write(&a->world->faults, after, &json);
    admin_answer_text(r, status, &json);
}

static void get_faults(void *app, struct http_request *r) {
    answer_faults(app, r, 200, 0);
}

static void post_faults(void *app, struct http_request *r) {
    struct admin *a = app;
    cJSON *body = http_json_body(r);
    if (body == NULL) return;
    struct error err;
    uint64_t before = a->world->faults.last_id;
    int rc = fault_add(&a->world->faults, body, &err);
    if (rc != 0 && cJSON_IsArray(body)) error_in(&err, "faults");
    cJSON_Delete(body);
    if (rc != 0)
        http_answer_error(r, 400, &err);
    else
        answer_faults(a, r, 201, before);
}

static void delete_faults(void *app, struct http_request *r) {
    struct admin *a = app;
    fault_remove_all(&a->world->faults);
    http_answer_empty(r, 204);
}

static void delete_fault(void *app, struct http_request *r) {
    struct admin *a = app;
    const char *text = http_param(r);
    size_t digits = strspn(text, "0123456789");
    bool number = digits > 0 && digits < 19 && text[digits] == '\0';
    if (number && fault_remove(&a->world->faults, strtoull(text, NULL, 10)))
        http_answer_empty(r, 204);
    else
        http_answer_problem(r, 404, "there is no fault %.100s", text);
}

// --- all over again

static void post_reset(void *app, struct http_request *r) {
    struct admin *a = app;
    uint64_t seed = a->world->seed;
    size_t len;
    http_body(r, &len);
    if (len > 0) {
        struct error err;
        cJSON *body = http_json_body(r);
        if (body == NULL) return;
        int rc = json_as_object(body, &err);
        if (rc == 0) rc = JSON_ONLY(body, &err, "seed");
        if (rc == 0) rc = json_uint_opt(body, "seed", 0, 1ULL << 53, &seed, &err);
        cJSON_Delete(body);
        if (rc != 0) {
            http_answer_error(r, 400, &err);
            return;
        }
    }
    server_forget_all(a->server);
    world_reset(a->world, seed);
    http_answer_empty(r, 204);
}

// --- how fast time goes by

static void answer_time_scale(const struct admin *a, struct http_request *r) {
    struct buf json = {0};
    cJSON *scale = cJSON_CreateNumber(a->world->time_scale);
    buf_adds(&json, "{\"time_scale\": ");
    json_add_text(&json, scale);
    buf_adds(&json, "}\n");
    cJSON_Delete(scale);
    admin_answer_text(r, 200, &json);
}

static void get_time_scale(void *app, struct http_request *r) {
    answer_time_scale(app, r);
}

static void post_time_scale(void *app, struct http_request *r) {
    struct admin *a = app;
    struct error err;
    double scale = 0;
    cJSON *body = http_json_body(r);
    if (body == NULL) return;
    int rc = json_as_object(body, &err);
    if (rc == 0) rc = JSON_ONLY(body, &err, "time_scale");
    if (rc == 0) rc = json_number(body, "time_scale", 0, WORLD_TIME_SCALE_MAX, &scale, &err);
    cJSON_Delete(body);
    if (rc != 0) {
        http_answer_error(r, 400, &err);
        return;
    }
    a->world->time_scale = scale;
    answer_time_scale(a, r);
}

// --- the rest

static void get_audit(void *app, struct http_request *r) {
    struct buf json = {0};
    referee_write(&world_now(app)->referee, !http_has_query(r, "violations"), &json);
    admin_answer_text(r, 200, &json);
}

static void get_events(void *app, struct http_request *r) {
    struct admin *a = app;
    admin_events_get(&a->events, r);
}

static void get_metrics(void *app, struct http_request *r) {
    struct admin *a = app;
    admin_metrics_get(world_now(a), a->server->connections.count, r);
}

static void get_alive(void *app, struct http_request *r) {
    (void)app;
    struct buf text = {0};
    buf_adds(&text, "ok\n");
    size_t len = text.len;
    http_answer(r, 200, "text/plain; charset=utf-8", buf_take(&text), len);
}

static void get_ready(void *app, struct http_request *r) {
    const struct admin *a = app;
    if (a->closing)
        http_answer_problem(r, 503, "the simulator is shutting down");
    else
        get_alive(app, r);
}

static const char *const filters[] = {"filter_sites", "filter_dev_types", NULL};
static const char *const audit[] = {"violations", NULL};
static const char *const events[] = {"after", "wait", NULL};

static const struct http_route routes[] = {
    {HTTP_GET, "/inventory/", get_listing, true, &inventory, filters, false},
    {HTTP_GET, "/devices/", get_listing, true, &devices, filters, false},
    {HTTP_GET, "/devices/{host}/", get_device, true, NULL, NULL, false},
    {HTTP_GET, "/faults/", get_faults, true, NULL, NULL, false},
    {HTTP_POST, "/faults/", post_faults, false, NULL, NULL, false},
    {HTTP_DELETE, "/faults/", delete_faults, false, NULL, NULL, false},
    {HTTP_DELETE, "/faults/{id}/", delete_fault, false, NULL, NULL, false},
    {HTTP_POST, "/reset/", post_reset, false, NULL, NULL, false},
    {HTTP_GET, "/time-scale/", get_time_scale, true, NULL, NULL, false},
    {HTTP_POST, "/time-scale/", post_time_scale, false, NULL, NULL, false},
    {HTTP_GET, "/audit/", get_audit, true, NULL, audit, false},
    {HTTP_GET, "/events/", get_events, true, NULL, events, false},
    {HTTP_GET, "/metrics/", get_metrics, true, NULL, http_any_query, false},
    {HTTP_GET, "/livez", get_alive, true, NULL, http_any_query, true},
    {HTTP_GET, "/readyz", get_ready, true, NULL, http_any_query, true},
};

// --- start and stop

int admin_start(struct admin *a, uv_loop_t *loop, const union address *listen,
                const struct http_hosts *hosts, struct server *server,
                const struct listing_addresses *addresses, struct error *err) {
    *a = (struct admin){
        .server = server, .world = server->connections.world, .addresses = *addresses};
    a->routes = (struct http_routes){.list = routes, .count = COUNT(routes), .hosts = hosts};
    int rc = http_start(&a->http, loop, listen, &a->routes, NULL, a, err);
    if (rc != 0) return rc;
    admin_events_init(&a->events, loop, a->world);
    a->parts_open = 2;
    return 0;
}

static void on_part_closed(void *arg) {
    struct admin *a = arg;
    if (--a->parts_open == 0) a->done(a->done_arg);
}

void admin_close(struct admin *a, void (*done)(void *arg), void *arg) {
    a->closing = true;
    a->done = done;
    a->done_arg = arg;
    admin_events_close(&a->events, on_part_closed, a);
    http_close(a->http, on_part_closed, a);
}

#include "simulator/admin.h"

#include "common/count.h"
#include "common/json.h"
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

// The text of an error names the field before its first colon.
static void answer_wrong(struct http_request *r, const struct error *err) {
    char field[256];
    size_t len = strcspn(err->text, ":");
    bool named = len < sizeof field && err->text[len] == ':' && strcspn(err->text, " ") > len;
    memcpy(field, err->text, named ? len : 0);
    field[named ? len : 0] = '\0';
    http_answer_problem(r, 400, named ? field : NULL, "%s", err->text);
}

// --- devices

// False: the request is answered.
static bool filter_of(const struct admin *a, struct http_request *r, struct listing_filter *f) {
    struct error err;
    if (listing_filter_init(f, a->world->network, http_query(r, "filter_sites"),
                            http_query(r, "filter_dev_types"), &err) == 0)
        return true;
    answer_wrong(r, &err);
    return false;
}

// The arguments of the two routes that get_listing() serves.
enum listing { INVENTORY, DEVICES };
static const enum listing inventory = INVENTORY, devices = DEVICES;

static void get_listing(void *app, struct http_request *r) {
    struct admin *a = app;
    const enum listing *listing = http_arg(r);
    const struct world *world = world_now(a);
    struct listing_filter filter;
    struct buf json = {0};
    if (!filter_of(a, r, &filter)) return;
    if (*listing == INVENTORY)
        listing_write(world->network, &filter, &a->addresses, &json);
    else
        listing_write_devices(world, &filter, &json);
    listing_filter_deinit(&filter);
    admin_answer_text(r, 200, &json);
}

static void get_device(void *app, struct http_request *r) {
    struct admin *a = app;
    struct buf json = {0};
    uint32_t device;
    if (!network_find(a->world->network, http_param(r), &device)) {
        http_answer_problem(r, 404, NULL, "the network has no device %.200s", http_param(r));
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
        answer_wrong(r, &err);
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
        http_answer_problem(r, 404, NULL, "there is no fault %.100s", text);
}

// --- the rest

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
            answer_wrong(r, &err);
            return;
        }
    }
    server_forget_all(a->server);
    world_reset(a->world, seed);
    http_answer_empty(r, 204);
}

static void get_audit(void *app, struct http_request *r) {
    struct buf json = {0};
    referee_write(&world_now(app)->referee, &json);
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
        http_answer_problem(r, 503, NULL, "the simulator is shutting down");
    else
        get_alive(app, r);
}

static const struct http_route routes[] = {
    {HTTP_GET, "/inventory/", get_listing, true, &inventory},
    {HTTP_GET, "/devices/", get_listing, true, &devices},
    {HTTP_GET, "/devices/{host}/", get_device, true, NULL},
    {HTTP_GET, "/faults/", get_faults, true, NULL},
    {HTTP_POST, "/faults/", post_faults, false, NULL},
    {HTTP_DELETE, "/faults/", delete_faults, false, NULL},
    {HTTP_DELETE, "/faults/{id}/", delete_fault, false, NULL},
    {HTTP_POST, "/reset/", post_reset, false, NULL},
    {HTTP_GET, "/audit/", get_audit, true, NULL},
    {HTTP_GET, "/events/", get_events, true, NULL},
    {HTTP_GET, "/metrics/", get_metrics, true, NULL},
    {HTTP_GET, "/livez", get_alive, true, NULL},
    {HTTP_GET, "/readyz", get_ready, true, NULL},
};

// --- start and stop

int admin_start(struct admin *a, uv_loop_t *loop, const union address *listen,
                struct server *server, const struct listing_addresses *addresses,
                struct error *err) {
    *a = (struct admin){
        .server = server, .world = server->connections.world, .addresses = *addresses};
    a->routes = (struct http_routes){.list = routes, .count = COUNT(routes)};
    int rc = http_start(&a->http, loop, listen, &a->routes, a, err);
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

// A look is one request on its way:
//
//   FETCHING the inventory -> GROUPING it (on a thread, for it may be large) -> the answer, in
//   pieces
//
// The inventory is read anew each time, as for a job; a client that leaves takes its look along.
#include "orchestrator/api_hosts.h"

#include "common/http_stream.h"
#include "common/mem.h"
#include "orchestrator/hosts_view.h"

#include <stdlib.h>

enum { PIECE_HOSTS = 200 };

struct look {
    struct api_hosts *hosts;
    struct http_request *http; // NULL: its client has left
    char *name;                // of the one host; NULL: all
    struct inventory *inventory;
    struct hosts_view view;
    bool is_grouping;
    int rc;
    struct error err;
    uint32_t next; // host to be told
};

static void look_free(struct look *look) {
    hosts_view_deinit(&look->view);
    free(look->name);
    free(look);
}

static void refuse(struct look *look, int status, const char *why) {
    if (look->http != NULL) http_answer_problem(look->http, status, "%s", why);
    look_free(look);
}

// --- the answers

static enum http_piece next_piece(void *arg, struct buf *out) {
    struct look *look = arg;
    const uint32_t count = (uint32_t)look->view.inventory->count;
    if (look->next == 0) buf_adds(out, "{\"hosts\": [");
    for (unsigned i = 0; i < PIECE_HOSTS && look->next < count; i++) {
        if (look->next > 0) buf_adds(out, ",\n");
        hosts_view_write(out, &look->view, look->hosts->gate, look->next++);
    }
    if (look->next < count) return HTTP_PIECE_MORE;
    buf_adds(out, "]}\n");
    return HTTP_PIECE_LAST;
}

static void close_look(void *arg) {
    look_free(arg);
}

static const struct http_source hosts_source = {next_piece, close_look};

static void answer_one(struct look *look) {
    struct buf text = {0};
    uint32_t host;
    if (!hosts_view_find(&look->view, look->name, &host)) {
        http_answer_problem(look->http, 404, "the inventory has no host %.200s", look->name);
        look_free(look);
        return;
    }
    hosts_view_write_peers(&text, &look->view, look->hosts->gate, host);
    buf_adds(&text, "\n");
    const size_t len = text.len;
    http_answer(look->http, 200, "application/json", buf_take(&text), len);
    look_free(look);
}

// --- the way there

static void group_on_thread(void *arg) {
    struct look *look = arg;
    const bool is_shared = gate_configuration(look->hosts->gate)->held != NULL;
    look->rc =
        hosts_view_init(&look->view, look->inventory, look->hosts->policy, is_shared, &look->err);
}

static void on_grouped(void *arg) {
    struct look *look = arg;
    look->is_grouping = false;
    if (look->rc != 0) inventory_unref(look->inventory);
    if (look->http == NULL)
        look_free(look);
    else if (look->rc != 0)
        refuse(look, 502, look->err.text);
    else if (look->name != NULL)
        answer_one(look);
    else
        http_answer_stream(look->http, 200, "application/json", &hosts_source, look);
}

static void on_inventory(void *arg, struct inventory *inventory, const struct error *why) {
    struct look *look = arg;
    if (look->hosts->is_draining || why != NULL) {
        inventory_unref(inventory);
        if (why != NULL && !look->hosts->is_draining)
            http_answer_problem(look->http, 502, "the inventory: %s", why->text);
        else
            http_answer_problem(look->http, 503, "the orchestrator is shutting down");
        look_free(look);
        return;
    }
    look->inventory = inventory;
    look->is_grouping = true;
    errands_add(&look->hosts->grouping, group_on_thread, on_grouped, look);
}

static void on_left(void *arg) {
    struct look *look = arg;
    http_answer_problem(look->http, 503, "the client has left");
    look->http = NULL;
    if (look->is_grouping) return;
    fetcher_forget(look->hosts->fetcher, look);
    look_free(look);
}

static void begin(struct api_hosts *hosts, struct http_request *r, const char *name) {
    if (hosts->is_draining) {
        http_answer_problem(r, 503, "the orchestrator is shutting down");
        return;
    }
    struct look *look = mem_zalloc(sizeof *look);
    *look =
        (struct look){.hosts = hosts, .http = r, .name = name == NULL ? NULL : mem_strdup(name)};
    http_on_left(r, on_left, look);
    fetcher_ask(hosts->fetcher, on_inventory, look);
}

void api_hosts_list(struct api_hosts *hosts, struct http_request *r) {
    begin(hosts, r, NULL);
}

void api_hosts_get(struct api_hosts *hosts, struct http_request *r) {
    begin(hosts, r, http_param(r));
}

void api_hosts_drain(struct api_hosts *hosts) {
    hosts->is_draining = true;
}

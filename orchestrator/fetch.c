// Each reading has a thread of its own: a fetch and the parsing of a large inventory would stall
// the loop, and on libuv's pool a few that hang would keep the names of devices from being looked
// up. A thread touches nothing but its own struct reading, and of that not the waiters, which are
// the loop's. (cJSON notes the place of its last error in a global that nobody here reads.)
//
//   asked -> reading (shared until `begun`) -> ended, on the loop: joined, told to all who wait
//
// An abandoned reading is told to nobody. A transfer ends then at once; a file is read to its end,
// which is never far, for it is no pipe and no device.
#include "orchestrator/fetch.h"

#include "common/buf.h"
#include "common/file.h"
#include "common/inventory_file.h"
#include "common/inventory_parse.h"
#include "common/json.h"
#include "common/mem.h"
#include "common/version.h"

#include <curl/curl.h>
#include <malloc.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

struct waiter {
    struct waiter *next;
    fetch_done done;
    void *arg;
};

struct reading {
    struct reading *next;
    struct fetcher *fetcher;
    struct waiter *waiters; // in order of arrival
    bool probes;            // asks whether it could be read, and no more
    uv_thread_t thread;
    bool has_thread;
    bool over;
    uv_async_t ended;
    CURLM *multi;      // of a URL
    atomic_bool begun; // what comes of it may be older than now
    atomic_bool abandoned;
    struct inventory *inventory;
    int rc;
    struct error err;
};

struct fetcher {
    uv_loop_t *loop;
    const char *source;
    const struct limits *limits;
    struct reading *readings;
    struct waiter *queued; // for the next reading
    bool closing;
    void (*closed)(void *arg);
    void *closed_arg;
};

// --- over HTTP, on the reading's thread

static bool is_url(const char *source) {
    return strncmp(source, "http://", 7) == 0 || strncmp(source, "https://", 8) == 0;
}

struct body {
    struct buf *text;
    uint64_t max;
};

static size_t on_bytes(char *data, size_t size, size_t count, void *arg) {
    const struct body *out = arg;
    size_t len = size * count;
    if (out->text->len + len > out->max) return 0;
    buf_add(out->text, data, len);
    return len;
}

// What a probe asked is answered by the headers.
// NOLINTNEXTLINE(readability-non-const-parameter): libcurl's type
static size_t on_first_bytes(char *data, size_t size, size_t count, void *arg) {
    (void)data;
    (void)size;
    (void)count;
    (void)arg;
    return 0;
}

// NOLINTNEXTLINE(readability-non-const-parameter): libcurl's type
static int on_request(void *arg, char *local, char *remote, int local_port, int remote_port) {
    struct reading *r = arg;
    (void)local;
    (void)remote;
    (void)local_port;
    (void)remote_port;
    r->begun = true;
    return CURL_PREREQFUNC_OK;
}

static void set_options(struct reading *r, CURL *curl, struct body *body, char *message) {
    const struct limits *limits = r->fetcher->limits;
    const uint64_t patience_ms = r->probes ? PROBE_TIMEOUT_S * 1000ULL : limits->inventory_ms;
    curl_easy_setopt(curl, CURLOPT_NETRC, (long)CURL_NETRC_OPTIONAL);
    curl_easy_setopt(curl, CURLOPT_URL, r->fetcher->source);
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 1L);
    curl_easy_setopt(curl, CURLOPT_MAXREDIRS, 5L);
    curl_easy_setopt(curl, CURLOPT_PROXY,
                     ""); // the inventory is inside: no proxy of the environment
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_QUICK_EXIT, 1L); // do not wait for a look-up that hangs
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, (long)FETCH_CONNECT_TIMEOUT_S);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)patience_ms);
    if (!r->probes) curl_easy_setopt(curl, CURLOPT_MAXFILESIZE, (long)limits->inventory);
    curl_easy_setopt(curl, CURLOPT_USERAGENT, "orchestrator/" PROJECT_VERSION);
    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, message);
    curl_easy_setopt(curl, CURLOPT_PREREQFUNCTION, on_request);
    curl_easy_setopt(curl, CURLOPT_PREREQDATA, r);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, r->probes ? on_first_bytes : on_bytes);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, body);
}

// Through the multi interface, which another thread can wake.
static CURLcode transfer(struct reading *r, CURL *curl) {
    enum { TURN_MS = 1000 };
    CURLcode rc = CURLE_ABORTED_BY_CALLBACK;
    int running = 1, left;
    curl_multi_add_handle(r->multi, curl);
    while (!r->abandoned && running > 0) {
        curl_multi_perform(r->multi, &running);
        if (running > 0) curl_multi_poll(r->multi, NULL, 0, TURN_MS, NULL);
    }
    const CURLMsg *message = curl_multi_info_read(r->multi, &left);
    if (message != NULL) rc = message->data.result;
    curl_multi_remove_handle(r->multi, curl);
    return rc;
}

static int get(struct reading *r, struct buf *text, struct error *err) {
    struct body body = {text, r->fetcher->limits->inventory};
    const char *url = r->fetcher->source;
    char message[CURL_ERROR_SIZE] = "";
    CURL *curl = curl_easy_init();
    if (curl == NULL || r->multi == NULL) {
        curl_easy_cleanup(curl);
        return error_set(err, "%.200s: libcurl would not start", url);
    }
    set_options(r, curl, &body, message);
    CURLcode rc = transfer(r, curl);
    long status = 0;
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_cleanup(curl);
    if (rc == CURLE_FILESIZE_EXCEEDED || (rc == CURLE_WRITE_ERROR && !r->probes))
        return error_set(err, "%.200s: it is larger than %llu bytes (--limit inventory)", url,
                         (unsigned long long)body.max);
    if (rc != CURLE_OK && rc != CURLE_WRITE_ERROR)
        return error_set(err, "%.200s: %.200s", url,
                         message[0] == '\0' ? curl_easy_strerror(rc) : message);
    if (status != 200) return error_set(err, "%.200s: it answered %ld, not 200", url, status);
    return 0;
}

// --- what was read, on the reading's thread

static int parse_answer(const char *url, const struct buf *text, struct inventory **inventory,
                        struct error *err) {
    cJSON *document = NULL;
    int rc = json_parse(text->data == NULL ? "" : text->data, text->len, &document, err);
    if (rc == 0) rc = inventory_parse(document, inventory, err);
    cJSON_Delete(document);
    if (rc != 0) error_from(err, "%.200s", url);
    return rc;
}

// --- the reading's thread

// A document takes many times the memory of the inventory that is made of it, and malloc would keep
// it for the length of the job.
enum { TRIM_ABOVE = 1 << 20 }; // bytes of text

static void load_url(struct reading *r, size_t *size) {
    struct buf text = {0};
    r->rc = get(r, &text, &r->err);
    if (r->rc == 0 && !r->abandoned)
        r->rc = parse_answer(r->fetcher->source, &text, &r->inventory, &r->err);
    *size = text.len;
    buf_deinit(&text);
}

static void load_file(struct reading *r, size_t *size) {
    struct inventory_file file;
    r->rc = inventory_file_read(&file, r->fetcher->source, r->fetcher->limits->inventory, &r->err);
    if (r->rc == 0 && !r->abandoned) r->rc = inventory_file_parse(&file, &r->inventory, &r->err);
    *size = inventory_file_size(&file);
    inventory_file_deinit(&file);
}

static void check_hosts(struct reading *r) {
    const uint64_t max = r->fetcher->limits->inventory_hosts;
    if (r->rc != 0 || r->inventory == NULL || r->inventory->count <= max) return;
    r->rc = error_set(&r->err,
                      "%.200s: it has %zu hosts, and %llu are allowed (--limit "
                      "inventory-hosts)",
                      r->fetcher->source, r->inventory->count, (unsigned long long)max);
    inventory_unref(r->inventory);
    r->inventory = NULL;
}

static void load(struct reading *r) {
    size_t size;
    if (is_url(r->fetcher->source))
        load_url(r, &size);
    else
        load_file(r, &size);
    check_hosts(r);
    if (size > TRIM_ABOVE) malloc_trim(0);
}

static void probe(struct reading *r) {
    const char *source = r->fetcher->source;
    r->rc = is_url(source) ? get(r, NULL, &r->err)
                           : inventory_file_probe(source, r->fetcher->limits->inventory, &r->err);
}

static void read_on_thread(void *arg) {
    struct reading *r = arg;
    if (!is_url(r->fetcher->source)) r->begun = true;
    if (r->probes)
        probe(r);
    else
        load(r);
    uv_async_send(&r->ended);
}

// --- on the loop

static void tell(struct waiter *waiters, struct inventory *inventory, const struct error *err) {
    while (waiters != NULL) {
        struct waiter *w = waiters;
        waiters = w->next;
        w->done(w->arg, inventory == NULL ? NULL : inventory_ref(inventory), err);
        free(w);
    }
}

static void free_reading(uv_handle_t *handle) {
    struct reading *r = handle->data;
    struct fetcher *f = r->fetcher;
    struct reading **link = &f->readings;
    while (*link != r)
        link = &(*link)->next;
    *link = r->next;
    free(r);
    if (!f->closing || f->readings != NULL) return;
    f->closed(f->closed_arg);
    free(f);
}

static void start(struct fetcher *f, bool probes, struct waiter *waiters);

static void on_ended(uv_async_t *handle) {
    struct reading *r = handle->data;
    struct fetcher *f = r->fetcher;
    if (r->has_thread) uv_thread_join(&r->thread);
    curl_multi_cleanup(r->multi);
    r->multi = NULL;
    r->over = true;
    struct waiter *waiters = r->waiters, *queued = r->probes ? NULL : f->queued;
    r->waiters = NULL;
    if (queued != NULL) {
        f->queued = NULL;
        start(f, false, queued);
    }
    tell(waiters, r->inventory, r->rc == 0 ? NULL : &r->err);
    inventory_unref(r->inventory);
    uv_close((uv_handle_t *)handle, free_reading);
}

static void start(struct fetcher *f, bool probes, struct waiter *waiters) {
    struct reading *r = mem_zalloc(sizeof *r);
    r->fetcher = f;
    r->probes = probes;
    r->waiters = waiters;
    r->next = f->readings;
    f->readings = r;
    uv_async_init(f->loop, &r->ended, on_ended);
    r->ended.data = r;
    if (is_url(f->source)) r->multi = curl_multi_init();
    int rc = uv_thread_create(&r->thread, read_on_thread, r);
    r->has_thread = rc == 0;
    if (rc == 0) return;
    r->rc = error_set(&r->err, "%.200s: no thread to read it: %s", f->source, uv_strerror(rc));
    uv_async_send(&r->ended);
}

static void add(struct waiter **list, struct waiter *w) {
    while (*list != NULL)
        list = &(*list)->next;
    *list = w;
}

static struct waiter *waiter_new(fetch_done done, void *arg) {
    struct waiter *w = mem_alloc(sizeof *w);
    *w = (struct waiter){.done = done, .arg = arg};
    return w;
}

void fetcher_ask(struct fetcher *f, fetch_done done, void *arg) {
    struct waiter *w = waiter_new(done, arg);
    unsigned under_way = 0;
    for (struct reading *r = f->readings; r != NULL; r = r->next) {
        if (r->probes || r->over) continue;
        if (!r->begun && !r->abandoned) {
            add(&r->waiters, w);
            return;
        }
        under_way++;
    }
    if (under_way < READINGS_MAX)
        start(f, false, w);
    else
        add(&f->queued, w);
}

void fetcher_probe(struct fetcher *f, fetch_done done, void *arg) {
    struct waiter *w = waiter_new(done, arg);
    for (struct reading *r = f->readings; r != NULL; r = r->next)
        if (r->probes && !r->over && !r->abandoned) {
            add(&r->waiters, w);
            return;
        }
    start(f, true, w);
}

static void abandon(struct reading *r) {
    r->abandoned = true;
    if (r->multi != NULL) curl_multi_wakeup(r->multi);
}

static bool remove_waiter(struct waiter **list, const void *arg) {
    while (*list != NULL && (*list)->arg != arg)
        list = &(*list)->next;
    struct waiter *found = *list;
    if (found == NULL) return false;
    *list = found->next;
    free(found);
    return true;
}

void fetcher_forget(struct fetcher *f, const void *arg) {
    if (remove_waiter(&f->queued, arg)) return;
    for (struct reading *r = f->readings; r != NULL; r = r->next) {
        if (!remove_waiter(&r->waiters, arg)) continue;
        if (r->waiters == NULL) abandon(r);
        return;
    }
}

// --- life

struct fetcher *fetcher_new(uv_loop_t *loop, const char *source, const struct limits *limits) {
    struct fetcher *f = mem_zalloc(sizeof *f);
    f->limits = limits;
    f->loop = loop;
    f->source = source;
    return f;
}

void fetcher_close(struct fetcher *f, void (*closed)(void *arg), void *arg) {
    struct error err = {0};
    f->closing = true;
    f->closed = closed;
    f->closed_arg = arg;
    error_set(&err, "%.200s: the reading was abandoned", f->source);
    struct waiter *queued = f->queued;
    f->queued = NULL;
    for (struct reading *r = f->readings; r != NULL; r = r->next) {
        struct waiter *waiters = r->waiters;
        r->waiters = NULL;
        abandon(r);
        tell(waiters, NULL, &err);
    }
    tell(queued, NULL, &err);
    if (f->readings != NULL) return;
    closed(arg);
    free(f);
}

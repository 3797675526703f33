// libcurl's easy interface on libuv's thread pool: a fetch and the parsing of a large inventory
// would stall the loop. A worker thread touches nothing but its own struct fetch. (cJSON notes the
// place of its last error in a global that nobody here reads.)
#include "orchestrator/fetch.h"

#include "common/buf.h"
#include "common/file.h"
#include "common/json.h"
#include "common/mem.h"
#include "common/version.h"
#include "common/yml.h"

#include <curl/curl.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>

struct fetch {
    uv_work_t work;
    const char *source;
    fetch_done done;
    fetch_probed probed;
    void *arg;
    struct inventory *inventory;
    int rc;
    struct error err;
};

static bool is_url(const char *source) {
    return strncmp(source, "http://", 7) == 0 || strncmp(source, "https://", 8) == 0;
}

static size_t on_bytes(char *data, size_t size, size_t count, void *arg) {
    struct buf *out = arg;
    size_t len = size * count;
    if (out->len + len > FILE_BYTES_MAX) return 0;
    buf_add(out, data, len);
    return len;
}

// body NULL: only the headers are asked for.
static int get(const char *url, struct buf *body, struct error *err) {
    char message[CURL_ERROR_SIZE] = "";
    CURL *curl = curl_easy_init();
    if (curl == NULL) return error_set(err, "%.200s: libcurl would not start", url);
    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 1L);
    curl_easy_setopt(curl, CURLOPT_MAXREDIRS, 5L);
    curl_easy_setopt(curl, CURLOPT_PROXY,
                     ""); // the inventory is inside: no proxy of the environment
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, (long)FETCH_CONNECT_TIMEOUT_S);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT,
                     (long)(body == NULL ? PROBE_TIMEOUT_S : FETCH_TIMEOUT_S));
    curl_easy_setopt(curl, CURLOPT_USERAGENT, "orchestrator/" PROJECT_VERSION);
    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, message);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_bytes);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, body);
    if (body == NULL) curl_easy_setopt(curl, CURLOPT_NOBODY, 1L);

    CURLcode rc = curl_easy_perform(curl);
    long status = 0;
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_cleanup(curl);
    if (rc == CURLE_WRITE_ERROR)
        return error_set(err, "%.200s: it is larger than %d bytes", url, FILE_BYTES_MAX);
    if (rc != CURLE_OK)
        return error_set(err, "%.200s: %.200s", url,
                         message[0] == '\0' ? curl_easy_strerror(rc) : message);
    if (status != 200) return error_set(err, "%.200s: it answered %ld, not 200", url, status);
    return 0;
}

// A file that begins like a JSON object is JSON, any other YAML; errors of the second know lines.
static int parse_file(const char *path, const struct buf *text, struct inventory **inventory,
                      struct error *err) {
    const char *start = text->data + strspn(text->data, " \t\r\n");
    struct yml y = {0};
    int rc;
    if (*start == '{') {
        rc = json_parse(text->data, text->len, &y.root, err);
        if (rc == 0) rc = inventory_parse(y.root, inventory, err);
        if (rc != 0) yml_place(&y, path, err);
    } else {
        rc = yml_parse(&y, path, text->data, text->len, err);
        if (rc == 0 && (rc = inventory_parse(y.root, inventory, err)) != 0)
            yml_place(&y, path, err);
    }
    yml_deinit(&y);
    return rc;
}

static int parse_answer(const char *url, const struct buf *text, struct inventory **inventory,
                        struct error *err) {
    cJSON *document = NULL;
    int rc = json_parse(text->data, text->len, &document, err);
    if (rc == 0) rc = inventory_parse(document, inventory, err);
    cJSON_Delete(document);
    if (rc != 0) error_from(err, "%.200s", url);
    return rc;
}

// A document takes many times the memory of the inventory that is made of it, and malloc would keep
// it for the length of the job.
enum { TRIM_ABOVE = 1 << 20 }; // bytes of text

static void load(uv_work_t *work) {
    struct fetch *f = work->data;
    struct buf text = {0};
    bool url = is_url(f->source);
    f->rc = url ? get(f->source, &text, &f->err) : file_read(f->source, &text, &f->err);
    if (f->rc == 0) {
        buf_reserve(&text, 0); // an empty one has a byte, too
        text.data[text.len] = '\0';
        f->rc = url ? parse_answer(f->source, &text, &f->inventory, &f->err)
                    : parse_file(f->source, &text, &f->inventory, &f->err);
    }
    bool trims = text.len > TRIM_ABOVE;
    buf_deinit(&text);
    if (trims) malloc_trim(0);
}

static void probe(uv_work_t *work) {
    struct fetch *f = work->data;
    if (is_url(f->source))
        f->rc = get(f->source, NULL, &f->err);
    else
        f->rc = file_probe(f->source, &f->err);
}

static void after_load(uv_work_t *work, int status) {
    (void)status; // never cancelled
    struct fetch *f = work->data;
    f->done(f->arg, f->rc == 0 ? f->inventory : NULL, &f->err);
    free(f);
}

static void after_probe(uv_work_t *work, int status) {
    (void)status;
    struct fetch *f = work->data;
    f->probed(f->arg, f->rc == 0 ? NULL : &f->err);
    free(f);
}

static struct fetch *fetch_new(const char *source, void *arg) {
    struct fetch *f = mem_zalloc(sizeof *f);
    f->source = source;
    f->arg = arg;
    f->work.data = f;
    return f;
}

void fetch_inventory(uv_loop_t *loop, const char *source, fetch_done done, void *arg) {
    struct fetch *f = fetch_new(source, arg);
    f->done = done;
    uv_queue_work(loop, &f->work, load, after_load);
}

void fetch_probe(uv_loop_t *loop, const char *source, fetch_probed done, void *arg) {
    struct fetch *f = fetch_new(source, arg);
    f->probed = done;
    uv_queue_work(loop, &f->work, probe, after_probe);
}

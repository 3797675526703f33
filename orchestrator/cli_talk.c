#include "orchestrator/cli_talk.h"

#include "common/json.h"
#include "common/text.h"

#include <errno.h>
#include <string.h>

enum { TURN_MS = 100, PAGE = 1000, ALIKE_SHOWN = 4 };
enum { PATIENCE_S = 30 }; // with a node that says nothing, where there is another
enum {
    STATUS_GOOD = 200,
    STATUS_ELSEWHERE = 300,
    STATUS_ASKER = 400,
    STATUS_UNKNOWN = 401,
    STATUS_SERVICE = 500,
    STATUS_UNABLE = 503,
};

// --- URLs

const char *cli_nodes_url(const struct cli_nodes *nodes) {
    return nodes->urls[nodes->at];
}

void cli_nodes_next(struct cli_nodes *nodes) {
    nodes->at = (nodes->at + 1) % nodes->count;
}

void cli_url(struct buf *out, const struct cli_service *service, const char *path) {
    const char *base = cli_nodes_url(service->nodes);
    size_t len = strlen(base);
    while (len > 0 && base[len - 1] == '/')
        len--;
    buf_add(out, base, len);
    buf_adds(out, path);
}

void cli_add_encoded(struct buf *out, const char *text) {
    static const char plain[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~";
    for (; *text != '\0'; text++) {
        if (strchr(plain, *text) != NULL)
            buf_add(out, text, 1);
        else
            buf_addf(out, "%%%02X", (unsigned char)*text);
    }
}

// --- one request

struct talk {
    const struct cli_service *service;
    struct buf answer;
    bool was_left;
};

static bool on_piece(void *arg, long status, const char *data, size_t len) {
    struct talk *t = arg;
    (void)status;
    buf_add(&t->answer, data, len);
    return true;
}

static bool on_turn(void *arg) {
    struct talk *t = arg;
    if (t->service->on_turn != NULL) t->was_left = !t->service->on_turn(t->service->arg);
    return !t->was_left;
}

int cli_refusal(long status, const struct buf *answer, struct error *err) {
    cJSON *problem = NULL;
    struct error ignored;
    const char *detail = NULL;
    if (answer->len > 0 && json_parse(answer->data, answer->len, &problem, &ignored) == 0)
        detail = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(problem, "detail"));
    if (status == STATUS_UNKNOWN)
        error_set(err, "the service wants to know who asks: give a token that it has, with "
                       "--token-file");
    else if (detail != NULL)
        error_set(err, "%s", detail);
    else
        error_set(err, "the service answered %ld", status);
    text_line(err->text);
    cJSON_Delete(problem);
    return status >= STATUS_ASKER && status < STATUS_SERVICE ? CLI_EXIT_REFUSED
                                                             : CLI_EXIT_UNREACHED;
}

static int take_answer(long status, const struct buf *answer, struct buf *out, cJSON **json,
                       struct error *err) {
    if (status < STATUS_GOOD || status >= STATUS_ELSEWHERE) return cli_refusal(status, answer, err);
    if (json != NULL && json_parse(answer->data, answer->len, json, err) != 0) {
        error_from(err, "the service's answer");
        return CLI_EXIT_UNREACHED;
    }
    if (out != NULL) buf_add(out, answer->data, answer->len);
    return 0;
}

// What became of it at one node.
enum asked { ASKED_ANSWERED, ASKED_UNABLE, ASKED_NOBODY, ASKED_UNTRUSTED, ASKED_LOST, ASKED_LEFT };

static bool may_repeat(const struct cli_ask *ask) {
    return strcmp(ask->method, "GET") == 0 || ask->is_harmless ||
           cJSON_HasObjectItem(ask->headers, "Idempotency-Key");
}

static enum asked ask_node(struct talk *t, const struct cli_ask *ask, const char *body,
                           long *status, struct error *err) {
    const struct cli_service *service = t->service;
    struct buf url = {0};
    const bool is_post = strcmp(ask->method, "POST") == 0; // it has a body, if an empty one
    const bool is_patient = service->nodes->count == 1 || !may_repeat(ask);
    cli_url(&url, service, ask->path);
    const struct client_request request = {.method = ask->method,
                                           .url = url.data,
                                           .headers = ask->headers,
                                           .body = body == NULL && is_post ? "" : body,
                                           .body_len = body == NULL ? 0 : strlen(body),
                                           .is_json = body != NULL,
                                           .timeout_s = is_patient ? 0 : PATIENCE_S,
                                           .trust = service->trust};
    const struct client_stream stream = {.on_piece = on_piece,
                                         .on_turn = on_turn,
                                         .arg = t,
                                         .turn_ms = TURN_MS,
                                         .fds = &service->fd,
                                         .fds_count = service->fd >= 0};
    buf_clear(&t->answer);
    const int rc = client_follow(&request, &stream, status, err);
    buf_deinit(&url);
    if (t->was_left) return ASKED_LEFT;
    if (rc == -ECONNREFUSED) return ASKED_NOBODY;
    if (rc == -EACCES) return ASKED_UNTRUSTED;
    if (rc != 0) return ASKED_LOST;
    return *status == STATUS_UNABLE ? ASKED_UNABLE : ASKED_ANSWERED;
}

static void set_nobody(const struct cli_nodes *nodes, struct error *err) {
    struct buf urls = {0};
    for (size_t i = 0; i < nodes->count; i++)
        buf_addf(&urls, "%s%s", i > 0 ? ", " : "", nodes->urls[i]);
    error_set(err, "no orchestrator was reached at %s: start one, or say with --url where it is",
              urls.data);
    buf_deinit(&urls);
}

static bool is_for_the_next(enum asked asked, const struct cli_ask *ask) {
    return asked == ASKED_UNABLE || asked == ASKED_NOBODY ||
           (asked == ASKED_LOST && may_repeat(ask));
}

int cli_talk(const struct cli_service *service, const struct cli_ask *ask, struct buf *out,
             cJSON **json, bool *is_in_doubt, struct error *err) {
    struct talk t = {.service = service};
    struct error why = {0};
    char *body = ask->body == NULL ? NULL : cJSON_PrintUnformatted(ask->body);
    enum asked asked;
    int rc = CLI_EXIT_UNREACHED;
    bool has_reason = false; // one that says more than that nobody was there
    size_t left = service->nodes->count;
    do {
        long status = 0;
        asked = ask_node(&t, ask, body, &status, &why);
        if (asked == ASKED_ANSWERED || asked == ASKED_UNABLE)
            rc = take_answer(status, &t.answer, out, json, &why);
        if (is_in_doubt != NULL && (asked == ASKED_LOST || asked == ASKED_LEFT))
            *is_in_doubt = true;
        if (asked != ASKED_NOBODY && rc != 0) *err = why;
        has_reason = has_reason || asked != ASKED_NOBODY;
        if (is_for_the_next(asked, ask)) cli_nodes_next(service->nodes);
    } while (is_for_the_next(asked, ask) && --left > 0);
    if (!has_reason) set_nobody(service->nodes, err);
    if (asked == ASKED_UNTRUSTED) error_from(err, "--ca says whom to trust");
    cJSON_free(body);
    buf_deinit(&t.answer);
    return asked == ASKED_LEFT ? CLI_EXIT_LEFT : rc;
}

int cli_get(const struct cli_service *service, const char *path, struct buf *out, cJSON **json,
            struct error *err) {
    return cli_talk(service, &(struct cli_ask){.method = "GET", .path = path}, out, json, NULL,
                    err);
}

// --- pages

// The last row of a page is where the next one begins. Returns how many rows there were.
static size_t take_rows(const cJSON *page, const char *key, const char *name,
                        void (*take)(void *arg, cJSON *row), void *arg, struct buf *after) {
    size_t count = 0;
    cJSON *row;
    cJSON_ArrayForEach(row, cJSON_GetObjectItemCaseSensitive(page, key)) {
        const char *value = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(row, name));
        buf_clear(after);
        if (value != NULL) cli_add_encoded(after, value);
        take(arg, row);
        count++;
    }
    return count;
}

static int each_page(const struct cli_service *service, const char *path, const char *key,
                     const char *name, void (*take)(void *arg, cJSON *row), void *arg,
                     struct error *err) {
    struct buf after = {0}, url = {0};
    int rc;
    bool is_more = true;
    while (is_more) {
        cJSON *page = NULL;
        buf_clear(&url);
        buf_addf(&url, "%slimit=%d", path, PAGE);
        if (after.len > 0) buf_addf(&url, "&after=%s", after.data);
        rc = cli_get(service, url.data, NULL, &page, err);
        is_more = rc == 0 && take_rows(page, key, name, take, arg, &after) == PAGE;
        cJSON_Delete(page);
    }
    buf_deinit(&after);
    buf_deinit(&url);
    return rc;
}

int cli_each_host(const struct cli_service *service, const char *id, const char *state,
                  void (*take)(void *arg, cJSON *row), void *arg, struct error *err) {
    struct buf path = {0};
    buf_addf(&path, "/jobs/%s/hosts/?state=%s&", id, state);
    const int rc = each_page(service, path.data, "hosts", "name", take, arg, err);
    buf_deinit(&path);
    return rc;
}

// --- a job by the beginning of its ID

struct finding {
    const char *beginning;
    struct buf found; // IDs, with commas
    size_t count;
};

static void take_id(void *arg, cJSON *row) {
    struct finding *f = arg;
    const char *id = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(row, "id"));
    if (id == NULL || strncmp(id, f->beginning, strlen(f->beginning)) != 0) return;
    if (f->count++ < ALIKE_SHOWN) buf_addf(&f->found, "%s%s", f->count > 1 ? ", " : "", id);
}

int cli_find_job(const struct cli_service *service, const char *beginning, char id[JOB_ID_MAX],
                 struct error *err) {
    const size_t len = strlen(beginning);
    if (len == 0 || len >= JOB_ID_MAX || strspn(beginning, "0123456789abcdef-") != len) {
        error_set(err, "'%.60s' is no ID of a job, nor the beginning of one", beginning);
        return CLI_EXIT_REFUSED;
    }
    if (len == JOB_ID_MAX - 1) {
        memcpy(id, beginning, JOB_ID_MAX);
        return 0;
    }
    struct finding f = {.beginning = beginning};
    int rc = each_page(service, "/jobs/?", "jobs", "id", take_id, &f, err);
    if (rc == 0 && f.count == 1 && f.found.len == JOB_ID_MAX - 1) {
        memcpy(id, f.found.data, JOB_ID_MAX);
    } else if (rc == 0) {
        rc = CLI_EXIT_REFUSED;
        if (f.count == 0)
            error_set(err, "there is no job whose ID begins with %s", beginning);
        else
            error_set(err, "the IDs of %zu jobs begin with %s: %s%s", f.count, beginning,
                      f.found.data, f.count > ALIKE_SHOWN ? ", ..." : "");
        text_line(err->text);
    }
    buf_deinit(&f.found);
    return rc;
}

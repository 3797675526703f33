#include "tests/rude/polite.h"

#include "common/client.h"
#include "common/json.h"
#include "common/scrape.h"

#include <stdio.h>
#include <string.h>

enum { PATIENCE_S = 30, URL_LEN = 256 };

static int get(const char *base, const char *path, struct buf *out, struct error *err) {
    char url[URL_LEN];
    snprintf(url, sizeof url, "%s%s", base, path);
    const struct client_request request = {.method = "GET", .url = url, .timeout_s = PATIENCE_S};
    return client_expect(&request, 200, out, err);
}

int polite_count_descriptors(const char *base, double *count, struct error *err) {
    struct buf text = {0};
    double open = 0;
    int rc = get(base, "/metrics/", &text, err);
    if (rc == 0 && !scrape_sum(text.data, "process_open_fds", &open))
        rc = error_set(err, "%s/metrics/ does not say process_open_fds", base);
    if (rc == 0) *count = open;
    buf_deinit(&text);
    return rc;
}

int polite_ask(const char *base, struct error *err) {
    double ignored;
    int rc = get(base, "/livez", NULL, err);
    return rc == 0 ? polite_count_descriptors(base, &ignored, err) : rc;
}

static int post(const char *base, const char *path, const char *body, const cJSON *headers,
                struct reply *reply, struct error *err) {
    char url[URL_LEN];
    snprintf(url, sizeof url, "%s%s", base, path);
    const struct client_request request = {.method = "POST",
                                           .url = url,
                                           .headers = headers,
                                           .body = body,
                                           .body_len = strlen(body),
                                           .is_json = true,
                                           .timeout_s = PATIENCE_S};
    return client_send(&request, reply, err);
}

int polite_look_at_host(const char *base, const char *host, struct error *err) {
    char body[URL_LEN];
    struct reply reply;
    snprintf(body, sizeof body, "{\"filter_hosts\": [\"%s\"]}", host);
    int rc = post(base, "/get-version/", body, NULL, &reply, err);
    if (rc != 0) return rc;
    if (reply.status != 200 || strstr(reply.body, "full_version") == NULL)
        rc = error_set(err, "%s: %ld %.300s", host, reply.status, reply.body);
    reply_deinit(&reply);
    return rc;
}

int polite_begin_job(const char *base, const char *version, char id[POLITE_ID_MAX],
                     struct error *err) {
    char body[URL_LEN], location[URL_LEN] = "";
    struct reply reply;
    cJSON *headers = cJSON_CreateObject();
    cJSON_AddStringToObject(headers, "Prefer", "respond-async");
    snprintf(body, sizeof body, "{\"version\": \"%s\"}", version);
    int rc = post(base, "/upgrade-os/", body, headers, &reply, err);
    cJSON_Delete(headers);
    if (rc != 0) return rc;
    reply_header(&reply, "Location", location, sizeof location);
    if (reply.status != 202 || sscanf(location, "/jobs/%63[^/]/", id) != 1)
        rc = error_set(err, "the job: %ld %.300s", reply.status, reply.body);
    reply_deinit(&reply);
    return rc;
}

int polite_look_at_job(const char *base, const char *id, bool *is_done, struct error *err) {
    char path[URL_LEN];
    struct buf text = {0};
    cJSON *job = NULL;
    snprintf(path, sizeof path, "/jobs/%s/", id);
    int rc = get(base, path, &text, err);
    if (rc == 0) rc = json_parse(text.data, text.len, &job, err);
    if (rc == 0) *is_done = strcmp(json_text(job, "state"), "done") == 0;
    cJSON_Delete(job);
    buf_deinit(&text);
    return rc;
}

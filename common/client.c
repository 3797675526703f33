#include "common/client.h"

#include "common/address.h"
#include "common/json.h"

#include <curl/curl.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static size_t on_data(char *data, size_t size, size_t count, void *out) {
    buf_add(out, data, size * count);
    return size * count;
}

// "Name: value" of each header, in turn.
static void each_header(const struct client_request *request, void (*take)(void *, const char *),
                        void *arg) {
    const cJSON *header;
    if (request->is_json && !cJSON_HasObjectItem(request->headers, "Content-Type")) // in any case
        take(arg, "Content-Type: application/json");
    cJSON_ArrayForEach(header, request->headers) {
        struct buf line = {0};
        buf_addf(&line, *header->valuestring == '\0' ? "%s:" : "%s: %s", header->string,
                 header->valuestring);
        take(arg, line.data);
        buf_deinit(&line);
    }
}

static void add_to_list(void *list, const char *line) {
    struct curl_slist **end = list;
    *end = curl_slist_append(*end, line);
}

static void add_to_text(void *text, const char *line) {
    bool is_left_out = line[strlen(line) - 1] == ':'; // as libcurl takes it
    if (!is_left_out) buf_addf(text, "%s\r\n", line);
}

static void set_method(CURL *curl, const struct client_request *request) {
    if (request->body != NULL) {
        curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->body_len);
        curl_easy_setopt(curl, CURLOPT_POSTFIELDS, request->body);
    }
    if (strcmp(request->method, "HEAD") == 0)
        curl_easy_setopt(curl, CURLOPT_NOBODY, 1L);
    else
        curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, request->method);
}

static int record_fd = -1;

void client_record(int fd) {
    record_fd = fd;
}

static void record(const struct client_request *request, const struct reply *reply) {
    char type[128] = "";
    struct buf line = {0};
    reply_header(reply, "Content-Type", type, sizeof type);
    buf_adds(&line, "{\"method\": ");
    buf_add_json(&line, request->method);
    buf_adds(&line, ", \"url\": ");
    buf_add_json(&line, request->url);
    buf_addf(&line, ", \"status\": %ld, \"type\": ", reply->status);
    buf_add_json(&line, type);
    buf_adds(&line, ", \"body\": ");
    buf_add_json(&line, reply->body);
    buf_adds(&line, "}\n");
    if (write(record_fd, line.data, line.len) != (ssize_t)line.len)
        fprintf(stderr, "the answers could not be written: %s\n", strerror(errno));
    buf_deinit(&line);
}

int client_send(const struct client_request *request, struct reply *reply, struct error *err) {
    struct buf head = {0}, text = {0};
    long timeout_s = request->timeout_s == 0 ? CLIENT_TIMEOUT_S : request->timeout_s;
    CURL *curl = curl_easy_init();
    if (curl == NULL) abort();                                    // it only allocates
    struct curl_slist *list = curl_slist_append(NULL, "Expect:"); // no waiting for 100 Continue
    each_header(request, add_to_list, &list);
    curl_easy_setopt(curl, CURLOPT_URL, request->url);
    curl_easy_setopt(curl, CURLOPT_PROXY, "");
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT, timeout_s);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, list);
    curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, on_data);
    curl_easy_setopt(curl, CURLOPT_HEADERDATA, &head);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_data);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, &text);
    set_method(curl, request);
    CURLcode rc = curl_easy_perform(curl);
    *reply = (struct reply){0};
    if (rc == CURLE_OK) curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &reply->status);
    curl_easy_cleanup(curl);
    curl_slist_free_all(list);
    reply->headers = buf_take(&head);
    reply->body_len = text.len;
    reply->body = buf_take(&text);
    if (rc == CURLE_OK && record_fd >= 0) record(request, reply);
    if (rc == CURLE_OK) return 0;
    reply_deinit(reply);
    return error_set(err, "%s %s: no answer: %s", request->method, request->url,
                     curl_easy_strerror(rc));
}

int client_expect(const struct client_request *request, long status, struct buf *out,
                  struct error *err) {
    struct reply reply;
    int rc = client_send(request, &reply, err);
    if (rc != 0) return rc;
    if (reply.status != status)
        rc = error_set(err, "%s %s: it answered %ld: %.200s", request->method, request->url,
                       reply.status, reply.body);
    else if (out != NULL)
        buf_adds(out, reply.body);
    reply_deinit(&reply);
    return rc;
}

int client_begin(const struct client_request *r, int *connection, struct error *err) {
    const char *host = strstr(r->url, "://");
    host = host == NULL ? r->url : host + 3;
    size_t host_len = strcspn(host, "/");
    struct buf request = {0}, target = {0};
    union address address;
    buf_add(&target, host, host_len);
    int rc = address_parse(target.data, &address, err);
    if (rc != 0) goto out;
    buf_addf(&request, "%s %s HTTP/1.1\r\nHost: %s\r\nContent-Length: %zu\r\n", r->method,
             host + host_len, target.data, r->body_len);
    each_header(r, add_to_text, &request);
    buf_adds(&request, "\r\n");
    buf_add(&request, r->body == NULL ? "" : r->body, r->body_len);
    int fd = socket(address.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || connect(fd, &address.any, sizeof address.v4) != 0 ||
        send(fd, request.data, request.len, MSG_NOSIGNAL) != (ssize_t)request.len)
        rc = error_system(err, -errno, "%s", r->url);
    if (rc == 0)
        *connection = fd;
    else if (fd >= 0)
        close(fd);
out:
    buf_deinit(&request);
    buf_deinit(&target);
    return rc;
}

int client_abandon(const struct client_request *r, struct error *err) {
    int connection;
    int rc = client_begin(r, &connection, err);
    if (rc == 0) close(connection);
    return rc;
}

void reply_deinit(struct reply *reply) {
    free(reply->headers);
    free(reply->body);
    *reply = (struct reply){0};
}

bool reply_header(const struct reply *reply, const char *name, char *out, size_t size) {
    size_t len = strlen(name);
    for (const char *line = reply->headers; line != NULL; line = strstr(line, "\r\n")) {
        if (line != reply->headers) line += 2;
        if (strncasecmp(line, name, len) != 0 || line[len] != ':') continue;
        const char *value = line + len + 1 + strspn(line + len + 1, " ");
        snprintf(out, size, "%.*s", (int)strcspn(value, "\r\n"), value);
        return true;
    }
    return false;
}

int client_get_json(const char *base, const char *path, cJSON **out, struct error *err) {
    struct buf text = {0}, url = {0};
    buf_addf(&url, "%s%s", base, path);
    const struct client_request request = {.method = "GET", .url = url.data};
    int rc = client_expect(&request, 200, &text, err);
    if (rc == 0) rc = json_parse(text.data, text.len, out, err);
    buf_deinit(&text);
    buf_deinit(&url);
    return rc;
}

#include "common/client.h"

#include "common/address.h"
#include "common/clock.h"
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

static void set_trust(CURL *curl, const struct client_trust *trust) {
    if (trust == NULL) return;
    if (trust->ca != NULL) {
        curl_easy_setopt(curl, CURLOPT_CAINFO, trust->ca);
        curl_easy_setopt(curl, CURLOPT_CAPATH, NULL); // the system's are not trusted then
    }
    if (trust->token == NULL) return;
    curl_easy_setopt(curl, CURLOPT_HTTPAUTH, CURLAUTH_BEARER);
    curl_easy_setopt(curl, CURLOPT_XOAUTH2_BEARER, trust->token);
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

static long timeout_of(const struct client_request *request) {
    return request->timeout_s == 0 ? CLIENT_TIMEOUT_S : request->timeout_s;
}

// A handle for the request; its headers are in *list, to be freed after it.
static CURL *prepare(const struct client_request *request, struct curl_slist **list) {
    CURL *curl = curl_easy_init();
    if (curl == NULL) abort();                  // it only allocates
    *list = curl_slist_append(NULL, "Expect:"); // no waiting for 100 Continue
    each_header(request, add_to_list, list);
    curl_easy_setopt(curl, CURLOPT_URL, request->url);
    curl_easy_setopt(curl, CURLOPT_PROXY, "");
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, *list);
    set_method(curl, request);
    set_trust(curl, request->trust);
    return curl;
}

static const char *why_not(CURLcode rc) {
    if (rc == CURLE_PEER_FAILED_VERIFICATION)
        return "its certificate is not of who is trusted, or not for this name";
    return curl_easy_strerror(rc);
}

int client_send(const struct client_request *request, struct reply *reply, struct error *err) {
    struct buf head = {0}, text = {0};
    struct curl_slist *list;
    CURL *curl = prepare(request, &list);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT, timeout_of(request));
    curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, on_data);
    curl_easy_setopt(curl, CURLOPT_HEADERDATA, &head);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_data);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, &text);
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
    return error_set(err, "%s %s: no answer: %s", request->method, request->url, why_not(rc));
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

// --- an answer that comes piece by piece

struct following {
    const struct client_stream *stream;
    CURL *curl;
    uint64_t heard_us; // the last time that anything came
    bool is_enough;
};

static size_t on_piece(char *data, size_t size, size_t count, void *arg) {
    struct following *f = arg;
    long status = 0;
    curl_easy_getinfo(f->curl, CURLINFO_RESPONSE_CODE, &status);
    f->heard_us = clock_monotonic_us();
    f->is_enough = !f->stream->on_piece(f->stream->arg, status, data, size * count);
    return f->is_enough ? 0 : size * count;
}

// A head ends with an empty line; that of an answer in advance (100) is none yet.
static size_t on_head(const char *data, size_t size, size_t count, void *arg) {
    enum { FIRST_FINAL = 200 };
    struct following *f = arg;
    long status = 0;
    curl_easy_getinfo(f->curl, CURLINFO_RESPONSE_CODE, &status);
    f->heard_us = clock_monotonic_us();
    if (data[0] != '\r' || status < FIRST_FINAL) return size * count;
    f->is_enough = !f->stream->on_piece(f->stream->arg, status, "", 0);
    return f->is_enough ? 0 : size * count;
}

static void wait_for_more(CURLM *multi, const struct client_stream *stream, int silence_ms) {
    struct curl_waitfd fds[CLIENT_STREAM_FDS_MAX];
    const bool turns = stream->on_turn != NULL && stream->turn_ms < silence_ms;
    for (size_t i = 0; i < stream->fds_count; i++)
        fds[i] = (struct curl_waitfd){.fd = stream->fds[i], .events = CURL_WAIT_POLLIN};
    curl_multi_poll(multi, fds, (unsigned)stream->fds_count, turns ? stream->turn_ms : silence_ms,
                    NULL);
}

// Until the answer ends, a callback has enough, or nothing was heard for so long.
static CURLcode follow(CURLM *multi, struct following *f, uint64_t timeout_us) {
    const struct client_stream *stream = f->stream;
    for (int running = 1, left = 0; running > 0;) {
        curl_multi_perform(multi, &running);
        const CURLMsg *message = curl_multi_info_read(multi, &left);
        if (message != NULL) return message->data.result;
        const uint64_t silent_us = clock_monotonic_us() - f->heard_us;
        if (silent_us >= timeout_us) break;
        wait_for_more(multi, stream, (int)((timeout_us - silent_us) / 1000) + 1);
        f->is_enough = stream->on_turn != NULL && !stream->on_turn(stream->arg);
        if (f->is_enough) return CURLE_OK;
    }
    return CURLE_OPERATION_TIMEDOUT;
}

int client_follow(const struct client_request *request, const struct client_stream *stream,
                  long *status, struct error *err) {
    struct curl_slist *list;
    struct following f = {.stream = stream, .heard_us = clock_monotonic_us()};
    CURLM *multi = curl_multi_init();
    f.curl = prepare(request, &list);
    curl_easy_setopt(f.curl, CURLOPT_CONNECTTIMEOUT, timeout_of(request));
    curl_easy_setopt(f.curl, CURLOPT_HEADERFUNCTION, on_head);
    curl_easy_setopt(f.curl, CURLOPT_HEADERDATA, &f);
    curl_easy_setopt(f.curl, CURLOPT_WRITEFUNCTION, on_piece);
    curl_easy_setopt(f.curl, CURLOPT_WRITEDATA, &f);
    curl_multi_add_handle(multi, f.curl);
    const CURLcode rc = follow(multi, &f, (uint64_t)timeout_of(request) * 1000000);
    *status = 0;
    curl_easy_getinfo(f.curl, CURLINFO_RESPONSE_CODE, status);
    curl_multi_remove_handle(multi, f.curl);
    curl_easy_cleanup(f.curl);
    curl_multi_cleanup(multi);
    curl_slist_free_all(list);
    if (rc == CURLE_OK || f.is_enough) return 0;
    error_set(err, "%s %s: %s: %s", request->method, request->url,
              *status == 0 ? "no answer" : "the answer was cut off", why_not(rc));
    if (rc == CURLE_PEER_FAILED_VERIFICATION || rc == CURLE_SSL_CACERT_BADFILE) return -EACCES;
    const bool is_sent = rc != CURLE_COULDNT_CONNECT && rc != CURLE_COULDNT_RESOLVE_HOST;
    return is_sent ? ERROR_INPUT : -ECONNREFUSED;
}

// --- without libcurl

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

int client_get_json(const char *base, const struct client_trust *trust, const char *path,
                    cJSON **out, struct error *err) {
    struct buf text = {0}, url = {0};
    buf_addf(&url, "%s%s", base, path);
    const struct client_request request = {.method = "GET", .url = url.data, .trust = trust};
    int rc = client_expect(&request, 200, &text, err);
    if (rc == 0) rc = json_parse(text.data, text.len, out, err);
    buf_deinit(&text);
    buf_deinit(&url);
    return rc;
}

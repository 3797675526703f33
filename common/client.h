// HTTP requests, one at a time for each thread, with libcurl. Blocking.
#pragma once

#include "common/buf.h"
#include "common/error.h"

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>

enum { CLIENT_TIMEOUT_S = 100 }; // for any answer, unless the request says otherwise

struct client_request {
    const char *method, *url;
    const cJSON *headers; // an object of strings, or NULL
    const char *body;     // may be NULL
    size_t body_len;
    bool is_json;   // the body: its Content-Type is sent unless the headers have one
    long timeout_s; // 0: CLIENT_TIMEOUT_S
};

struct reply {
    long status;
    char *headers;
    char *body; // NUL-terminated, and it may hold more of them
    size_t body_len;
};

// An error: there was no answer.
int client_send(const struct client_request *request, struct reply *reply, struct error *err);
// From now on each answer to client_send() is appended to that file, in one write: a line of JSON
// with "method", "url", "status", "type" (of its content) and "body".
void client_record(int fd);
// An error, too, where the answer has another status. Its body is appended to out, which may be
// NULL.
int client_expect(const struct client_request *request, long status, struct buf *out,
                  struct error *err);
// Sends the request and does not wait for an answer; the connection is the caller's, to close.
int client_begin(const struct client_request *request, int *connection, struct error *err);
// Sends the request and closes the connection without reading an answer.
int client_abandon(const struct client_request *request, struct error *err);
void reply_deinit(struct reply *reply);
// A header's value in out, or false where it is absent.
bool reply_header(const struct reply *reply, const char *name, char *out, size_t size);

// GET, which must answer 200 and JSON; the JSON is the caller's.
int client_get_json(const char *base, const char *path, cJSON **out, struct error *err);

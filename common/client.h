// HTTP requests, one at a time for each thread, with libcurl. Blocking.
#pragma once

#include "common/buf.h"
#include "common/error.h"

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>

enum { CLIENT_TIMEOUT_S = 100 }; // for any answer, unless the request says otherwise

// What an https server and a guarded one are to be shown.
struct client_trust {
    const char *ca;    // a file of certificates (PEM) that are trusted for it; NULL: the system's
    const char *token; // NULL: none
};

struct client_request {
    const char *method, *url;
    const cJSON *headers; // an object of strings, or NULL
    const char *body;     // may be NULL
    size_t body_len;
    bool is_json;   // the body: its Content-Type is sent unless the headers have one
    long timeout_s; // 0: CLIENT_TIMEOUT_S
    const struct client_trust *trust; // NULL: neither
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

// An answer that comes piece by piece, and may never end.
struct client_stream {
    // The body as it comes, whatever the status: first nothing of it, once the answer has begun.
    // False: enough, the connection is closed.
    bool (*on_piece)(void *arg, long status, const char *data, size_t len);
    // Called every turn_ms at least, from the first moment on, and as soon as one of the
    // descriptors can be read. False ends it as above. NULL: nothing else is to be done meanwhile.
    bool (*on_turn)(void *arg);
    void *arg;
    int turn_ms; // > 0 where there is on_turn
    const int *fds;
    size_t fds_count; // CLIENT_STREAM_FDS_MAX at most
};
enum { CLIENT_STREAM_FDS_MAX = 4 };

// The request's timeout is for the longest silence here, that of connecting too. *status is 0 where
// no answer has begun. An error: there was no answer, or it was cut off before its end;
// -ECONNREFUSED where nothing was sent, -EACCES where nothing was for the server is not trusted.
// That a callback had enough is none.
int client_follow(const struct client_request *request, const struct client_stream *stream,
                  long *status, struct error *err);

// GET, which must answer 200 and JSON; the JSON is the caller's. trust may be NULL.
int client_get_json(const char *base, const struct client_trust *trust, const char *path,
                    cJSON **out, struct error *err);

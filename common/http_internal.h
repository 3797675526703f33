// What the three sources of the HTTP server share, and nobody else. The loop (http_server.c) calls
// the streams (http_stream.c, answers in pieces) and the requests (http_request.c, from the request
// line to the answer), and streams call requests. The ways back are the two functions that a server
// and a request carry.
#pragma once

#include "common/buf.h"
#include "common/http.h"

#include <microhttpd.h>

struct http_server {
    struct MHD_Daemon *daemon;
    const struct http_routes *routes;
    void *app;
    union address address;
    int epoll_fd; // the daemon's
    uv_poll_t poll;
    uv_timer_t timer;   // when MHD wants to run next
    uv_idle_t soon;     // where that is at once: a timer of 0 ms would run before all other input
    uv_timer_t grace;   // while closing
    unsigned requests;  // read at least in part, and not completed
    unsigned suspended; // of them, those that await an answer or a piece: MHD must not be stopped
    unsigned answered;  // of them, those whose answer is being delivered
    unsigned graces;    // that have passed while closing
    unsigned handles_open;
    void (*kick)(struct http_server *s); // MHD_run is due
    struct http_stream *streams;         // all
    struct http_stream *due, **last;     // of them, a queue of those whose next piece is due
    bool running;                        // inside of MHD_run
    bool kicked;                         // MHD_run is due again
    bool closing, force_close, stopped;
    http_closed done;
    void *done_arg;
};

struct http_request {
    struct http_server *server;
    struct MHD_Connection *connection;
    char *uri; // as on the request line, with its query
    char *origin;
    struct http_match match;
    const char *doubt; // where it ends or to whom it goes is in doubt; NULL: it is not
    struct buf body;
    struct buf accept; // the Accept headers, once a handler has asked for them
    bool varies;       // by them
    size_t body_seen;  // bytes, kept or dropped
    bool head;         // wants the headers alone
    bool begun, dispatched, suspended, queued;
    struct MHD_Response *response;
    int status;
    struct http_stream *stream; // its answer, where that comes in pieces
    void (*stream_free)(struct http_stream *stream);
};

// --- http_request.c: MHD's callbacks; the first three arguments of its own kind are the server's

enum MHD_Result http_on_access(void *server, struct MHD_Connection *connection, const char *path,
                               const char *method, const char *version, const char *data,
                               size_t *len, void **context);
void *http_on_request_line(void *server, const char *uri, struct MHD_Connection *connection);
void http_on_completed(void *server, struct MHD_Connection *connection, void **context,
                       enum MHD_RequestTerminationCode why);

// Takes the connection from MHD until it is resumed; from within MHD's callbacks only.
void http_suspend(struct http_request *r);
void http_resume(struct http_request *r); // where it is suspended
// Gives the request its answer: the response, which is taken over, with the headers that all have.
void http_respond(struct http_request *r, int status, const char *content_type,
                  struct MHD_Response *response);

// --- http_stream.c

void http_stream_pieces(struct http_server *s);      // gets the next pieces of streams that are due
void http_stream_end_waiting(struct http_server *s); // once it is closing

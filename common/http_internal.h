// What the sources of the HTTP server share, and nobody else. The loop (http_server.c) calls the
// connections (http_connection.c, accepting and deadlines), the streams (http_stream.c, answers in
// pieces) and the requests (http_request.c, from the request line to the answer); streams call
// requests, and requests tell their connections how far they are. The ways back are the
// functions that a server and a request carry.
#pragma once

#include "common/buf.h"
#include "common/http.h"
#include "common/http_pass.h"
#include "common/http_peer.h"

#include <microhttpd.h>

enum { HTTP_LINGER_MS = 2000 }; // for a refused client to read why

// How far a connection is. Until it is HTTP_ANSWERING it can be closed for want of room.
enum http_progress {
    HTTP_FRESH,     // ours: the head of its first request is not whole
    HTTP_REFUSED,   // ours: that head was wrong, and the client may still read why
    HTTP_IDLE,      // MHD's: between two requests
    HTTP_READING,   // MHD's: a request's line is there
    HTTP_ANSWERING, // MHD's: a request is there as a whole
    HTTP_ENDING,    // MHD's: we have shut it down
};

struct http_connection {
    struct http_server *server;
    struct http_connection *next, **link; // the longest without a whole request first
    int fd;
    struct http_peer peer;
    char from[ADDRESS_TEXT_MAX]; // its address, without the port
    enum http_progress progress;
    uint64_t due_ms;  // when it is closed if it is no further
    size_t seen;      // bytes of its first head
    bool is_securing; // it is MHD's, over TLS, and has had no request
    uv_poll_t *poll;  // while it is ours
    struct http_request *request;
    struct http_pass pass; // it is MHD's: what comes
    uint64_t ahead;        // bytes of that which go on next
    uint64_t begun;        // requests
    struct buf held;       // over TLS: what came, and did not go on yet
    void *session;         // gnutls_session_t; NULL: it is not over TLS, or nothing was read
    bool is_refused;       // what came was wrong, and the client was told so
};

struct http_server {
    struct MHD_Daemon *daemon;
    struct http_tls *tls; // that which is shown now, and those of before; NULL: http
    unsigned handshakes;  // begun since MHD ran last
    unsigned securing;    // connections without a request so far: MHD says that they are ready
    const struct http_routes *routes;
    struct http_limits limits; // none is 0
    void *app;
    union address address;
    uv_loop_t *loop;
    int listen_fd;
    uv_poll_t accept;
    uv_timer_t look; // at all connections
    struct http_connection *first, **end;
    unsigned connections;                 // but for those that are ending
    unsigned ours;                        // of them, fresh or refused
    struct http_connection *handing_over; // to MHD, which is about to say that it has it
    struct http_connection **by_fd;       // those that are MHD's
    size_t by_fd_cap;
    size_t bodies;      // bytes that the bodies of all requests hold
    unsigned answering; // requests that are there as a whole, but for vital ones
    int epoll_fd;       // the daemon's
    uv_poll_t poll;
    uv_timer_t timer;   // when MHD wants to run next
    uv_idle_t soon;     // where that is at once: a timer of 0 ms would run before all other input
    uv_timer_t grace;   // while closing
    unsigned requests;  // read at least in part, and not completed
    unsigned suspended; // of them, those that await an answer or a piece: MHD must not be stopped
    unsigned answered;  // of them, those whose answer is being delivered
    unsigned graces;    // that have passed while closing
    unsigned handles_open;
    void (*handle_closed)(struct http_server *s); // one of them; the last one frees the server
    void (*kick)(struct http_server *s);          // MHD_run is due
    struct http_stream *streams;                  // all
    struct http_stream *due, **last; // of them, a queue of those whose next piece is due
    bool running;                    // inside of MHD_run
    bool kicked;                     // MHD_run is due again
    bool closing, force_close, stopped;
    http_closed done;
    void *done_arg;
};

struct http_request {
    struct http_server *server;
    struct MHD_Connection *connection;
    struct http_connection *on;
    char *uri; // as on the request line, with its query
    char *method;
    char *origin;
    char *who; // asks, by the guard; NULL: nobody was asked, or it is not known
    struct http_match match;
    enum http_admission admission;
    bool handled; // by its route
    bool changes; // something, by its method, and its answer has not been told yet
    struct buf body;
    struct buf accept; // the Accept headers, once a handler has asked for them
    bool varies;       // by them
    struct buf added;  // to the answer by its handler: name NUL value NUL, each
    size_t body_seen;  // bytes, kept or dropped
    bool crowded;      // all bodies together were too long when this one came
    bool foreign;      // its Host is no name of ours
    bool counted;      // among the server's answering
    unsigned silent;   // for how many looks in a row its client has sent its last byte
    http_left left;    // whom to tell when the client has; NULL: nobody
    void *left_arg;
    bool head; // wants the headers alone
    bool begun, dispatched, suspended, queued;
    struct MHD_Response *response;
    int status;
    struct http_stream *stream; // its answer, where that comes in pieces
    void (*stream_free)(struct http_stream *stream);
};

// --- http_server.c

void http_handle_closed(
    struct http_server *s); // one of those counted; the last one frees the server

// --- http_connection.c

int http_listen(struct http_server *s, struct error *err);
void http_start_accepting(struct http_server *s);
void http_accept_due(struct http_server *s); // what waits to be accepted or read: serves it now
void http_stop_listening(struct http_server *s);
void http_close_ours(struct http_server *s); // those that are not MHD's
// MHD has taken over the connection that was handed over, or is done with one.
void http_on_connection(void *server, struct MHD_Connection *connection, void **context,
                        enum MHD_ConnectionNotificationCode code);
// How far its request is: it has so long to be further.
void http_progress(struct http_connection *c, enum http_progress progress, uint64_t patience_ms);
void http_secured(struct http_connection *c); // its first request begins

struct http_connection *http_connection_of(const struct http_server *s, int fd); // NULL: not MHD's
// The whole answer to what is no request, as it is sent.
void http_write_refusal(struct buf *out, const struct http_refusal *refusal);
extern const struct http_refusal http_cut; // its other half will not come

// --- http_reads.c

// MHD_run() of this server is under way; NULL: none.
void http_reads(struct http_server *s);

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

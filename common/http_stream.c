// A stream is a response of MHD's with a callback, which MHD calls when the socket can take more.
// The callback never calls the source, for that may take long and MHD may call it many times in one
// turn: it hands over what is left of the piece at hand. Where nothing is left, it suspends the
// connection and, unless the source waits, queues the stream as due. The loop's next turn asks the
// sources of due streams for one piece each, as many as do not hold it up, and resumes them.
//
//      deliver ----> suspended, due ----> piece ----> deliver ----> ... ----> end
//                \-> suspended, waits -wake-^
//
// A stream ends with its request: MHD says when that is over, whoever ended it. A suspended
// connection is never over, so a stream in the queue is always alive. MHD does not look at one
// either: of those that wait we hear ourselves that their client has left. A server that closes has
// nothing more to tell those that wait, and ends them.
#include "common/http_stream.h"

#include "common/http_internal.h"
#include "common/mem.h"

#include <stdlib.h>
#include <string.h>

enum {
    BLOCK = 64 * 1024, // bytes that MHD asks for at once, where it has no other limit
    TURN = 64 * 1024,  // bytes of pieces after which what else is due waits for the next turn
};

struct http_stream {
    struct http_request *request;
    const struct http_source *source;
    void *arg;
    struct buf piece;
    size_t taken; // of the piece
    bool more;    // the source has something to tell, or may have
    bool last;    // the piece is the last one
    bool broken;  // and nothing is whole
    bool asked;   // or about to be, in the queue
    struct http_stream *next_due;
    struct http_stream *next, **link; // among the server's
};

static void get_piece(struct http_stream *s) {
    buf_clear(&s->piece);
    s->taken = 0;
    s->asked = true;
    s->more = false; // a wake-up from within next() counts
    enum http_piece kind = s->source->next(s->arg, &s->piece);
    if (kind == HTTP_PIECE_MORE) s->more = true;
    s->last = kind == HTTP_PIECE_LAST || kind == HTTP_PIECE_BROKEN;
    s->broken = kind == HTTP_PIECE_BROKEN;
    s->asked = false;
}

// Whether nothing follows the piece at hand.
static bool is_over(const struct http_stream *s) {
    return s->last || (s->request->server->closing && !s->more);
}

// --- from MHD's callback to the loop's next turn

static void queue_if_due(struct http_stream *s) {
    struct http_server *server = s->request->server;
    if (!s->request->suspended || !s->more || s->asked) return;
    s->asked = true;
    s->next_due = NULL;
    *server->last = s;
    server->last = &s->next_due;
    server->kick(server);
}

static ssize_t deliver(void *arg, uint64_t position, char *out, size_t max) {
    (void)position;
    struct http_stream *s = arg;
    size_t left = s->piece.len - s->taken;
    if (s->request->server->force_close) return MHD_CONTENT_READER_END_WITH_ERROR;
    if (left == 0 && s->broken) return MHD_CONTENT_READER_END_WITH_ERROR;
    if (left == 0 && is_over(s)) return MHD_CONTENT_READER_END_OF_STREAM;
    if (left == 0) {
        http_suspend(s->request);
        queue_if_due(s);
        return 0;
    }
    if (left > max) left = max;
    memcpy(out, s->piece.data + s->taken, left);
    s->taken += left;
    return (ssize_t)left;
}

static void ask(struct http_stream *s) {
    get_piece(s);
    if (s->piece.len > 0 || is_over(s) || s->request->server->force_close)
        http_resume(s->request);
    else
        queue_if_due(s);
}

void http_stream_pieces(struct http_server *server) {
    struct http_stream **end =
        server->last; // those that become due meanwhile are for the next turn
    size_t made = 0;
    for (bool done = false; !done && server->due != NULL && made < TURN;) {
        struct http_stream *s = server->due;
        done = &s->next_due == end;
        server->due = s->next_due;
        if (server->due == NULL) server->last = &server->due;
        ask(s);
        made += s->piece.len;
    }
    if (server->due != NULL) server->kick(server);
}

void http_stream_wake(struct http_stream *s) {
    s->more = true;
    queue_if_due(s);
}

// --- life

// The request is over.
static void free_stream(struct http_stream *s) {
    *s->link = s->next;
    if (s->next != NULL) s->next->link = s->link;
    s->source->close(s->arg);
    buf_deinit(&s->piece);
    free(s);
}

static void on_left(void *arg) {
    struct http_stream *s = arg;
    if (s->asked) { // it has something to tell, or may have: look again when it has told it
        http_on_left(s->request, on_left, s);
        return;
    }
    s->last = s->broken = true;
    http_resume(s->request);
}

struct http_stream *http_answer_stream(struct http_request *r, int status, const char *content_type,
                                       const struct http_source *source, void *arg) {
    struct http_stream *s = mem_zalloc(sizeof *s);
    *s = (struct http_stream){.request = r, .source = source, .arg = arg};
    get_piece(s);
    if (s->last && !s->broken) {
        buf_adds(&s->piece, ""); // an empty one has a byte, too
        size_t len = s->piece.len;
        http_answer(r, status, content_type, buf_take(&s->piece), len);
        source->close(arg);
        free(s);
        return NULL;
    }
    struct http_stream **first = &r->server->streams;
    s->next = *first;
    s->link = first;
    if (s->next != NULL) s->next->link = &s->next;
    *first = s;
    r->stream = s;
    http_on_left(r, on_left, s);
    r->stream_free = free_stream;
    struct MHD_Response *response =
        MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, BLOCK, deliver, s, NULL);
    if (response == NULL) abort(); // it only allocates
    // libmicrohttpd 0.9.75 sends a last chunk after the headers that HEAD asked for, which would be
    // taken for the next answer.
    if (r->head) MHD_set_response_options(response, MHD_RF_HTTP_1_0_COMPATIBLE_STRICT, MHD_RO_END);
    http_respond(r, status, content_type, response);
    http_resume(r);
    return s;
}

void http_stream_end_waiting(struct http_server *server) {
    for (struct http_stream *s = server->streams; s != NULL; s = s->next)
        if (is_over(s)) http_resume(s->request);
}

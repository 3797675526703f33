// An answer in pieces: for a text that is too long to be made in one turn of the loop or to be held
// as a whole, and for one that goes on while there is something to tell. Its source is asked for a
// piece when the client has taken the piece before it, once a turn of the loop at most. So what a
// client that reads slowly costs is one piece.
#pragma once

#include "common/buf.h"
#include "common/http.h"

struct http_stream;

enum http_piece {
    HTTP_PIECE_MORE,   // another follows, in a later turn
    HTTP_PIECE_WAIT,   // another follows once http_stream_wake() is called
    HTTP_PIECE_LAST,   // the answer ends with this one
    HTTP_PIECE_BROKEN, // it cannot go on: the connection ends, so that the answer does not look
                       // whole
};

struct http_source {
    // Appends a piece to out, which is empty. Nothing is right, too, where there is nothing to tell
    // yet. A server that closes ends a stream that waits.
    enum http_piece (*next)(void *arg, struct buf *out);
    // Called once, last: all was handed over, or the client has gone, or the server ends.
    void (*close)(void *arg);
};

// Answers a request, within its handler or any time later, as the verbs of http.h do. The first
// piece is asked for at once; where it is the last, the answer has a Content-Length, and NULL is
// returned when source was closed already. Else the stream lives until the source is closed; its
// answer comes in chunks, or in HTTP/1.0 until the connection ends.
//
// A client that resets its connection while its stream waits has gone, and so has one that has
// ended its side for HTTP_SILENT_MS. Of one whose machine is off that is noticed when it is sent
// something: so a source that may wait for long wakes its stream now and then, with something that
// means nothing.
struct http_stream *http_answer_stream(struct http_request *r, int status, const char *content_type,
                                       const struct http_source *source, void *arg);

// There is something to tell. Also before the source has said that it waits; then nothing is lost.
void http_stream_wake(struct http_stream *stream);

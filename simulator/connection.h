// A client's connection: bytes and timers around a console. Its requests are handled one at a time,
// and the next begins only when the answer before it is written.
#pragma once

#include "common/line.h"
#include "simulator/console.h"
#include "simulator/server.h"

struct connection {
    struct server *server;
    struct connection *previous, *next; // of the server's
    uv_tcp_t tcp;
    uv_shutdown_t shutdown;
    uv_timer_t timer; // of the call that runs, of a slow answer, or of the drain
    struct console console;
    struct line_reader reader;
    struct buf pending; // read and not yet begun, from pending_at on
    size_t pending_at;
    struct console_reply reply; // being written
    size_t reply_at, reply_piece;
    uint64_t due_us;  // when the timer is meant to fire
    uint64_t late_us; // by how much the last one was late: the next wait is shorter by it
    size_t drained;   // bytes dropped after the last answer
    enum {
        CONNECTION_IDLE,
        CONNECTION_CALLING,  // a call runs
        CONNECTION_WRITING,  // an answer is not wholly written
        CONNECTION_DRAINING, // all is said; what the client still sends is dropped
        CONNECTION_CLOSED    // its socket; a call may run on
    } state;
    bool paused; // too much is pending: not reading
    bool eof;    // the client has shut down its sending side
    bool timer_closed, tcp_closed;
};

// Takes a connection that waits at the listener.
void connection_accept(struct server *server, uv_stream_t *listener);

// Resets it and forgets its console, a running install included.
void connection_forget(struct connection *c);

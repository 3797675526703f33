// A client's connection: bytes and timers around a console. Its requests are handled one at a time,
// and the next begins only when the answer before it is written.
#pragma once

#include "common/line.h"
#include "common/tls.h"
#include "common/turnstile.h"
#include "simulator/console.h"

#include <uv.h>

enum { CONNECTION_READ_MAX = 64 * 1024 };

// All connections of a server, which embeds this and sets world, start_ns, closed and arg.
struct connections {
    struct world *world;
    uint64_t start_ns; // of uv_hrtime(): when the world's time began
    struct connection *first;
    size_t count;
    void (*closed)(void *arg); // called when one of them has been closed and freed
    // What to show on a connection, which speaks TLS then; NULL: it cannot be made, and the
    // connection is closed. No function: all is plain text.
    struct tls_identity *(*identify)(void *arg, const uv_tcp_t *tcp);
    void *arg;
    struct turnstile handshakes;           // of TLS; the server's to begin and to close
    char read_buffer[CONNECTION_READ_MAX]; // what is read is used or copied at once
};

enum connection_state {
    CONNECTION_IDLE,
    CONNECTION_CALLING,  // a call runs
    CONNECTION_WRITING,  // an answer is not wholly written
    CONNECTION_DRAINING, // all is said; what the client still sends is dropped
    CONNECTION_CLOSED,   // its socket; an install may run on
    CONNECTION_STATE_COUNT
};

struct connection {
    struct connections *all;
    struct connection *previous, *next;
    enum connection_state state;
    enum {
        CONNECTION_READS,
        CONNECTION_PAUSED, // too much is pending
        CONNECTION_EOF,    // the client has shut down its sending side
    } input;
    uv_tcp_t tcp;
    struct tls *tls;             // or NULL
    struct turnstile_entry turn; // of its handshake
    bool is_deciphering;         // within what TLS has to tell; what is read meanwhile waits
    uv_shutdown_t shutdown;
    uv_timer_t timer;      // of the call that runs, of a slow answer, or of the drain
    unsigned handles_open; // of tcp and timer
    struct console console;
    struct line_reader reader;
    bool is_taking;     // within what the reader was fed
    struct buf pending; // read and not yet begun, from pending_at on
    size_t pending_at;
    struct console_reply reply; // being written
    size_t reply_at;            // what is sent already
    uint64_t piece_us;          // how long until the rest may follow
    uint64_t due_us;            // when the timer is meant to fire
    uint64_t late_us;           // by how much the last one was late: the next wait is shorter by it
    size_t drained;             // bytes dropped after the last answer
};

uint64_t connections_now_us(const struct connections *all); // the world's time

// Takes a connection that waits at the listener.
void connection_accept(struct connections *all, uv_stream_t *listener);

// Resets all of them and forgets their consoles, running installs included.
void connections_forget(struct connections *all);

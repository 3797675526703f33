// The shell of a session: the connections to one device, one after another, and their deadlines, in
// a libuv loop.
#pragma once

#include "common/tls.h"
#include "common/turnstile.h"
#include "orchestrator/session.h"

#include <uv.h>

struct connection;

// Told after every step of the session; update lives as long as the call. Where it wants
// SESSION_ASK the answer is due to connection_answer(), within the call or later. After SESSION_END
// the connection is no more.
typedef void (*connection_stepped)(void *arg, const struct session_update *update);

// What the session borrows (see session_init) must live until its end. Buffer and update are shared
// by all connections of a loop: nothing is kept in them between two callbacks.
struct connection_context {
    uv_loop_t *loop;
    const struct session_config *config;
    struct {
        char *data;
        size_t size;
    } read_buffer;
    struct tls_trust *trust;  // of devices with TLS, borrowed; NULL: what this system trusts
    struct tls_trust *system; // which is loaded when first needed, and its owner's to free
    uint64_t secret;          // a random number, of which the ids of calls are made
    uint64_t connections;
    struct connection *first; // of those that are not over
    struct session_update update;
    connection_stepped stepped;
    struct turnstile handshakes; // of TLS: each takes as long as many steps
};

// A context whose other fields are set; and its end, when all connections are over.
void connection_context_open(struct connection_context *context);
void connection_context_close(struct connection_context *context);

// Never calls back from within. login: session_log_in_with().
struct connection *connection_start(struct connection_context *context, const struct task *task,
                                    const struct task_args *args, const struct host *host,
                                    struct session_login login, void *arg);
// The same of a device that another process may have been changing; was as of
// session_init_in_doubt(). It never wants SESSION_ASK.
struct connection *connection_start_in_doubt(struct connection_context *context,
                                             const struct task *task, const struct task_args *args,
                                             const struct host *host, struct session_login login,
                                             const char *was, void *arg);
void connection_answer(struct connection *c, bool granted);
// Another task takes the session over: session.h. It may call back from within.
void connection_take(struct connection *c, const struct task *task, const struct task_args *args);
void connection_leave(struct connection *c); // of a session that is kept
// Ends it at once, whatever its session is at. Nothing is told any more.
void connection_abort(struct connection *c);
void connection_abort_all(struct connection_context *context);

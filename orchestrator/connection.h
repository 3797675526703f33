// The shell of a session: a TCP connection to one device, and its deadline, in a libuv loop.
#pragma once

#include "orchestrator/session.h"

#include <uv.h>

// Told after every step of the session, which it may read and not keep: state is SESSION_ENDED in
// the last call, when the connection is closed already; all of it is freed after the call.
typedef void (*connection_stepped)(void *arg, const struct session *session);

// What the session borrows (see session_init) must live until then. The buffers are shared by all
// connections of a loop: nothing is kept in them between two callbacks.
struct connection_context {
    uv_loop_t *loop;
    const struct session_config *config;
    struct {
        char *data;
        size_t size;
    } read_buffer;
    struct buf *send_buffer;
    connection_stepped stepped;
};

// Never calls back from within.
void connection_start(const struct connection_context *context, const struct task *task,
                      const struct task_args *args, const struct host *host, void *arg);

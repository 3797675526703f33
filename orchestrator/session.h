// What is said to one device, from login to logout, and what its answers amount to. Pure: the shell
// (connection.c) tells what happened and does what is wanted; time is an argument.
//
// Any failure ends the session without logout, and says what it was. The one exception: a
// connection lost after a call that restarts the device was sent is no verdict. The session then
// reconnects, pausing 100 ms, doubling to 5 s, until the install timeout counted from that sending,
// and goes on at the task's resume step. It never sends such a call twice.
#pragma once

#include "common/buf.h"
#include "orchestrator/inventory.h"
#include "orchestrator/task.h"

#include <stdint.h>

struct session_config {
    const char *username, *password;
    uint64_t connect_timeout_ms, call_timeout_ms, install_timeout_ms;
};

enum session_want {
    SESSION_CONNECT, // open a connection, then step with SESSION_CONNECTED or SESSION_LOST
    SESSION_SEND,    // send what is in the buffer, then wait for a line
    SESSION_PAUSE,   // close the connection and wait for the deadline
    SESSION_END,     // close the connection: there is a result
};

enum session_input_kind {
    SESSION_CONNECTED,
    SESSION_LINE,          // text is the line
    SESSION_LINE_TOO_LONG, // more than RPC_LINE_MAX bytes
    SESSION_LOST,          // text says how: "connection refused", "connection reset by the device"
    SESSION_DEADLINE,      // deadline_ms has come; len is what has come of an unfinished line
};

struct session_input {
    enum session_input_kind kind;
    const char *text;
    size_t len; // of SESSION_LINE and SESSION_DEADLINE
};

enum host_result { HOST_CHANGED, HOST_UNCHANGED, HOST_FAILED, HOST_SKIPPED };

struct session {
    const struct session_config *config;
    const struct task *task;
    const struct task_args *args;
    const struct host *host;
    enum session_state { // one door: enter() in session.c
        SESSION_CONNECTING,
        SESSION_LOGIN,
        SESSION_STEP,
        SESSION_LOGOUT,
        SESSION_PAUSING,
        SESSION_ENDED,
    } state;
    uint32_t call_id;
    size_t step;
    uint64_t deadline_ms;         // step with SESSION_DEADLINE when it comes
    uint64_t install_deadline_ms; // 0: no call that restarts the device was sent
    uint64_t pause_ms;
    char *loss;              // how the connection was first lost after that; NULL: it was not
    char *last_loss;         // how the last attempt since then ended; NULL: there was none
    enum host_result result; // when ended: never HOST_SKIPPED
    char *failure;           // of HOST_FAILED: why
    // What the last step did, for the subtask events. NULL: nothing of the kind.
    const char *call_begun, *call_ended;
    const char *call_failure; // of call_ended: why it failed; NULL where it did not
    struct error error;
};

// Borrows all it is given for as long as it lives. The first thing wanted is SESSION_CONNECT.
void session_init(struct session *s, const struct session_config *config, const struct task *task,
                  const struct task_args *args, const struct host *host, uint64_t now_ms);
void session_deinit(struct session *s);

// What happened in, what to do next out; bytes to send are appended to send. Not after SESSION_END.
enum session_want session_step(struct session *s, const struct session_input *input,
                               uint64_t now_ms, struct buf *send);

// The result in words, for the log: "success!!!", or why it failed.
const char *session_text(const struct session *s);

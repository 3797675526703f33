// What is said to one device, from login to logout, and what its answers amount to. Pure: the shell
// (connection.c) tells what happened and does what is wanted; time is an argument.
//
// Leave is asked before a device is changed: right before a call that restarts it the session wants
// SESSION_ASK, and sends nothing until it is granted. Refused, it logs out without a verdict, as if
// the device had not been visited. A connection lost while it waits is opened anew, once.
//
// Calls that need no look at an answer before them go in one write with the one before: the first
// step with the login, the logout with a last step.
//
// The verdict is known before the logout, which changes nothing: a logout that fails is told as a
// failed call and no more. Any other failure ends the session without logout, and says what it was.
// The one exception: a connection lost after a call that restarts the device was sent is no
// verdict. The session then reconnects, pausing 100 ms, doubling to 5 s, until the install timeout
// counted from that sending, and goes on at the task's resume step. Devices come up in steps: until
// then a failure is no verdict either; where the device was there at the end, one last look
// decides. It never sends such a call twice.
//
// A session may begin in doubt: a process that is no more may have sent such a call, and nobody
// knows how it ended. It is a session that has lost its connection after a call that was sent right
// now: it goes on at the task's resume step, asks until the install timeout, and changes nothing.
//
// A login that says an epoch must be answered with the same. A device that did not keep it would
// take an install from whoever had its group in charge before, and nobody would know. The epoch
// holds for the session, connections that are opened anew included.
//
// The session of a task that keeps (task.h) stays logged in after its step, until another task
// takes it over, it is told to leave, or its time is over. Its own answer is the first step's of
// the task that takes it.
#pragma once

#include "common/acmeos.h"
#include "common/buf.h"
#include "common/inventory.h"
#include "orchestrator/task.h"

#include <stdint.h>

enum { // unless an option says otherwise
    SESSION_CONNECT_TIMEOUT_MS = 5 * 1000,
    SESSION_CALL_TIMEOUT_MS = 30 * 1000,
    SESSION_INSTALL_TIMEOUT_MS = 300 * 1000,
};

// What a login says of whom it is for.
struct session_login {
    const struct credentials *own; // NULL, or what is NULL of it: config's
    uint64_t epoch; // of whoever has the device's group in charge now; ACMEOS_NO_EPOCH: none
};

struct session_config {
    const char *username, *password;
    uint64_t connect_timeout_ms, call_timeout_ms, install_timeout_ms;
    uint64_t keep_ms;  // so long a session is kept
    uint64_t line_max; // bytes of an answer; 0: RPC_LINE_MAX
};

enum session_input_kind {
    SESSION_CONNECTED,
    SESSION_LINE,          // text is the line
    SESSION_LINE_TOO_LONG, // more than session_line_max() bytes
    SESSION_LOST,          // text says how: "connection refused", "connection reset by the device"
    SESSION_DEADLINE,      // the deadline has come; len is what has come of an unfinished line
    SESSION_GRANTED,       // the answers to SESSION_ASK
    SESSION_REFUSED,
    SESSION_TAKEN, // of a kept session: session_take() has given it another task
    SESSION_LEAVE, // of a kept session: log out
};

struct session_input {
    enum session_input_kind kind;
    const char *text;
    size_t len; // of SESSION_LINE and SESSION_DEADLINE
    bool more;  // of SESSION_LINE: bytes have come behind the line
};

enum session_want {
    SESSION_CONNECT, // open a connection, then step with SESSION_CONNECTED or SESSION_LOST
    SESSION_SEND,    // send what is in the buffer, if there is, then wait for a line
    SESSION_ASK,     // may the device be changed now? Keep the connection meanwhile
    SESSION_KEEP,    // nothing is to be said until it is taken over or leaves
    SESSION_PAUSE,   // close the connection and wait for the deadline
    SESSION_END,     // close the connection: nothing more is wanted
};

// All that comes of a step. Strings live until the next step. Zero it once; the buffer's memory is
// used again by every step, and is the caller's to free.
struct session_update {
    enum session_want want;
    struct buf send;      // of SESSION_SEND
    uint64_t deadline_ms; // step with SESSION_DEADLINE when it comes; UINT64_MAX: never
    bool may_vanish;      // the device may go away without a word from now on: probe the connection
    // For the subtask events. NULL: nothing of the kind.
    const char *call_ended, *call_begun;
    const char *call_failure; // of call_ended: why it failed; NULL where it did not
    // Told once, when it is known; TASK_NEXT_STEP: not now. With its words for the log.
    enum task_verdict verdict;
    const char *text;
    // Of a session in doubt, with TASK_FAILED: at the end the device was there, told of no install,
    // and ran what it ran before. Where that is not known no version is taken for it.
    bool is_as_before;
    bool is_gone; // with TASK_FAILED: no answer led to it, but that there was none
    // That the device last said it runs; once a call was sent that restarts it, since then. NULL:
    // not known.
    const char *version;
};

struct session {
    const struct session_config *config;
    const struct task *task;
    const struct task_args *args;
    const struct host *host;
    struct session_login login;
    enum session_state { // one door: enter() in session.c
        SESSION_CONNECTING,
        SESSION_LOGIN,
        SESSION_STEP,
        SESSION_ASKING,
        SESSION_KEPT,
        SESSION_LOGOUT,
        SESSION_PAUSING,
        SESSION_ENDED,
    } state;
    uint32_t call_id; // of the call whose answer is awaited; the last of those sent:
    uint32_t sent_id, answered_id;
    uint64_t call_deadline_ms;
    bool passed_over; // the call: one that went along was answered
    size_t step;
    struct task_notes notes;
    uint64_t install_deadline_ms; // 0: no call that restarts the device was sent
    uint64_t pause_ms;
    char *loss;              // how the connection was first lost after that; NULL: it was not
    char *last_loss;         // how the last attempt since then ended; NULL: there was none
    bool was_there;          // at the last attempt since then: it answered, though not as it should
    bool is_last_look;       // the install timeout is over
    bool was_reopened;       // while it waited for leave
    const char *was;         // in doubt: what the device ran before; NULL: not known
    const struct task *heir; // has taken it over, and begins when the call under way is answered
    const struct task_args *heir_args;
    char *kept;    // of a session that is kept: the line that its step was answered with
    char *failure; // of TASK_FAILED: why
    struct error error;
};

// Borrows all it is given for as long as it lives. What is wanted first is SESSION_CONNECT. Calls
// are numbered from first_id + 1: a number that no device can guess, so that none can answer a call
// that it has not read.
void session_init(struct session *s, const struct session_config *config, const struct task *task,
                  const struct task_args *args, const struct host *host, uint32_t first_id);
// In doubt, from now on; was is the version that the device ran before, NULL where that is not
// known. The task has a resume step.
void session_init_in_doubt(struct session *s, const struct session_config *config,
                           const struct task *task, const struct task_args *args,
                           const struct host *host, uint32_t first_id, const char *was,
                           uint64_t now_ms);
// Before the first step; without, config's credentials and no epoch. What it points to is borrowed.
void session_log_in_with(struct session *s, struct session_login login);
void session_deinit(struct session *s);

// When the connection must be there that is wanted now.
uint64_t session_connect_deadline_ms(const struct session *s, uint64_t now_ms);

size_t session_line_max(const struct session_config *config);

bool session_is_owed(const struct session *s); // answers to calls that were sent

// Whether the session can become another task's now: its own keeps it, and has not left. That task
// goes on with the answer, where its first step asks the same; else it begins behind it.
// session_take() gives it that task, which must be borrowed as session_init() says; a session that
// is kept is then stepped with SESSION_TAKEN.
bool session_may_be_taken(const struct session *s);
void session_take(struct session *s, const struct task *task, const struct task_args *args);

// What happened in, what to do next out. Not after SESSION_END.
void session_step(struct session *s, const struct session_input *input, uint64_t now_ms,
                  struct session_update *update);

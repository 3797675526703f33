#include "orchestrator/session.h"

#include "common/duration.h"
#include "common/json.h"
#include "common/mem.h"
#include "common/rpc.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PAUSE_FIRST_MS = 100, PAUSE_MAX_MS = 5000 };

// Which states may follow which: the whole life of a session.
static bool may_follow(enum session_state from, enum session_state to) {
    switch (to) {
    case SESSION_CONNECTING:
        return from == SESSION_PAUSING;
    case SESSION_LOGIN:
        return from == SESSION_CONNECTING;
    case SESSION_STEP:
        return from == SESSION_LOGIN || from == SESSION_STEP;
    case SESSION_LOGOUT:
        return from == SESSION_STEP;
    case SESSION_PAUSING:
        return from != SESSION_PAUSING && from != SESSION_ENDED;
    case SESSION_ENDED:
        return from != SESSION_ENDED;
    }
    return false;
}

static void enter(struct session *s, enum session_state state) {
    assert(may_follow(s->state, state));
    s->state = state;
}

void session_init(struct session *s, const struct session_config *config, const struct task *task,
                  const struct task_args *args, const struct host *host, uint64_t now_ms) {
    *s = (struct session){
        .config = config, .task = task, .args = args, .host = host, .state = SESSION_CONNECTING};
    s->deadline_ms = now_ms + config->connect_timeout_ms;
    s->pause_ms = PAUSE_FIRST_MS;
}

void session_deinit(struct session *s) {
    free(s->loss);
    free(s->last_loss);
    free(s->failure);
    s->loss = s->last_loss = s->failure = NULL;
}

static uint64_t earlier(uint64_t a, uint64_t b) {
    return a < b ? a : b;
}

// The method that is being asked; NULL while there is no connection.
static const char *call_of(const struct session *s) {
    switch (s->state) {
    case SESSION_LOGIN:
        return "login";
    case SESSION_STEP:
        return s->task->steps[s->step].method;
    case SESSION_LOGOUT:
        return "logout";
    default:
        return NULL;
    }
}

// "get_version: no answer within 30s", or "connect to 127.0.0.1:1: connection refused".
static void write_where(const struct session *s, struct buf *out) {
    const char *call = call_of(s), *address = s->host->address;
    if (call != NULL)
        buf_addf(out, "%s: %s", call, s->error.text);
    else if (strchr(address, ':') != NULL)
        buf_addf(out, "connect to [%s]:%u: %s", address, s->host->port, s->error.text);
    else
        buf_addf(out, "connect to %s:%u: %s", address, s->host->port, s->error.text);
}

static void end_call(struct session *s, const char *failure) {
    s->call_ended = call_of(s);
    s->call_failure = failure;
}

// --- endings

static enum session_want finish(struct session *s, enum host_result result) {
    s->result = result;
    enter(s, SESSION_ENDED);
    return SESSION_END;
}

static enum session_want fail(struct session *s) {
    struct buf text = {0};
    if (s->loss != NULL) buf_addf(&text, "%s; then ", s->loss);
    write_where(s, &text);
    s->failure = buf_take(&text);
    end_call(s, s->error.text);
    return finish(s, HOST_FAILED);
}

// The install timeout has passed and the device did not come back.
static enum session_want give_up(struct session *s) {
    char timeout[DURATION_TEXT_MAX];
    duration_format(s->config->install_timeout_ms * 1000, timeout);
    struct buf text = {0};
    buf_addf(&text, "%s; the device was not back within %s", s->loss, timeout);
    if (s->last_loss != NULL) buf_addf(&text, " (%s)", s->last_loss);
    s->failure = buf_take(&text);
    return finish(s, HOST_FAILED);
}

// The connection is gone, or the device does not answer while it is expected back.
static enum session_want lose(struct session *s, uint64_t now_ms) {
    if (s->install_deadline_ms == 0) return fail(s);
    end_call(s, s->error.text);
    struct buf loss = {0};
    write_where(s, &loss);
    char **kept = s->loss == NULL ? &s->loss : &s->last_loss;
    free(*kept);
    *kept = buf_take(&loss);
    if (now_ms >= s->install_deadline_ms) return give_up(s);
    enter(s, SESSION_PAUSING);
    s->deadline_ms = earlier(now_ms + s->pause_ms, s->install_deadline_ms);
    s->pause_ms = earlier(s->pause_ms * 2, PAUSE_MAX_MS);
    return SESSION_PAUSE;
}

// --- calls

static enum session_want begin_call(struct session *s, const char *params, uint64_t timeout_ms,
                                    uint64_t now_ms, struct buf *send) {
    s->call_begun = call_of(s);
    rpc_write_request(send, ++s->call_id, s->call_begun, params);
    s->deadline_ms = now_ms + timeout_ms;
    if (s->loss != NULL) s->deadline_ms = earlier(s->deadline_ms, s->install_deadline_ms);
    return SESSION_SEND;
}

static enum session_want begin_login(struct session *s, uint64_t now_ms, struct buf *send) {
    struct buf params = {0};
    buf_adds(&params, "{\"hostname\": ");
    buf_add_json(&params, s->host->name);
    buf_adds(&params, ", \"username\": ");
    buf_add_json(&params, s->config->username);
    buf_adds(&params, ", \"password\": ");
    buf_add_json(&params, s->config->password);
    buf_adds(&params, "}");
    enter(s, SESSION_LOGIN);
    enum session_want want = begin_call(s, params.data, s->config->call_timeout_ms, now_ms, send);
    buf_deinit(&params);
    return want;
}

static enum session_want begin_step(struct session *s, size_t number, uint64_t now_ms,
                                    struct buf *send) {
    assert(number < s->task->steps_count); // a task's last step ends it
    const struct task_step *step = &s->task->steps[number];
    struct buf params = {0};
    if (step->params != NULL) step->params(s->args, &params);
    uint64_t timeout_ms = s->config->call_timeout_ms;
    if (step->restarts) {
        assert(s->install_deadline_ms == 0); // never twice
        timeout_ms = s->config->install_timeout_ms;
        s->install_deadline_ms = now_ms + timeout_ms;
    }
    enter(s, SESSION_STEP);
    s->step = number;
    enum session_want want = begin_call(s, params.data, timeout_ms, now_ms, send);
    buf_deinit(&params);
    return want;
}

static enum session_want begin_logout(struct session *s, enum host_result result, uint64_t now_ms,
                                      struct buf *send) {
    s->result = result;
    enter(s, SESSION_LOGOUT);
    return begin_call(s, NULL, s->config->call_timeout_ms, now_ms, send);
}

// --- answers

// A session that reached the wrong box must find out before it changes anything.
static int check_login(const struct session *s, const cJSON *result, struct error *err) {
    const char *hostname;
    if (json_as_object(result, err) != 0 || json_string(result, "hostname", &hostname, err) != 0) {
        error_in(err, "result");
        return ERROR_INPUT;
    }
    if (strcmp(hostname, s->host->name) == 0) return 0;
    return error_set(err, "asked for %.100s but reached %.100s", s->host->name, hostname);
}

static enum session_want take_step_result(struct session *s, const cJSON *result, uint64_t now_ms,
                                          struct buf *send) {
    switch (s->task->steps[s->step].reply(s->args, result, &s->error)) {
    case TASK_FAILED:
        return fail(s);
    case TASK_CHANGED:
        end_call(s, NULL);
        return begin_logout(s, HOST_CHANGED, now_ms, send);
    case TASK_UNCHANGED:
        end_call(s, NULL);
        return begin_logout(s, HOST_UNCHANGED, now_ms, send);
    case TASK_NEXT_STEP:
        break;
    }
    end_call(s, NULL);
    return begin_step(s, s->step + 1, now_ms, send);
}

static enum session_want take_result(struct session *s, const cJSON *result, uint64_t now_ms,
                                     struct buf *send) {
    switch (s->state) {
    case SESSION_LOGIN:
        if (check_login(s, result, &s->error) != 0) return fail(s);
        end_call(s, NULL);
        return begin_step(s, s->loss == NULL ? 0 : s->task->resume_step, now_ms, send);
    case SESSION_STEP:
        return take_step_result(s, result, now_ms, send);
    default: // SESSION_LOGOUT
        if (!cJSON_IsTrue(result)) {
            error_set(&s->error, "result: expected true, not %s", json_type_name(result));
            return fail(s);
        }
        end_call(s, NULL);
        return finish(s, s->result);
    }
}

static enum session_want take_line(struct session *s, const struct session_input *input,
                                   uint64_t now_ms, struct buf *send) {
    struct rpc_response response;
    if (rpc_response_parse(&response, s->call_id, input->text, input->len, &s->error) != 0)
        return fail(s);
    enum session_want want = take_result(s, response.result, now_ms, send);
    rpc_response_deinit(&response);
    return want;
}

// An answer that came in part is another illness than silence. Of a device that is awaited the text
// names no time: what was left of the install timeout means nothing to a reader.
static enum session_want miss_answer(struct session *s, bool partial, uint64_t now_ms) {
    char timeout[DURATION_TEXT_MAX];
    const char *what = partial ? "no whole answer" : "no answer";
    uint64_t timeout_ms = s->config->call_timeout_ms;
    if (s->state == SESSION_STEP && s->task->steps[s->step].restarts)
        timeout_ms = s->config->install_timeout_ms;
    duration_format(timeout_ms * 1000, timeout);
    if (s->loss == NULL)
        error_set(&s->error, "%s within %s", what, timeout);
    else
        error_set(&s->error, "%s", what);
    return s->loss == NULL ? fail(s) : lose(s, now_ms);
}

static enum session_want take_deadline(struct session *s, bool partial, uint64_t now_ms) {
    char timeout[DURATION_TEXT_MAX];
    switch (s->state) {
    case SESSION_PAUSING:
        if (now_ms >= s->install_deadline_ms) return give_up(s);
        enter(s, SESSION_CONNECTING);
        s->deadline_ms = earlier(now_ms + s->config->connect_timeout_ms, s->install_deadline_ms);
        return SESSION_CONNECT;
    case SESSION_CONNECTING:
        duration_format(s->config->connect_timeout_ms * 1000, timeout);
        if (s->loss == NULL)
            error_set(&s->error, "no connection within %s", timeout);
        else
            error_set(&s->error, "no connection");
        return lose(s, now_ms);
    default:
        return miss_answer(s, partial, now_ms);
    }
}

enum session_want session_step(struct session *s, const struct session_input *input,
                               uint64_t now_ms, struct buf *send) {
    assert(s->state != SESSION_ENDED);
    s->call_begun = s->call_ended = s->call_failure = NULL;
    // Once the device came back and was verified, the logout is a courtesy: it changes nothing.
    bool courtesy = s->state == SESSION_LOGOUT && s->loss != NULL;
    if (courtesy) {
        end_call(s, NULL);
        return finish(s, s->result);
    }
    switch (input->kind) {
    case SESSION_CONNECTED:
        return begin_login(s, now_ms, send);
    case SESSION_LINE:
        return take_line(s, input, now_ms, send);
    case SESSION_LINE_TOO_LONG:
        error_set(&s->error, "the answer is longer than %d bytes", RPC_LINE_MAX);
        return fail(s);
    case SESSION_LOST:
        error_set(&s->error, "%s", input->text);
        return lose(s, now_ms);
    case SESSION_DEADLINE:
        return take_deadline(s, input->len > 0, now_ms);
    }
    return SESSION_END;
}

const char *session_text(const struct session *s) {
    switch (s->result) {
    case HOST_CHANGED:
        return s->task->changed_text;
    case HOST_UNCHANGED:
        return s->task->unchanged_text;
    default:
        return s->failure;
    }
}

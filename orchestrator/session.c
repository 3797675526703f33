// A session is a machine of seven states, of which enter() allows the ways. Each step takes one
// input in one state, and writes all that comes of it into the update; the happy path is
//
//   CONNECTING -> LOGIN -> STEP get_version -> ASKING -> STEP install -> STEP get_version -> LOGOUT
//
// and PAUSING -> CONNECTING is the way back of a device that restarts.
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
        return from == SESSION_LOGIN || from == SESSION_STEP || from == SESSION_ASKING;
    case SESSION_ASKING:
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
                  const struct task_args *args, const struct host *host, uint32_t first_id) {
    *s = (struct session){.config = config,
                          .task = task,
                          .args = args,
                          .host = host,
                          .state = SESSION_CONNECTING,
                          .call_id = first_id,
                          .pause_ms = PAUSE_FIRST_MS};
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

static const struct task_step *step_of(const struct session *s) {
    return &s->task->steps[s->step];
}

// The device went away after a call that restarts it, and is awaited.
static bool is_awaited(const struct session *s) {
    return s->loss != NULL;
}

// --- calls

// The method that is being asked, or is about to be; NULL while there is no connection.
static const char *call_of(const struct session *s) {
    switch (s->state) {
    case SESSION_LOGIN:
        return "login";
    case SESSION_STEP:
    case SESSION_ASKING:
        return step_of(s)->method;
    case SESSION_LOGOUT:
        return "logout";
    default:
        return NULL;
    }
}

static void begin_call(struct session *s, const char *params, uint64_t timeout_ms, uint64_t now_ms,
                       struct session_update *update) {
    update->want = SESSION_SEND;
    update->call_begun = call_of(s);
    rpc_write_request(&update->send, ++s->call_id, update->call_begun, params);
    update->deadline_ms = now_ms + timeout_ms;
    if (is_awaited(s)) update->deadline_ms = earlier(update->deadline_ms, s->install_deadline_ms);
}

static void end_call(const struct session *s, const char *failure, struct session_update *update) {
    update->call_ended = call_of(s);
    update->call_failure = failure;
}

static void begin_login(struct session *s, uint64_t now_ms, struct session_update *update) {
    struct buf params = {0};
    buf_adds(&params, "{\"hostname\": ");
    buf_add_json(&params, s->host->name);
    buf_adds(&params, ", \"username\": ");
    buf_add_json(&params, s->config->username);
    buf_adds(&params, ", \"password\": ");
    buf_add_json(&params, s->config->password);
    buf_adds(&params, "}");
    enter(s, SESSION_LOGIN);
    begin_call(s, params.data, s->config->call_timeout_ms, now_ms, update);
    update->may_vanish = is_awaited(s);
    buf_deinit(&params);
}

static void send_step(struct session *s, uint64_t now_ms, struct session_update *update) {
    const struct task_step *step = step_of(s);
    struct buf params = {0};
    if (step->params != NULL) step->params(s->args, &params);
    uint64_t timeout_ms = s->config->call_timeout_ms;
    if (step->restarts) {
        assert(s->install_deadline_ms == 0); // never twice
        timeout_ms = s->config->install_timeout_ms;
        s->install_deadline_ms = now_ms + timeout_ms;
        update->may_vanish = true;
    }
    enter(s, SESSION_STEP);
    begin_call(s, params.data, timeout_ms, now_ms, update);
    buf_deinit(&params);
}

static void begin_step(struct session *s, size_t number, uint64_t now_ms,
                       struct session_update *update) {
    assert(number < s->task->steps_count); // a task's last step ends it
    s->step = number;
    if (!step_of(s)->restarts) {
        send_step(s, now_ms, update);
        return;
    }
    enter(s, SESSION_ASKING);
    update->want = SESSION_ASK;
}

static void begin_logout(struct session *s, enum task_verdict verdict, uint64_t now_ms,
                         struct session_update *update) {
    update->verdict = verdict;
    update->text = verdict == TASK_CHANGED ? s->task->changed_text : s->task->unchanged_text;
    enter(s, SESSION_LOGOUT);
    begin_call(s, NULL, s->config->call_timeout_ms, now_ms, update);
}

// --- endings

static void finish(struct session *s, struct session_update *update) {
    enter(s, SESSION_ENDED);
    update->want = SESSION_END;
}

static void finish_failed(struct session *s, struct buf *why, struct session_update *update) {
    s->failure = buf_take(why);
    update->verdict = TASK_FAILED;
    update->text = s->failure;
    finish(s, update);
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

static void fail(struct session *s, struct session_update *update) {
    struct buf text = {0};
    if (is_awaited(s)) buf_addf(&text, "%s; then ", s->loss);
    write_where(s, &text);
    if (s->state != SESSION_ASKING) end_call(s, s->error.text, update);
    finish_failed(s, &text, update);
}

// The install timeout has passed and the device did not come back.
static void give_up(struct session *s, struct session_update *update) {
    char timeout[DURATION_TEXT_MAX];
    duration_format(s->config->install_timeout_ms * 1000, timeout);
    struct buf text = {0};
    buf_addf(&text, "%s; the device was not back within %s", s->loss, timeout);
    if (s->last_loss != NULL) buf_addf(&text, " (%s)", s->last_loss);
    finish_failed(s, &text, update);
}

// The connection is gone, or the device does not answer while it is expected back.
static void lose(struct session *s, uint64_t now_ms, struct session_update *update) {
    if (s->install_deadline_ms == 0) {
        fail(s, update);
        return;
    }
    end_call(s, s->error.text, update);
    struct buf loss = {0};
    write_where(s, &loss);
    char **kept = s->loss == NULL ? &s->loss : &s->last_loss;
    free(*kept);
    *kept = buf_take(&loss);
    if (now_ms >= s->install_deadline_ms) {
        give_up(s, update);
        return;
    }
    enter(s, SESSION_PAUSING);
    update->want = SESSION_PAUSE;
    update->deadline_ms = earlier(now_ms + s->pause_ms, s->install_deadline_ms);
    s->pause_ms = earlier(s->pause_ms * 2, PAUSE_MAX_MS);
}

// --- answers

// A session that reached the wrong box must find out before it changes anything.
static int check_login(const struct session *s, const cJSON *result, struct error *err) {
    const char *hostname, *platform;
    int rc = json_as_object(result, err);
    if (rc == 0) rc = json_string(result, "hostname", &hostname, err);
    if (rc == 0 && strcmp(hostname, s->host->name) != 0)
        return error_set(err, "asked for %.100s but reached %.100s", s->host->name, hostname);
    if (rc == 0) rc = json_string(result, "platform", &platform, err);
    if (rc != 0) {
        error_in(err, "result");
        return rc;
    }
    if (strcmp(platform, "acmeos") == 0) return 0;
    return error_set(err, "expected the platform acmeos but reached %.40s", platform);
}

static void take_step_result(struct session *s, const cJSON *result, uint64_t now_ms,
                             struct session_update *update) {
    enum task_verdict verdict = step_of(s)->reply(s->args, &s->notes, result, &s->error);
    if (verdict == TASK_FAILED) {
        fail(s, update);
        return;
    }
    end_call(s, NULL, update);
    if (verdict == TASK_NEXT_STEP)
        begin_step(s, s->step + 1, now_ms, update);
    else
        begin_logout(s, verdict, now_ms, update);
}

static void take_result(struct session *s, const cJSON *result, uint64_t now_ms,
                        struct session_update *update) {
    if (s->state == SESSION_STEP) {
        take_step_result(s, result, now_ms, update);
    } else if (check_login(s, result, &s->error) != 0) {
        fail(s, update);
    } else {
        end_call(s, NULL, update);
        begin_step(s, is_awaited(s) ? s->task->resume_step : 0, now_ms, update);
    }
}

static void take_line(struct session *s, const struct session_input *input, uint64_t now_ms,
                      struct session_update *update) {
    struct rpc_response response;
    if (rpc_response_parse(&response, s->call_id, input->text, input->len, &s->error) != 0) {
        fail(s, update);
        return;
    }
    if (input->more) { // what comes before the next call is sent cannot be its answer
        rpc_response_deinit(&response);
        error_set(&s->error, "more came behind the answer");
        fail(s, update);
        return;
    }
    take_result(s, response.result, now_ms, update);
    rpc_response_deinit(&response);
}

// --- deadlines

// An answer that came in part is a different trouble from silence. Of a device that is awaited the
// text names no time: what was left of the install timeout means nothing to a reader.
static void set_no_answer(struct session *s, bool partial) {
    char timeout[DURATION_TEXT_MAX];
    const char *what = partial ? "no whole answer" : "no answer";
    uint64_t timeout_ms = s->config->call_timeout_ms;
    if (s->state == SESSION_STEP && step_of(s)->restarts)
        timeout_ms = s->config->install_timeout_ms;
    duration_format(timeout_ms * 1000, timeout);
    if (is_awaited(s))
        error_set(&s->error, "%s", what);
    else
        error_set(&s->error, "%s within %s", what, timeout);
}

static void set_no_connection(struct session *s) {
    char timeout[DURATION_TEXT_MAX];
    duration_format(s->config->connect_timeout_ms * 1000, timeout);
    if (is_awaited(s))
        error_set(&s->error, "no connection");
    else
        error_set(&s->error, "no connection within %s", timeout);
}

static void reconnect(struct session *s, uint64_t now_ms, struct session_update *update) {
    if (now_ms >= s->install_deadline_ms) {
        give_up(s, update);
        return;
    }
    enter(s, SESSION_CONNECTING);
    update->want = SESSION_CONNECT;
    update->deadline_ms = earlier(now_ms + s->config->connect_timeout_ms, s->install_deadline_ms);
}

static void take_deadline(struct session *s, bool partial, uint64_t now_ms,
                          struct session_update *update) {
    if (s->state == SESSION_PAUSING) {
        reconnect(s, now_ms, update);
        return;
    }
    if (s->state == SESSION_CONNECTING)
        set_no_connection(s);
    else
        set_no_answer(s, partial);
    if (is_awaited(s))
        lose(s, now_ms, update);
    else
        fail(s, update);
}

// The verdict is told already, and nothing that happens now can change it.
static void end_logout(struct session *s, const struct session_input *input,
                       struct session_update *update) {
    struct rpc_response response;
    const char *failure = s->error.text;
    switch (input->kind) {
    case SESSION_LINE:
        if (rpc_response_parse(&response, s->call_id, input->text, input->len, &s->error) != 0)
            break;
        if (cJSON_IsTrue(response.result))
            failure = NULL;
        else
            error_set(&s->error, "result: expected true, not %s", json_type_name(response.result));
        rpc_response_deinit(&response);
        break;
    case SESSION_DEADLINE:
        set_no_answer(s, input->len > 0);
        break;
    case SESSION_LINE_TOO_LONG:
        error_set(&s->error, "the answer is longer than %d bytes", RPC_LINE_MAX);
        break;
    default:
        error_set(&s->error, "%s", input->text);
        break;
    }
    end_call(s, failure, update);
    finish(s, update);
}

static void take_input(struct session *s, const struct session_input *input, uint64_t now_ms,
                       struct session_update *update) {
    switch (input->kind) {
    case SESSION_CONNECTED:
        begin_login(s, now_ms, update);
        break;
    case SESSION_LINE:
        if (s->state == SESSION_ASKING) {
            error_set(&s->error, "answered before it was asked");
            fail(s, update);
        } else {
            take_line(s, input, now_ms, update);
        }
        break;
    case SESSION_LINE_TOO_LONG:
        error_set(&s->error, "the answer is longer than %d bytes", RPC_LINE_MAX);
        fail(s, update);
        break;
    case SESSION_LOST:
        error_set(&s->error, "%s", input->text);
        lose(s, now_ms, update);
        break;
    case SESSION_DEADLINE:
        take_deadline(s, input->len > 0, now_ms, update);
        break;
    case SESSION_GRANTED:
        assert(s->state == SESSION_ASKING);
        send_step(s, now_ms, update);
        break;
    case SESSION_REFUSED:
        assert(s->state == SESSION_ASKING);
        finish(s, update);
        break;
    }
}

void session_step(struct session *s, const struct session_input *input, uint64_t now_ms,
                  struct session_update *update) {
    assert(s->state != SESSION_ENDED);
    struct buf send = update->send;
    buf_clear(&send);
    *update = (struct session_update){.send = send, .deadline_ms = UINT64_MAX};
    if (s->state == SESSION_LOGOUT)
        end_logout(s, input, update);
    else
        take_input(s, input, now_ms, update);
}

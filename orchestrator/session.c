// A session is a machine of eight states, of which enter() allows the ways. Each step takes one
// input in one state, and writes all that comes of it into the update; the happy path is
//
//   CONNECTING -> LOGIN -> STEP get_version -> ASKING -> STEP install -> STEP get_version -> LOGOUT
//
// and PAUSING -> CONNECTING is the way back of a device that restarts. Of a task that keeps it is
//
//   CONNECTING -> LOGIN -> STEP get_version -> KEPT -> STEP, as another task's, ...
#include "orchestrator/session.h"

#include "common/duration.h"
#include "common/json.h"
#include "common/mem.h"
#include "common/rpc.h"

#include <assert.h>
#include <inttypes.h>
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
        return from == SESSION_LOGIN || from == SESSION_STEP || from == SESSION_ASKING ||
               from == SESSION_KEPT;
    case SESSION_ASKING:
        return from == SESSION_LOGIN || from == SESSION_STEP;
    case SESSION_KEPT:
        return from == SESSION_STEP;
    case SESSION_LOGOUT:
        return from == SESSION_STEP || from == SESSION_ASKING || from == SESSION_KEPT;
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
                          .login = {.epoch = ACMEOS_NO_EPOCH},
                          .state = SESSION_CONNECTING,
                          .call_id = first_id,
                          .sent_id = first_id,
                          .answered_id = first_id,
                          .pause_ms = PAUSE_FIRST_MS};
}

void session_init_in_doubt(struct session *s, const struct session_config *config,
                           const struct task *task, const struct task_args *args,
                           const struct host *host, uint32_t first_id, const char *was,
                           uint64_t now_ms) {
    assert(task->resume_step > 0);
    session_init(s, config, task, args, host, first_id);
    s->was = was;
    s->loss = mem_strdup("in doubt since the orchestrator ended");
    s->install_deadline_ms = now_ms + config->install_timeout_ms;
}

void session_log_in_with(struct session *s, struct session_login login) {
    s->login = login;
}

void session_deinit(struct session *s) {
    free(s->loss);
    free(s->last_loss);
    free(s->kept);
    free(s->failure);
    free(s->notes.told);
    s->loss = s->last_loss = s->kept = s->failure = s->notes.told = NULL;
}

size_t session_line_max(const struct session_config *config) {
    return config->line_max == 0 ? RPC_LINE_MAX : (size_t)config->line_max;
}

bool session_is_owed(const struct session *s) {
    return s->answered_id != s->sent_id;
}

static uint64_t earlier(uint64_t a, uint64_t b) {
    return a < b ? a : b;
}

static const struct task_step *step_of(const struct session *s) {
    return &s->task->steps[s->step];
}

// The device went away after a call that restarts it, and is awaited.
static bool is_awaited(const struct session *s) {
    return s->loss != NULL && !s->is_last_look;
}

uint64_t session_connect_deadline_ms(const struct session *s, uint64_t now_ms) {
    const uint64_t deadline_ms = now_ms + s->config->connect_timeout_ms;
    return is_awaited(s) ? earlier(deadline_ms, s->install_deadline_ms) : deadline_ms;
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

// A call of which nothing more is asked yet: it goes along with the one before it.
static void send_call(struct session *s, const char *method, const char *params,
                      struct session_update *update) {
    rpc_write_request(&update->send, ++s->sent_id, method, params);
}

// The call is the next to be answered; it is sent, unless it went along with the one before.
static void begin_call(struct session *s, const char *params, uint64_t timeout_ms, uint64_t now_ms,
                       struct session_update *update) {
    update->want = SESSION_SEND;
    update->call_begun = call_of(s);
    if (s->sent_id == s->call_id) send_call(s, update->call_begun, params, update);
    s->call_id++;
    s->passed_over = false;
    update->deadline_ms = now_ms + timeout_ms;
    if (is_awaited(s)) update->deadline_ms = earlier(update->deadline_ms, s->install_deadline_ms);
    s->call_deadline_ms = update->deadline_ms;
}

static void end_call(const struct session *s, const char *failure, struct session_update *update) {
    update->call_ended = call_of(s);
    update->call_failure = failure;
}

static void write_login(const struct session *s, struct buf *params) {
    static const struct credentials none;
    const struct credentials *own = s->login.own == NULL ? &none : s->login.own;
    buf_adds(params, "{\"hostname\": ");
    buf_add_json(params, s->host->name);
    buf_adds(params, ", \"username\": ");
    buf_add_json(params, own->username == NULL ? s->config->username : own->username);
    buf_adds(params, ", \"password\": ");
    buf_add_json(params, own->password == NULL ? s->config->password : own->password);
    if (s->login.epoch != ACMEOS_NO_EPOCH)
        buf_addf(params, ", \"epoch\": %" PRIu64, s->login.epoch);
    buf_adds(params, "}");
}

static void write_params(const struct session *s, struct buf *params) {
    if (step_of(s)->params != NULL) step_of(s)->params(s->args, params);
}

// Of a device that is awaited the next look may be needed: it is not logged out of.
static bool logs_out_along(const struct session *s) {
    return step_of(s)->is_last && !is_awaited(s);
}

static void begin_login(struct session *s, uint64_t now_ms, struct session_update *update) {
    struct buf params = {0};
    s->step = s->loss != NULL ? s->task->resume_step : 0;
    write_login(s, &params);
    enter(s, SESSION_LOGIN);
    begin_call(s, params.data, s->config->call_timeout_ms, now_ms, update);
    if (!step_of(s)->restarts) {
        buf_clear(&params);
        write_params(s, &params);
        send_call(s, step_of(s)->method, params.len == 0 ? NULL : params.data, update);
        if (logs_out_along(s)) send_call(s, "logout", NULL, update);
    }
    update->may_vanish = is_awaited(s);
    buf_deinit(&params);
}

static void send_step(struct session *s, uint64_t now_ms, struct session_update *update) {
    const struct task_step *step = step_of(s);
    const bool is_sent = s->sent_id != s->call_id;
    struct buf params = {0};
    write_params(s, &params);
    uint64_t timeout_ms = s->config->call_timeout_ms;
    if (step->restarts) {
        assert(s->install_deadline_ms == 0); // never twice
        timeout_ms = s->config->install_timeout_ms;
        s->install_deadline_ms = now_ms + timeout_ms;
        s->notes.version[0] = '\0'; // it is about to change
        update->may_vanish = true;
    }
    enter(s, SESSION_STEP);
    begin_call(s, params.len == 0 ? NULL : params.data, timeout_ms, now_ms, update);
    if (!is_sent && logs_out_along(s)) send_call(s, "logout", NULL, update);
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

static void begin_logout(struct session *s, uint64_t now_ms, struct session_update *update) {
    enter(s, SESSION_LOGOUT);
    begin_call(s, NULL, s->config->call_timeout_ms, now_ms, update);
}

static void keep(struct session *s, const struct session_input *input, uint64_t now_ms,
                 struct session_update *update) {
    s->kept = mem_strndup(input->text, input->len);
    enter(s, SESSION_KEPT);
    update->want = SESSION_KEEP;
    update->deadline_ms = now_ms + s->config->keep_ms;
}

// --- endings

static void finish(struct session *s, struct session_update *update) {
    enter(s, SESSION_ENDED);
    update->want = SESSION_END;
}

static void finish_failed(struct session *s, struct buf *why, struct session_update *update) {
    s->failure = buf_take(why);
    update->is_as_before =
        s->was != NULL && s->notes.is_idle && strcmp(s->notes.version, s->was) == 0;
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

static void pause(struct session *s, uint64_t until_ms, struct session_update *update) {
    enter(s, SESSION_PAUSING);
    update->want = SESSION_PAUSE;
    update->deadline_ms = until_ms;
}

static void fail_for_good(struct session *s, struct session_update *update) {
    struct buf text = {0};
    if (s->loss != NULL) buf_addf(&text, "%s; then ", s->loss);
    write_where(s, &text);
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

static void note_loss(struct session *s) {
    struct buf loss = {0};
    write_where(s, &loss);
    char **kept = s->loss == NULL ? &s->loss : &s->last_loss;
    free(*kept);
    *kept = buf_take(&loss);
}

// The attempt led to nothing, and the next one may.
static void try_again(struct session *s, uint64_t now_ms, struct session_update *update) {
    note_loss(s);
    pause(s, earlier(now_ms + s->pause_ms, s->install_deadline_ms), update);
    s->pause_ms = earlier(s->pause_ms * 2, PAUSE_MAX_MS);
}

// The device, or what came from it, is not as it should be.
static void fail(struct session *s, uint64_t now_ms, struct session_update *update) {
    if (s->state != SESSION_ASKING && s->state != SESSION_KEPT) end_call(s, s->error.text, update);
    if (s->state == SESSION_KEPT) {
        finish(s, update); // it owes nobody an answer
    } else if (is_awaited(s) && now_ms < s->install_deadline_ms) {
        s->was_there = true;
        try_again(s, now_ms, update);
    } else {
        fail_for_good(s, update);
    }
}

// While it waits for leave nothing has been done to the device yet.
static void open_anew(struct session *s, uint64_t now_ms, struct session_update *update) {
    s->was_reopened = true;
    pause(s, now_ms, update);
}

// The connection is gone, or the device does not answer while it is expected back. A look that is
// under way when the install timeout ends says nothing of a device that was there at the one
// before: another is the last.
static void lose(struct session *s, uint64_t now_ms, struct session_update *update) {
    if (s->passed_over && !is_awaited(s)) { // it was logged out of, and not lost
        error_set(&s->error, "no answer, though the next call was answered");
        fail(s, now_ms, update);
        return;
    }
    if (s->install_deadline_ms == 0) {
        if (s->state == SESSION_ASKING && !s->was_reopened)
            open_anew(s, now_ms, update);
        else
            fail(s, now_ms, update);
        return;
    }
    end_call(s, s->error.text, update);
    const bool is_cut_short = is_awaited(s) && s->was_there && now_ms >= s->install_deadline_ms;
    s->was_there = is_cut_short;
    if (is_cut_short || now_ms < s->install_deadline_ms) {
        try_again(s, now_ms, update);
        return;
    }
    note_loss(s);
    give_up(s, update);
}

// --- answers

// What came is no answer. The device may be installing all the same, so it is looked at anew, as
// after a lost connection.
static void misunderstand(struct session *s, uint64_t now_ms, struct session_update *update) {
    if (s->state == SESSION_STEP && step_of(s)->restarts)
        lose(s, now_ms, update);
    else
        fail(s, now_ms, update);
}

static int check_epoch(const struct session *s, const cJSON *result, struct error *err) {
    uint64_t epoch;
    if (s->login.epoch == ACMEOS_NO_EPOCH) return 0;
    int rc = json_uint(result, "epoch", 0, ACMEOS_EPOCH_MAX, &epoch, err);
    if (rc != 0) {
        error_in(err, "result");
        return rc;
    }
    if (epoch == s->login.epoch) return 0;
    return error_set(err, "said the epoch %" PRIu64 " but was answered %" PRIu64, s->login.epoch,
                     epoch);
}

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
    if (strcmp(platform, "acmeos") != 0)
        return error_set(err, "expected the platform acmeos but reached %.40s", platform);
    return check_epoch(s, result, err);
}

static void take_step_result(struct session *s, const struct session_input *input,
                             const cJSON *result, uint64_t now_ms, struct session_update *update) {
    enum task_verdict verdict = step_of(s)->reply(s->args, &s->notes, result, &s->error);
    if (verdict == TASK_FAILED) {
        fail(s, now_ms, update);
        return;
    }
    end_call(s, NULL, update);
    if (verdict == TASK_NEXT_STEP) {
        begin_step(s, s->step + 1, now_ms, update);
        return;
    }
    update->verdict = verdict;
    update->text = verdict == TASK_CHANGED ? s->task->changed_text : s->task->unchanged_text;
    if (s->notes.told != NULL) update->text = s->notes.told;
    if (s->task->keeps)
        keep(s, input, now_ms, update);
    else
        begin_logout(s, now_ms, update);
}

static void take_result(struct session *s, const struct session_input *input, const cJSON *result,
                        uint64_t now_ms, struct session_update *update) {
    if (s->state == SESSION_STEP) {
        take_step_result(s, input, result, now_ms, update);
    } else if (check_login(s, result, &s->error) != 0) {
        fail(s, now_ms, update);
    } else {
        end_call(s, NULL, update);
        begin_step(s, s->step, now_ms, update);
    }
}

// The device passed the call over, and answered one that went along: silence is what that is.
static bool answers_later_call(const struct session *s, const struct session_input *input) {
    struct rpc_response response;
    struct error err;
    for (uint32_t id = s->call_id + 1; id <= s->sent_id; id++) {
        int rc = rpc_response_parse(&response, id, input->text, input->len, &err);
        if (rc == 0) rpc_response_deinit(&response);
        if (rc != ERROR_INPUT) return true;
    }
    return false;
}

// Whatever was answered was another's to judge.
static void inherit(struct session *s, uint64_t now_ms, struct session_update *update) {
    end_call(s, NULL, update);
    s->task = s->heir;
    s->args = s->heir_args;
    s->heir = NULL;
    s->step = 0;
    send_step(s, now_ms, update);
}

static void take_line(struct session *s, const struct session_input *input, uint64_t now_ms,
                      struct session_update *update) {
    struct rpc_response response;
    int rc = rpc_response_parse(&response, s->call_id, input->text, input->len, &s->error);
    if (rc == ERROR_INPUT && answers_later_call(s, input)) {
        s->passed_over = true;
        update->want = SESSION_SEND;
        update->deadline_ms = s->call_deadline_ms;
        return;
    }
    const bool is_answered = rc != ERROR_INPUT, has_more = input->more && s->sent_id == s->call_id;
    if (is_answered) s->answered_id = s->call_id;
    if (rc == 0 && has_more) error_set(&s->error, "more came behind the answer");
    if (is_answered && !has_more && s->heir != NULL && s->state == SESSION_STEP)
        inherit(s, now_ms, update);
    else if (rc == ERROR_INPUT || has_more) // nothing more was asked
        misunderstand(s, now_ms, update);
    else if (rc != 0)
        fail(s, now_ms, update);
    else
        take_result(s, input, response.result, now_ms, update);
    if (rc == 0) rpc_response_deinit(&response);
}

// --- sessions that are kept

bool session_may_be_taken(const struct session *s) {
    return s->task->keeps && s->heir == NULL && s->state != SESSION_LOGOUT &&
           s->state != SESSION_ENDED;
}

// What was asked already is asked by the task that takes it over as well, or comes before its own
// first step.
void session_take(struct session *s, const struct task *task, const struct task_args *args) {
    assert(session_may_be_taken(s));
    const bool has_asked = s->state == SESSION_LOGIN || s->state == SESSION_STEP;
    if (has_asked && strcmp(s->task->steps[0].method, task->steps[0].method) != 0) {
        s->heir = task;
        s->heir_args = args;
    } else {
        s->task = task;
        s->args = args;
    }
}

// Its answer is read again, for the task that has taken it over.
static void take_over(struct session *s, uint64_t now_ms, struct session_update *update) {
    const char *const asked = "get_version"; // by all that keep
    const struct session_input input = {.text = s->kept, .len = strlen(s->kept)};
    enter(s, SESSION_STEP);
    s->step = 0;
    if (strcmp(step_of(s)->method, asked) != 0) {
        send_step(s, now_ms, update);
        return;
    }
    take_line(s, &input, now_ms, update);
    if (update->call_failure == NULL) update->call_ended = NULL; // it was, when it was kept
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
    if (s->install_deadline_ms != 0 && now_ms >= s->install_deadline_ms) {
        if (!s->was_there) {
            give_up(s, update);
            return;
        }
        s->is_last_look = true;
    }
    enter(s, SESSION_CONNECTING);
    s->call_id = s->answered_id = s->sent_id; // what is not answered yet never will be
    s->notes.is_idle = false;                 // what it said before does not hold now
    update->want = SESSION_CONNECT;
    update->deadline_ms = session_connect_deadline_ms(s, now_ms);
}

static void take_deadline(struct session *s, bool partial, uint64_t now_ms,
                          struct session_update *update) {
    if (s->state == SESSION_PAUSING) {
        reconnect(s, now_ms, update);
        return;
    }
    if (s->state == SESSION_KEPT) {
        begin_logout(s, now_ms, update);
        return;
    }
    if (s->state == SESSION_CONNECTING)
        set_no_connection(s);
    else
        set_no_answer(s, partial);
    if (is_awaited(s))
        lose(s, now_ms, update);
    else
        fail(s, now_ms, update);
}

static void set_too_long(struct session *s) {
    error_set(&s->error, "the answer is longer than %zu bytes", session_line_max(s->config));
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
        s->answered_id = s->call_id;
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
        set_too_long(s);
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
        if (s->state == SESSION_ASKING || s->state == SESSION_KEPT) {
            error_set(&s->error, "answered before it was asked");
            fail(s, now_ms, update);
        } else {
            take_line(s, input, now_ms, update);
        }
        break;
    case SESSION_LINE_TOO_LONG:
        set_too_long(s);
        misunderstand(s, now_ms, update);
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
        begin_logout(s, now_ms, update);
        break;
    case SESSION_TAKEN:
        assert(s->state == SESSION_KEPT);
        take_over(s, now_ms, update);
        break;
    case SESSION_LEAVE:
        assert(s->state == SESSION_KEPT);
        begin_logout(s, now_ms, update);
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
    update->is_gone = update->verdict == TASK_FAILED &&
                      (input->kind == SESSION_LOST || input->kind == SESSION_DEADLINE);
    update->version = s->notes.version[0] == '\0' ? NULL : s->notes.version;
}

// A session as a script of moves: what the device says, a line at a time, and what is to come of
// it. Time is a number in it.
#pragma once

#include "common/rpc.h"
#include "tests/unit/sessions.h"

enum move_kind { END, CONNECTED, RESULT, ERROR, LINE, TOO_LONG, LOST, DEADLINE, DEADLINE_IN_LINE };

struct move {
    enum move_kind kind;
    const char *text; // a result, the device's message, a raw line ($ is the call's id), a loss
    uint64_t now_ms;  // 0: as before
    enum session_want want;
    const char *sends;    // of SESSION_SEND: the method
    uint64_t deadline_ms; // 0: not looked at
};

enum { MOVES_MAX = 32, SENT_MAX = 64 };

struct script {
    const char *name;
    struct move moves[MOVES_MAX];
    enum task_verdict verdict;
    const char *text;
};

struct doubt {           // of a session that begins in doubt
    const char *was;     // what the device ran before
    const char *version; // and what it runs at the end
    bool is_as_before, is_gone;
};

// Moves that most scripts share.
#define CONNECT                                                                                    \
    { CONNECTED, NULL, 0, SESSION_SEND, "login", 0 }
#define LOGIN(next)                                                                                \
    { RESULT, LOGGED_IN, 0, SESSION_SEND, next, 0 }
#define GET(v, next)                                                                               \
    { RESULT, v, 0, SESSION_SEND, next, 0 }
#define TO_INSTALL CONNECT, LOGIN("get_version"), GET(OLD, "install_os_version")
#define TO_VERIFY  TO_INSTALL, GET(NEW, "get_version")
#define TO_LOGOUT  TO_VERIFY, GET(NEW, "logout")
#define LOGGED_OUT                                                                                 \
    { RESULT, "true", 0, SESSION_END, NULL, 0 }
#define PAUSES(kind, text)                                                                         \
    { kind, text, 0, SESSION_PAUSE, NULL, 0 }
#define LOST_THEN_PAUSE PAUSES(LOST, "connection reset by the device")
#define RECONNECT                                                                                  \
    { DEADLINE, NULL, 1100, SESSION_CONNECT, NULL, 0 }
#define BACK RECONNECT, CONNECT, LOGIN("get_version")
// The attempt, shortly before the install timeout, that the last look follows.
#define TILL_THE_END(kind, text)                                                                   \
    { kind, text, 300900, SESSION_PAUSE, NULL, 301000 }
#define LAST_LOOK {DEADLINE, NULL, 301000, SESSION_CONNECT, NULL, 306000}, CONNECT
#define ENDS(kind, text)                                                                           \
    { kind, text, 0, SESSION_END, NULL, 0 }
#define LOSS "install_os_version: connection reset by the device"

struct talk {
    struct session session;
    struct session_update update;
    const struct script *script;
    const struct doubt *doubt; // NULL: none
    uint64_t now_ms;
    struct {
        char method[24];
        unsigned id;
    } sent[SENT_MAX];
    size_t sent_count, begun; // calls of a connection; those that were begun are answered in turn
    unsigned installs, call_id;
    unsigned asked; // before an install
    enum task_verdict verdict;
    char *text; // of the verdict
    char *version;
    bool is_as_before, is_gone;
};

#define AGREES(t, number, condition)                                                               \
    ck_assert_msg(condition, "%s, move %zu: %s", (t)->script->name, number, #condition)

// The line that a move stands for.
static void write_line(const struct talk *t, const struct move *move, struct buf *out) {
    char *text = double_quoted(move->text);
    if (move->kind == RESULT) {
        buf_addf(out, "{\"jsonrpc\": \"2.0\", \"id\": %u, \"result\": %s}", t->call_id, text);
    } else if (move->kind == ERROR) {
        buf_addf(out, "{\"jsonrpc\": \"2.0\", \"id\": %u, \"error\": {\"code\": -32000, ",
                 t->call_id);
        buf_addf(out, "\"message\": \"%s\"}}", text);
    } else {
        buf_adds(out, text);
    }
    free(text);
}

static struct session_input input_of(const struct talk *t, const struct move *move,
                                     struct buf *line) {
    switch (move->kind) {
    case CONNECTED:
        return (struct session_input){.kind = SESSION_CONNECTED};
    case TOO_LONG:
        return (struct session_input){.kind = SESSION_LINE_TOO_LONG};
    case LOST:
        return (struct session_input){.kind = SESSION_LOST, .text = move->text};
    case DEADLINE:
        return (struct session_input){.kind = SESSION_DEADLINE};
    case DEADLINE_IN_LINE:
        return (struct session_input){.kind = SESSION_DEADLINE, .len = 17};
    default:
        write_line(t, move, line);
        return (struct session_input){.kind = SESSION_LINE, .text = line->data, .len = line->len};
    }
}

static void note_sent(struct talk *t, size_t number, const char *line, size_t len) {
    struct rpc_request request;
    AGREES(t, number, rpc_request_parse(&request, line, len) == RPC_OK);
    AGREES(t, number, !request.notification && t->sent_count < SENT_MAX);
    AGREES(t, number,
           t->sent_count == 0 ||
               (unsigned)request.id->valueint == t->sent[t->sent_count - 1].id + 1);
    snprintf(t->sent[t->sent_count].method, sizeof t->sent[0].method, "%s", request.method);
    t->sent[t->sent_count++].id = (unsigned)request.id->valueint;
    t->installs += strcmp(request.method, "install_os_version") == 0;
    rpc_request_deinit(&request);
}

// The call that begins is the one that was expected, and was sent now or along with one before it;
// nothing goes along with an install.
static void check_sent(struct talk *t, size_t number, const struct move *move) {
    const struct buf *send = &t->update.send;
    if (move->want == SESSION_CONNECT) t->begun = t->sent_count;
    AGREES(t, number, send->len == 0 || move->want == SESSION_SEND);
    if (move->want != SESSION_SEND) return;
    for (const char *line = send->data, *lf; send->len > 0 && *line != '\0'; line = lf + 1) {
        lf = strchr(line, '\n');
        AGREES(t, number, lf != NULL);
        note_sent(t, number, line, (size_t)(lf - line));
    }
    AGREES(t, number, t->begun < t->sent_count);
    const char *method = t->sent[t->begun].method;
    AGREES(t, number, strcmp(method, move->sends) == 0);
    AGREES(t, number, strcmp(t->update.call_begun, move->sends) == 0);
    t->call_id = t->sent[t->begun++].id;
    AGREES(t, number, strcmp(method, "install_os_version") != 0 || t->begun == t->sent_count);
}

// What a step tells of the verdict: once, and never again.
static void note_verdict(struct talk *t, size_t number) {
    if (t->update.verdict == TASK_NEXT_STEP) return;
    AGREES(t, number, t->text == NULL);
    t->verdict = t->update.verdict;
    t->text = mem_strdup(t->update.text);
    t->version = t->update.version == NULL ? NULL : mem_strdup(t->update.version);
    t->is_as_before = t->update.is_as_before;
    t->is_gone = t->update.is_gone;
}

// A step, and the grant where it is asked for: no install is sent before.
static void step(struct talk *t, size_t number, const struct session_input *input) {
    static const struct session_input granted = {.kind = SESSION_GRANTED};
    session_step(&t->session, input, t->now_ms, &t->update);
    note_verdict(t, number);
    if (t->update.want != SESSION_ASK) return;
    AGREES(t, number, t->update.send.len == 0 && t->update.call_begun == NULL);
    AGREES(t, number, t->update.deadline_ms == UINT64_MAX);
    t->asked++;
    session_step(&t->session, &granted, t->now_ms, &t->update);
}

static void check_doubt(const struct talk *t) {
    const char *name = t->script->name;
    const bool is_as_before = t->doubt != NULL && t->doubt->is_as_before;
    ck_assert_msg(t->is_as_before == is_as_before, "%s: as before %d", name, (int)t->is_as_before);
    if (t->doubt == NULL) return;
    ck_assert_msg(t->installs == 0, "%s: installed", name);
    ck_assert_msg(t->is_gone == t->doubt->is_gone, "%s: gone %d", name, (int)t->is_gone);
    ck_assert_pstr_eq(t->version, t->doubt->version);
}

static void run_in_doubt(const struct script *script, const struct doubt *doubt) {
    struct talk t = {.script = script, .doubt = doubt, .now_ms = 1000};
    if (doubt != NULL)
        session_init_in_doubt(&t.session, &config, &task_upgrade_os, &args, &host, 0, doubt->was,
                              t.now_ms);
    else
        session_init(&t.session, &config, &task_upgrade_os, &args, &host, 0);
    for (size_t i = 0; script->moves[i].kind != END; i++) {
        const struct move *move = &script->moves[i];
        struct buf line = {0};
        if (move->now_ms != 0) t.now_ms = move->now_ms;
        struct session_input input = input_of(&t, move, &line);
        AGREES(&t, i, t.session.state != SESSION_ENDED);
        step(&t, i, &input);
        AGREES(&t, i, t.update.want == move->want);
        AGREES(&t, i, move->deadline_ms == 0 || t.update.deadline_ms == move->deadline_ms);
        check_sent(&t, i, move);
        buf_deinit(&line);
    }
    ck_assert_msg(t.session.state == SESSION_ENDED, "%s: not ended", script->name);
    ck_assert_msg(t.text != NULL, "%s: no verdict", script->name);
    ck_assert_msg(t.verdict == script->verdict, "%s: verdict %d", script->name, (int)t.verdict);
    ck_assert_msg(strcmp(t.text, script->text) == 0, "%s: it says '%s'", script->name, t.text);
    ck_assert_msg(t.installs <= 1, "%s: installed twice", script->name);
    ck_assert_msg(t.asked == t.installs, "%s: asked %u times", script->name, t.asked);
    check_doubt(&t);
    free(t.text);
    free(t.version);
    buf_deinit(&t.update.send);
    session_deinit(&t.session);
}

static inline void run(const struct script *script) {
    run_in_doubt(script, NULL);
}

// upgrade_os over a session: what the device says, a line at a time, and what comes of it. Each
// case is a script of moves; time is a number in it.
#include "common/rpc.h"
#include "tests/unit/sessions.h"

Suite *check_session(void);

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
#define LOST_THEN_PAUSE                                                                            \
    { LOST, "connection reset by the device", 0, SESSION_PAUSE, NULL, 0 }
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

static const struct script successes[] = {
    {"a device is upgraded", {TO_LOGOUT, LOGGED_OUT}, TASK_CHANGED, "success!!!"},
    {"a device that runs the version is left alone",
     {CONNECT, LOGIN("get_version"), GET(NEW, "logout"), LOGGED_OUT},
     TASK_UNCHANGED,
     "nothing to do!!!"},
    {"what the install answers is not believed, the version afterwards is",
     {TO_INSTALL, GET(OLD, "get_version"), GET(NEW, "logout"), LOGGED_OUT},
     TASK_CHANGED,
     "success!!!"},
    {"lost in the install",
     {TO_INSTALL, LOST_THEN_PAUSE, BACK, GET(NEW, "logout"), LOGGED_OUT},
     TASK_CHANGED,
     "success!!!"},
    {"lost in the verification",
     {TO_VERIFY, LOST_THEN_PAUSE, BACK, GET(NEW, "logout"), LOGGED_OUT},
     TASK_CHANGED,
     "success!!!"},
    {"lost in the logout",
     {TO_LOGOUT, ENDS(LOST, "connection reset by the device")},
     TASK_CHANGED,
     "success!!!"},
    {"lost in the logout of a device that was not touched",
     {CONNECT, LOGIN("get_version"), GET(NEW, "logout"), ENDS(LOST, "connection reset")},
     TASK_UNCHANGED,
     "nothing to do!!!"},
    {"the logout answers false", {TO_LOGOUT, ENDS(RESULT, "false")}, TASK_CHANGED, "success!!!"},
    {"the logout answers nonsense",
     {TO_LOGOUT, ENDS(LINE, "{'jsonrpc")},
     TASK_CHANGED,
     "success!!!"},
    {"the logout answers too much", {TO_LOGOUT, ENDS(TOO_LONG, NULL)}, TASK_CHANGED, "success!!!"},
    {"lost again in the logout after coming back",
     {TO_INSTALL, LOST_THEN_PAUSE, BACK, GET(NEW, "logout"),
      ENDS(LOST, "connection reset by the device")},
     TASK_CHANGED,
     "success!!!"},
    {"no answer to the logout after coming back",
     {TO_INSTALL, LOST_THEN_PAUSE, BACK, GET(NEW, "logout"), ENDS(DEADLINE, NULL)},
     TASK_CHANGED,
     "success!!!"},
    {"refused, dropped and silent while rebooting, then back",
     {TO_INSTALL,
      LOST_THEN_PAUSE,
      RECONNECT,
      {LOST, "connection refused", 1100, SESSION_PAUSE, NULL, 1300},
      {DEADLINE, NULL, 1300, SESSION_CONNECT, NULL, 6300},
      {CONNECTED, NULL, 1310, SESSION_SEND, "login", 31310},
      {LOST, "connection reset by the device", 1320, SESSION_PAUSE, NULL, 1720},
      {DEADLINE, NULL, 1720, SESSION_CONNECT, NULL, 6720},
      {DEADLINE, NULL, 6720, SESSION_PAUSE, NULL, 7520},
      {DEADLINE, NULL, 7520, SESSION_CONNECT, NULL, 0},
      {CONNECTED, NULL, 7530, SESSION_SEND, "login", 37530},
      {DEADLINE, NULL, 37530, SESSION_PAUSE, NULL, 39130},
      {DEADLINE, NULL, 39130, SESSION_CONNECT, NULL, 0},
      CONNECT,
      LOGIN("get_version"),
      GET(NEW, "logout"),
      LOGGED_OUT},
     TASK_CHANGED,
     "success!!!"},
    {"back in steps: no login, not ready, installing, the old version, then the new",
     {TO_INSTALL,
      LOST_THEN_PAUSE,
      RECONNECT,
      CONNECT,
      {ERROR, "authentication failed", 1110, SESSION_PAUSE, NULL, 1310},
      {DEADLINE, NULL, 1310, SESSION_CONNECT, NULL, 0},
      CONNECT,
      LOGIN("get_version"),
      {ERROR, "initializing", 1320, SESSION_PAUSE, NULL, 1720},
      {DEADLINE, NULL, 1720, SESSION_CONNECT, NULL, 0},
      CONNECT,
      LOGIN("get_version"),
      {RESULT, INSTALLING("5.3.1"), 1730, SESSION_PAUSE, NULL, 2530},
      {DEADLINE, NULL, 2530, SESSION_CONNECT, NULL, 0},
      CONNECT,
      LOGIN("get_version"),
      {RESULT, OLD, 2540, SESSION_PAUSE, NULL, 4140},
      {DEADLINE, NULL, 4140, SESSION_CONNECT, NULL, 0},
      CONNECT,
      LOGIN("get_version"),
      GET(NEW, "logout"),
      LOGGED_OUT},
     TASK_CHANGED,
     "success!!!"},
    {"back with the new version at the last look",
     {TO_INSTALL, LOST_THEN_PAUSE, BACK, TILL_THE_END(RESULT, OLD), LAST_LOOK, LOGIN("get_version"),
      GET(NEW, "logout"), LOGGED_OUT},
     TASK_CHANGED,
     "success!!!"},
};

static const struct script failures[] = {
    {"refused",
     {ENDS(LOST, "connection refused")},
     TASK_FAILED,
     "connect to 127.0.0.1:8300: connection refused"},
    {"no connection in time",
     {{DEADLINE, NULL, 6000, SESSION_END, NULL, 0}},
     TASK_FAILED,
     "connect to 127.0.0.1:8300: no connection within 5s"},
    {"no answer to the login",
     {{CONNECTED, NULL, 1500, SESSION_SEND, "login", 31500},
      {DEADLINE, NULL, 31500, SESSION_END, NULL, 0}},
     TASK_FAILED,
     "login: no answer within 30s"},
    {"an answer that comes too slowly to be whole in time",
     {{CONNECTED, NULL, 1500, SESSION_SEND, "login", 31500},
      {DEADLINE_IN_LINE, NULL, 31500, SESSION_END, NULL, 0}},
     TASK_FAILED,
     "login: no whole answer within 30s"},
    {"wrong password",
     {CONNECT, ENDS(ERROR, "authentication failed")},
     TASK_FAILED,
     "login: authentication failed"},
    {"the wrong host answers",
     {CONNECT, ENDS(RESULT, "{'hostname': 'leaf64.earth'}")},
     TASK_FAILED,
     "login: asked for leaf63.earth but reached leaf64.earth"},
    {"the login's answer has no host",
     {CONNECT, ENDS(RESULT, "{}")},
     TASK_FAILED,
     "login: result.hostname: missing"},
    {"the login's answer is no object",
     {CONNECT, ENDS(RESULT, "true")},
     TASK_FAILED,
     "login: result: expected an object, not a boolean"},
    {"the login's answer has no platform",
     {CONNECT, ENDS(RESULT, "{'hostname': 'leaf63.earth'}")},
     TASK_FAILED,
     "login: result.platform: missing"},
    {"the login's platform is a number",
     {CONNECT, ENDS(RESULT, "{'hostname': 'leaf63.earth', 'platform': 5}")},
     TASK_FAILED,
     "login: result.platform: expected a string, not a number"},
    {"the platform is another",
     {CONNECT, ENDS(RESULT, "{'hostname': 'leaf63.earth', 'platform': 'ios'}")},
     TASK_FAILED,
     "login: expected the platform acmeos but reached ios"},
    {"the platform is spelled otherwise",
     {CONNECT, ENDS(RESULT, "{'hostname': 'leaf63.earth', 'platform': 'ACMEOS'}")},
     TASK_FAILED,
     "login: expected the platform acmeos but reached ACMEOS"},
    {"closed before anything was changed",
     {CONNECT, LOGIN("get_version"), ENDS(LOST, "connection closed by the device")},
     TASK_FAILED,
     "get_version: connection closed by the device"},
    {"a version that is no text",
     {CONNECT, LOGIN("get_version"), ENDS(RESULT, "{'full_version': 5.2}")},
     TASK_FAILED,
     "get_version: result.full_version: expected a string, not a number"},
    {"a version in one part only",
     {CONNECT, LOGIN("get_version"), ENDS(RESULT, "{'full_version': '5.3.1'}")},
     TASK_FAILED,
     "get_version: result.os_version: missing"},
    {"a version without its revision",
     {CONNECT, LOGIN("get_version"),
      ENDS(RESULT, "{'os_version': '5.3', 'full_version': '5.3.1'}")},
     TASK_FAILED,
     "get_version: result.revision: missing"},
    {"parts that are numbers",
     {CONNECT, LOGIN("get_version"),
      ENDS(RESULT, "{'os_version': 5.3, 'revision': 1, 'full_version': '5.3.1'}")},
     TASK_FAILED,
     "get_version: result.os_version: expected a string, not a number"},
    {"another os_version than the whole says",
     {CONNECT, LOGIN("get_version"),
      ENDS(RESULT, "{'os_version': '5.2', 'revision': '1', 'full_version': '5.3.1'}")},
     TASK_FAILED,
     "get_version: os_version 5.2 and revision 1 disagree with full_version 5.3.1"},
    {"another revision than the whole says",
     {CONNECT, LOGIN("get_version"),
      ENDS(RESULT, "{'os_version': '5.3', 'revision': '10', 'full_version': '5.3.1'}")},
     TASK_FAILED,
     "get_version: os_version 5.3 and revision 10 disagree with full_version 5.3.1"},
    {"a whole without a dot between its parts",
     {CONNECT, LOGIN("get_version"),
      ENDS(RESULT, "{'os_version': '5.', 'revision': '3.1', 'full_version': '5.3.1'}")},
     TASK_FAILED,
     "get_version: os_version 5. and revision 3.1 disagree with full_version 5.3.1"},
    {"the wanted version in a verification that contradicts itself",
     {TO_VERIFY, ENDS(RESULT, "{'os_version': '5.2', 'revision': '4', 'full_version': '5.3.1'}")},
     TASK_FAILED,
     "get_version: os_version 5.2 and revision 4 disagree with full_version 5.3.1"},
    {"an install that runs already",
     {CONNECT, LOGIN("get_version"), ENDS(RESULT, INSTALLING("5.3.1"))},
     TASK_FAILED,
     "get_version: installs 5.3.1 already"},
    {"an install of another version on a device that runs the wanted one",
     {CONNECT, LOGIN("get_version"),
      ENDS(RESULT, "{'os_version': '5.3', 'revision': '1', 'full_version': '5.3.1', "
                   "'installing': '5.4.1'}")},
     TASK_FAILED,
     "get_version: installs 5.4.1 already"},
    {"installing something that is no text",
     {CONNECT, LOGIN("get_version"),
      ENDS(RESULT, "{'os_version': '5.2', 'revision': '4', 'full_version': '5.2.4', "
                   "'installing': true}")},
     TASK_FAILED,
     "get_version: result.installing: expected a string, not a boolean"},
    {"an install that still runs at the verification",
     {TO_VERIFY, ENDS(RESULT, INSTALLING("5.3.1"))},
     TASK_FAILED,
     "get_version: the device runs 5.2.4 and still installs 5.3.1"},
    {"not JSON",
     {CONNECT, LOGIN("get_version"), ENDS(LINE, "{'jsonrpc")},
     TASK_FAILED,
     "get_version: the answer is not JSON"},
    {"an answer to another question",
     {CONNECT, LOGIN("get_version"), ENDS(LINE, "{'jsonrpc': '2.0', 'id': 99, 'result': " NEW "}")},
     TASK_FAILED,
     "get_version: the answer has another id than the question"},
    {"the same answer again",
     {CONNECT, LOGIN("get_version"), GET(OLD, "install_os_version"),
      ENDS(LINE, "{'jsonrpc': '2.0', 'id': 2, 'result': " OLD "}")},
     TASK_FAILED,
     "install_os_version: the answer has another id than the question"},
    {"too long",
     {CONNECT, LOGIN("get_version"), ENDS(TOO_LONG, NULL)},
     TASK_FAILED,
     "get_version: the answer is longer than 65536 bytes"},
    {"the install fails",
     {TO_INSTALL, ENDS(ERROR, "problem communicating with device")},
     TASK_FAILED,
     "install_os_version: problem communicating with device"},
    {"the install answers nonsense",
     {TO_INSTALL, ENDS(RESULT, "[]")},
     TASK_FAILED,
     "install_os_version: result: expected an object, not an array"},
    {"the install is not answered",
     {CONNECT,
      LOGIN("get_version"),
      {RESULT, OLD, 2000, SESSION_SEND, "install_os_version", 302000},
      {DEADLINE, NULL, 302000, SESSION_END, NULL, 0}},
     TASK_FAILED,
     "install_os_version: no answer within 300s"},
    {"another version than asked",
     {TO_VERIFY, ENDS(RESULT, OLD)},
     TASK_FAILED,
     "get_version: installed 5.3.1 but the device runs 5.2.4"},
    {"an install that the device never took",
     {TO_INSTALL, GET(OLD, "get_version"), ENDS(RESULT, OLD)},
     TASK_FAILED,
     "get_version: the install of 5.3.1 answered 5.2.4, and the device runs 5.2.4"},
    {"the install answers half a version",
     {TO_INSTALL, ENDS(RESULT, "{'full_version': '5.3.1'}")},
     TASK_FAILED,
     "install_os_version: result.os_version: missing"},
    {"lost after the install was answered, and back with another version until the end",
     {TO_VERIFY, LOST_THEN_PAUSE, BACK, TILL_THE_END(RESULT, OLD), LAST_LOOK, LOGIN("get_version"),
      ENDS(RESULT, OLD)},
     TASK_FAILED,
     "get_version: connection reset by the device; then get_version: installed 5.3.1 but the "
     "device runs 5.2.4"},
    {"the verification is not answered",
     {TO_VERIFY, {DEADLINE, NULL, 31000, SESSION_END, NULL, 0}},
     TASK_FAILED,
     "get_version: no answer within 30s"},
    {"back with another version until the end",
     {TO_INSTALL, LOST_THEN_PAUSE, BACK, TILL_THE_END(RESULT, OLD), LAST_LOOK, LOGIN("get_version"),
      ENDS(RESULT, OLD)},
     TASK_FAILED,
     LOSS "; then get_version: the device runs 5.2.4, not 5.3.1"},
    {"installing until the end",
     {TO_INSTALL, LOST_THEN_PAUSE, BACK, TILL_THE_END(RESULT, INSTALLING("5.3.1")), LAST_LOOK,
      LOGIN("get_version"), ENDS(RESULT, INSTALLING("5.3.1"))},
     TASK_FAILED,
     LOSS "; then get_version: the device runs 5.2.4 and still installs 5.3.1"},
    {"back as another host until the end",
     {TO_INSTALL, LOST_THEN_PAUSE, RECONNECT, CONNECT,
      TILL_THE_END(RESULT, "{'hostname': 'leaf64.earth'}"), LAST_LOOK,
      ENDS(RESULT, "{'hostname': 'leaf64.earth'}")},
     TASK_FAILED,
     LOSS "; then login: asked for leaf63.earth but reached leaf64.earth"},
    {"back and refusing the login until the end",
     {TO_INSTALL, LOST_THEN_PAUSE, RECONNECT, CONNECT, TILL_THE_END(ERROR, "authentication failed"),
      LAST_LOOK, ENDS(ERROR, "authentication failed")},
     TASK_FAILED,
     LOSS "; then login: authentication failed"},
    {"the old version as the install timeout ends: that was the last look",
     {TO_INSTALL, LOST_THEN_PAUSE, BACK, {RESULT, OLD, 301000, SESSION_END, NULL, 0}},
     TASK_FAILED,
     LOSS "; then get_version: the device runs 5.2.4, not 5.3.1"},
    {"there, and gone at the last look",
     {TO_INSTALL,
      LOST_THEN_PAUSE,
      BACK,
      TILL_THE_END(RESULT, OLD),
      {DEADLINE, NULL, 301000, SESSION_CONNECT, NULL, 306000},
      ENDS(LOST, "connection refused")},
     TASK_FAILED,
     LOSS "; the device was not back within 300s (connect to 127.0.0.1:8300: connection refused)"},
    {"there, and silent at the last look",
     {TO_INSTALL,
      LOST_THEN_PAUSE,
      BACK,
      TILL_THE_END(RESULT, OLD),
      LAST_LOOK,
      {DEADLINE, NULL, 331000, SESSION_END, NULL, 0}},
     TASK_FAILED,
     LOSS "; then login: no answer within 30s"},
    {"never back: the deadline comes in a pause",
     {TO_INSTALL,
      LOST_THEN_PAUSE,
      RECONNECT,
      {LOST, "connection refused", 300900, SESSION_PAUSE, NULL, 301000},
      {DEADLINE, NULL, 301000, SESSION_END, NULL, 0}},
     TASK_FAILED,
     LOSS "; the device was not back within 300s (connect to 127.0.0.1:8300: connection refused)"},
    {"never back: the deadline comes while connecting",
     {TO_INSTALL,
      LOST_THEN_PAUSE,
      {DEADLINE, NULL, 299000, SESSION_CONNECT, NULL, 301000},
      {DEADLINE, NULL, 301000, SESSION_END, NULL, 0}},
     TASK_FAILED,
     LOSS "; the device was not back within 300s (connect to 127.0.0.1:8300: no connection)"},
    {"never back: the deadline comes while logging in",
     {TO_INSTALL,
      LOST_THEN_PAUSE,
      {DEADLINE, NULL, 299000, SESSION_CONNECT, NULL, 301000},
      {CONNECTED, NULL, 299001, SESSION_SEND, "login", 301000},
      {DEADLINE, NULL, 301000, SESSION_END, NULL, 0}},
     TASK_FAILED,
     LOSS "; the device was not back within 300s (login: no answer)"},
    {"never back: the deadline comes while verifying",
     {TO_INSTALL,
      LOST_THEN_PAUSE,
      {DEADLINE, NULL, 299000, SESSION_CONNECT, NULL, 301000},
      {CONNECTED, NULL, 299001, SESSION_SEND, "login", 301000},
      LOGIN("get_version"),
      {DEADLINE, NULL, 301000, SESSION_END, NULL, 0}},
     TASK_FAILED,
     LOSS "; the device was not back within 300s (get_version: no answer)"},
    {"back, and too slow to say so",
     {TO_INSTALL,
      LOST_THEN_PAUSE,
      {DEADLINE, NULL, 299000, SESSION_CONNECT, NULL, 301000},
      {CONNECTED, NULL, 299001, SESSION_SEND, "login", 301000},
      {DEADLINE_IN_LINE, NULL, 301000, SESSION_END, NULL, 0}},
     TASK_FAILED,
     LOSS "; the device was not back within 300s (login: no whole answer)"},
    {"the first loss and the last are named",
     {TO_VERIFY,
      LOST_THEN_PAUSE,
      RECONNECT,
      {LOST, "connection refused", 301000, SESSION_END, NULL, 0}},
     TASK_FAILED,
     "get_version: connection reset by the device; the device was not back within 300s (connect to "
     "127.0.0.1:8300: connection refused)"},
};

struct talk {
    struct session session;
    struct session_update update;
    const struct script *script;
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

static void run(const struct script *script) {
    struct talk t = {.script = script, .now_ms = 1000};
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
    free(t.text);
    buf_deinit(&t.update.send);
    session_deinit(&t.session);
}

START_TEST(an_upgrade_succeeds) {
    run(&successes[_i]);
}
END_TEST

START_TEST(an_upgrade_fails_and_says_why) {
    run(&failures[_i]);
}
END_TEST

Suite *check_session(void) {
    Suite *suite = suite_create("session");
    TCase *tcase = tcase_create("session");
    suite_add_tcase(suite, tcase);
    tcase_add_loop_test(tcase, an_upgrade_succeeds, 0, (int)COUNT(successes));
    tcase_add_loop_test(tcase, an_upgrade_fails_and_says_why, 0, (int)COUNT(failures));
    return suite;
}

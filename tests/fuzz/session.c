// The orchestrator's end of the wire: what a device says, in lines, to upgrade_os. Beside answers
// there are lines of one character that stand for what else can happen:
//   !  the connection is lost     ~  the deadline comes     #  an answer that is too long
// $ in an answer is the number of the call. A first line of ? makes a session in doubt, one of =
// lets its login say the epoch 7. A connection that is asked for is there, unless ! or ~ says
// otherwise; when the lines are used up, only deadlines come.
#include "orchestrator/session.h"
#include "common/line.h"
#include "common/rpc.h"
#include "tests/fuzz/fuzz.h"

static const struct session_config config = {
    .username = "admin",
    .password = "admin",
    .connect_timeout_ms = 5000,
    .call_timeout_ms = 30000,
    .install_timeout_ms = 300000,
};
static const struct task_args args = {.version = "5.3.1"};
static const struct host host = {.name = "leaf63.earth", .address = "127.0.0.1", .port = 8300};

struct wire {
    struct session session;
    struct line_reader reader;
    struct session_update update;
    uint64_t now_ms;
    bool is_in_doubt;
    unsigned installs, logouts, steps, asked;
    enum task_verdict verdict; // TASK_NEXT_STEP: not told yet
};

// Whole requests, in the protocol's words; the call that begins was sent now, or along with one
// before it. A connection is logged out of once.
static void check_sent(struct wire *w) {
    const char *at = w->update.send.data, *end = at + w->update.send.len, *lf;
    bool begins = at == end; // or nothing begins: an answer was passed over
    for (; at < end; at = lf + 1) {
        struct rpc_request request;
        lf = memchr(at, '\n', (size_t)(end - at));
        assert(lf != NULL);
        enum rpc_error e = rpc_request_parse(&request, at, (size_t)(lf - at));
        assert(e == RPC_OK && !request.notification);
        if (w->update.call_begun != NULL && strcmp(request.method, w->update.call_begun) == 0)
            begins = true;
        if (strcmp(request.method, "install_os_version") == 0) w->installs++;
        if (strcmp(request.method, "logout") == 0) w->logouts++;
        assert(w->installs <= 1 && w->logouts <= 1 && w->installs <= w->asked);
        assert(w->installs == 0 || !w->is_in_doubt);
        rpc_request_deinit(&request);
    }
    assert(begins);
}

static void check_verdict(struct wire *w) {
    const struct session_update *update = &w->update;
    if (update->verdict == TASK_NEXT_STEP) return;
    assert(w->verdict == TASK_NEXT_STEP); // told once
    w->verdict = update->verdict;
    assert(update->text != NULL && update->text[0] != '\0');
    assert((w->verdict == TASK_FAILED) == (w->session.failure != NULL));
    if (w->verdict == TASK_CHANGED) assert(w->installs == 1 || w->is_in_doubt);
    if (w->verdict == TASK_UNCHANGED) assert(w->installs == 0 && !w->is_in_doubt);
    if (w->verdict != TASK_FAILED) assert(!update->is_as_before && !update->is_gone);
    if (!update->is_as_before) return;
    assert(w->is_in_doubt && !update->is_gone && strcmp(update->version, "5.2.4") == 0);
}

static void step(struct wire *w, enum session_input_kind kind, const char *text, size_t len) {
    struct session *s = &w->session;
    struct session_update *update = &w->update;
    struct session_input input = {.kind = kind, .text = text, .len = len};
    if (kind == SESSION_DEADLINE && w->now_ms < update->deadline_ms)
        w->now_ms = update->deadline_ms;
    session_step(s, &input, w->now_ms, update);
    assert(++w->steps < 100 * 1000);
    if (update->want == SESSION_SEND)
        check_sent(w);
    else
        assert(update->send.len == 0);
    check_verdict(w);
    assert((update->want == SESSION_END) == (s->state == SESSION_ENDED));
    assert((update->want == SESSION_PAUSE) == (s->state == SESSION_PAUSING));
    assert((update->want == SESSION_ASK) == (s->state == SESSION_ASKING));
    assert(update->want != SESSION_PAUSE || w->installs == 1 || s->was_reopened || w->is_in_doubt);
    assert(update->want == SESSION_END || update->deadline_ms >= w->now_ms);
    if (update->want == SESSION_PAUSE || update->want == SESSION_CONNECT) {
        line_reader_deinit(&w->reader);
        line_reader_init(&w->reader, RPC_LINE_MAX, RPC_DROP_MAX);
        w->logouts = 0;
    }
    if (update->want != SESSION_ASK) return;
    w->asked++;
    step(w, SESSION_GRANTED, "", 0);
}

// As connection.c does: lines count only while an answer is awaited.
static void hear(struct wire *w, const char *data, size_t len) {
    const char *line;
    size_t line_len;
    enum line_status status;
    line_reader_feed(&w->reader, data, len);
    while (w->update.want == SESSION_SEND &&
           (status = line_reader_next(&w->reader, &line, &line_len)) != LINE_NONE)
        step(w, status == LINE_READY ? SESSION_LINE : SESSION_LINE_TOO_LONG, line, line_len);
}

static void say(struct wire *w, const char *line, size_t len) {
    struct buf text = {0};
    for (size_t i = 0; i < len; i++)
        if (line[i] == '$')
            buf_addf(&text, "%u", (unsigned)w->session.call_id);
        else
            buf_add(&text, line + i, 1);
    buf_adds(&text, "\n");
    hear(w, text.data, text.len);
    buf_deinit(&text);
}

static void say_too_much(struct wire *w) {
    static char much[RPC_LINE_MAX + 1];
    memset(much, 'x', RPC_LINE_MAX);
    much[RPC_LINE_MAX] = '\n';
    hear(w, much, sizeof much);
}

static void take_line(struct wire *w, const char *line, size_t len) {
    char sign = len == 1 ? line[0] : '\0';
    if (w->update.want == SESSION_CONNECT && sign != '!' && sign != '~')
        step(w, SESSION_CONNECTED, "", 0);
    if (w->update.want == SESSION_PAUSE || sign == '~')
        step(w, SESSION_DEADLINE, "", 0);
    else if (sign == '!')
        step(w, SESSION_LOST, "connection reset by the device", 0);
    else if (sign == '#')
        say_too_much(w);
    else
        say(w, line, len);
}

static void check_end(const struct wire *w) {
    assert(w->verdict != TASK_NEXT_STEP);
    if (w->verdict != TASK_FAILED) assert(w->logouts == 1);
    // It never takes longer than what its timeouts add up to.
    assert(w->now_ms <= 1000 + 3 * config.connect_timeout_ms + 10 * config.call_timeout_ms +
                            config.install_timeout_ms);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct wire w = {
        .update = {.want = SESSION_CONNECT, .deadline_ms = 1000 + config.connect_timeout_ms},
        .now_ms = 1000};
    const char *at = (const char *)data, *end = at + size;
    mem_init();
    if (size >= 2 && memcmp(data, "?\n", 2) == 0) {
        w.is_in_doubt = true;
        at += 2;
        session_init_in_doubt(&w.session, &config, &task_upgrade_os, &args, &host, 0, "5.2.4",
                              w.now_ms);
    } else {
        session_init(&w.session, &config, &task_upgrade_os, &args, &host, 0);
    }
    if (size >= 2 && memcmp(data, "=\n", 2) == 0) {
        at += 2;
        session_log_in_with(&w.session, (struct session_login){.epoch = 7});
    }
    line_reader_init(&w.reader, RPC_LINE_MAX, RPC_DROP_MAX);
    while (at < end && w.update.want != SESSION_END) {
        const char *lf = memchr(at, '\n', (size_t)(end - at));
        const char *stop = lf == NULL ? end : lf;
        take_line(&w, at, (size_t)(stop - at));
        at = lf == NULL ? end : lf + 1;
    }
    while (w.update.want != SESSION_END)
        step(&w, SESSION_DEADLINE, "", 0);
    check_end(&w);
    line_reader_deinit(&w.reader);
    session_deinit(&w.session);
    buf_deinit(&w.update.send);
    return 0;
}

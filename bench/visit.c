// What a session wants next is done until it wants no more:
//
//   connect -> exchange ... exchange -> end, and exchange -> pause -> connect while a device
//   restarts
//
// Where the two programs live are a millisecond apart here they are not: an answer that takes just
// as long as its timeout is in time.
#include "bench/visit.h"

#include "common/line.h"
#include "common/rpc.h"
#include "simulator/console.h"

#include <string.h>

enum { US_PER_MS = 1000 };

struct stay { // at a device
    struct visitor *visitor;
    struct session session;
    struct console console;
    struct line_reader reader;
    uint32_t device;
    bool is_connected;
    bool is_closed;  // by the device, and not yet seen: it was behind an answer
    struct buf sent; // calls that the device has not come to: some go along with one before
    size_t sent_at;
    enum session_want want;
    uint64_t deadline_us;
    struct visit_result result;
};

void visitor_deinit(struct visitor *visitor) {
    buf_deinit(&visitor->update.send);
}

static void step(struct stay *s, const struct session_input *input) {
    struct visitor *v = s->visitor;
    const uint64_t now_ms = v->now_us / US_PER_MS;
    session_step(&s->session, input, now_ms, &v->update);
    s->want = v->update.want;
    buf_add(&s->sent, v->update.send.data, v->update.send.len);
    if (v->update.deadline_ms != UINT64_MAX)
        s->deadline_us = v->now_us + (v->update.deadline_ms - now_ms) * US_PER_MS;
    if (v->update.verdict == TASK_NEXT_STEP) return;
    s->result.fails = v->update.verdict == TASK_FAILED;
    s->result.times_out = s->result.fails && input->kind == SESSION_DEADLINE;
}

static void lose(struct stay *s, const char *how) {
    step(s, &(struct session_input){.kind = SESSION_LOST, .text = how});
}

// The time until the session's deadline passes.
static void wait(struct stay *s) {
    const size_t part = s->is_connected ? s->reader.part.len : 0;
    s->visitor->now_us = s->deadline_us;
    step(s, &(struct session_input){.kind = SESSION_DEADLINE, .len = part});
}

// False: not before the deadline, which has come instead.
static bool wait_until(struct stay *s, uint64_t due_us) {
    if (due_us > s->deadline_us) {
        wait(s);
        return false;
    }
    s->visitor->now_us = due_us;
    return true;
}

// --- connections

static void hang_up(struct stay *s) {
    if (!s->is_connected) return;
    console_forget(&s->console, s->visitor->now_us);
    line_reader_deinit(&s->reader);
    buf_clear(&s->sent);
    s->sent_at = 0;
    s->is_connected = s->is_closed = false;
}

static void connect_to(struct stay *s) {
    const struct network_override *override =
        network_override_of(s->visitor->world->network, s->device);
    if (override != NULL && override->port != 0) {
        lose(s, "connection refused");
        return;
    }
    console_init(&s->console, s->visitor->world);
    line_reader_init(&s->reader, RPC_LINE_MAX, RPC_DROP_MAX);
    s->is_connected = true;
    step(s, &(struct session_input){.kind = SESSION_CONNECTED});
}

// --- a call

// True: the session has had its line.
static bool read_line(struct stay *s, const char *data, size_t len) {
    const char *line;
    size_t line_len;
    line_reader_feed(&s->reader, data, len);
    enum line_status status = line_reader_next(&s->reader, &line, &line_len);
    if (status == LINE_NONE) return false;
    step(s, &(struct session_input){.kind =
                                        status == LINE_READY ? SESSION_LINE : SESSION_LINE_TOO_LONG,
                                    .text = line,
                                    .len = line_len,
                                    .more = status == LINE_READY && s->reader.left > 0});
    return true;
}

static bool has_calls(const struct stay *s) {
    return s->sent_at < s->sent.len;
}

// The reply reaches the session, piece by piece; then what becomes of the connection. A call that
// is not answered is followed by the next.
static void take_reply(struct stay *s, const struct console_reply *reply) {
    uint64_t wait_us = 0;
    bool was_read = false;
    for (size_t at = 0; !was_read && at < reply->out.len;) {
        if (!wait_until(s, s->visitor->now_us + wait_us)) return;
        size_t len = console_reply_piece(reply, reply->out.len - at, &wait_us);
        was_read = read_line(s, reply->out.data + at, len);
        at += len;
    }
    s->is_closed = reply->end != CONSOLE_STAYS;
    if (was_read) return;
    if (reply->end == CONSOLE_CLOSES)
        lose(s, "connection closed by the device");
    else if (reply->end == CONSOLE_RESETS)
        lose(s, "connection reset by the device");
    else if (!has_calls(s))
        wait(s);
}

static void exchange(struct stay *s) {
    struct visitor *v = s->visitor;
    if (s->is_closed) {
        lose(s, "connection closed by the device");
        return;
    }
    if (!has_calls(s)) { // it passed the one over that is awaited
        wait(s);
        return;
    }
    const char *line = s->sent.data + s->sent_at;
    const size_t len = (size_t)(strchr(line, '\n') - line);
    s->sent_at += len + 1;
    struct console_begun begun = console_begin(&s->console, v->now_us, line, len);
    struct console_reply reply = begun.reply;
    if (begun.runs) {
        if (!wait_until(s, v->now_us + begun.wait_us)) return;
        reply = console_finish(&s->console, v->now_us);
    }
    take_reply(s, &reply);
    buf_deinit(&reply.out);
}

// --- from the first connection to the end

static void go_on(struct stay *s) {
    switch (s->want) {
    case SESSION_CONNECT:
        connect_to(s);
        break;
    case SESSION_SEND:
        exchange(s);
        break;
    case SESSION_ASK:
        step(s, &(struct session_input){.kind = SESSION_GRANTED});
        break;
    case SESSION_PAUSE:
        hang_up(s);
        wait(s);
        break;
    case SESSION_KEEP: // by tasks that ask only
    case SESSION_END:
        break;
    }
}

struct visit_result visit(struct visitor *visitor, const struct host *host, uint32_t device) {
    struct stay s = {.visitor = visitor, .device = device, .want = SESSION_CONNECT};
    // From a whole millisecond on, so that what was before makes no difference.
    visitor->now_us = (visitor->now_us + US_PER_MS - 1) / US_PER_MS * US_PER_MS;
    const uint64_t begun_us = visitor->now_us;
    session_init(&s.session, visitor->config, visitor->task, visitor->args, host, 0);
    while (s.want != SESSION_END)
        go_on(&s);
    hang_up(&s);
    session_deinit(&s.session);
    buf_deinit(&s.sent);
    s.result.us = visitor->now_us - begun_us;
    return s.result;
}

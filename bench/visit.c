// What a session wants next is done until it wants no more, or something takes its time:
//
//   connect -> exchange ... exchange -> end, and exchange -> pause -> connect while a device
//   restarts
//
// Where the two programs live are a millisecond apart here they are not: an answer that takes just
// as long as its timeout is in time.
#include "bench/visit.h"

#include "common/line.h"
#include "common/mem.h"
#include "common/rpc.h"
#include "simulator/console.h"

#include <stdlib.h>
#include <string.h>

enum { US_PER_MS = 1000 };

enum visit_state { // of the connection
    VISIT_APART,
    VISIT_IDLE,     // no call runs
    VISIT_CALL,     // its reply is due
    VISIT_REPLYING, // the next piece of the reply is due
};

struct visit { // of a device
    struct visitor *visitor;
    struct session session;
    struct credentials login;
    enum visit_state state;
    struct console *console; // of its own memory, for an install outlives the connection
    struct line_reader reader;
    uint32_t device;
    uint64_t begun_us;
    bool is_closed;  // by the device, and not yet seen: it was behind an answer
    struct buf sent; // calls that the device has not come to: some go along with one before
    size_t sent_at;
    struct console_reply reply; // while REPLYING
    size_t reply_at;
    enum session_want want;
    uint64_t due_us, deadline_us; // UINT64_MAX: never
    uint64_t now_us;
    struct contact_update *update;
};

// --- installs that run on

struct abandoned {
    struct abandoned *next;
    struct console *console;
    uint64_t due_us;
};

static void abandon(struct visitor *visitor, struct console *console, uint64_t due_us) {
    struct abandoned *a = mem_alloc(sizeof *a);
    *a = (struct abandoned){visitor->abandoned, console, due_us};
    visitor->abandoned = a;
}

static void end_abandoned(struct visitor *visitor, uint64_t until_us) {
    for (struct abandoned **link = &visitor->abandoned; *link != NULL;) {
        struct abandoned *a = *link;
        if (a->due_us > until_us) {
            link = &a->next;
            continue;
        }
        struct console_reply reply = console_finish(a->console, a->due_us);
        while (console_condemned(visitor->world) != NULL)
            continue; // whose calls are lost when their time is up
        *link = a->next;
        buf_deinit(&reply.out);
        free(a->console);
        free(a);
    }
}

void visitor_forget(struct visitor *visitor) {
    for (struct abandoned *a = visitor->abandoned, *next; a != NULL; a = next) {
        next = a->next;
        console_forget(a->console, a->due_us);
        free(a->console);
        free(a);
    }
    visitor->abandoned = NULL;
}

void visitor_deinit(struct visitor *visitor) {
    visitor_forget(visitor);
    buf_deinit(&visitor->update.send);
}

// --- the session

static bool is_leaving(const struct session_update *update) {
    return update->want == SESSION_SEND && update->call_begun != NULL &&
           strcmp(update->call_begun, "logout") == 0;
}

static void note(struct visit *s, const struct session_update *update, bool is_deadline) {
    struct contact_update *out = s->update;
    out->asks = update->want == SESSION_ASK;
    out->answered =
        update->call_ended != NULL && update->call_failure == NULL &&
        (out->asks || update->verdict == TASK_CHANGED || update->verdict == TASK_UNCHANGED);
    out->pauses |= update->want == SESSION_PAUSE;
    out->is_kept = update->want == SESSION_KEEP;
    out->leaves |= is_leaving(update);
    out->is_over = update->want == SESSION_END;
    if (update->verdict == TASK_NEXT_STEP) return;
    out->verdict = update->verdict == TASK_FAILED ? CONTACT_FAILED : CONTACT_DONE;
    out->times_out = update->verdict == TASK_FAILED && is_deadline;
}

static void step(struct visit *s, const struct session_input *input) {
    struct visitor *v = s->visitor;
    const uint64_t now_ms = (s->now_us - s->begun_us) / US_PER_MS;
    session_step(&s->session, input, now_ms, &v->update);
    s->want = v->update.want;
    buf_add(&s->sent, v->update.send.data, v->update.send.len);
    s->deadline_us = v->update.deadline_ms == UINT64_MAX
                         ? UINT64_MAX
                         : s->now_us + (v->update.deadline_ms - now_ms) * US_PER_MS;
    note(s, &v->update, input->kind == SESSION_DEADLINE);
}

static void lose(struct visit *s, const char *how) {
    step(s, &(struct session_input){.kind = SESSION_LOST, .text = how});
}

static void take_deadline(struct visit *s) {
    const size_t part = s->state != VISIT_APART ? s->reader.part.len : 0;
    step(s, &(struct session_input){.kind = SESSION_DEADLINE, .len = part});
}

// --- connections

static void end_reply(struct visit *s) {
    buf_deinit(&s->reply.out);
    s->reply = (struct console_reply){0};
    s->state = VISIT_IDLE;
}

static void hang_up(struct visit *s) {
    if (s->state == VISIT_APART) return;
    if (s->state == VISIT_REPLYING) end_reply(s);
    if (console_drop(s->console, s->now_us))
        abandon(s->visitor, s->console, s->due_us);
    else
        free(s->console);
    line_reader_deinit(&s->reader);
    buf_clear(&s->sent);
    s->sent_at = 0;
    s->console = NULL;
    s->is_closed = false;
    s->due_us = UINT64_MAX;
    s->state = VISIT_APART;
}

static void connect_to(struct visit *s) {
    const struct network_override *override =
        network_override_of(s->visitor->world->network, s->device);
    if (override != NULL && override->port != 0) {
        lose(s, "connection refused");
        return;
    }
    s->console = mem_alloc(sizeof *s->console);
    console_init(s->console, s->visitor->world);
    line_reader_init(&s->reader, RPC_LINE_MAX, RPC_DROP_MAX);
    s->state = VISIT_IDLE;
    step(s, &(struct session_input){.kind = SESSION_CONNECTED});
}

// --- a call

// True: the session has had its line.
static bool read_line(struct visit *s, const char *data, size_t len) {
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

// What becomes of the connection. A call that is not answered is followed by the next.
static void lose_by_reply(struct visit *s, enum console_end end) {
    if (end == CONSOLE_CLOSES) lose(s, "connection closed by the device");
    if (end == CONSOLE_RESETS) lose(s, "connection reset by the device");
}

// The reply reaches the session, piece by piece.
static void take_piece(struct visit *s) {
    const enum console_end end = s->reply.end;
    uint64_t wait_us = 0;
    bool was_read = false;
    if (s->reply_at < s->reply.out.len) {
        size_t len = console_reply_piece(&s->reply, s->reply.out.len - s->reply_at, &wait_us);
        was_read = read_line(s, s->reply.out.data + s->reply_at, len);
        s->reply_at += len;
    }
    if (!was_read && s->reply_at < s->reply.out.len) {
        s->due_us = s->now_us + wait_us;
        return;
    }
    s->is_closed = end != CONSOLE_STAYS;
    end_reply(s);
    if (!was_read) lose_by_reply(s, end);
}

static void begin_reply(struct visit *s, const struct console_reply *reply) {
    s->reply = *reply;
    s->reply_at = 0;
    s->state = VISIT_REPLYING;
    take_piece(s);
}

static void begin_call(struct visit *s) {
    const char *line = s->sent.data + s->sent_at;
    const size_t len = (size_t)(strchr(line, '\n') - line);
    s->sent_at += len + 1;
    struct console_begun begun = console_begin(s->console, s->now_us, line, len);
    if (begun.runs) {
        s->state = VISIT_CALL;
        s->due_us = s->now_us + begun.wait_us;
    } else {
        begin_reply(s, &begun.reply);
    }
}

static void end_call(struct visit *s) {
    struct console_reply reply = console_finish(s->console, s->now_us);
    begin_reply(s, &reply);
}

// --- from the first connection to the end

// What the session wants, as far as that takes no time. True: it wants more.
static bool go_on(struct visit *s) {
    switch (s->want) {
    case SESSION_CONNECT:
        connect_to(s);
        return true;
    case SESSION_SEND:
        if (s->state != VISIT_IDLE) return false;
        if (s->is_closed)
            lose(s, "connection closed by the device");
        else if (s->sent_at < s->sent.len)
            begin_call(s);
        else
            return false; // the device passed over the call that is awaited
        return true;
    case SESSION_ASK:
    case SESSION_KEEP:
        return false;
    case SESSION_PAUSE:
    case SESSION_END:
        hang_up(s);
        return false;
    }
    return false;
}

static void go_on_until_due(struct visit *s) {
    do {
        if (s->state == VISIT_APART || s->state == VISIT_IDLE) s->due_us = UINT64_MAX;
    } while (go_on(s));
    s->update->due_us = s->due_us < s->deadline_us ? s->due_us : s->deadline_us;
    s->update = NULL;
}

static void end_wait(struct visit *s) {
    if (s->due_us > s->deadline_us)
        take_deadline(s);
    else if (s->state == VISIT_CALL)
        end_call(s);
    else
        take_piece(s);
}

static void begin_turn(struct visit *s, uint64_t now_us, struct contact_update *update) {
    *update = (struct contact_update){0};
    s->update = update;
    s->now_us = now_us;
    end_abandoned(s->visitor, now_us);
}

struct visit *visit_begin(struct visitor *visitor, const struct host *host, uint32_t device,
                          enum contact_task task, uint64_t now_us, struct contact_update *update) {
    static const struct task *const kinds[] = {[CONTACT_UPGRADE] = &task_upgrade_os,
                                               [CONTACT_ASK] = &task_ask,
                                               [CONTACT_ASK_AND_LEAVE] = &task_ask_and_leave};
    struct visit *s = mem_zalloc(sizeof *s);
    s->visitor = visitor;
    s->device = device;
    s->begun_us = now_us; // the session's clock begins here: what was before makes no difference
    s->want = SESSION_CONNECT;
    s->deadline_us = UINT64_MAX;
    session_init(&s->session, visitor->config, kinds[task], visitor->args, host, 0);
    s->login = network_login(visitor->world->network, device);
    session_log_in_with(&s->session,
                        (struct session_login){&s->login, host->epochs ? 1 : ACMEOS_NO_EPOCH});
    begin_turn(s, now_us, update);
    go_on_until_due(s);
    return s;
}

void visit_tell(struct visit *s, enum contact_input input, uint64_t now_us,
                struct contact_update *update) {
    static const enum session_input_kind kinds[] = {[CONTACT_GRANTED] = SESSION_GRANTED,
                                                    [CONTACT_REFUSED] = SESSION_REFUSED,
                                                    [CONTACT_TAKEN] = SESSION_TAKEN,
                                                    [CONTACT_LEAVE] = SESSION_LEAVE};
    const bool was_kept = s->want == SESSION_KEEP;
    begin_turn(s, now_us, update);
    if (input == CONTACT_TAKEN) session_take(&s->session, &task_upgrade_os, s->visitor->args);
    if (input == CONTACT_DUE)
        end_wait(s);
    else if (input != CONTACT_TAKEN || was_kept)
        step(s, &(struct session_input){.kind = kinds[input]});
    go_on_until_due(s);
}

void visit_free(struct visit *s, uint64_t now_us) {
    if (s == NULL) return;
    s->now_us = now_us;
    hang_up(s);
    session_deinit(&s->session);
    buf_deinit(&s->sent);
    free(s);
}

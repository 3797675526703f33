// A connection is a place in front of the devices: login chooses one, and all other calls are for
// it. The console knows whether requests may still come, which device they are for, and the one
// call that is in hand; what a call does to a device is the call's own business (console_call.c).
//
//     open -> gone                  the client hangs up, or was answered for the last time
//     open -> ending -> gone        it has shut down its sending side, and its last call runs
//     open, ending -> condemned     another connection's install took the device away
//     condemned -> ending -> gone   the shell was told, and resets the connection
//
// Who can begin nothing that changes a device does no harm: to the referee it is not logged in from
// then on, whatever it still waits for. So a process that was killed is no second hand on a device,
// though that has a question of it to answer yet, nor is one that a newer epoch has replaced there.
// A console that is logged in stands in the list of its device, and one that is condemned in the
// list of the world, so it must be in neither when its memory goes: console_drop() sees to it. A
// call ends with its connection, but for an install: the device does not mind that nobody listens.
#include "simulator/console.h"

#include "common/line.h"
#include "simulator/console_methods.h"

#include <assert.h>

// Which states may follow which: the whole life of a console.
static bool may_follow(enum console_state from, enum console_state to) {
    switch (from) {
    case CONSOLE_OPEN:
    case CONSOLE_ENDING:
        return to != CONSOLE_OPEN;
    case CONSOLE_CONDEMNED:
        return to == CONSOLE_ENDING;
    case CONSOLE_GONE:
        return to == CONSOLE_GONE;
    }
    return false;
}

// The one door.
static void turn(struct console *s, enum console_state state) {
    assert(may_follow(s->state, state));
    s->state = state;
}

void console_init(struct console *s, struct world *w) {
    const uint64_t connection = ++w->last_connection;
    *s = (struct console){.world = w,
                          .client = {.connection = connection, .epoch = ACMEOS_NO_EPOCH},
                          .device = NETWORK_NO_DEVICE};
}

// --- a line: what is wrong with the request itself is answered at once

static enum rpc_error check_request(const struct console *s, const struct rpc_request *request,
                                    enum operation *operation, struct error *detail) {
    int found = operation_parse(request->method);
    if (found < 0) return RPC_METHOD_NOT_FOUND;
    *operation = (enum operation)found;
    if (*operation != OPERATION_LOGIN && s->device == NETWORK_NO_DEVICE) return RPC_NOT_LOGGED_IN;
    return console_check_params(s->world->network, *operation, request->params, detail);
}

struct console_begun console_begin(struct console *s, uint64_t now_us, const char *line,
                                   size_t len) {
    assert(s->call.state == CONSOLE_CALL_IDLE);
    world_advance(s->world, now_us);
    struct console_begun begun = {0};
    struct error detail = {0};
    struct rpc_request request;
    enum operation operation = OPERATION_LOGIN;
    enum rpc_error e = rpc_request_parse(&request, line, len);
    if (e == RPC_OK) e = check_request(s, &request, &operation, &detail);
    if (e != RPC_OK) {
        s->world->bad_requests++;
        if (!request.notification)
            console_reply_error(&begun.reply, request.id, e,
                                e == RPC_INVALID_PARAMS ? detail.text : "");
        rpc_request_deinit(&request);
        return begun;
    }
    s->call = (struct console_call){
        .operation = operation, .request = request, .device = s->device, .client = &s->client};
    begun.runs = true;
    begun.wait_us = console_call_begin(&s->call, s->world, now_us);
    return begun;
}

struct console_reply console_line_too_long(struct console *s) {
    struct console_reply reply = {.end = CONSOLE_CLOSES};
    s->world->bad_requests++;
    console_reply_error(&reply, NULL, RPC_INVALID_REQUEST, "");
    return reply;
}

// --- the device that it is logged in to

static void release_login(struct console *s, uint64_t now_us) {
    if (s->login != 0) referee_logout(&s->world->referee, now_us, s->login);
    s->login = 0;
}

static void leave(struct console *s, uint64_t now_us) {
    release_login(s, now_us);
    if (s->device == NETWORK_NO_DEVICE) return;
    struct console **head = &s->world->devices[s->device].consoles;
    if (s->previous != NULL)
        s->previous->next = s->next;
    else
        *head = s->next;
    if (s->next != NULL) s->next->previous = s->previous;
    s->previous = s->next = NULL;
    s->device = NETWORK_NO_DEVICE;
}

// The device keeps it, and whoever says an older one installs there no more.
static void keep_epoch(struct world *w, uint64_t now_us, uint32_t device, uint64_t epoch) {
    struct device *d = &w->devices[device];
    if (epoch == ACMEOS_NO_EPOCH || epoch <= d->epoch) return;
    d->epoch = epoch;
    referee_epoch(&w->referee, device, epoch);
    for (struct console *o = d->consoles; o != NULL; o = o->next)
        if (o->client.epoch < epoch) release_login(o, now_us);
}

static void enter(struct console *s, uint64_t now_us, uint32_t device, uint64_t epoch) {
    struct world *w = s->world;
    struct device *d = &w->devices[device];
    leave(s, now_us);
    keep_epoch(w, now_us, device, epoch);
    s->client.epoch = epoch;
    s->device = device;
    s->next = d->consoles;
    if (s->next != NULL) s->next->previous = s;
    d->consoles = s;
    d->logins++;
    w->logins++;
    if (s->state == CONSOLE_OPEN && !s->reads_on && epoch >= d->epoch)
        s->login = referee_login(&w->referee, now_us, device, s->client.connection);
}

// All other connections to the device, which went away.
static void condemn_others(struct console *s, uint32_t device) {
    struct world *w = s->world;
    for (struct console *o = w->devices[device].consoles; o != NULL; o = o->next) {
        if (o == s || o->state == CONSOLE_CONDEMNED) continue;
        turn(o, CONSOLE_CONDEMNED);
        o->next_condemned = w->condemned;
        w->condemned = o;
    }
}

// --- when a call's time is up

struct console *console_rival(const struct console *s, const struct console *behind) {
    const struct console_call *call = &s->call;
    if (call->operation != OPERATION_LOGIN || call->device == NETWORK_NO_DEVICE) return NULL;
    struct console *o = behind == NULL ? s->world->devices[call->device].consoles : behind->next;
    while (o != NULL && (o == s || o->login == 0))
        o = o->next;
    return o;
}

struct console_reply console_finish(struct console *s, uint64_t now_us) {
    struct console_call *call = &s->call;
    world_advance(s->world, now_us);
    struct console_call_result result = console_call_finish(call, s->world, now_us);
    if (result.carried_out && call->operation == OPERATION_LOGIN)
        enter(s, now_us, call->device, console_login_epoch(call->request.params));
    if (result.carried_out && call->operation == OPERATION_LOGOUT) {
        leave(s, now_us);
        if (result.reply.end == CONSOLE_STAYS) result.reply.end = CONSOLE_CLOSES;
    }
    if (call->state == CONSOLE_CALL_INSTALLING && !world_reachable(s->world, call->device)) {
        condemn_others(s, call->device);
        if (result.reply.end == CONSOLE_CLOSES) leave(s, now_us);
    }
    console_call_end(call, s->world, now_us,
                     s->state == CONSOLE_GONE ? WORLD_LOST : result.outcome);
    return result.reply;
}

// --- the end

void console_no_more_requests(struct console *s, uint64_t now_us) {
    turn(s, CONSOLE_ENDING);
    release_login(s, now_us);
    referee_client_left(&s->world->referee, now_us, &s->client);
}

void console_reads_on(struct console *s, uint64_t now_us) {
    s->reads_on = true;
    release_login(s, now_us);
}

static bool is_an_install(const char *line, size_t len) {
    struct rpc_request request;
    const bool is_one = rpc_request_parse(&request, line, len) == RPC_OK &&
                        operation_parse(request.method) == OPERATION_INSTALL;
    rpc_request_deinit(&request);
    return is_one;
}

bool console_asks_to_install(const char *text, size_t len) {
    struct line_reader lines;
    enum line_status status;
    const char *line;
    size_t line_len;
    bool does = false;
    line_reader_init(&lines, RPC_LINE_MAX, RPC_DROP_MAX);
    line_reader_feed(&lines, text, len);
    while (!does && (status = line_reader_next(&lines, &line, &line_len)) != LINE_NONE)
        does = status == LINE_READY && is_an_install(line, line_len);
    line_reader_deinit(&lines);
    return does;
}

bool console_drop(struct console *s, uint64_t now_us) {
    world_advance(s->world, now_us);
    turn(s, CONSOLE_GONE);
    leave(s, now_us);
    referee_client_left(&s->world->referee, now_us, &s->client);
    if (s->call.state == CONSOLE_CALL_IDLE) return false;
    if (s->call.state == CONSOLE_CALL_INSTALLING) return true;
    console_call_end(&s->call, s->world, now_us, WORLD_LOST);
    return false;
}

void console_forget(struct console *s, uint64_t now_us) {
    if (console_drop(s, now_us)) console_call_end(&s->call, s->world, now_us, WORLD_LOST);
}

struct console *console_condemned(struct world *w) {
    struct console *s = w->condemned;
    if (s == NULL) return NULL;
    w->condemned = s->next_condemned;
    s->next_condemned = NULL;
    turn(s, CONSOLE_ENDING);
    return s;
}

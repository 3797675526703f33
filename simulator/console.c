#include "simulator/console.h"

#include "common/json.h"
#include "common/mem.h"
#include "simulator/draw.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void console_init(struct console *s, struct world *w) {
    *s = (struct console){.world = w, .connection = ++w->last_connection};
}

static bool is_down(const void *world, uint32_t device) {
    return !world_reachable(world, device);
}

// --- arrival: what is wrong with the request itself is answered at once

static void answer_error(struct console_reply *reply, const cJSON *id, enum rpc_error e,
                         const char *detail) {
    struct buf message = {0};
    buf_adds(&message, rpc_error_message(e));
    buf_adds(&message, detail);
    rpc_write_error(&reply->out, id, rpc_error_code(e), message.data);
    buf_deinit(&message);
}

static enum rpc_error check_request(const struct console *s, const struct rpc_request *request,
                                    enum operation *operation, struct error *detail) {
    int found = operation_parse(request->method);
    if (found < 0) return RPC_METHOD_NOT_FOUND;
    *operation = (enum operation)found;
    if (*operation != OPERATION_LOGIN && !s->logged_in) return RPC_NOT_LOGGED_IN;
    return console_check_params(*operation, request->params, detail);
}

static const char *string_param(const struct console_call *call, const char *name) {
    return cJSON_GetObjectItemCaseSensitive(call->request.params, name)->valuestring;
}

// --- arrival: what the device finds, in the protocol's order

static enum rpc_error check_login(const struct console *s) {
    const struct console_call *call = &s->call;
    const struct network *n = s->world->network;
    if (strcmp(string_param(call, "username"), n->username) != 0 ||
        strcmp(string_param(call, "password"), n->password) != 0)
        return RPC_AUTHENTICATION;
    return call->known ? RPC_OK : RPC_UNKNOWN_DEVICE;
}

// Finds the device that the call is for, and numbers the attempt.
static void find_device(struct console *s) {
    struct console_call *call = &s->call;
    struct world *w = s->world;
    uint64_t hash;
    uint32_t attempt = 0;
    call->known = true;
    call->device = s->device;
    if (call->operation == OPERATION_LOGIN)
        call->known = network_find(w->network, string_param(call, "hostname"), &call->device);
    if (call->known) {
        hash = network_hash(w->network, call->device);
        attempt = ++w->devices[call->device].attempts[call->operation];
    } else {
        hash = rng_hash(string_param(call, "hostname"));
    }
    call->draw = draw_call(w->seed, hash, call->operation, attempt);
}

static void choose_fault(struct console *s) {
    struct console_call *call = &s->call;
    struct world *w = s->world;
    if (w->faults.len == 0) return;
    struct network_place at = network_place(w->network, call->device);
    char host[NETWORK_HOST_MAX], rack[NETWORK_RACK_TEXT_MAX];
    network_host(w->network, call->device, host);
    snprintf(rack, sizeof rack, "%u", network_rack(&at));
    struct fault_use use = {
        .device = call->device,
        .fields = {[FAULT_SITE] = at.site->name,
                   [FAULT_DEV_TYPE] = at.type->name,
                   [FAULT_RACK] = rack,
                   [FAULT_HOST] = host},
        .operation = call->operation,
        .draw = call->draw,
    };
    const struct fault_action *action = fault_choose(&w->faults, &use);
    if (action == NULL) return;
    call->fault = *action; // the rule may be gone before the call is over
    if (action->message != NULL) call->fault.message = mem_strdup(action->message);
}

static void begin_install(struct console *s, uint64_t now_us) {
    struct console_call *call = &s->call;
    struct world *w = s->world;
    bool needless = strcmp(string_param(call, "version"), world_version(w, call->device)) == 0;
    w->devices[call->device].installs++;
    world_turn(w, call->device, DEVICE_INSTALLING);
    call->install =
        referee_install(&w->referee, now_us, call->device, s->connection, needless, is_down, w);
}

// Credentials, device, running install, faults.
static void reach_device(struct console *s, uint64_t now_us) {
    struct console_call *call = &s->call;
    struct world *w = s->world;
    find_device(s);
    if (call->known) journal_add(&w->journal, now_us, call->device, call->operation, JOURNAL_BEGUN);
    if (call->operation == OPERATION_LOGIN) call->refusal = check_login(s);
    if (call->refusal != RPC_OK) return;
    if (!world_reachable(w, call->device)) {
        call->lost = true;
        return;
    }
    bool installs = call->operation == OPERATION_INSTALL;
    if (installs && w->devices[call->device].state == DEVICE_INSTALLING) {
        call->refusal = RPC_INSTALL_RUNNING;
        return;
    }
    choose_fault(s);
    if (installs) begin_install(s, now_us);
}

static uint64_t latency_us(const struct console *s) {
    const struct console_call *call = &s->call;
    uint64_t us = draw_latency_us(call->draw, s->world->network->latency[call->operation]);
    if (call->fault.effect == FAULT_DELAY) us += call->fault.us;
    return world_scaled(s->world, us);
}

bool console_begin(struct console *s, uint64_t now_us, const char *line, size_t len,
                   uint64_t *wait_us, struct console_reply *reply) {
    assert(!s->call.running);
    world_advance(s->world, now_us);
    struct error detail = {0};
    struct rpc_request request;
    enum operation operation = OPERATION_LOGIN;
    enum rpc_error e = rpc_request_parse(&request, line, len);
    if (e == RPC_OK) e = check_request(s, &request, &operation, &detail);
    if (e != RPC_OK) {
        s->world->bad_requests++;
        if (!request.notification)
            answer_error(reply, request.id, e, e == RPC_INVALID_PARAMS ? detail.text : "");
        rpc_request_deinit(&request);
        return false;
    }
    s->call = (struct console_call){.running = true,
                                    .operation = operation,
                                    .request = request,
                                    .fault = {.effect = FAULT_NONE}};
    reach_device(s, now_us);
    *wait_us = latency_us(s);
    return true;
}

void console_line_too_long(struct console *s, struct console_reply *reply) {
    s->world->bad_requests++;
    answer_error(reply, NULL, RPC_INVALID_REQUEST, "");
    reply->end = CONSOLE_CLOSES;
}

// --- when its time is up

// All other connections to the device.
static void condemn_others(struct console *s) {
    struct world *w = s->world;
    for (struct console *o = w->devices[s->call.device].consoles; o != NULL; o = o->next) {
        if (o == s || o->condemned) continue;
        o->condemned = true;
        o->next_condemned = w->condemned;
        w->condemned = o;
    }
}

// However the install went, the device is no longer at it.
static void end_install(struct console *s, uint64_t now_us) {
    struct console_call *call = &s->call;
    struct world *w = s->world;
    switch (call->fault.effect) {
    case FAULT_REBOOT:
        world_turn(w, call->device, DEVICE_REBOOTING);
        world_wake_at(w, now_us + world_scaled(w, call->fault.us), call->device, call->install);
        condemn_others(s);
        return;
    case FAULT_BRICK:
        world_turn(w, call->device, DEVICE_DOWN);
        condemn_others(s);
        break;
    default:
        world_turn(w, call->device, DEVICE_UP);
    }
    referee_installed(&w->referee, now_us, call->install);
}

static void end_call(struct console *s, uint64_t now_us, enum world_outcome outcome) {
    struct console_call *call = &s->call;
    struct world *w = s->world;
    w->requests[call->operation][outcome]++;
    if (call->known)
        journal_add(&w->journal, now_us, call->device, call->operation,
                    outcome == WORLD_ANSWERED ? JOURNAL_ANSWERED : JOURNAL_FAILED);
    rpc_request_deinit(&call->request);
    free(call->fault.message);
    *call = (struct console_call){0};
}

static enum world_outcome refuse(const struct console *s, struct console_reply *reply) {
    const struct console_call *call = &s->call;
    bool unknown = call->refusal == RPC_UNKNOWN_DEVICE;
    answer_error(reply, call->request.id, call->refusal,
                 unknown ? string_param(call, "hostname") : "");
    return WORLD_ERROR;
}

void console_finish(struct console *s, uint64_t now_us, struct console_reply *reply) {
    struct console_call *call = &s->call;
    assert(call->running);
    world_advance(s->world, now_us);
    struct buf result = {0};
    enum world_outcome outcome = WORLD_LOST;
    // The device may have gone away since a login arrived.
    if (call->known && !world_reachable(s->world, call->device)) call->lost = true;
    if (call->refusal != RPC_OK) {
        outcome = refuse(s, reply);
    } else if (call->lost) {
        reply->end = CONSOLE_RESETS;
    } else {
        if (fault_carried_out(call->fault.effect)) console_carry_out(s, now_us, &result);
        outcome = console_reply_with(s, result.data, reply);
    }
    if (call->request.notification) buf_clear(&reply->out);
    if (call->operation == OPERATION_LOGOUT && call->refusal == RPC_OK && result.data != NULL) {
        console_leave(s, now_us);
        if (reply->end == CONSOLE_STAYS) reply->end = CONSOLE_CLOSES;
    }
    if (call->install != 0) end_install(s, now_us);
    end_call(s, now_us, s->gone ? WORLD_LOST : outcome);
    buf_deinit(&result);
}

// --- the end

void console_leave(struct console *s, uint64_t now_us) {
    if (s->login != 0) referee_logout(&s->world->referee, now_us, s->login);
    s->login = 0;
    if (!s->logged_in) return;
    struct console **head = &s->world->devices[s->device].consoles;
    if (s->previous != NULL)
        s->previous->next = s->next;
    else
        *head = s->next;
    if (s->next != NULL) s->next->previous = s->previous;
    s->previous = s->next = NULL;
    s->logged_in = false;
}

void console_no_more_requests(struct console *s, uint64_t now_us) {
    s->ended = true;
    if (s->login != 0) referee_logout(&s->world->referee, now_us, s->login);
    s->login = 0;
}

bool console_drop(struct console *s, uint64_t now_us) {
    assert(!s->condemned);
    world_advance(s->world, now_us);
    console_leave(s, now_us);
    s->ended = s->gone = true;
    if (!s->call.running) return false;
    if (s->call.install != 0) return true;
    end_call(s, now_us, WORLD_LOST);
    return false;
}

void console_forget(struct console *s, uint64_t now_us) {
    if (console_drop(s, now_us)) end_call(s, now_us, WORLD_LOST);
}

struct console *console_condemned(struct world *w) {
    struct console *s = w->condemned;
    if (s == NULL) return NULL;
    w->condemned = s->next_condemned;
    s->next_condemned = NULL;
    s->condemned = false;
    return s;
}

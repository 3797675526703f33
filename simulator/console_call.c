// A call has two halves. At its arrival it is decided what will come of it, since that is when the
// device meets it: whether it is refused, which fault takes hold, when its time is up. What it does
// is done, and said, only then; in between nothing but the device itself may change the decision.
//
//     idle -> reached -> idle                an answer, or what a fault makes of it
//             reached -> installing -> idle  the device and the referee know of it meanwhile
//             reached -> lost -> idle        the device went away before it was carried out
//     idle -> lost -> idle                   the device is away already
//     idle -> refused -> idle                wrong credentials, no such device, a stale epoch, an
//                                            install runs
//
// An install cannot be lost: while it runs its device is at nothing else, and only its own end can
// make the device go away.
#include "simulator/console_call.h"

#include "common/mem.h"
#include "simulator/console_methods.h"
#include "simulator/draw.h"
#include "simulator/network_view.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// The one door.
static void turn(struct console_call *call, enum console_call_state state) {
    static const bool possible[CONSOLE_CALL_STATE_COUNT][CONSOLE_CALL_STATE_COUNT] = {
        [CONSOLE_CALL_IDLE] = {[CONSOLE_CALL_REFUSED] = true,
                               [CONSOLE_CALL_LOST] = true,
                               [CONSOLE_CALL_REACHED] = true},
        [CONSOLE_CALL_REFUSED] = {[CONSOLE_CALL_IDLE] = true},
        [CONSOLE_CALL_LOST] = {[CONSOLE_CALL_IDLE] = true},
        [CONSOLE_CALL_REACHED] = {[CONSOLE_CALL_INSTALLING] = true,
                                  [CONSOLE_CALL_LOST] = true,
                                  [CONSOLE_CALL_IDLE] = true},
        [CONSOLE_CALL_INSTALLING] = {[CONSOLE_CALL_IDLE] = true},
    };
    assert(possible[call->state][state]);
    call->state = state;
}

static const char *string_param(const struct console_call *call, const char *name) {
    return cJSON_GetObjectItemCaseSensitive(call->request.params, name)->valuestring;
}

// --- the arrival: what the device finds, in the protocol's order

// Finds the device that the call is for, and numbers the attempt.
static void find_device(struct console_call *call, struct world *w) {
    uint64_t hash;
    uint32_t attempt = 0;
    if (call->operation == OPERATION_LOGIN &&
        !network_find(w->network, string_param(call, "hostname"), &call->device))
        call->device = NETWORK_NO_DEVICE;
    if (call->device != NETWORK_NO_DEVICE) {
        hash = network_hash(w->network, call->device);
        attempt = ++w->devices[call->device].attempts[call->operation];
    } else {
        hash = rng_hash(string_param(call, "hostname"));
    }
    call->draw = draw_call(w->seed, hash, call->operation, attempt);
}

static enum rpc_error check_login(const struct console_call *call, const struct network *n) {
    const struct credentials login = call->device == NETWORK_NO_DEVICE
                                         ? (struct credentials){n->username, n->password}
                                         : network_login(n, call->device);
    if (strcmp(string_param(call, "username"), login.username) != 0 ||
        strcmp(string_param(call, "password"), login.password) != 0)
        return RPC_AUTHENTICATION;
    return call->device == NETWORK_NO_DEVICE ? RPC_UNKNOWN_DEVICE : RPC_OK;
}

static enum console_call_state refused(struct console_call *call, enum rpc_error e) {
    call->refusal = e;
    return CONSOLE_CALL_REFUSED;
}

// By which a call is held against those that the device has seen. A session that says none is never
// stale, and what changes nothing is taken from everybody.
static uint64_t epoch_of(const struct console_call *call) {
    if (call->operation == OPERATION_LOGIN) return console_login_epoch(call->request.params);
    return call->operation == OPERATION_INSTALL ? call->client->epoch : ACMEOS_NO_EPOCH;
}

// Credentials, device, epoch, running install.
static enum console_call_state arrive(struct console_call *call, const struct world *w) {
    if (call->operation == OPERATION_LOGIN) {
        enum rpc_error e = check_login(call, w->network);
        if (e != RPC_OK) return refused(call, e);
    }
    if (!world_reachable(w, call->device)) return CONSOLE_CALL_LOST;
    if (epoch_of(call) < w->devices[call->device].epoch) return refused(call, RPC_STALE_EPOCH);
    if (call->operation == OPERATION_INSTALL && w->devices[call->device].state == DEVICE_INSTALLING)
        return refused(call, RPC_INSTALL_RUNNING);
    return CONSOLE_CALL_REACHED;
}

static const char *field_of(struct network_view *view, enum network_field field) {
    struct attribute_values values = network_view_values(view, (int)field);
    return values.count == 0 ? NULL : values.list[0];
}

static struct attribute_values attribute_of(void *view, const char *name) {
    struct network_view *v = view;
    return network_view_values(v, network_attribute(v->network, name));
}

static struct fault_use use_of(struct network_view *view) {
    return (struct fault_use){
        .device = view->device,
        .fields = {[FAULT_SITE] = field_of(view, NETWORK_SITE),
                   [FAULT_DEV_TYPE] = field_of(view, NETWORK_DEV_TYPE),
                   [FAULT_RACK] = field_of(view, NETWORK_RACK),
                   [FAULT_HOST] = field_of(view, NETWORK_HOST)},
        .attribute = attribute_of,
        .of_device = view,
    };
}

bool console_call_has_faults(const struct network *n, const struct fault_list *faults,
                             uint32_t device) {
    struct network_view view;
    network_view(&view, n, device);
    const struct fault_use use = use_of(&view);
    return fault_is_for(faults, &use);
}

static void choose_fault(struct console_call *call, struct world *w) {
    if (w->faults.len == 0) return;
    struct network_view view;
    network_view(&view, w->network, call->device);
    struct fault_use use = use_of(&view);
    use.operation = call->operation;
    use.draw = call->draw;
    const struct fault_action *action = fault_choose(&w->faults, &use);
    if (action == NULL) return;
    call->fault = *action; // the rule may be gone before the call is over
    if (action->message != NULL) call->fault.message = mem_strdup(action->message);
}

static void begin_install(struct console_call *call, struct world *w, uint64_t now_us) {
    bool needless = strcmp(string_param(call, "version"), world_version(w, call->device)) == 0;
    turn(call, CONSOLE_CALL_INSTALLING);
    w->devices[call->device].installs++;
    w->devices[call->device].installing =
        versions_intern(&w->versions, string_param(call, "version"));
    call->install = referee_install(&w->referee, now_us, call->device, call->client, needless);
    world_turn(w, call->device, DEVICE_INSTALLING);
}

static uint64_t latency_us(const struct console_call *call, const struct world *w) {
    uint64_t us = draw_latency_us(call->draw, w->network->latency[call->operation]);
    if (call->fault.effect == FAULT_DELAY) us += call->fault.us;
    return world_scaled(w, us);
}

uint64_t console_call_begin(struct console_call *call, struct world *w, uint64_t now_us) {
    call->fault.effect = FAULT_NONE;
    find_device(call, w);
    if (call->device != NETWORK_NO_DEVICE)
        journal_add(&w->journal, now_us, call->device, call->operation, JOURNAL_BEGUN);
    turn(call, arrive(call, w));
    if (call->state == CONSOLE_CALL_REACHED) {
        choose_fault(call, w);
        if (call->operation == OPERATION_INSTALL) begin_install(call, w, now_us);
    }
    uint64_t us = latency_us(call, w);
    w->delays_us += us;
    return us;
}

// --- when its time is up

static void answer(const struct console_call *call, struct world *w,
                   struct console_call_result *result) {
    struct buf text = {0};
    result->carried_out = fault_carried_out(call->fault.effect);
    if (result->carried_out) {
        struct console_work work = {w, call->device, call->request.params, call->draw,
                                    call->fault.effect};
        console_carry_out(call->operation, &work, &text);
    }
    struct console_answer a = {call->request.id, text.data, &call->fault, w->time_scale};
    result->outcome = console_reply_with(&a, &result->reply);
    buf_deinit(&text);
}

// For the referee the device is at the install until it is back.
static void reboot(const struct console_call *call, struct world *w, uint64_t now_us,
                   uint64_t simulated_us) {
    world_turn(w, call->device, DEVICE_REBOOTING);
    world_wake_at(w, now_us + world_scaled(w, simulated_us), call->device, call->install);
}

// Behind its answer, where the network says that installs do so.
static bool restarts(const struct console_call *call, const struct world *w) {
    return w->network->reboots && fault_carried_out(call->fault.effect);
}

// However the install went, the device is no longer at it.
static void end_install(const struct console_call *call, struct world *w, uint64_t now_us) {
    switch (call->fault.effect) {
    case FAULT_REBOOT:
        reboot(call, w, now_us, call->fault.us);
        return;
    case FAULT_BRICK:
        world_turn(w, call->device, DEVICE_DOWN);
        break;
    default:
        if (restarts(call, w)) {
            reboot(call, w, now_us, draw_reboot_us(call->draw, w->network->reboot));
            return;
        }
        world_turn(w, call->device, DEVICE_UP);
    }
    referee_installed(&w->referee, now_us, call->install);
}

// What stands behind the error's message.
static void write_detail(const struct console_call *call, const struct world *w, struct buf *out) {
    buf_adds(out, call->refusal == RPC_UNKNOWN_DEVICE ? string_param(call, "hostname") : "");
    if (call->refusal == RPC_STALE_EPOCH)
        buf_addf(out, "%" PRIu64 ": %" PRIu64 " is in charge", epoch_of(call),
                 w->devices[call->device].epoch);
}

static void refuse(const struct console_call *call, const struct world *w,
                   struct console_reply *reply) {
    struct buf detail = {0};
    write_detail(call, w, &detail);
    console_reply_error(reply, call->request.id, call->refusal, detail.data);
    buf_deinit(&detail);
}

struct console_call_result console_call_finish(struct console_call *call, struct world *w,
                                               uint64_t now_us) {
    struct console_call_result result = {.outcome = WORLD_LOST};
    if (call->state == CONSOLE_CALL_REACHED && !world_reachable(w, call->device))
        turn(call, CONSOLE_CALL_LOST);
    switch (call->state) {
    case CONSOLE_CALL_REACHED:
        answer(call, w, &result);
        if (call->operation == OPERATION_GET_VERSION && result.outcome == WORLD_ANSWERED)
            referee_version_told(&w->referee, now_us, call->device);
        break;
    case CONSOLE_CALL_INSTALLING:
        answer(call, w, &result);
        end_install(call, w, now_us);
        if (result.reply.end == CONSOLE_STAYS && !world_reachable(w, call->device))
            result.reply.end = CONSOLE_CLOSES;
        break;
    case CONSOLE_CALL_REFUSED:
        refuse(call, w, &result.reply);
        result.outcome = WORLD_ERROR;
        break;
    case CONSOLE_CALL_LOST:
        result.reply.end = CONSOLE_RESETS;
        break;
    default:
        assert(false);
    }
    if (call->request.notification) buf_clear(&result.reply.out);
    return result;
}

void console_call_end(struct console_call *call, struct world *w, uint64_t now_us,
                      enum world_outcome outcome) {
    turn(call, CONSOLE_CALL_IDLE);
    w->requests[call->operation][outcome]++;
    if (call->device != NETWORK_NO_DEVICE)
        journal_add(&w->journal, now_us, call->device, call->operation,
                    outcome == WORLD_ANSWERED ? JOURNAL_ANSWERED : JOURNAL_FAILED);
    rpc_request_deinit(&call->request);
    free(call->fault.message);
    *call = (struct console_call){0};
}

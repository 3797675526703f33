#include "simulator/console_effects.h"

#include <string.h>

enum {
    SLOW_TICK_US = 10 * 1000
}; // how often a slow answer goes on, where a byte is not slower yet

size_t console_reply_piece(const struct console_reply *reply, size_t left, uint64_t *wait_us) {
    const uint64_t rate = reply->bytes_per_second;
    *wait_us = 0;
    if (rate == 0) return left;
    const uint64_t tick = rate < 1000000 / SLOW_TICK_US ? 1 : rate * SLOW_TICK_US / 1000000;
    const size_t piece = left > tick ? (size_t)tick : left;
    *wait_us = piece * 1000000 / rate;
    return piece;
}

void console_reply_error(struct console_reply *reply, const cJSON *id, enum rpc_error e,
                         const char *detail) {
    struct buf message = {0};
    buf_adds(&message, rpc_error_message(e));
    buf_adds(&message, detail);
    rpc_write_error(&reply->out, id, rpc_error_code(e), message.data);
    buf_deinit(&message);
}

// --- by effect

static void plain(const struct console_answer *a, struct console_reply *reply) {
    rpc_write_result(&reply->out, a->id, a->result);
}

static void error(const struct console_answer *a, struct console_reply *reply) {
    rpc_write_error(&reply->out, a->id, a->fault->code, a->fault->message);
}

static void no_reply(const struct console_answer *a, struct console_reply *reply) {
    (void)a;
    (void)reply;
}

static void closing(const struct console_answer *a, struct console_reply *reply) {
    (void)a;
    reply->end = CONSOLE_CLOSES;
}

static void resetting(const struct console_answer *a, struct console_reply *reply) {
    (void)a;
    reply->end = CONSOLE_RESETS;
}

// As many bytes a second of simulated time; the time scale makes seconds shorter.
static void slow(const struct console_answer *a, struct console_reply *reply) {
    plain(a, reply);
    double scale = a->time_scale;
    double rate = (double)a->fault->bytes_per_second / (scale > 0 ? scale : 1);
    reply->bytes_per_second = rate < 1 ? 1 : (uint64_t)rate;
    if (scale == 0) reply->bytes_per_second = 0;
}

static void truncated(const struct console_answer *a, struct console_reply *reply) {
    plain(a, reply);
    reply->out.len /= 2;
    reply->end = CONSOLE_CLOSES;
}

static void garbage(const struct console_answer *a, struct console_reply *reply) {
    (void)a;
    buf_adds(&reply->out, "%%% {this is not what you asked for\n");
}

static void oversize(const struct console_answer *a, struct console_reply *reply) {
    struct buf padding = {0};
    buf_adds(&padding, "\"");
    buf_reserve(&padding, RPC_LINE_MAX);
    memset(padding.data + padding.len, 'x', RPC_LINE_MAX);
    padding.len += RPC_LINE_MAX;
    buf_adds(&padding, "\"");
    rpc_write_result(&reply->out, a->id, padding.data);
    buf_deinit(&padding);
}

static void wrong_id(const struct console_answer *a, struct console_reply *reply) {
    const cJSON *id = a->id;
    bool minus_one = cJSON_IsNumber(id) && id->valuedouble == -1;
    cJSON *other = cJSON_CreateNumber(minus_one ? -2 : -1);
    rpc_write_result(&reply->out, other, a->result);
    cJSON_Delete(other);
}

static const struct {
    void (*write)(const struct console_answer *a, struct console_reply *reply);
    enum world_outcome outcome;
} effects[FAULT_EFFECT_COUNT + 1] = {
    [FAULT_ERROR] = {error, WORLD_ERROR},      [FAULT_REFUSE] = {resetting, WORLD_LOST},
    [FAULT_RESET] = {resetting, WORLD_LOST},   [FAULT_CLOSE] = {closing, WORLD_LOST},
    [FAULT_NO_REPLY] = {no_reply, WORLD_LOST}, [FAULT_DELAY] = {plain, WORLD_ANSWERED},
    [FAULT_SLOW] = {slow, WORLD_ANSWERED},     [FAULT_TRUNCATE] = {truncated, WORLD_LOST},
    [FAULT_GARBAGE] = {garbage, WORLD_LOST},   [FAULT_OVERSIZE] = {oversize, WORLD_LOST},
    [FAULT_WRONG_ID] = {wrong_id, WORLD_LOST}, [FAULT_WRONG_VERSION] = {plain, WORLD_ANSWERED},
    [FAULT_REBOOT] = {resetting, WORLD_LOST},  [FAULT_BRICK] = {resetting, WORLD_LOST},
    [FAULT_NONE] = {plain, WORLD_ANSWERED},
};

enum world_outcome console_reply_with(const struct console_answer *a, struct console_reply *reply) {
    enum fault_effect effect = a->fault->effect;
    effects[effect].write(a, reply);
    return effects[effect].outcome;
}

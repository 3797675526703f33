// The device protocol within the pure part: a network and consoles of its devices, on a made-up
// clock.
#pragma once

#include "common/count.h"
#include "common/json.h"
#include "simulator/console.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CONSOLES = 4 };

static struct network network;
static struct world world;
static struct console consoles[CONSOLES];
static struct console *one = &consoles[0], *two = &consoles[1];
static uint64_t now_us;
static struct buf answer; // of the last call
static enum console_end ended;
static uint64_t waited_us, rate;

static inline void set_up(void) {
    struct error err;
    network_init(&network);
    ck_assert_int_eq(network_seal(&network, &err), 0);
    network_set_latency(&network, (struct duration_range){1000, 5000});
    world_init(&world, &network, 1, 1);
    for (int i = 0; i < CONSOLES; i++)
        console_init(&consoles[i], &world);
    now_us = 0;
}

static inline void tear_down(void) {
    for (int i = 0; i < CONSOLES; i++)
        console_forget(&consoles[i], now_us);
    world_deinit(&world);
    network_deinit(&network);
    buf_deinit(&answer);
}

static inline void take(struct console_reply reply) {
    buf_clear(&answer);
    if (reply.out.len > 0) buf_add(&answer, reply.out.data, reply.out.len);
    buf_add(&answer, "", 0);
    ended = reply.end;
    rate = reply.bytes_per_second;
    buf_deinit(&reply.out);
}

static inline bool begin(struct console *c, const char *line) {
    struct console_begun begun = console_begin(c, now_us, line, strlen(line));
    waited_us = begun.wait_us;
    if (!begun.runs) take(begun.reply);
    return begun.runs;
}

static inline void finish(struct console *c) {
    take(console_finish(c, now_us));
}

// The whole call; "" where nothing is answered.
static inline const char *ask(struct console *c, const char *line) {
    if (begin(c, line)) {
        now_us += waited_us;
        finish(c);
    }
    return answer.data;
}

static inline const char *call(const char *method, const char *params) {
    static char line[512];
    snprintf(line, sizeof line, "{\"jsonrpc\": \"2.0\", \"id\": 7, \"method\": \"%s\"%s%s}", method,
             params == NULL ? "" : ", \"params\": ", params == NULL ? "" : params);
    return line;
}

static inline const char *login(struct console *c, const char *host) {
    char params[320];
    snprintf(params, sizeof params,
             "{\"hostname\": \"%s\", \"username\": \"admin\", \"password\": \"admin\"}", host);
    return ask(c, call("login", params));
}

static inline const char *install_line(const char *version) {
    char params[64];
    snprintf(params, sizeof params, "{\"version\": \"%s\"}", version);
    return call("install_os_version", params);
}

static inline void fault(const char *text) {
    struct error err = {0};
    cJSON *json = NULL;
    ck_assert_int_eq(json_parse(text, strlen(text), &json, &err), 0);
    ck_assert_msg(fault_add(&world.faults, json, &err) == 0, "%s", err.text);
    cJSON_Delete(json);
}

static inline const struct device *device(const char *host) {
    uint32_t index = 0;
    ck_assert(network_find(&network, host, &index));
    return &world.devices[index];
}

static inline const char *version_of(const char *host) {
    return world.versions.texts[device(host)->version];
}

static inline bool answered(const char *part) {
    return strstr(answer.data, part) != NULL;
}

#define LOGGED_IN(host)                                                                            \
    "{\"jsonrpc\": \"2.0\", \"id\": 7, \"result\": {\"hostname\": \"" host                         \
    "\", \"platform\": \"acmeos\"}}\n"
#define ERROR(id, code, message)                                                                   \
    "{\"jsonrpc\": \"2.0\", \"id\": " id ", \"error\": {\"code\": " code                           \
    ", \"message\": \"" message "\"}}\n"
#define BOGUS_LOGIN(user, password)                                                                \
    "{\"jsonrpc\": \"2.0\", \"id\": 7, \"method\": \"login\", \"params\": {\"hostname\": "         \
    "\"leaf3.earth\", \"username\": \"" user "\", \"password\": \"" password "\"}}"
#define REQUEST(method, params)                                                                    \
    "{\"jsonrpc\": \"2.0\", \"id\": 7, \"method\": \"" method "\", \"params\": " params "}"
#define VERSION_FORMAT                                                                             \
    ERROR("7", "-32602", "version format isn't correct, it should be in the format X.Y.Z")

// A session's end of the wire, a line at a time; time is a number.
#pragma once

#include "orchestrator/session.h"
#include "tests/unit/support.h"

#include <stdio.h>

static const struct session_config config = {
    .username = "admin",
    .password = "pass\"word",
    .connect_timeout_ms = 5000,
    .call_timeout_ms = 30000,
    .install_timeout_ms = 300000,
    .keep_ms = 60000,
};
static const struct task_args args = {.version = "5.3.1"};
static const struct host host = {.name = "leaf63.earth", .address = "127.0.0.1", .port = 8300};

#define OLD "{'os_version': '5.2', 'revision': '4', 'full_version': '5.2.4'}"
#define NEW "{'os_version': '5.3', 'revision': '1', 'full_version': '5.3.1'}"
#define INSTALLING(v)                                                                              \
    "{'os_version': '5.2', 'revision': '4', 'full_version': '5.2.4', 'installing': '" v "'}"
#define LOGGED_IN "{'hostname': 'leaf63.earth', 'platform': 'acmeos'}"

static struct session_update update; // of the last step

static inline enum session_want feed(struct session *s, enum session_input_kind kind,
                                     const char *text, uint64_t now_ms) {
    struct session_input input = {.kind = kind, .text = text, .len = text ? strlen(text) : 0};
    session_step(s, &input, now_ms, &update);
    return update.want;
}

static inline enum session_want feed_json(struct session *s, const char *text, uint64_t now_ms) {
    char *json = double_quoted(text);
    enum session_want want = feed(s, SESSION_LINE, json, now_ms);
    free(json);
    return want;
}

static inline void begin(struct session *s, const struct host *of, uint64_t now_ms) {
    session_init(s, &config, &task_upgrade_os, &args, of, 0);
    feed(s, SESSION_CONNECTED, NULL, now_ms);
}

static inline void end(struct session *s) {
    session_deinit(s);
    buf_deinit(&update.send);
    update = (struct session_update){0};
}

// To the point where the session asks whether it may install, at 1000 ms.
static inline void ask_for_install(struct session *s) {
    begin(s, &host, 1000);
    feed_json(s, "{'jsonrpc': '2.0', 'id': 1, 'result': " LOGGED_IN "}", 1000);
    ck_assert_int_eq(feed_json(s, "{'jsonrpc': '2.0', 'id': 2, 'result': " OLD "}", 1000),
                     SESSION_ASK);
}

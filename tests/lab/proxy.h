// A proxy before a PostgreSQL server, on a socket of its own: it cuts, freezes and delays what
// passes, and loses an answer where it hurts. A thread of the test's process.
#pragma once

#include "tests/lab/postgres.h"

enum lab_proxy_mode {
    LAB_PASS,
    LAB_DELAY,  // each piece of an answer comes so much later: delay_ms
    LAB_FREEZE, // connections are taken and held, and nothing moves
    LAB_REFUSE, // connections are cut, and new ones too
    // Once, of the next question that comes; then all connections are cut, and it is LAB_PASS.
    LAB_LOSE_QUESTION, // the server never sees it
    LAB_LOSE_ANSWER,   // the server has carried it out
    LAB_LOSE_END,      // likewise; only that it is committed is lost
};

struct lab_proxy;

// uri: the database's, by way of the proxy.
struct lab_proxy *lab_proxy_start(const char *server_uri, char uri[LAB_URI_MAX]);
void lab_proxy_set(struct lab_proxy *proxy, enum lab_proxy_mode mode);
void lab_proxy_delay(struct lab_proxy *proxy, unsigned delay_ms);
enum lab_proxy_mode lab_proxy_mode(struct lab_proxy *proxy);
void lab_proxy_stop(struct lab_proxy *proxy);

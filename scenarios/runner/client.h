// HTTP requests of a scenario: one at a time for each thread, with libcurl.
#pragma once

#include "common/error.h"

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>

enum { CLIENT_TIMEOUT_S = 100 }; // for any answer

struct reply {
    long status;
    char *headers;
    char *body;
};

// headers is an object of strings, or NULL; body may be NULL. An error: there was no answer.
int client_send(const char *method, const char *url, const cJSON *headers, const char *body,
                size_t body_len, struct reply *reply, struct error *err);
// Sends the request and closes the connection without reading an answer.
int client_abandon(const char *method, const char *url, const cJSON *headers, const char *body,
                   size_t body_len, struct error *err);
void reply_deinit(struct reply *reply);
// A header's value in out, or false where it is absent.
bool reply_header(const struct reply *reply, const char *name, char *out, size_t size);

// GET, which must answer 200 and JSON; the JSON is the caller's.
int client_get_json(const char *base, const char *path, cJSON **out, struct error *err);

// The headers of a request that say how it is to be served. Pure.
#pragma once

#include "common/error.h"

#include <stdbool.h>

enum { REQUEST_KEY_MAX = 255 };

// Of all Prefer headers as one list (RFC 7240), or NULL: whether respond-async is among them. What
// is not understood in it is no preference, and no error.
bool request_prefers_async(const char *prefer);

// An Idempotency-Key: 1 to REQUEST_KEY_MAX visible ASCII characters, in quotes or without; it is
// written without. Errors are of the field.
int request_key(const char *text, const char *field, char key[REQUEST_KEY_MAX + 1],
                struct error *err);

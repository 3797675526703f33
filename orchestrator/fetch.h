// Reads the inventory off the loop's thread: over HTTP with libcurl, or from a file; FILE_BYTES_MAX
// of it at most.
#pragma once

#include "orchestrator/inventory.h"

#include <uv.h>

enum {
    FETCH_TIMEOUT_S = 60,
    FETCH_CONNECT_TIMEOUT_S = 5,
    PROBE_TIMEOUT_S = 5,
};

// inventory is the receiver's, or NULL: then err says what is wrong, naming the source.
typedef void (*fetch_done)(void *arg, struct inventory *inventory, const struct error *err);

// source is an http:// or https:// URL, or the path of a JSON or YAML file; borrowed until done.
void fetch_inventory(uv_loop_t *loop, const char *source, fetch_done done, void *arg);

// Whether it could be read now, without reading it: err is NULL where it could.
typedef void (*fetch_probed)(void *arg, const struct error *err);
void fetch_probe(uv_loop_t *loop, const char *source, fetch_probed done, void *arg);

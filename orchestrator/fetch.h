// Reads the inventory off the loop's thread, over HTTP with libcurl or from a file or a folder
// (inventory_file.h); of each so many bytes at most, and so many hosts.
//
// Who asks while others do shares what they get, under one rule: nobody gets an inventory that may
// be older than its request. So a reading is shared until its request is sent (until its file is
// opened), and no longer. READINGS_MAX are under way at most; who comes later waits for the next,
// which all that wait share.
#pragma once

#include "common/inventory.h"
#include "orchestrator/limit.h"

#include <uv.h>

enum {
    FETCH_CONNECT_TIMEOUT_S = 5,
    PROBE_TIMEOUT_S = 5,
    READINGS_MAX = 2, // one that hangs keeps nobody waiting
};

struct fetcher;

// source is an http:// or https:// URL, or the path of a file or a folder. Both are borrowed.
struct fetcher *fetcher_new(uv_loop_t *loop, const char *source, const struct limits *limits);
// Tells all who wait at once that it ends, and calls closed when the last thread is gone and the
// fetcher is freed: at once, or later. Nobody may ask any more.
void fetcher_close(struct fetcher *f, void (*closed)(void *arg), void *arg);

// err is NULL where all is well, and says what is wrong, naming the source, where it is not. The
// inventory, of fetcher_ask() alone, is one reference, the receiver's. Never called from within the
// asking.
typedef void (*fetch_done)(void *arg, struct inventory *inventory, const struct error *err);

void fetcher_ask(struct fetcher *f, fetch_done done, void *arg);
// Whether it could be read now, without reading it. Probes at the same time are one.
void fetcher_probe(struct fetcher *f, fetch_done done, void *arg);
// arg, as given to either, is told nothing any more. A reading for nobody is abandoned. Does
// nothing for who does not wait.
void fetcher_forget(struct fetcher *f, const void *arg);

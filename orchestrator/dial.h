// One attempt to reach a device: the look-up of its name, and its addresses one after another,
// until one of them takes the connection or the time is up. Each attempt is a struct of its own, so
// that a new one may begin while the last is still being closed.
#pragma once

#include <stdint.h>
#include <uv.h>

struct dial;

// tcp is connected and the callee's, to be closed with dial_hang_up; or it is NULL, and why says
// what became of the last address tried, which lives as long as the call. The attempt is over and
// freed.
typedef void (*dial_done)(void *arg, uv_tcp_t *tcp, const char *why);

// address is a numeric address or a name, and borrowed until done. Never calls back from within. An
// address that stays silent has its share of timeout_ms, and the last of them all that is left: the
// caller ends an attempt that takes longer with dial_cancel.
struct dial *dial_start(uv_loop_t *loop, const char *address, uint16_t port, uint64_t timeout_ms,
                        dial_done done, void *arg);
// done will not be called. Takes NULL.
void dial_cancel(struct dial *d);

void dial_hang_up(uv_tcp_t *tcp); // closes and frees it; takes NULL
// The same with a reset: what the device has still to answer is not wanted any more.
void dial_drop(uv_tcp_t *tcp);

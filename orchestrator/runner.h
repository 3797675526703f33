// The gate, live: it runs over real connections, in a libuv loop, and keeps what it does in the
// store.
#pragma once

#include "common/tls.h"
#include "orchestrator/gate.h"
#include "orchestrator/store.h"

struct runner;

// All that it is given is borrowed.
struct runner *runner_new(uv_loop_t *loop, const struct session_config *session,
                          const struct gate_config *config, struct store *store);
// Whom devices with TLS must be signed by, and borrowed; without, whom this system trusts.
void runner_set_trust(struct runner *runner, struct tls_trust *trust);
void runner_close(struct runner *runner); // its handles in the loop; nothing may be in hand
void runner_free(struct runner *runner);  // after the loop has ended; takes NULL

// Where several nodes share the store: nothing that changes a device is sent but under the lease.
struct nodes;
void runner_share(struct runner *runner, struct nodes *nodes);

// Jobs are given to it, and stopped, through its gate.
struct gate *runner_gate(struct runner *runner);

// A loop full of devices that all answer at once is busy for long: breathe is called every so many
// steps of them, and may serve others. It must not call the gate.
void runner_on_breath(struct runner *runner, void (*breathe)(void *arg), void *arg);

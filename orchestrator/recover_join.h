// Jobs of a store that several nodes share, which this node has not known.
#pragma once

#include "orchestrator/recover_config.h"

// Where several nodes share the store nothing is taken up at the start: recovery_new() reads
// nothing, and each job that this node has not known is joined. It is read, looked up in today's
// inventory, which is tried until it can be read, put into config.jobs and given to the gate.
// is_first: at the start of this node, which may be the first that runs after a while. Told once,
// never from within: NULL where the job is done, or gone; n is that of its last event that was
// read. None may be asked for after recovery_stop(), and none is told.
typedef void (*recovery_joined)(void *arg, uint64_t number, const struct job *job, uint64_t n);
void recovery_join(struct recovery *recovery, uint64_t number, bool is_first, recovery_joined told,
                   void *arg);
bool recovery_is_idle(const struct recovery *recovery); // nothing of it reads the store
// Why it is not joined yet; NULL: none waits, or nothing is wrong.
const char *recovery_joins_wait(const struct recovery *recovery);

// Jobs of a store that several nodes share, which this node knows, and has found to differ from its
// inventory.
#pragma once

#include "orchestrator/recover_config.h"

// The job is looked up in today's inventory, which is tried until it can be read, and compared with
// what was kept of it; gate_looked_up() is told, never from within. One that is over by then is not
// told of, nor is any after recovery_stop().
void recovery_look_up(struct recovery *recovery, const struct job *job);

// Follows a job until it is done, and shows it meanwhile.
#pragma once

#include "orchestrator/cli_console.h"
#include "orchestrator/cli_talk.h"

struct cli_watching {
    struct cli_nodes *nodes;
    const struct client_trust *trust;
    uint64_t reconnect_ms; // so long a lost service is looked for
    bool is_silent;        // nothing is shown
    struct console *console;
};

// The exit code. Unless it is 0 or 1, which say how the job ended, err says why. job is as it was
// told last; zero it first.
int cli_watch(const struct cli_watching *how, const char *id, struct cli_job *job,
              struct error *err);

// For a request before there is a job to watch: whether it is still wanted.
bool cli_watch_is_wanted(void *console);

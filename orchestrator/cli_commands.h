// The commands of the terminal client: what each asks of a running service, and what it shows of
// the answer.
#pragma once

#include "common/client.h"
#include "common/options.h"
#include "orchestrator/cli_talk.h"

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CLI_URL "http://127.0.0.1:5000"

struct cli {
    const struct options *program; // orchestrator itself, whose commands these are
    const char *command;
    struct cli_nodes *nodes; // CLI_URL alone, or others
    struct client_trust trust;
    char *token;          // the trust's
    const char *argument; // the ID of a job, or its beginning; the name of a shell, or of a token
    const char *role;     // of that
    cJSON *body;          // of the request that makes a job
    const char *timeline; // the file that it is to be written to; NULL: it is not
    const char *state;    // of the jobs to be listed; NULL: any
    uint64_t limit;       // of them
    uint64_t reconnect_ms;
    bool has_json, is_detached, is_watched;
};

// arg: the struct cli. Each returns the exit code; what is wrong it says on stderr.
int cli_upgrade_os(void *arg);
int cli_jobs(void *arg);
int cli_job(void *arg);
int cli_pause(void *arg);
int cli_resume(void *arg);
int cli_cancel(void *arg);
int cli_retry(void *arg);
int cli_completion(void *arg);
int cli_token(void *arg);

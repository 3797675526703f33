// A job as GET /jobs/{id}/ tells it, read by the terminal client. Pure. What others have written is
// fit for a terminal from here on: one line, without control characters.
#pragma once

#include "orchestrator/job.h"

struct cli_job {
    char id[JOB_ID_MAX];
    char *task, *version; // NULL: none
    char *why;            // it is in this state, or was stopped; NULL: there is no more to say
    enum job_state state;
    enum job_outcome outcome; // of one that is done
    uint64_t hosts, counts[HOST_STATES];
    long long created_ms, started_ms, ended_ms; // wall; 0: not yet
};

// Zero job first. What it held before is freed; an error leaves it as it was.
int cli_job_read(const cJSON *object, struct cli_job *job, struct error *err);
void cli_job_deinit(struct cli_job *job);

uint64_t cli_job_count_over(const struct cli_job *job); // hosts with a result
// "completed", "stopped" of one that is done; else "running", "paused".
const char *cli_job_state_name(const struct cli_job *job);
// Whether all went as wanted, as far as it has come.
bool cli_job_is_well(const struct cli_job *job);
// Since its start until its end, or now; 0: it has not started.
uint64_t cli_job_took_ms(const struct cli_job *job, long long now_wall_ms);

// A row of GET /jobs/{id}/hosts/, or the data of an event about a host. Texts are borrowed from the
// row, which is changed so that they are fit for a terminal.
struct cli_host {
    const char *name, *reason; // reason: of one that failed or was skipped; "": none
    enum host_state state;
    long long started_ms; // 0: it has not begun
    bool is_in_doubt;
};
int cli_host_read(cJSON *row, struct cli_host *host, struct error *err);

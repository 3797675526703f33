// What the terminal client writes beside its bars: lines about hosts, tables, the end of a job,
// what a dry run has told. Pure; all of them append whole lines.
#pragma once

#include "common/timestamp.h"
#include "orchestrator/cli_bars.h"

enum { CLI_ALIKE_MAX = 8 }; // so many skipped hosts of one reason stay rows of their own

// A host that failed or was skipped: "03:12:09  failed   leaf00.earth  no space left on device".
void cli_view_host(struct buf *out, const char *time, const struct cli_host *host,
                   const struct cli_style *style);
// So many more that were skipped for the same reason.
void cli_view_more(struct buf *out, const char *time, size_t count, const char *reason,
                   const struct cli_style *style);
// "job ID: upgrade_os 5.3.1, 848 hosts".
void cli_view_heading(struct buf *out, const struct cli_job *job);
// "03:12:09  paused: the inventory is another".
void cli_view_state(struct buf *out, const char *time, const struct cli_job *job);

// Those that failed, then those that were skipped; nothing where there are none.
void cli_view_table(struct buf *out, const struct cli_host *hosts, size_t count,
                    const struct cli_style *style);
// A job that is done: what became of its hosts, and what stopped it.
void cli_view_end(struct buf *out, const struct cli_job *job, const struct cli_style *style);
// A job that was paused, resumed or cancelled just now.
void cli_view_control(struct buf *out, const struct cli_job *job);
// One job in lines of its own. request: what was asked for, as JSON text.
void cli_view_job(struct buf *out, const struct cli_job *job, const char *request,
                  long long now_wall_ms);

struct cli_listed {
    struct cli_job job;
    char created[TIMESTAMP_MAX]; // as it is to be shown
};
// A line each. An ID is shortened to 8 characters, or to more where others of the list have the
// same beginning.
void cli_view_jobs(struct buf *out, const struct cli_listed *list, size_t count,
                   long long now_wall_ms);

// An answer that is of another shape is an error, and is told as far as it is understood.
int cli_view_dry_run(struct buf *out, const cJSON *answer, struct error *err);

// What HTTP tells of jobs, as JSON text: the job, and pages of its hosts. Pure views, of jobs that
// live and of rows of the store; all of them append, without a line's end.
#pragma once

#include "orchestrator/job.h"

extern const char *const job_state_names[JOB_DONE + 1];      // [0] is no state
extern const char *const job_outcome_names[JOB_STOPPED + 1]; // [JOB_NO_OUTCOME] is NULL

// One job:
//
//     {"id", "task", "state", "outcome", "request", "created", "started", "ended",
//      "counts": {"hosts", "waiting", "in_hand", "changed", "unchanged", "failed", "skipped"},
//      "stopped_by", "version"}
//
// What is not known or does not apply is null. A waiting job has "waiting_for", too, and a paused
// one that says why "paused_because". Of a row, hosts without a result count as waiting.
void job_view_write(struct buf *out, const struct job *job);
void job_view_write_row(struct buf *out, const struct store_job *row);

// Which rows of a list are asked for: so many after one, in one state.
enum { JOB_PAGE_LIMIT = 100, JOB_PAGE_LIMIT_MAX = 1000 };

// The parameters of a query as they came; NULL: absent. Errors name the parameter.
int job_page_limit(const char *limit, size_t *out, struct error *err);
int job_page_state(const char *state, enum job_state *out, struct error *err); // 0: all

struct job_page { // of hosts
    size_t from;  // a place in the selection
    size_t limit;
    bool any_state;
    enum host_state state;
};
int job_page_parse(const struct job *job, const char *state, const char *after, const char *limit,
                   struct job_page *page, struct error *err);

// {"hosts": [...]}: those of the page in the order of the selection, a row each:
//
//     {"name", "site", "dev_type", "groups", "state", "started", "duration_ms", "from_version",
//      "to_version", "error", "skipped_because", "in_doubt"}
//
// groups are its redundancy groups, by name, in the order of the policy's rules; a host that is in
// none of the policy's has []. One that was put back is as if it had not started.
void job_view_write_hosts(struct buf *out, const struct job *job, const struct job_page *page);

// One such row at a time, for many of them: the cohort of each place in the selection is looked up
// once. The list is the caller's to free. as: what the row is to say of the host.
uint32_t *job_view_cohorts(const struct job *job);
void job_view_write_host(struct buf *out, const struct job *job, uint32_t place, uint32_t cohort,
                         const struct job_host *as);

// What every row of a host begins with, of a job or of the inventory: {"name", "site", "dev_type",
// "groups". The caller goes on, and ends it.
void job_view_begin_host(struct buf *out, const struct inventory *inventory,
                         const struct host *host, const struct grouping *grouping,
                         const struct cohort *cohort);
void job_view_add_text(struct buf *out, const char *key, const char *text); // NULL: null

// A job: one task over one selection of hosts, from the request to the report. Pure. It owns what
// is known of each of its hosts; the report is a view of that.
#pragma once

#include "common/texts.h"
#include "orchestrator/brakes.h"
#include "orchestrator/group.h"
#include "orchestrator/store_event.h"
#include "orchestrator/task.h"

enum { JOB_ID_MAX = 37 }; // a UUID and its NUL

struct job_host {
    long long started_ms; // wall, of its last start; 0: it has not begun
    char *text;           // of a result: what there is to say; NULL: nothing
    uint32_t duration_ms; // of a result: how long it was in hand
    uint16_t from, to;    // versions, for job_version(): before this job, and since
    uint8_t state;        // enum host_state; one door: job_turn()
    uint8_t attempt;      // installs that may have been sent: 0, 1 or 2
    bool has_intent;      // in hand: its install may have been sent
    bool is_in_doubt;     // ... by a process that is no more: resume.h
    bool is_canary;       // it goes before those that are none: canaries.h
};

struct job {
    char id[JOB_ID_MAX];
    uint64_t number; // the store's; 0: it is not kept yet
    uint64_t n;      // of its last event that was told to be kept (api_events.c)
    char *key;       // Idempotency-Key; NULL: none
    char *request;   // the body, as JSON text
    const struct task *task;
    struct task_args args;
    struct brakes brakes;
    size_t canaries_left; // without a result
    struct inventory *inventory;
    struct selection selection;
    struct grouping grouping;
    // Where several nodes share out its hosts: each one's shard, in the selection's order
    // (shards.h); NULL: all are in the first. left: of each shard, those without a result.
    uint16_t *shards;
    struct job_left {
        uint32_t hosts, canaries;
    } * left;
    bool is_moved; // in the whole inventory its hosts have other shards by now
    // Of a job that was read from a store: its inventory is an excerpt of the hosts that it names.
    // The selection in the whole inventory, where that is the same still; else NULL.
    bool is_excerpt;
    struct inventory *whole;
    struct selection whole_selection;
    uint32_t *whole_hosts;  // by host of the inventory: job_in_whole()
    struct job_host *hosts; // one for each of the selection, in its order
    size_t counts[HOST_STATES];
    size_t in_doubt;       // of those in hand
    struct texts versions; // as devices say them: few, and shared
    const char **version_list;
    size_t versions_count, versions_cap;
    enum job_state state;     // one door: job_enter()
    enum job_outcome outcome; // of one that is done, and of one that is cancelling
    char *why; // it is in this state; NULL: there is no more to say. Where a brake has stopped it:
               // job_stop_write()
    long long created_ms, started_ms, ended_ms; // wall; 0: not yet
    // Wall, of what last brought it on: it came into its state, an install was to be sent, a host
    // had an outcome. Hosts that begin and are put back bring nothing on. 0: nothing has.
    long long progress_ms;
};

// Takes over the reference to the inventory, the selection, and the grouping, which is of it.
// request is copied, NULL as "{}". All hosts wait, and the job does.
struct job *job_new(const char *id, const struct task *task, const struct task_args *args,
                    const char *request, struct inventory *inventory, struct selection *selection,
                    struct grouping *grouping);
void job_free(struct job *job); // takes NULL

// Several nodes share out its hosts: takes over the array of their shards. NULL: nothing is done.
void job_share_out(struct job *job, uint16_t *shards);

// What has happened, and is kept: the one door to a host's state and to the job's own. Live it is
// called when the store has answered, and when a job is read from the store with each of its
// events. What may not follow is our own mistake live; of a store ERROR_INPUT, and nothing is done.
int job_apply(struct job *job, const struct store_event *event, struct error *err);

// Why a brake has stopped the job, as the text of its events: {"reason": ..., "host": ...}. host:
// whose outcome it was; NULL: nobody's.
void job_stop_write(struct buf *out, const char *reason, const char *host);
// What to say of the hosts that are skipped for it; why is the text of the event.
void job_stop_write_skipped(struct buf *out, enum job_outcome outcome, const char *why);

// Of a job that was read from a store, after its last event: nobody works on its hosts any more.
// One that had begun, and of which no install was to be sent, waits; the others in hand are in
// doubt.
void job_settle(struct job *job);

// The same of the shards marked, which no node had for a while; and the whole job as if nothing had
// happened to it, so that all its events can be applied once more.
void job_settle_in(struct job *job, const bool *shards);
void job_rewind(struct job *job);

// The job is the same in that inventory, and seen in it from now on. Takes over the selection.
void job_see_in(struct job *job, struct inventory *inventory, struct selection *selection);
// Where the host of the inventory stands in the whole one; JOB_NOT_IN_WHOLE where it does not.
enum { JOB_NOT_IN_WHOLE = INVENTORY_HOSTS_MAX };
uint32_t job_in_whole(const struct job *job, uint32_t host);

// Of a job that was read from a store: whether hosts in doubt had credentials of their own in the
// inventory, which are not known now; and what today's inventory says of them. Those that are not
// in it any more have none.
bool job_awaits_credentials(const struct job *job);
void job_take_credentials(struct job *job, const struct inventory *today);

static inline uint16_t job_shard(const struct job *job, uint32_t place) {
    return job->shards == NULL ? 0 : job->shards[place];
}

// The host's place in the selection. host is an index into the inventory, and must be one of it.
uint32_t job_place(const struct job *job, uint32_t host);
const struct job_host *job_host(const struct job *job, uint32_t host);
// Whether the host, of the inventory, is one of the selection that waits.
bool job_is_waiting(const struct job *job, uint32_t host);
// Of job_host's from and to; NULL: not known.
const char *job_version(const struct job *job, uint16_t number);

// {"failed": [...], "skipped": [...], "completed": [...]}, hosts in inventory order, as JSON text,
// the caller's to free. Of a task that reads {"hosts": {...}, "failed": {...}}, by host what it
// told, or why there is nothing.
char *job_report_json(const struct job *job, size_t *len);

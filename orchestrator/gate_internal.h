// What the files of the gate share, from the bottom up: gate_tell.c tells and keeps, gate_host.c
// has the way of a host, gate_asks.c asks and kept sessions, gate_line.c who may run, gate.c the
// jobs. No other file includes it.
#pragma once

#include "orchestrator/gate_shell.h"
#include "orchestrator/pace.h"
#include "orchestrator/schedule.h"

struct gate;
struct run;

enum { REACH_GROUPS_MAX = 5 };

// What a file asks of one above it.
struct gate_above {
    void (*pump)(struct gate *g);
    void (*start)(struct gate *g);
    void (*outcome)(struct run *run, uint32_t host); // it is kept
    // By a brake: its name, why, and the host whose outcome it was (NULL: nobody's).
    void (*stop)(struct run *run, const char *brake, const char *why, const char *host);
    void (*host_over)(struct run *run); // one is in hand no more; the run may be no more then
    void (*open)(struct run *run);      // nobody is in its way any more
};

struct gate {
    struct gate_config config;
    struct gate_shell shell;
    struct gate_above above;
    struct schedule *schedule;
    struct peers *peers;
    struct pace pace;
    struct flight *flights;
    struct gate_asked *asked; // the store has not answered yet that a job runs
    struct run *runs;         // of the jobs that are not done, in order of arrival
    uint64_t host_due_ms;     // when a host_timeout may be over; UINT64_MAX: there is none
    uint64_t flights_over;    // that were
    struct reach {            // of devices, by this node
        unsigned missed;      // contacts in a row to which nothing answered
        uint16_t shards[REACH_GROUPS_MAX]; // theirs, each once, as long as there is room
        unsigned count;
    } reach;
    bool pumping;
    bool is_halted;  // nothing begins any more
    bool is_quiet;   // the same, until this node has shards again
    bool is_aborted; // all contacts are over, and nothing more is kept: the store is being closed
    bool is_ending;  // nothing is told or kept any more
};

enum run_state {
    RUN_WAITING, // for jobs before it
    RUN_OPEN,    // its hosts may begin
    RUN_PAUSED,  // those in hand come to their end
    RUN_STOPPED, // the same; what has not begun is skipped, some at a time
    RUN_ENDING,  // all are over, and the store has been told
};

struct run { // of a job that is not done
    struct run *next;
    struct gate *gate;
    struct job *job;
    enum run_state state;
    struct schedule_job *scheduled; // NULL: it has not been open yet, or is ending
    struct run **awaited;           // jobs before it that see differently what they share
    size_t awaited_count, awaited_cap;
    size_t flights; // hosts in hand
    uint64_t started_ms;
    uint64_t opened_ms;   // 0: it has not been open yet
    uint64_t before_ms;   // so long it had been open in earlier processes
    long long ended_ms;   // wall
    char *skipped;        // of one that is stopped: why its hosts are skipped
    bool is_skipping;     // of one that is stopped: some may be left
    bool is_canary_phase; // only the canaries go
    bool is_in_line;      // it waits for one of --max-jobs to end, or for told_of, and has said so
    const struct run *under_way; // who has begun, and disagrees, when that was last looked at; or
                                 // NULL. It is in the line
    char *under_way_host;        // the host that they see differently
    const void *told_of;         // the same when it was last said
    unsigned asked; // so many times the store was told that it runs, and has not answered
    bool is_over;   // another node has ended the job; this one has hosts of it in hand still
};

enum outcome_state {
    OUTCOME_OPEN,
    OUTCOME_KEEPING, // the store has been told
    OUTCOME_KEPT,
};

enum gate_state {
    GATE_SHUT,
    GATE_WANTED,  // the host wants to install: the peers are to say whether it may
    GATE_KEEPING, // granted; the store has been told of the intent
    GATE_OPEN,    // the device may have been changed from here on
};

// One flight is one host's way through the gate.
struct flight {
    struct flight *next, *previous;
    struct gate *gate;
    struct run *run;
    struct schedule_work work;
    struct turn *turn; // and its device, which has the contact
    uint64_t started_ms;
    uint64_t up_ms;   // when its device last answered as it should; 0: it has not
    bool store_asked; // for an intent: its answer is still to come
    enum gate_state state;
    bool wants;        // its session waits for leave to install
    bool is_in_doubt;  // the install may have been sent by an earlier process
    bool is_unasked;   // in doubt: its credentials are withheld, and awaited
    bool is_as_before; // in doubt: the device runs what it ran before, and is not being installed
    bool is_left;      // the store is told no more of it: the next process takes it up
    enum outcome_state outcome;
    uint64_t took_ms;       // until the outcome; once, for what is kept is what is told
    enum host_state result; // the outcome; and what to say of it
    char *text;
    char version[2 * ACMEOS_VERSION_MAX]; // that its device last said it runs; "": not known
    const struct device *heir; // of its groups the next whose turn is to come; found when one asks
    bool has_heir;
};

static inline uint64_t gate_now(const struct gate *g) {
    return g->shell.now_ms(g->shell.self);
}

static inline bool gate_is_shared(const struct gate *g) {
    return g->config.held != NULL;
}

// Whether the place of the job is this node's.
static inline bool gate_has(const struct gate *g, const struct job *job, uint32_t place) {
    return !gate_is_shared(g) || g->config.held->epochs[job_shard(job, place)] != 0;
}

// Where nodes share the job: it differed from this node's inventory when it was last looked up, and
// all that is known of it is what the store has.
static inline bool run_is_strange(const struct run *run) {
    return gate_is_shared(run->gate) && run->job->is_excerpt && run->job->whole == NULL;
}

// One node leads: it says when jobs may run, and when they are done. The others follow what is
// kept.
static inline bool gate_leads(const struct gate *g) {
    return !gate_is_shared(g) || g->config.held->epochs[0] != 0;
}

// --- gate_tell.c

void run_tell(struct run *run, struct event event);
void run_tell_of_host(struct run *run, uint32_t number, struct event event);
// What has happened, and is kept, is applied to the job.
void run_apply(struct run *run, const struct store_event *event);
// The event is kept, and applied to the job at once.
void run_note(struct run *run, struct store_event event);
// The same of the job itself; kept may be NULL. Where nodes share the job it is applied by all of
// them when it comes back from the store (gate_heard()).
void run_note_job(struct run *run, const struct store_event *event, gate_kept kept, void *arg);

// What the run's host is logged in to with, by the inventory that the run is seen in.
// for_host: the selected one for whose sake that is done, itself or another of its groups.
void run_log_in(const struct run *run, struct device *device, uint32_t host, uint32_t for_host);
// The same with these credentials.
void run_log_in_with(const struct run *run, struct device *device, struct credentials login,
                     uint32_t host, uint32_t for_host);

uint64_t run_epoch(const struct run *run, uint32_t place); // of its shard here

// --- gate_share.c

void run_limit_workers(struct run *run); // to those that the job asks for, or this node's share
// A contact has come to its end; flight: whose it was, NULL of an ask. is_gone: nothing answered.
void gate_note_reach(struct gate *g, const struct flight *flight, bool is_gone);

// --- gate_line.c

void run_joins_line(struct run *run); // as the last
void run_leaves_line(struct run *run);
// What the job waits for, and whether it runs: kept where this node leads. why may be NULL.
void run_note_state(struct run *run, enum job_state state, const char *why);
bool run_starts_nothing(const struct run *run); // it is paused or stopped, and all nodes know it
bool run_has_hosts(const struct run *run);      // in hand, at any node
bool run_is_in_the_way(const struct run *run);  // of those behind it that see its hosts differently
void run_await_others(struct run *run);         // those before it that are in its way
void run_gives_way(const struct run *run);      // it is in nobody's way any more
void gate_let_in(struct gate *g);               // those that may run now
void gate_lead(struct gate *g);                 // this node leads from now on
// The store's answers that a job runs: for a run that is no more, for a gate that is no more.
void run_forget_asked(const struct run *run);
void gate_free_asked(struct gate *g);

// --- gate.c

void run_enter_schedule(struct run *run);
void run_begin_doubts(struct run *run);
void run_open(struct run *run);
// What is done here where the job is paused or stopped, whoever said so; run_hold_back() is due for
// both. text: of the event.
void run_pause(struct run *run, const char *why);
void run_stop(struct run *run, enum job_outcome outcome, const char *text);
void run_hold_back(struct run *run);  // the run may be no more then
void run_wait_again(struct run *run); // it was paused, and is to go on
void run_go_on(struct run *run);      // it was paused here alone, and runs
void run_end(struct run *run);        // its job is done; it is no more, nor is the job
void run_finish_if_done(struct run *run);
struct store_event run_end_event(const struct run *run);
void run_host_over(struct run *run); // here, or at another node; the run may be no more then
struct run *run_new(struct gate *g, struct job *job, enum run_state state);
void run_count_time_before(struct run *run);
struct run *gate_run_of(const struct gate *g, const struct job *job); // NULL: it has ended
enum past run_past(void *arg, uint32_t host); // arg: the run; host: of the inventory

// --- gate_host.c

void flight_begin(struct gate *g, struct schedule_work *work);
void flight_begin_in_doubt(struct gate *g, struct schedule_work *work);
void flight_step(struct flight *flight, const struct session_update *update);
void flight_contact(struct flight *flight);
void flight_ask_doubt(struct flight *flight); // where its credentials are known now; else nothing
void flight_land(struct flight *flight);
void flight_grant(struct flight *flight);
void flight_skip(struct flight *flight, const char *why);
void flight_wait(struct flight *flight, const struct peers_hold *hold);
void flight_unpause(struct flight *flight);
size_t flights_under_way(const struct gate *g);      // gate_under_way()
void flight_hold_back(struct flight *flight);        // its run is paused or stopped
uint64_t flight_due_ms(const struct flight *flight); // of its host_timeout; UINT64_MAX: never
void flight_note_due(struct flight *flight);
void flight_time_out(struct flight *flight); // where its host_timeout is over; else nothing
void flight_abort(struct flight *flight);
void flight_drop(struct flight *flight); // with nothing told
void flight_lose(struct flight *flight); // it has no contact any more, and may not have another

// --- gate_brakes.c

// What an outcome makes of the run: a brake may stop it.
void brakes_check(struct run *run, uint32_t host);
void brakes_check_all(struct run *run); // of a run that an earlier process began
// When time is up for a host or a job; UINT64_MAX: never.
uint64_t brakes_due_ms(const struct gate *g);
void brakes_act(struct gate *g); // on what is due

// --- gate_asks.c

void gate_step(struct gate *g, struct device *device, const struct session_update *update);
void gate_pump(struct gate *g);
void gate_arm(struct gate *g); // its timer
void gate_let_go_of(struct gate *g, const struct host *host);

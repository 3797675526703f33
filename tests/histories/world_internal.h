// What the files of a history share: world.c has the clock, and how processes end; shell.c what
// every process has, process.c the orchestrator's only one, commits.c its store, recovery.c what it
// takes up, clients.c what it is asked for; talk.c sessions, device.c what devices do; referee.c,
// referee_stops.c and referee_store.c the promises; story.c what is told.
#pragma once

#include "common/heap.h"
#include "orchestrator/gate.h"
#include "orchestrator/node.h"
#include "orchestrator/store_queue.h"
#include "tests/histories/talk.h"
#include "tests/histories/world.h"

enum history_event {
    EVENT_INSTALLED, // the device's install ends
    EVENT_DEATH,     // of plan.deaths
    EVENT_BACK,
    EVENT_LIVE, // the next process begins
    EVENT_HOLD, // the store takes no intents of plan.hold.job
    EVENT_FREE,
    EVENT_JOB,     // of plan.jobs
    EVENT_CONTROL, // of plan.controls
    EVENT_TALK,    // of the talk of that serial number
    EVENT_STORE,   // a batch may be due; this one and the next ones are of a process, by its number
    EVENT_WRITTEN, // the batch that is under way is
    EVENT_RETRY,
    EVENT_START,
    EVENT_RESUME,    // somebody lets paused jobs go on
    EVENT_INVENTORY, // it can be read again
    // Where nodes share the store.
    EVENT_TICK,
    EVENT_LOOKED,
    EVENT_JOINED,
    EVENT_LOOKED_UP,
    EVENT_KILL,  // by the kernel, for it stood still
    EVENT_GO_ON, // SIGCONT
    EVENT_FAULT, // of plan.faults; this one and the next ones are of no process
    EVENT_STORE_BACK,
    EVENT_ENTER, // a node of the plan
    EVENT_OPERATOR,
    HISTORY_EVENTS,
};

// What the referee knows of a job of the plan.
struct kept_job {
    const struct plan_job *asked; // of a retry: what the first of those it tries again asked for
    unsigned hosts, canaries;     // a bit each; of a retry, what the referee expects of it
    bool is_created;              // its client was told so
    unsigned view;                // in which it was asked for
    uint64_t number;              // 0: it is not in the store
    // What the store has been seen to keep, event by event.
    uint64_t n, n_before; // its last event's number; and before the last batch
    enum job_state state;
    enum store_kind last[PLAN_HOSTS]; // 0: there is none
    unsigned attempt[PLAN_HOSTS];
    enum host_state result[PLAN_HOSTS]; // HOST_WAITING where there is none
    uint64_t n_intent[PLAN_HOSTS];      // the number of its last
    uint64_t n_paused, n_stopping;      // the numbers of the job's last such events; 0: none
    uint64_t n_braked;                  // of the first outcome that is to stop it; 0: none
    enum job_outcome stop;              // what it will be, of one that is stopped
    long long running_ms;               // wall, when it first ran; 0: it has not
    // What this process has asked the store to keep.
    enum store_kind asked_last[PLAN_HOSTS]; // 0: nothing of the host
    bool is_stopping;
    long long opened_ms; // wall, from which its time counts; 0: it does not run yet
    // What was told.
    enum host_state told[PLAN_HOSTS]; // likewise
    bool has_started[PLAN_HOSTS];
    bool is_back[PLAN_HOSTS];    // put back by this process: what it withdraws may not be kept yet
    unsigned doubts[PLAN_HOSTS]; // how often its install was in doubt
    unsigned failures[PLAN_RULES][4]; // by group
    bool has_failure;
    bool is_told_done;
    bool rests; // it is paused, and not told to go on yet
    uint64_t started_ms[PLAN_HOSTS];
    // What its clients have asked for; and were told that it is so.
    bool is_to_be_cancelled;
    unsigned pauses;
    bool is_told_paused, is_told_cancelled;
};

struct process {   // of the orchestrator
    unsigned life; // its number, from 1
    bool is_alive;
    bool is_ending, is_aborted, is_closing; // SIGTERM; again; its store is being closed
    bool has_other_policy;                  // since it began
    unsigned installs;                      // so many have come to devices
    uint64_t events, again_at; // so much has happened to it since; until it is told again
    struct gate *gate;
    struct jobs *live;
    struct processors processors;
    struct store_queue queue;
    struct session_update update;
    struct talk *talks;
    bool is_held;     // plan.hold
    unsigned endings; // jobs whose end the store has been told of, a bit each
    struct creating {
        struct world *world;
        struct job *job;
    } creating[PLAN_JOBS];
    struct controlling { // the controls of the plan, and behind them a cancel of each job
        struct world *world;
        unsigned job;
        enum plan_control_kind kind;
        unsigned pauses; // that had been asked for, with this one
    } controlling[PLAN_CONTROLS + PLAN_JOBS];
    // What it has for the store.
    struct store_batch *under_way;
    enum store_status status;
    bool writes_late;              // at the end of the commit, not at its beginning
    uint64_t sent_number, sent_ms; // the batch that was sent last, and when it first was
    // Where nodes share the store.
    unsigned which;
    void *db;
    struct node *node;
    struct shards_held held;
    struct look *look;            // that is under way
    uint64_t looked_n[PLAN_JOBS]; // the number of the last event then, of those that it asked for
    uint64_t joining[PLAN_JOBS];  // numbers of jobs
    unsigned joining_count;
    unsigned looked_up; // jobs that are to be, a bit each
    bool has_let_go;    // it ends, and has no connection any more
    bool is_ready;
    bool stands_still;
    uint64_t still_ms, goes_on_ms; // from then on, until then
    uint64_t late_ms;              // so late it sends what it was about to send when it stood still
    uint64_t kill_ms;              // UINT64_MAX: never
    uint64_t acts_until_ms;        // by what the store has told it
    uint64_t cut_until_ms;         // off from the store
    uint64_t apart_until_ms;       // cut off from the devices
    uint32_t late_talk;            // that is given leave when it goes on; 0: none
    const struct plan_fault *fault; // that is to come about
    uint64_t back_ms;               // where it is told to end: then it comes back
};

enum { INVENTORIES = 2 }; // [1]: of VIEW_INVENTORY

struct world {
    const struct plan *plan;
    struct verdict *verdict;
    FILE *story; // NULL: it is not told
    uint64_t now_ms;
    uint64_t moved_ms;  // a node last took shards on
    long long clock_ms; // so much the wall clock is ahead of the one that does not go back
    struct heap heap;   // key: when; id: in the order of asking; tag: kind, and what
    uint32_t asked;
    struct truth devices[PLAN_HOSTS];
    struct kept_job jobs[PLAN_JOBS];
    struct buf images[PLAN_JOBS]; // of those that were taken up
    bool is_put_right;            // the inventory
    bool is_inventory_away;       // since this process began
    // Jobs and controls that were asked for while no process lived, a bit each.
    unsigned late, late_controls;
    struct inventory *inventories[INVENTORIES];
    struct policy policies[2]; // [1]: of VIEW_POLICY

    struct process processes[PLAN_NODES], *at; // at: whose turn it is
    unsigned lives;
    uint16_t shards[INVENTORIES][PLAN_HOSTS]; // of each host
    uint64_t store_back_ms;                   // it is away until then
    uint64_t epochs[SHARDS];                  // of what was kept last of it
    unsigned faults_left, jobs_awaited;       // jobs_awaited: a bit each
    struct session_config sessions;
    uint32_t contacts;

    // The store, which outlives it.
    void *db;
    unsigned batches;
    uint64_t last_beat;     // of the last batch that was kept
    long long last_wall_ms; // when that was
};

enum { RESUMED_AFTER_MS = 400 };

uint64_t world_draw(const struct world *w, const char *what, uint64_t a, uint64_t b, uint64_t low,
                    uint64_t high);
void world_at(struct world *w, uint64_t at_ms, enum history_event kind, unsigned what);
void world_count_install(struct world *w); // one has come to a device
long long world_wall_ms(const struct world *w);
unsigned world_view(const struct world *w); // what a job sees that is asked for now
struct inventory *world_inventory(const struct world *w);
const struct policy *world_policy(const struct world *w);

uint64_t world_paced(const struct world *w, uint64_t ms); // as slow as devices are
const struct store_back *world_back(const struct world *w);

// --- nodes.c

void nodes_begin(struct world *w);
void nodes_happen(struct world *w, enum history_event kind, unsigned what);
bool nodes_are_over(struct world *w);                     // nothing is to happen any more
void nodes_stand_still(struct world *w, uint64_t for_ms); // the process at
bool nodes_store_is_away(const struct world *w);          // from it
void nodes_end(struct world *w);

// --- nodes_process.c

void nodes_process_begin(struct world *w, unsigned which);
void nodes_process_end(struct world *w, bool leaves); // in order; else without a word
void nodes_process_halt(struct world *w);
bool nodes_process_is_idle(struct world *w); // of one that ends
void nodes_looked(struct world *w);
void nodes_join(struct world *w);
void nodes_look_up(struct world *w);

// --- nodes_store.c

enum store_status nodes_write(struct world *w, struct store_batch *batch);
uint64_t nodes_commit_ms(const struct world *w, const struct store_batch *batch, unsigned number,
                         uint64_t ms);
bool nodes_written(struct world *w, enum store_status status); // true: the process is no more

// --- nodes_shards.c

void nodes_draw_shards(struct world *w);
uint16_t nodes_shard(const struct world *w, unsigned job, unsigned host); // as the job was made

// --- nodes_clients.c

void nodes_post(struct world *w, unsigned number);
void nodes_control(struct world *w, unsigned number);
void nodes_operate(struct world *w); // what is paused, and nobody wants to be, goes on

// --- referee_nodes.c

void referee_nodes_install(struct world *w, unsigned host, unsigned job);
// The connection of a job, or an ask (NOBODY), of which nothing comes any more.
bool referee_nodes_may_linger(const struct world *w, unsigned host, int job);
void referee_nodes_contact(struct world *w, const struct talk *talk);
void referee_nodes_kept(struct world *w, const struct store_batch *batch);
void referee_nodes_event(void *self, const struct event *event);
void referee_all_lost(struct world *w);    // the process at has nothing in hand any more
void referee_nodes_looks(struct world *w); // before what it takes on is worked on
void referee_nodes_taken_on(struct world *w, const struct shards_held *before);
void referee_nodes_paused(struct world *w, unsigned job, uint64_t n); // its client is told so
// The node has compared the job with the inventory: whether it is the same.
void referee_nodes_seen(struct world *w, unsigned job, bool is_same);
void referee_nodes_picture(struct world *w); // of the process at, which has heard all

// --- network.c

void network_make(struct world *w);
void network_free(struct world *w);

// --- shell.c, of the process at

struct gate_shell
shell_of(struct world *w); // to which the process adds append, and what is its own
void shell_begin(struct world *w, const struct gate_shell *shell); // without its queue
void shell_open_queue(struct world *w, uint64_t beat);
bool shell_happen(struct world *w, enum history_event kind); // false: it is none of every process
bool shell_creates(const struct process *p);                 // a job
void shell_close_queue(struct world *w);
bool shell_is_closed(const struct process *p);
void shell_end(struct world *w); // however it ends

// --- process.c

void process_begin(struct world *w);
void process_halt(struct world *w);  // SIGTERM
void process_abort(struct world *w); // again
void process_hold(struct world *w, bool holds);
bool process_has_ended(struct world *w); // by itself; to be asked after each event

// --- commits.c

void commits_append(struct world *w, const struct store_event *event, gate_kept kept, void *arg);
void commits_due(struct world *w);
void commits_written(struct world *w);

// --- clients.c

void clients_submit(struct world *w, unsigned number);  // of plan.jobs
void clients_control(struct world *w, unsigned number); // of plan.controls
void clients_done(struct world *w, unsigned job);       // it is kept that it is
// Somebody puts the inventory right, and lets all go on that are the same in it; the others are
// cancelled.
void clients_resume(struct world *w);
struct job *clients_job(const struct world *w, unsigned number); // that lives; NULL: there is none

// --- recovery.c

unsigned recovery_begin(struct world *w, long long alive_ms); // how many jobs are open
void recovery_read_inventory(struct world *w);
void recovery_go_on(struct world *w); // those that are not paused
// How a paused job differs in the inventory as it is now; where it does not, it is seen in it from
// now on.
void recovery_look_up(struct world *w, struct job *job, struct buf *differs);
// The job as it was kept is seen in the inventory.
void recovery_see_in(const struct world *w, struct job *job, const struct buf *image,
                     struct buf *differs);
// As it is kept, its image in images; n: of its last event. NULL: there is none.
struct job *recovery_read(struct world *w, unsigned number, uint64_t *n);

// --- talk.c

void *talk_begin(struct world *w, const struct task *task, const struct task_args *args,
                 struct device *device, int job, bool in_doubt, const char *was);
void talk_take(struct world *w, struct talk *talk, const struct task *task,
               const struct task_args *args, int job);
void talk_answer(struct world *w, struct talk *talk, bool granted);
void talk_leave(struct world *w, struct talk *talk);
void talk_end(struct world *w, struct talk *talk);
void talk_end_all(struct world *w);
void talk_due(struct world *w, unsigned serial);
void talk_lose_all(struct world *w, unsigned host); // the device drops its connections
void talk_lose_late(struct world *w);               // the process at was not told of it yet
struct talk *talk_of(const struct process *p, uint32_t serial); // NULL: it is over

// --- device.c

enum operation { OP_LOGIN, OP_GET_VERSION, OP_INSTALL, OP_LOGOUT, OP_DIAL, OP_GET_CPU_RAM };
enum mishap { NO_MISHAP, ERROR_ANSWER, SILENCE, CLOSES_BEFORE, CLOSES_BEHIND, GARBAGE, MISHAPS };

uint64_t device_draw(const struct world *w, unsigned host, enum operation op, const char *what,
                     uint64_t low, uint64_t high);
unsigned device_mess(const struct world *w, unsigned host); // calls in 1000 that go wrong
enum mishap device_mishap(const struct world *w, unsigned host, enum operation op);
void device_begin_install(struct world *w, unsigned host, const char *call, int job);
void device_write_version(const struct world *w, unsigned host, struct buf *out);
bool device_refuses(const struct world *w, unsigned host); // any connection, now
// False: it is none of a device.
bool device_happen(struct world *w, enum history_event kind, unsigned host);

// --- referee.c

// In hand of the job, which is not held back; or its install may have been sent, and nobody knows
// what came of it.
bool referee_may_be_changing(const struct world *w, unsigned host, unsigned job);
void referee_begin(struct world *w); // of a process: which jobs must be paused
void referee_install(struct world *w, unsigned host, unsigned version, int job);
void referee_login(struct world *w, unsigned host, bool is_alias);
void referee_lost(struct world *w, unsigned host,
                  bool is_alias); // a session in which it was asked, or kept
void referee_contact(struct world *w, const struct talk *talk);
void referee_taken_up(struct world *w, unsigned job, bool is_paused);
void referee_let_go_on(struct world *w, unsigned job, bool goes_on); // a paused one
void referee_event(void *self, const struct event *event);

// --- referee_stops.c

bool referee_may_be_elsewhere(const struct world *w, unsigned host, unsigned job);
bool referee_is_same(const struct world *w, unsigned job); // as when it was asked for
void referee_workers(struct world *w, unsigned job,
                     uint64_t since_ms); // of its own: not more hosts in hand
bool referee_is_over(const struct kept_job *kept, unsigned hosts); // all of them, it is kept
bool referee_is_braked(const struct world *w, unsigned job);       // by what is kept
void referee_submitted(struct world *w, unsigned job, unsigned hosts, const char *refused);
void referee_nothing_to_retry(struct world *w, unsigned job);
void referee_is_to_pause(struct world *w, struct controlling *control);
void referee_control_kept(struct world *w, const struct controlling *control, uint64_t n);
void referee_asks_store(struct world *w, const struct store_event *event);
void referee_check_start(struct world *w, unsigned host, unsigned job);
void referee_check_install(struct world *w, unsigned host, unsigned job);
// The end of the job, as its row tells it.
void referee_check_end(struct world *w, unsigned job, const struct store_job *row);

// --- referee_store.c

struct kept_job *referee_numbered(struct world *w, uint64_t number); // NULL: there is none
void referee_kept(struct world *w, const struct store_batch *batch);
void referee_end(struct world *w); // all is over: what the store says

// --- story.c

// The promises.
extern const char *const last_group,
    *const one_outcome, *const paused_rests, *const stays_stopped, *const in_order,
                                                                       *const comes_to_an_end;

void story_tell(struct world *w, const char *format, ...) __attribute__((format(printf, 2, 3)));
void story_batch(struct world *w, const struct store_batch *batch, const char *how);
// The first promise that is broken ends the history.
void story_broken(struct world *w, const char *promise, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

// What happens in one history, drawn from its seed: a small network, its policy, jobs and what
// stops them, deaths of devices, how each process of the orchestrator ends, and what changes
// meanwhile. What is drawn while it is played (delays, lost answers) hangs on the seed, the device,
// the operation and the attempt alone: where a plan is made smaller, what is left of it stays as it
// was.
#pragma once

#include "common/buf.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    PLAN_HOSTS = 8,
    PLAN_FIRST_JOBS = 4,
    PLAN_JOBS = 6, // with those that try another one again
    PLAN_CONTROLS = 5,
    PLAN_DEATHS = 4,
    PLAN_ENDS = 3,
    PLAN_RULES = 2,
    PLAN_NODES = 4,
    PLAN_FAULTS = 5,
};

struct plan {
    uint64_t seed;
    unsigned hosts;
    uint8_t group[PLAN_RULES][PLAN_HOSTS]; // by rule; 0: none. A selected host is in one at least
    unsigned limit[PLAN_RULES];            // max_unavailable
    unsigned first;                        // a bit each: those that the first rule has go first
    unsigned at_once;                      // of a throttle over all; 0: there is none
    unsigned workers, asks;
    unsigned peer_wait_ms;
    unsigned max_age_ms; // of what is known of peers
    unsigned max_jobs;   // that run; 0: any number
    struct plan_job {
        unsigned at_ms;
        unsigned hosts;   // a bit each
        unsigned version; // 1 or 2
        bool reads;       // the version is nobody's
        bool reads_load;  // get_cpu_ram, not get_version
        // What its request says beside; 0: nothing.
        unsigned workers, canaries; // canaries: a bit each
        enum { ANY_FAILURES, FAILURES_HOSTS, FAILURES_IN_100 } failures_unit;
        unsigned failures; // max_failures
        unsigned host_timeout_ms, job_timeout_ms;
        // A retry has the rest of its request from the job that it tries again, once that is done,
        // and at_ms later.
        bool is_retry;
        unsigned retried; // a job before it
        unsigned states;  // a bit each, by enum host_state
        bool is_absent;
    } jobs[PLAN_JOBS];
    unsigned jobs_count;
    struct plan_control {
        enum plan_control_kind { CONTROL_PAUSE, CONTROL_RESUME, CONTROL_CANCEL } kind;
        unsigned job, at_ms; // since the job was taken
        unsigned for_ms;     // of a pause: then somebody lets all go on that may
        bool is_absent;
    } controls[PLAN_CONTROLS];
    unsigned controls_count;
    struct plan_death {
        unsigned host, from_ms, to_ms; // 0: for good
        bool is_absent;
    } deaths[PLAN_DEATHS];
    unsigned deaths_count;
    struct plan_end { // of the first process, the second, ...
        enum plan_signal { SIGNAL_NONE, SIGNAL_KILL, SIGNAL_TERM } signal, again;
        unsigned installs;    // that have come to devices since it was started, and then
        unsigned after;       // events of the orchestrator
        unsigned again_after; // events since then
        unsigned away_ms;
        int clock_ms; // so much the wall clock goes forward meanwhile beside that, or back
        bool is_absent;
    } ends[PLAN_ENDS];
    unsigned ends_count;
    struct plan_change { // of the inventory
        enum { NO_CHANGE, NEW_ADDRESS, NEW_GROUP } kind;
        unsigned host, at_ms;
        uint8_t group; // of the first rule
    } change;
    bool policy_changes;             // over the first restart: the limit of the first rule
    unsigned policy_ms;              // of nodes: for those that begin from then on
    struct plan_hold {               // the store takes no intent of this job
        unsigned job, at_ms, for_ms; // for_ms 0: there is none
    } hold;
    unsigned mess; // so many calls in 1000 go wrong
    unsigned calm; // not with these hosts, a bit each
    unsigned lost; // so many installs in 100 are answered, and not taken
    unsigned slow; // so many commits in 100 take long, or fail at first
    // Of nodes that share the store. 0: there is one orchestrator, and none of this.
    unsigned nodes;
    unsigned pace;   // so many times as slow devices and clients are; 0: as they are
    unsigned shards; // of so many; 0: of all
    unsigned breaks; // so many installs in 100 are sent after the process stood still
    unsigned begins_ms[PLAN_NODES];
    struct plan_fault {
        enum plan_fault_kind {
            FAULT_KILL,
            FAULT_TERM,
            FAULT_STOP,  // SIGSTOP
            FAULT_CUT,   // off from the store
            FAULT_APART, // cut off from the devices
            FAULT_STORE, // of all nodes; then it is another one, with what it has kept
        } kind;
        unsigned node, at_ms, for_ms;
        bool is_at_install; // at its first behind that time, and then; of a stop at its intent
        unsigned after;     // events of the node
        bool is_again;      // SIGTERM twice
        bool is_absent;
    } faults[PLAN_FAULTS];
    unsigned faults_count;
};

void plan_draw(struct plan *plan, uint64_t seed);
void plan_draw_nodes(struct plan *plan, uint64_t seed); // with nodes
// The next smaller plan; at is where the last one was, and goes on from 0. False: there is none
// that is smaller.
bool plan_shrink(const struct plan *plan, unsigned *at, struct plan *smaller);
void plan_write(const struct plan *plan, struct buf *out); // for people

// Which inventory and which policy: those of the beginning, or changed ones. A bit each.
enum { VIEW_INVENTORY = 1, VIEW_POLICY = 2, VIEWS = 4 };

bool plan_has_login(const struct plan *plan, unsigned host); // a password of its own
bool plan_has_rule(const struct plan *plan, unsigned rule);  // one that applies to nobody is none
unsigned plan_group(const struct plan *plan, unsigned view, unsigned rule,
                    unsigned host);                                         // 0: none
bool plan_has_moved(const struct plan *plan, unsigned view, unsigned host); // to another address
unsigned plan_first(const struct plan *plan); // plan.first, where it is anybody of the first rule's
unsigned plan_limit(const struct plan *plan, unsigned view, unsigned rule);
// The one of these hosts that has this place among them.
unsigned plan_host_at(unsigned hosts, unsigned place);
// The first of those that the job tries again; itself, if it is no retry.
const struct plan_job *plan_root(const struct plan *plan, unsigned job);
// Hosts tied to one another by groups and throttles: those of the host's component, a bit each.
unsigned plan_component(const struct plan *plan, unsigned view, unsigned host);
// Whether a job of these hosts, which has seen one view, is the same in the other. One that reads
// sees no groups.
bool plan_is_same(const struct plan *plan, unsigned view, unsigned other, unsigned hosts,
                  bool reads);
// Whether these canaries would go before hosts that the first rule has go first.
bool plan_is_opposite(const struct plan *plan, unsigned view, unsigned hosts, unsigned canaries);
// Whether two jobs see alike what they share.
bool plan_agree(const struct plan *plan, unsigned view, unsigned hosts, unsigned other_view,
                unsigned other_hosts);

// --- plan_nodes.c, for the files of the plan

uint16_t plan_shard(const struct plan *plan, uint16_t shard, unsigned shards); // in its place
void plan_write_nodes(const struct plan *plan, struct buf *out);
bool plan_shrink_nodes(struct plan *plan, unsigned at);
enum { PLAN_NODES_STEPS = PLAN_FAULTS + PLAN_NODES + 2 };

// Which host is worked on next. Pure: no clock, no socket; the same schedule runs live, on a
// virtual clock and under property tests (spec/architecture.md, "Scheduling").
//
// What it promises, over all jobs at once:
// - at most `workers` hosts are in hand, and of a job as many as schedule_limit() says;
// - of no constraint more hosts are in hand than its limit, whichever jobs want them; where jobs
//   bring different limits for one, the least holds. A host has a place in all of its constraints,
//   or in none. Jobs that wait for a constraint take turns, host by host, in order of arrival, and
//   hold no worker while they wait;
// - hosts in doubt alone are in hand whatever these limits say; while they are too many, no other
//   host is handed out;
// - no host is handed out while one of its constraints is held from outside (schedule_hold);
// - within a group and job, those that go first, then inventory order; one that another of its
//   groups holds back is overtaken by the next that can go, but the others of the group wait until
//   all that go first have begun;
// - between groups of a job, the one with the most time left goes first: the rounds that its hosts
//   need, times its weight (that of the largest, where a host has several; inventory order breaks
//   ties); between jobs, the oldest that has a host that may go;
// - of the hosts that were so overtaken, the one that has waited longest has what comes free in its
//   constraints kept for it, until it goes; not while one of them is held from outside;
// - as many failures as its limit stop a redundancy group in the job: what is left of it is
//   skipped, nothing else is. A throttle only counts;
// - a job that is paused hands out no host and takes no turns; what it has in hand keeps its
//   places, and beyond that it holds up nobody;
// - when it says that no host may start, none could without breaking one of these rules;
// - every host of a job is done once or skipped once, unless the job is abandoned; one that is put
//   back is as if not begun.
//
// The life of a host:
//
//   schedule_next -> claiming -> schedule_claimed -> in hand -> schedule_done
//                       \-------- schedule_put_back --------/-> pending again
//
// One in doubt, of a job that had begun before, is in hand from the start:
//
//   schedule_add_resumed -> schedule_next_in_doubt -> schedule_done or schedule_put_back
#pragma once

#include "orchestrator/group.h"
#include "orchestrator/past.h"

#include <limits.h>
#include <stdbool.h>

struct schedule;
struct schedule_job;

struct schedule_work { // a host in hand, or being claimed
    struct schedule_job *job;
    void *owner;                 // as given to schedule_add
    struct lane *lane;           // the schedule's own
    uint32_t host;               // index into the inventory
    const struct cohort *cohort; // of the job's grouping
    const char *group; // key of its smallest redundancy group; it lives as long as the schedule
    bool is_claimed;   // the schedule's own; of one in doubt from the start
    bool rests;        // the schedule's own
};

enum { SCHEDULE_NO_HOST = UINT32_MAX };

// Told of every host that is skipped: cause is the host whose failure stopped the group, or
// SCHEDULE_NO_HOST where the job was cancelled or the schedule drains. It must not call the
// schedule.
typedef void (*schedule_skip)(void *owner, uint32_t host, uint32_t cause);

struct schedule *schedule_new(unsigned workers, schedule_skip skip);
void schedule_free(struct schedule *s); // no job may be left

// grouping is borrowed until the job is removed. A job without hosts is finished at once.
struct schedule_job *schedule_add(struct schedule *s, const struct grouping *grouping, void *owner);
// A job that had begun before: past tells of each host what has become of it, and must not call the
// schedule. Those that are over are done; those in doubt are in hand from now on. What is left of a
// group with as many failures as its limit is skipped from within, because of the last of its hosts
// that failed. Nothing is handed out from within: a job that is to start paused is paused right
// after.
struct schedule_job *schedule_add_resumed(struct schedule *s, const struct grouping *grouping,
                                          void *owner, past_of past, void *arg);
bool schedule_finished(const struct schedule_job *job);             // every host done or skipped
void schedule_remove(struct schedule *s, struct schedule_job *job); // finished ones only
// The job is no more, though hosts of it have not begun: nobody is told of them, for somebody else
// takes them up. Nothing of it may be in hand, but for hosts in doubt that were not handed to the
// driver; and these only after schedule_halt(), for their places are given back.
void schedule_abandon(struct schedule *s, struct schedule_job *job);

// Of a job whose hosts several processes share out among them, so many cohorts come to this one, or
// leave it: with each all that share a constraint with it, also by way of others. What another
// process has is over as far as this one is concerned: past has said so of all hosts of those that
// come, or they have left. Now past says what has become of each of them, and those in doubt are in
// hand. Of those that leave nothing may be in hand; nobody is told of what has not begun.
void schedule_take_on(struct schedule *s, struct schedule_job *job, const uint32_t *cohorts,
                      size_t count, past_of past, void *arg);
void schedule_give_up(struct schedule *s, struct schedule_job *job, const uint32_t *cohorts,
                      size_t count);

// The next host to start, which is then being claimed: it has its places and a worker until it is
// put back or done. False: nothing may start now.
bool schedule_next(struct schedule *s, struct schedule_work *work);
// The same for one host of the cohort, if it may go now and is next there, whichever might go
// before it. Where one that was put back goes before it in a group, that one is started.
bool schedule_next_in(struct schedule *s, struct schedule_job *job, uint32_t cohort, uint32_t host,
                      struct schedule_work *work);
void schedule_claimed(struct schedule *s, struct schedule_work *work); // it is in hand
// The next of the job's hosts in doubt, each once, and claimed already; whether the job is paused,
// cancelled, or hosts are handed out at all. False: there is none.
bool schedule_next_in_doubt(struct schedule *s, struct schedule_job *job,
                            struct schedule_work *work);
// The claim was refused, or the device could not be worked on now: the host is pending again, in
// its place among its job's, and other jobs that wait for its constraints have their turn before
// it. Where the job was cancelled meanwhile, or a group of it stopped, the host is skipped.
void schedule_put_back(struct schedule *s, const struct schedule_work *work);
void schedule_done(struct schedule *s, const struct schedule_work *work, bool failed);
// Nothing is done to the host for now, for its job is paused, but what has become of it is not
// settled: it keeps its places and gives its worker back, until it is done or put back. Nothing is
// kept for a host that would wait for it.
void schedule_rest(struct schedule *s, struct schedule_work *work);

// A constraint is held from outside, by as many as say so: none of its hosts is handed out until
// each has released it. What is in hand stays so. key as of struct constraint.
void schedule_hold(struct schedule *s, const char *key);
void schedule_release(struct schedule *s, const char *key);

// Skips what has not begun of the job, paused or not; what is in hand comes to its end, and is
// skipped where it is put back.
void schedule_cancel(struct schedule *s, struct schedule_job *job);
// The same, so many hosts at a time: from schedule_stop() on none is handed out, and those that
// have not begun are skipped by schedule_skip_some(). True: some are left.
void schedule_stop(struct schedule *s, struct schedule_job *job);
bool schedule_skip_some(struct schedule *s, struct schedule_job *job, size_t count);
// The job has so many hosts in hand at most, those in doubt aside; at first there is no limit of
// its own. Where others want what it could start but for that, it keeps its turn.
enum { SCHEDULE_NO_LIMIT = INT_MAX };
void schedule_limit(struct schedule *s, struct schedule_job *job, unsigned workers);
// Cancels all jobs, those to come too.
void schedule_drain(struct schedule *s);

// No host of the job is handed out until schedule_unpause(): then it comes to the end of the queues
// of its constraints, as if it had just arrived. What is in hand comes to its end, and is pending
// where it is put back. A group of it may still stop, and skip its rest. Both may be said again.
void schedule_pause(struct schedule *s, struct schedule_job *job);
void schedule_unpause(struct schedule *s, struct schedule_job *job);

// No host is handed out any more, of no job, those to come too; nothing is skipped for that. What
// is in hand comes to its end, then jobs that are not finished can be abandoned.
void schedule_halt(struct schedule *s);

// Being claimed, and in doubt, too; without those that rest.
unsigned schedule_in_hand(const struct schedule *s);
// Of redundancy, with hosts not begun; those of paused jobs, too.
size_t schedule_groups_pending(const struct schedule *s);
// Of redundancy, that failures have stopped in a job, ever. Those of a job that had begun before,
// and were stopped then, are not counted.
uint64_t schedule_groups_stopped(const struct schedule *s);

// The host for which what comes free is kept, and its job's owner. False: there is none.
bool schedule_reserver(const struct schedule *s, void **owner, uint32_t *host);

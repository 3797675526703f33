// Several nodes share the jobs of one store. Each has the whole of every job, kept up to date by
// the events that all of them keep, and works on the hosts of the shards that it holds (shards.h).
// What a job's own changes are is read from the store by all nodes, the one that made them too.
// Pure.
//
// One node leads: the holder of the first shard. It says which jobs run, and when one is done. Any
// may pause, cancel or resume a job, and stops one whose brake has tripped: of several that say
// different things at the same time the store lets one through.
//
//   take on   shards are this node's from now on, and the jobs as the store has them: hosts that
//             another node had in hand are in doubt, or wait again
//   give up   shards of which nothing is in hand are anybody's
//   lose      the lease is over: all connections end at once, and nothing begins
#pragma once

#include "orchestrator/gate.h"

// A job of config.jobs, as the store has it, and this node has not known it. why: it is not the
// same in this node's inventory, or by its policy, and so is to be paused; NULL: it is.
void gate_join(struct gate *g, struct job *job, const char *why);

// What shell.look_up() asked for: the job is the same in this node's inventory by now, or not
// (why). The credentials of hosts in doubt are known, as far as that has them. True: the job, which
// was to go on, is paused for that.
bool gate_looked_up(struct gate *g, struct job *job, const char *why);

// In place of gate_unpause(): a paused job is to go on, and does when that is heard. False: it is
// not paused. kept as with gate_pause().
bool gate_ask_to_go_on(struct gate *g, struct job *job, gate_kept kept, void *arg);

// An event that is kept, in the order of its job's; of a host's those that other nodes have kept.
// The job may be no more then.
void gate_heard(struct gate *g, struct job *job, const struct store_event *event);

// Lets go of the sessions of this node that a job before has in another shard, and whose hosts are
// in doubt in marked ones. True: there is none, and the marked shards may be taken on.
bool gate_make_way(struct gate *g, const bool *shards);

// Marked shards, whose epochs are in config.held, or are not any more. All that was kept of their
// hosts has been heard. What is known of devices is forgotten where shards are taken on: every
// member of a group is asked before its first install.
void gate_take_on(struct gate *g, const bool *shards);
void gate_give_up(struct gate *g, const bool *shards);
// Marks shards of which hosts are in hand, and those where devices have a contact, of these or of
// an ask; lets go of sessions that are kept.
void gate_mark_in_hand(const struct gate *g, bool *shards);
void gate_mark_contacts(const struct gate *g, bool *shards);
void gate_let_go_in(struct gate *g, const bool *shards);

// Nothing begins until gate_take_on(). Hosts stay in hand until the store has answered what it was
// asked; when none is, nor rests in a paused job, what was held is given up.
void gate_lose(struct gate *g);
bool gate_has_hosts(const struct gate *g); // in hand, or at rest
// All that is kept of the job is heard anew.
void gate_rewind(struct gate *g, struct job *job);

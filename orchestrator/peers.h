// Who is known to be up, and who must be asked: before an install is sent, enough of every
// redundancy group of the device must be up (spec/architecture.md, "Peers"). Pure: times are
// arguments, in milliseconds of a clock that also runs while the machine sleeps; what is to be done
// comes out of peers_next(). The same code runs live, on a virtual clock and under property tests.
//
// What it promises: when it says PEERS_GRANT, of each redundancy group of the turn's device no more
// members are not up than max_unavailable allows, the device itself included. Not up are those in
// hand, over all jobs, and those that were asked in this turn and did not answer as they should.
// All others have answered, no longer ago than max_age_ms.
//
// A device has one connection at most: whoever has the turn takes it over from whoever asks.
#pragma once

#include "orchestrator/devices.h"
#include "orchestrator/group.h"
#include "orchestrator/peers_config.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    PEERS_RETRY_MS = 1000, // between two asks of a turn that waits for peers to come up
    PEERS_ROUNDS_MAX = 3,  // of asks that were too old before the last was answered
};

// Another device that a turn depends on.
struct member {
    struct device *device;
    uint32_t host;   // in the turn's inventory
    uint32_t cohort; // in its grouping; of a host that is not selected none
    struct turn *turn;
    struct member *next; // of those that wait for the device's answer
    bool waits;
};

// A host in hand, and those that it depends on.
struct turn {
    void *owner; // the driver's
    struct device *device;
    struct turn_group *groups;
    struct member *members; // of all groups; a device may stand in several
    size_t groups_count;
    uint64_t number; // in the order in which they began
    struct turn *older, *younger;
    size_t awaited;     // answers of members
    unsigned rounds;    // of answers that were too old when the last came, none older waiting
    uint64_t since_ms;  // what was found out before does not skip the host
    uint64_t wanted_ms; // since when it wants to install; 0: it does not
    uint64_t retry_ms;  // 0: it waits for no time to come
    struct turn *next;  // in the list of those to be decided, or of those that retry
    bool is_listed;
    bool rests;
};

struct peers;

struct peers *peers_new(const struct peers_config *config);
void peers_free(struct peers *p); // no turn may be left; takes NULL

// Why a turn cannot begin now, or must end: the group is to be held (schedule_hold) and the host
// put back; when the holder is in nobody's hand any more, peers_end() tells the key.
struct peers_hold {
    struct device *holder;
    const char *key; // the holder's own, until it is told
};

// The host comes in hand. fallback is the key of a group of it, for where its device is in the hand
// of another job. NULL: it cannot now, hold says why and is noted at the holder. The driver then
// takes over the device's contact, where there is one; where its session is leaving, it waits for
// the end. grouping and inventory must live as long as the turn.
struct turn *peers_begin(struct peers *p, const struct inventory *inventory,
                         const struct grouping *grouping, const struct cohort *cohort,
                         uint32_t host, const char *fallback, void *owner, uint64_t now_ms,
                         struct peers_hold *hold);

// The host is in doubt, and comes in hand whoever is: that its device may be changing is so,
// whether its peers may spare it or not. Nobody is asked for it, as it never wants to install in
// this turn. A contact that its device has is of no use, for it is to be asked anew: the driver
// ends it, or, where the session is leaving, waits for the end. NULL: another job has the device in
// hand; so the driver begins hosts in doubt before all others, and of two jobs that have the same
// one in doubt the later when that turn is over.
struct turn *peers_begin_in_doubt(struct peers *p, const struct inventory *inventory,
                                  const struct grouping *grouping, const struct cohort *cohort,
                                  uint32_t host, void *owner, uint64_t now_ms);

// Nobody knows when the host comes out of hand: whoever can wait for another one does.
void peers_rest(struct turn *turn);

// The host wants to install: PEERS_GRANT, PEERS_SKIP or PEERS_BACK is due for it.
void peers_want(struct peers *p, struct turn *turn, uint64_t now_ms);
// Of such a turn the name of a peer that is not known to be up, the first; NULL: there is none.
const char *peers_awaited(const struct peers *p, const struct turn *turn, uint64_t now_ms);
// It wants to no more: its connection was lost, and is opened anew.
void peers_want_not(struct peers *p, struct turn *turn);
// Whether a grant holds still, now that the install's bytes are to be sent.
bool peers_hold_still(const struct peers *p, const struct turn *turn, uint64_t now_ms);

// Of all its groups, inventory order within each cohort.
const struct member *turn_members(const struct turn *turn, size_t *count);

enum turn_end {
    TURN_VERIFIED, // its last get_version is evidence, of verified_ms
    TURN_FAILED,   // why is borrowed
    TURN_LEFT,     // nothing was found out: put back, skipped, or not reached
};
// The host is in hand no more; told of each group that waited for its device.
void peers_end(struct peers *p, struct turn *turn, enum turn_end end, uint64_t verified_ms,
               const char *why, uint64_t now_ms, void (*released)(void *arg, const char *key),
               void *arg);

// --- asks

// Whether the session is to be kept, if all goes well; one that is not logs out at once, and cannot
// be taken over. Due for each PEERS_ASK.
void peers_asking(struct peers *p, struct device *device, bool is_to_stay);
// The device that is asked has answered as it should (why NULL), or not.
void peers_answered(struct peers *p, struct device *device, const char *why, uint64_t now_ms);
// Its session stays, for the turn of a member that waited for the answer; run is the driver's.
void peers_kept(struct peers *p, struct device *device, void *run, const struct member *as);
void peers_leaving(struct peers *p, struct device *device); // its session does not
// Its contact is over, whichever way: where a session that was kept is lost, nothing is known of
// the device any more.
void peers_gone(struct peers *p, struct device *device, uint64_t now_ms);
// What is kept, of the device or of all for good, is to be let go. In the latter case no turn waits
// for peers to come up any more, either.
void peers_keep_not(struct peers *p, struct device *device);
void peers_keep_none(struct peers *p);
void peers_keep_none_of(struct peers *p, const void *run); // as given to peers_kept()

// Marks where devices have contacts; lets go of sessions that are kept there.
void peers_mark_contacts(const struct peers *p, bool *shards);
void peers_keep_none_in(struct peers *p, const bool *shards);
// Nothing is known of any device any more, but which are in hand: others may have worked on them.
void peers_distrust(struct peers *p);
// All contacts are over, of asks and of turns; none of these may begin another.
void peers_lose_contacts(struct peers *p);

// Whether asks and kept sessions are nearly as many as may be: then hosts whose session is kept are
// to go before others, or they would have to make room for new asks. At other times the order of
// the schedule is the better one.
bool peers_are_pressed(const struct peers *p);
// A device whose session is kept and of whose group a host has come out of hand, each once for
// that; NULL: there is none.
struct device *peers_next_kept(struct peers *p);

// --- what is to be done

enum peers_deed_kind {
    PEERS_ASK,    // device, for those in its waiting
    PEERS_LET_GO, // device, whose session is kept: it is leaving now
    PEERS_GRANT,  // turn may install
    PEERS_SKIP,   // turn's host is skipped: text
    PEERS_BACK,   // turn's host is put back: hold
};

struct peers_deed {
    enum peers_deed_kind kind;
    struct turn *turn;
    struct device *device;
    const char *text; // lives until the next call
    struct peers_hold hold;
};

// The next; false: there is none now.
bool peers_next(struct peers *p, uint64_t now_ms, struct peers_deed *deed);
uint64_t
peers_due_ms(const struct peers *p); // when there may be one again, if nothing else happens

// The device, where something is known of it; NULL: nothing is.
struct device *peers_find(const struct peers *p, const struct host *host);

// What is known of a device, for people to read. Strings live until the next change.
enum peers_knowledge { PEERS_NOT_KNOWN, PEERS_UP, PEERS_DOWN, PEERS_IN_HAND };
struct peers_known {
    enum peers_knowledge is;
    uint64_t ms;         // of PEERS_UP and PEERS_DOWN: how long ago it was found so
    const char *why;     // of PEERS_DOWN; NULL: there is no more to say
    const char *version; // that it last said it runs; NULL: not known
};
struct peers_known peers_known(const struct peers *p, const struct host *host, uint64_t now_ms);

bool peers_is_up(const struct peers *p, const struct device *device, uint64_t now_ms);

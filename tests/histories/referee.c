// The promises, kept against what really is: when an install arrives, and when something is told.
// Groups, limits and who sees what come from the plan alone.
#include "tests/histories/world_internal.h"

#include <string.h>

enum { RESUME_WITHIN = 10 * 60 * 1000 };

static bool is_selected(const struct world *w, unsigned job, unsigned host) {
    return (w->jobs[job].hosts >> host & 1) != 0;
}

static bool share_group(const struct world *w, unsigned view, unsigned rule, unsigned a,
                        unsigned b) {
    return plan_group(w->plan, view, rule, a) != 0 &&
           plan_group(w->plan, view, rule, a) == plan_group(w->plan, view, rule, b);
}

// --- never the last of a group

// Who changes it does so wherever it is; who reads has what is at the address that he sees.
static bool is_in_hand(const struct world *w, unsigned host, unsigned view, bool to_read) {
    for (unsigned i = 0; i < PLAN_JOBS; i++) {
        if (w->devices[host].hand[i] == NOT_IN_HAND) continue;
        if (!to_read && !w->jobs[i].asked->reads) return true;
        if (plan_has_moved(w->plan, view, host) == plan_has_moved(w->plan, w->jobs[i].view, host))
            return true;
    }
    return false;
}

// Whoever reads has no part in that.
static bool has_in_hand(const struct world *w, unsigned host, unsigned job) {
    return w->devices[host].hand[job] != NOT_IN_HAND && !w->jobs[job].asked->reads;
}

static bool is_being_changed(const struct world *w, unsigned host) {
    for (unsigned i = 0; i < w->plan->jobs_count; i++)
        if (has_in_hand(w, host, i)) return true;
    return false;
}

// Whether some job's install of it may have been sent, and nobody knows what came of it.
static bool is_open_of(const struct world *w, unsigned host, unsigned job) {
    return w->jobs[job].number != 0 && w->jobs[job].last[host] == STORE_INTENT &&
           !w->jobs[job].is_back[host];
}

static bool is_open(const struct world *w, unsigned host) {
    for (unsigned i = 0; i < PLAN_JOBS; i++)
        if (is_open_of(w, host, i)) return true;
    return false;
}

// What any node knew of it is old.
static void void_evidence(struct world *w, unsigned host, unsigned job) {
    const bool is_alias = plan_has_moved(w->plan, w->jobs[job].view, host);
    for (unsigned i = 0; i < PLAN_NODES; i++)
        w->devices[host].answered_ms[i][is_alias] = 0;
}

// One that stood still with the bytes of an install in its hand has begun others in the same turn.
static bool has_begun_since(const struct world *w, unsigned host, unsigned job) {
    return w->at->late_ms > 0 && w->devices[host].hand_of[job] == w->at->which &&
           w->jobs[job].started_ms[host] >= w->at->still_ms;
}

static bool is_taken(const struct world *w, unsigned host, unsigned view) {
    for (unsigned i = 0; i < PLAN_JOBS; i++) {
        if (w->devices[host].hand[i] == NOT_IN_HAND || has_begun_since(w, host, i)) continue;
        if (w->plan->nodes > 0 && referee_nodes_may_linger(w, host, (int)i)) continue;
        if (!w->jobs[i].asked->reads ||
            plan_has_moved(w->plan, view, host) == plan_has_moved(w->plan, w->jobs[i].view, host))
            return true;
    }
    return false;
}

// What can be known: a device that has gone down just after it answered cannot.
static bool counts_as_up(const struct world *w, unsigned view, unsigned host) {
    const struct truth *device = &w->devices[host];
    const uint64_t answered_ms =
        device->answered_ms[w->at->which][plan_has_moved(w->plan, view, host)];
    return device->installing == NOBODY && answered_ms != 0 &&
           w->now_ms - answered_ms <= world_paced(w, w->plan->max_age_ms) + w->at->late_ms &&
           !is_taken(w, host, view) && !is_open(w, host);
}

static void check_groups(struct world *w, unsigned host, unsigned job) {
    const unsigned view = w->jobs[job].view;
    for (unsigned r = 0; r < PLAN_RULES; r++) {
        unsigned lost = 1;
        for (unsigned h = 0; h < w->plan->hosts; h++)
            lost += h != host && share_group(w, view, r, h, host) && !counts_as_up(w, view, h);
        if (plan_group(w->plan, view, r, host) != 0 && lost > plan_limit(w->plan, view, r))
            story_broken(
                w, last_group,
                "an install of h%u begins, by job %u, and with it %u of group %c%u are not "
                "known to be up",
                host, job, lost, "ab"[r], plan_group(w->plan, view, r, host));
    }
}

bool referee_may_be_changing(const struct world *w, unsigned host, unsigned job) {
    const struct kept_job *kept = &w->jobs[job];
    const bool may_get_intent = kept->state == JOB_RUNNING && has_in_hand(w, host, job);
    return kept->result[host] == HOST_WAITING && (may_get_intent || is_open_of(w, host, job));
}

static void check_throttle(struct world *w, unsigned host) {
    unsigned in_hand = 0;
    for (unsigned h = 0; h < w->plan->hosts; h++)
        in_hand += is_being_changed(w, h);
    if (w->plan->at_once != 0 && in_hand > w->plan->at_once)
        story_broken(w, in_order, "an install of h%u, while %u of the throttle are in hand", host,
                     in_hand);
}

// --- installs

static void check_intent(struct world *w, unsigned host, unsigned job) {
    const struct kept_job *kept = &w->jobs[job];
    if (kept->last[host] != STORE_INTENT || kept->attempt[host] < w->devices[host].sent[job])
        story_broken(w, one_outcome,
                     "an install of h%u by job %u, and the store has no intent of it", host, job);
    if (w->plan->nodes > 0) {
        referee_nodes_install(w, host, job);
        return;
    }
    if (kept->rests)
        story_broken(w, paused_rests, "an install of h%u by job %u, which is paused", host, job);
    referee_check_install(w, host, job);
}

void referee_install(struct world *w, unsigned host, unsigned version, int job) {
    struct truth *device = &w->devices[host];
    story_tell(w, "    h%u: the install of %s arrives", host, versions[version]);
    if (job == NOBODY || version != w->jobs[job].asked->version || w->jobs[job].asked->reads ||
        !is_selected(w, (unsigned)job, host)) {
        story_broken(w, one_outcome, "an install of h%u that no job wants", host);
        return;
    }
    check_groups(w, host, (unsigned)job);
    check_throttle(w, host);
    if (device->installing != NOBODY)
        story_broken(w, one_outcome, "h%u is sent an install while it installs", host);
    if (device->version == version)
        story_broken(w, one_outcome, "h%u is sent an install of what it runs", host);
    if (++device->sent[job] > 2)
        story_broken(w, one_outcome, "a third install of h%u by job %d", host, job);
    if (!device->asked_since_install)
        story_broken(w, one_outcome, "a second install of h%u, which was not asked since the first",
                     host);
    check_intent(w, host, (unsigned)job);
    device->asked_since_install = false;
    void_evidence(w, host, (unsigned)job);
}

// --- connections

// One that has changed its shard may have another node's last one still: referee_nodes.c.
void referee_login(struct world *w, unsigned host, bool is_alias) {
    if (++w->devices[host].logins[is_alias] > 1 && w->shards[0][host] == w->shards[1][host])
        story_broken(w, in_order, "two sessions on h%u", host);
}

void referee_lost(struct world *w, unsigned host, bool is_alias) {
    w->devices[host].answered_ms[w->at->which][is_alias] = 0;
}

void referee_contact(struct world *w, const struct talk *talk) {
    unsigned asks = talk->job == NOBODY;
    if (w->plan->nodes > 0) referee_nodes_contact(w, talk);
    for (const struct talk *other = w->at->talks; other != NULL; other = other->next) {
        asks += other->job == NOBODY;
        if (other->host == talk->host && other->is_alias == talk->is_alias)
            story_broken(w, in_order, "a second connection to h%u", talk->host);
    }
    if (asks > w->plan->asks)
        story_broken(w, in_order, "%u asks and kept sessions at a time", asks);
}

// --- who may start

static unsigned workers_busy(const struct world *w) {
    unsigned busy = 0;
    for (unsigned h = 0; h < w->plan->hosts; h++)
        for (unsigned i = 0; i < PLAN_JOBS; i++)
            busy += w->devices[h].hand[i] == IN_HAND;
    return busy;
}

static void check_first(struct world *w, unsigned host, unsigned job) {
    const unsigned view = w->jobs[job].view;
    const unsigned first = plan_first(w->plan);
    if ((first >> host & 1) != 0) return;
    for (unsigned h = 0; h < w->plan->hosts; h++)
        if ((first >> h & 1) != 0 && is_selected(w, job, h) && share_group(w, view, 0, h, host) &&
            !w->jobs[job].has_started[h] && w->jobs[job].told[h] == HOST_WAITING &&
            w->jobs[job].result[h] == HOST_WAITING)
            story_broken(w, in_order, "job %u begins h%u before h%u, which goes first", job, host,
                         h);
}

static void check_stopped(struct world *w, unsigned host, unsigned job) {
    const unsigned view = w->jobs[job].view;
    for (unsigned r = 0; r < PLAN_RULES; r++) {
        const unsigned group = plan_group(w->plan, view, r, host);
        if (group != 0 && w->jobs[job].failures[r][group] >= plan_limit(w->plan, view, r))
            story_broken(w, last_group, "job %u begins h%u, and %u of its group %c%u have failed",
                         job, host, w->jobs[job].failures[r][group], "ab"[r], group);
    }
}

// Jobs that were open at the same time may be seen differently after a restart, where only one of
// them has changed, and is paused for that, or cancelled since. The one before it waits for it no
// more than it did: the groups of what is in doubt are held, and the groups of the one that has not
// changed have the same members still.
static bool is_in_the_way(const struct world *w, unsigned other, unsigned job) {
    const struct kept_job *o = &w->jobs[other];
    const bool may_be_in_doubt = (o->rests || o->is_stopping) && o->number > w->jobs[job].number;
    for (unsigned h = 0; h < w->plan->hosts; h++)
        if (w->devices[h].hand[other] == IN_HAND ||
            (w->devices[h].hand[other] == IN_DOUBT && !may_be_in_doubt))
            return true;
    return false;
}

static void check_others(struct world *w, unsigned job) {
    const struct plan *p = w->plan;
    for (unsigned i = 0; i < p->jobs_count; i++)
        if (i != job && !w->jobs[i].asked->reads && is_in_the_way(w, i, job) &&
            !plan_agree(p, w->jobs[i].view, w->jobs[i].hosts, w->jobs[job].view,
                        w->jobs[job].hosts))
            story_broken(w, last_group,
                         "jobs %u and %u run at the same time, and see what they share differently",
                         i, job);
}

static void note_start(struct world *w, unsigned host, unsigned job) {
    if (w->at->is_ending)
        story_broken(w, in_order, "job %u begins h%u while the service ends", job, host);
    if (w->jobs[job].rests)
        story_broken(w, paused_rests, "job %u begins h%u, and is paused", job, host);
    if (is_in_hand(w, host, w->jobs[job].view, w->jobs[job].asked->reads))
        story_broken(w, in_order, "h%u is in two hands", host);
    if (!w->jobs[job].asked->reads) { // which has no groups, and is in nobody's way
        check_others(w, job);
        check_first(w, host, job);
        check_stopped(w, host, job);
    }
    w->devices[host].hand[job] = IN_HAND;
    w->jobs[job].started_ms[host] = w->now_ms;
    referee_check_start(w, host, job);
    w->jobs[job].is_back[host] = false;
    w->jobs[job].has_started[host] = true;
    if (workers_busy(w) > w->plan->workers)
        story_broken(w, in_order, "%u hosts in hand of %u workers", workers_busy(w),
                     w->plan->workers);
}

// --- one true outcome

static bool is_mortal(const struct world *w, unsigned host) {
    for (unsigned i = 0; i < w->plan->deaths_count; i++)
        if (!w->plan->deaths[i].is_absent && w->plan->deaths[i].host == host) return true;
    return false;
}

// Who reads may find a device that is changed at another address.
bool referee_may_be_elsewhere(const struct world *w, unsigned host, unsigned job) {
    const struct plan_change *change = &w->plan->change;
    return w->jobs[job].asked->reads && change->kind == NEW_ADDRESS && change->host == host;
}

static bool is_timed_out(const struct world *w, unsigned host, unsigned job) {
    const struct kept_job *kept = &w->jobs[job];
    return kept->asked->host_timeout_ms > 0 &&
           w->now_ms - kept->started_ms[host] >= kept->asked->host_timeout_ms;
}

// Nothing is wrong with it, then nothing can go wrong; but what was in doubt twice is not tried
// again, nor what was in doubt once, of a job that is stopped.
static bool is_sound(const struct world *w, unsigned host, unsigned job) {
    return device_mess(w, host) == 0 && w->plan->lost == 0 && !is_mortal(w, host) &&
           !is_timed_out(w, host, job) && !referee_may_be_elsewhere(w, host, job) &&
           w->jobs[job].doubts[host] < (w->jobs[job].is_stopping ? 1 : 2);
}

// Where commits are slow, answers may be too old again and again.
static bool are_all_sound(const struct world *w, unsigned job) {
    if (w->plan->slow > 0 || w->jobs[job].is_stopping) return false;
    for (unsigned h = 0; h < w->plan->hosts; h++)
        if (!is_sound(w, h, job)) return false;
    return true;
}

static void check_reading(struct world *w, unsigned host, unsigned job, enum host_state result,
                          const char *text) {
    static const char *const loads[VERSIONS] = {"\"ram_used\":0", "\"ram_used\":1",
                                                "\"ram_used\":2"}; // as devices in talk.c tell it
    const unsigned version = w->devices[host].version;
    const char *told = w->jobs[job].asked->reads_load ? loads[version] : versions[version];
    if (result == HOST_CHANGED)
        story_broken(w, one_outcome, "job %u reads, and has changed h%u, it says", job, host);
    if (result == HOST_UNCHANGED && !referee_may_be_elsewhere(w, host, job) &&
        strstr(text, told) == NULL)
        story_broken(w, one_outcome, "job %u has read of h%u, which runs %s: %s", job, host,
                     versions[version], text);
}

static void check_result(struct world *w, unsigned host, unsigned job, enum host_state result) {
    const struct truth *device = &w->devices[host];
    const bool is_done = result == HOST_CHANGED || result == HOST_UNCHANGED;
    const bool reads = w->jobs[job].asked->reads;
    if (is_done && !reads && device->version != w->jobs[job].asked->version)
        story_broken(w, one_outcome, "job %u says %s of h%u, which runs %s", job,
                     host_state_names[result], host, versions[device->version]);
    if (is_done && !reads && device->installing != NOBODY)
        story_broken(w, one_outcome, "job %u says %s of h%u, which installs", job,
                     host_state_names[result], host);
    if (result == HOST_UNCHANGED && device->done[job] > 0)
        story_broken(w, one_outcome, "job %u has not changed h%u, it says, and has", job, host);
    if (result == HOST_CHANGED && device->sent[job] == 0)
        story_broken(w, one_outcome, "job %u has changed h%u, it says, and sent nothing", job,
                     host);
    if (result == HOST_SKIPPED && device->done[job] > 0)
        story_broken(w, one_outcome, "job %u has skipped h%u, it says, and has changed it", job,
                     host);
    if (result == HOST_FAILED && is_sound(w, host, job))
        story_broken(w, one_outcome, "job %u says failed of h%u, which nothing has happened to",
                     job, host);
    if (result == HOST_SKIPPED && !w->jobs[job].has_failure && are_all_sound(w, job))
        story_broken(w, one_outcome, "job %u has skipped h%u, and nothing has happened", job, host);
}

static void note_failure(struct world *w, unsigned host, unsigned job) {
    struct kept_job *kept = &w->jobs[job];
    kept->has_failure = true;
    void_evidence(w, host, job);
    for (unsigned r = 0; r < PLAN_RULES; r++)
        kept->failures[r][plan_group(w->plan, kept->view, r, host)]++;
}

// One that was skipped before it began is kept behind; it is told again, where that was lost.
static void note_result(struct world *w, unsigned host, unsigned job, const struct event *e) {
    const enum host_state result = e->result;
    const bool is_awaited = result != HOST_SKIPPED || e->started;
    struct kept_job *kept = &w->jobs[job];
    if (kept->told[host] != HOST_WAITING) {
        story_broken(w, one_outcome, "job %u tells twice of h%u", job, host);
        return;
    }
    check_result(w, host, job, result);
    if (kept->asked->reads) check_reading(w, host, job, result, e->text);
    kept->has_started[host] = true; // or will not
    if (result == HOST_FAILED) note_failure(w, host, job);
    if (!is_awaited) return;
    if (kept->result[host] != result)
        story_broken(w, one_outcome, "job %u tells of h%u what the store has not kept", job, host);
    kept->told[host] = result;
}

static void note_doubt(struct world *w, unsigned host, unsigned job) {
    if (w->at->is_aborted) return; // the next process asks it
    w->devices[host].hand[job] = IN_DOUBT;
    w->jobs[job].doubts[host]++;
    if (w->jobs[job].last[host] != STORE_INTENT)
        story_broken(w, one_outcome, "job %u has h%u in doubt, without an intent", job, host);
}

static void note_end(struct world *w, unsigned job) {
    w->jobs[job].is_told_done = true;
    if (w->jobs[job].state != JOB_DONE)
        story_broken(w, one_outcome, "job %u is told to be over, and the store has not kept that",
                     job);
}

void referee_event(void *self, const struct event *e) {
    struct world *w = self;
    const unsigned job = (unsigned)(e->job[0] - '0');
    const unsigned host = e->host == NULL ? 0 : (unsigned)(e->host[1] - '0');
    switch (e->kind) {
    case EVENT_TASK_INSTANCE_STARTED:
        story_tell(w, "job %u: h%u is in hand", job, host);
        note_start(w, host, job);
        break;
    case EVENT_TASK_INSTANCE_IN_DOUBT:
        story_tell(w, "job %u: h%u is in doubt: %s", job, host, e->text);
        if (e->started || w->at->is_aborted) note_doubt(w, host, job);
        break;
    case EVENT_TASK_INSTANCE_PUT_BACK:
        story_tell(w, "job %u: h%u is put back: %s", job, host, e->text);
        if (w->jobs[job].rests && w->devices[host].hand[job] == IN_DOUBT && !w->at->is_aborted)
            story_broken(w, paused_rests, "job %u is paused, and lets h%u go, which is in doubt",
                         job, host);
        w->devices[host].hand[job] = NOT_IN_HAND;
        w->jobs[job].is_back[host] = true;
        break;
    case EVENT_TASK_INSTANCE_COMPLETED:
        story_tell(w, "job %u: h%u is %s: %s", job, host, host_state_names[e->result], e->text);
        w->devices[host].hand[job] = NOT_IN_HAND;
        note_result(w, host, job, e);
        break;
    case EVENT_TASK_COMPLETED:
        story_tell(w, "job %u is over", job);
        note_end(w, job);
        break;
    case EVENT_TASK_PAUSED:
        story_tell(w, "job %u is paused: %s", job, e->text);
        break;
    case EVENT_TASK_STOPPING:
        story_tell(w, "job %u is stopped: %s", job, e->text);
        break;
    case EVENT_TASK_WAITING:
        story_tell(w, "job %u waits %s", job, e->text);
        break;
    case EVENT_PEER_ASKED:
        if (e->failed) story_tell(w, "job %u: the peer h%u is not up: %s", job, host, e->text);
        if (e->failed) void_evidence(w, host, job);
        break;
    default:
        break;
    }
}

// --- a process begins

bool referee_is_same(const struct world *w, unsigned job) {
    const struct kept_job *kept = &w->jobs[job];
    if (w->is_inventory_away) return false; // nobody knows
    return plan_is_same(w->plan, kept->view, world_view(w), kept->hosts, kept->asked->reads);
}

// What the last process had asked for, and the store has not kept, is as if it had not been.
void referee_begin(struct world *w) {
    const long long now_ms = world_wall_ms(w), away_ms = now_ms - w->last_wall_ms;
    for (unsigned i = 0; i < w->plan->jobs_count; i++) {
        struct kept_job *kept = &w->jobs[i];
        const bool is_open = kept->number != 0 && kept->state != JOB_DONE;
        memset(kept->is_back, 0, sizeof kept->is_back);
        memcpy(kept->asked_last, kept->last, sizeof kept->last);
        kept->is_stopping = kept->state == JOB_CANCELLING;
        kept->opened_ms = kept->running_ms < now_ms ? kept->running_ms : now_ms;
        kept->rests = is_open && !kept->is_stopping &&
                      (kept->state == JOB_PAUSED || away_ms < 0 || away_ms >= RESUME_WITHIN ||
                       !referee_is_same(w, i));
        if (is_open && kept->is_told_paused && !kept->rests && !kept->is_stopping)
            story_broken(w, paused_rests, "job %u is not paused, and its client was told so", i);
    }
}

// From now on it is seen as things are now, where it is the same.
void referee_taken_up(struct world *w, unsigned job, bool is_paused) {
    struct kept_job *kept = &w->jobs[job];
    if (is_paused != kept->rests)
        story_broken(w, paused_rests,
                     is_paused ? "job %u is paused, for no reason"
                               : "job %u goes on, and should be paused",
                     job);
    if (referee_is_same(w, job)) kept->view = world_view(w);
}

void referee_let_go_on(struct world *w, unsigned job, bool goes_on) {
    struct kept_job *kept = &w->jobs[job];
    if (goes_on != referee_is_same(w, job))
        story_broken(w, paused_rests,
                     goes_on ? "job %u is let go on, and has changed"
                             : "job %u is not let go on, for no reason",
                     job);
    if (!goes_on) return;
    kept->rests = kept->is_told_paused = false;
    kept->view = world_view(w);
}

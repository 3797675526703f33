// The promises where nodes share the store: what is kept, by whom; what really is when an install
// arrives; and that all nodes have the same picture.
#include "orchestrator/job_stored.h"
#include "orchestrator/store_memory_shared.h"
#include "tests/histories/world_internal.h"

#include <string.h>

static bool is_holder(const struct world *w, const struct process *p, uint16_t shard) {
    const char *holder = store_memory_holder(w->db, shard);
    return holder != NULL && strcmp(holder, node_id(p->node)) == 0;
}

// --- installs

static bool may_be_changing(const struct world *w, unsigned host) {
    for (unsigned i = 0; i < w->plan->jobs_count; i++)
        if (referee_may_be_changing(w, host, i)) return true;
    return false;
}

static void check_group_of_other(struct world *w, unsigned host, unsigned job, unsigned other,
                                 unsigned rule) {
    const struct plan *p = w->plan;
    const unsigned view = w->jobs[other].view, group = plan_group(p, view, rule, host);
    unsigned lost = 1, own = 0;
    for (unsigned h = 0; h < p->hosts; h++) {
        if (h == host || group == 0 || plan_group(p, view, rule, h) != group) continue;
        lost += may_be_changing(w, h);
        own += referee_may_be_changing(w, h, other);
    }
    if (own > 0 && lost > plan_limit(p, view, rule))
        story_broken(w, last_group,
                     "an install of h%u begins, by job %u, and with it %u of group %c%u are in "
                     "hand, as job %u sees it",
                     host, job, lost, "ab"[rule], group, other);
}

// Jobs may see groups differently. An install of one of them takes no more from the groups of
// another, as that sees them, than they may lose: whoever has some of their hosts in hand counts on
// it.
static void check_groups_of_others(struct world *w, unsigned host, unsigned job) {
    for (unsigned i = 0; i < w->plan->jobs_count; i++)
        for (unsigned r = 0; r < PLAN_RULES; r++)
            if (i != job) check_group_of_other(w, host, job, i, r);
}

void referee_nodes_install(struct world *w, unsigned host, unsigned job) {
    const struct process *p = w->at;
    check_groups_of_others(w, host, job);
    if (!is_holder(w, p, nodes_shard(w, job, host)))
        story_broken(w, in_order, "an install of h%u by job %u, and its shard is another node's",
                     host, job);
    // One that stood still with the bytes in its hands is ended before anybody else may have it.
    if (w->now_ms >= p->acts_until_ms + (p->late_ms > 0 ? LEASE_KILL_MS - LEASE_ACT_MS : 0))
        story_broken(w, in_order, "an install of h%u by job %u, and the lease is over", host, job);
}

// A host that has changed its shard, or its address, may be another node's in the next job, or
// another device. That job begins when the one before is over or held back, as the store has it;
// until a node has heard that, it may have a connection that changes nothing any more: it logs out,
// asks a peer, or will be refused its intent.
bool referee_nodes_may_linger(const struct world *w, unsigned host, int job) {
    const bool has_changed =
        w->shards[0][host] != w->shards[1][host] || plan_has_moved(w->plan, VIEW_INVENTORY, host);
    if (!has_changed) return false;
    if (job == NOBODY || w->jobs[job].asked->reads) return true;
    const struct kept_job *kept = &w->jobs[job];
    return kept->result[host] != HOST_WAITING ||
           (kept->state != JOB_RUNNING && kept->last[host] != STORE_INTENT);
}

void referee_nodes_contact(struct world *w, const struct talk *talk) {
    for (unsigned i = 0; i < w->plan->nodes; i++)
        for (const struct talk *other = w->processes[i].talks; other != NULL; other = other->next)
            if (other != talk && other->host == talk->host && &w->processes[i] != w->at &&
                !referee_nodes_may_linger(w, talk->host, other->job) &&
                !referee_nodes_may_linger(w, talk->host, talk->job))
                story_broken(w, in_order, "n%u has a connection to h%u still", i, talk->host);
}

// Shards that the store has granted, and that it may take on with this look, or has given up.
void referee_nodes_looks(struct world *w) {
    const struct process *p = w->at;
    for (unsigned i = 0; i < INVENTORIES; i++)
        for (unsigned h = 0; h < w->plan->hosts; h++)
            if ((p->held.epochs[w->shards[i][h]] != 0) != is_holder(w, p, w->shards[i][h]))
                w->moved_ms = w->now_ms;
}

static bool is_at_work_on(const struct world *w, const struct process *p, unsigned host) {
    const struct truth *device = &w->devices[host];
    for (const struct talk *talk = p->talks; talk != NULL; talk = talk->next)
        if (talk->host == host) return true;
    for (unsigned i = 0; i < PLAN_JOBS; i++)
        if (device->hand[i] != NOT_IN_HAND && device->hand_of[i] == p->which) return true;
    return false;
}

// What it knew of devices of these shards it knows no more. Of one that has another shard in
// another inventory it does where that shard is given up, or it is at work on it by the other.
static bool stays_known(const struct world *w, const struct process *p, unsigned host,
                        uint64_t epoch) {
    const bool has_two = w->shards[0][host] != w->shards[1][host];
    return has_two && (epoch == 0 || is_at_work_on(w, p, host));
}

void referee_nodes_taken_on(struct world *w, const struct shards_held *before) {
    const struct process *p = w->at;
    for (unsigned i = 0; i < INVENTORIES; i++)
        for (unsigned h = 0; h < w->plan->hosts; h++) {
            const uint64_t epoch = p->held.epochs[w->shards[i][h]];
            if (epoch != before->epochs[w->shards[i][h]] && !stays_known(w, p, h, epoch))
                memset(w->devices[h].answered_ms[p->which], 0,
                       sizeof w->devices[h].answered_ms[p->which]);
        }
}

// --- what nodes tell

void referee_all_lost(struct world *w) {
    for (unsigned h = 0; h < w->plan->hosts; h++) {
        struct truth *device = &w->devices[h];
        memset(device->answered_ms[w->at->which], 0, sizeof device->answered_ms[w->at->which]);
        for (unsigned i = 0; i < PLAN_JOBS; i++)
            if (device->hand_of[i] == w->at->which) device->hand[i] = NOT_IN_HAND;
    }
}

// In one hand twice, at different addresses: where one of them reads. Two nodes have it at no time.
static bool is_read_elsewhere(const struct world *w, unsigned host, unsigned a, unsigned b) {
    return w->devices[host].hand_of[b] == w->at->which &&
           (w->jobs[a].asked->reads || w->jobs[b].asked->reads) &&
           plan_has_moved(w->plan, w->jobs[a].view, host) !=
               plan_has_moved(w->plan, w->jobs[b].view, host);
}

static void take_in_hand(struct world *w, unsigned host, unsigned job, bool in_doubt) {
    struct truth *device = &w->devices[host];
    unsigned busy = 0;
    for (unsigned i = 0; i < PLAN_JOBS; i++) {
        const bool is_other = i != job || device->hand_of[i] != w->at->which;
        if (device->hand[i] != NOT_IN_HAND && is_other && !is_read_elsewhere(w, host, job, i) &&
            !referee_nodes_may_linger(w, host, (int)i) &&
            !referee_nodes_may_linger(w, host, (int)job))
            story_broken(w, in_order, "h%u is in hand of n%u still, for job %u", host,
                         device->hand_of[i], i);
    }
    device->hand[job] = in_doubt ? IN_DOUBT : IN_HAND;
    device->hand_of[job] = w->at->which;
    w->jobs[job].started_ms[host] = w->now_ms;
    if (in_doubt) return;
    w->jobs[job].is_back[host] = false;
    for (unsigned h = 0; h < w->plan->hosts; h++)
        for (unsigned i = 0; i < PLAN_JOBS; i++)
            busy += w->devices[h].hand[i] == IN_HAND && w->devices[h].hand_of[i] == w->at->which;
    if (busy > w->plan->workers)
        story_broken(w, in_order, "%u hosts in hand of %u workers", busy, w->plan->workers);
    // Over all nodes, of what has begun since they agree who has which shard: a look may be slow.
    referee_workers(w, job, w->moved_ms + (uint64_t)10 * NODE_LOOK_MS);
}

static void let_go(struct world *w, unsigned host, unsigned job) {
    struct truth *device = &w->devices[host];
    if (device->hand_of[job] == w->at->which) device->hand[job] = NOT_IN_HAND;
}

static void note_result(struct world *w, unsigned host, unsigned job, const struct event *e) {
    const struct kept_job *kept = &w->jobs[job];
    let_go(w, host, job);
    if (!e->started && e->result == HOST_SKIPPED) return; // kept behind
    if (kept->result[host] != e->result)
        story_broken(w, one_outcome, "job %u tells of h%u what the store has not kept", job, host);
}

void referee_nodes_event(void *self, const struct event *e) {
    struct world *w = self;
    const unsigned job = (unsigned)(e->job[0] - '0');
    const unsigned host = e->host == NULL ? 0 : (unsigned)(e->host[1] - '0');
    switch (e->kind) {
    case EVENT_TASK_INSTANCE_STARTED:
        story_tell(w, "job %u: h%u is in hand", job, host);
        take_in_hand(w, host, job, false);
        break;
    case EVENT_TASK_INSTANCE_IN_DOUBT:
        story_tell(w, "job %u: h%u is in doubt: %s", job, host, e->text);
        if (e->started) take_in_hand(w, host, job, true);
        break;
    case EVENT_TASK_INSTANCE_PUT_BACK:
        story_tell(w, "job %u: h%u is put back: %s", job, host, e->text);
        let_go(w, host, job);
        w->jobs[job].is_back[host] = true;
        break;
    case EVENT_TASK_INSTANCE_COMPLETED:
        story_tell(w, "job %u: h%u is %s: %s", job, host, host_state_names[e->result], e->text);
        note_result(w, host, job, e);
        break;
    case EVENT_PEER_ASKED:
        if (e->failed) story_tell(w, "job %u: the peer h%u is not up: %s", job, host, e->text);
        break;
    case EVENT_TASK_PAUSED:
    case EVENT_TASK_STOPPING:
    case EVENT_TASK_WAITING:
        story_tell(w, "job %u: %s", job, e->text);
        break;
    case EVENT_TASK_COMPLETED:
        story_tell(w, "job %u is over", job);
        break;
    default:
        break;
    }
}

// --- what is kept

static bool is_sound(const struct world *w, unsigned host) {
    for (unsigned i = 0; i < w->plan->deaths_count; i++)
        if (!w->plan->deaths[i].is_absent && w->plan->deaths[i].host == host) return false;
    return w->plan->faults_count == 0 && device_mess(w, host) == 0 && w->plan->lost == 0 &&
           w->plan->slow == 0 && w->plan->breaks == 0;
}

static void check_outcome(struct world *w, unsigned host, unsigned job, enum host_state result) {
    const struct truth *device = &w->devices[host];
    const struct plan_job *asked = w->jobs[job].asked;
    const bool is_done = result == HOST_CHANGED || result == HOST_UNCHANGED;
    if (is_done && !asked->reads && device->version != asked->version)
        story_broken(w, one_outcome, "job %u says %s of h%u, which runs %s", job,
                     host_state_names[result], host, versions[device->version]);
    if (is_done && !asked->reads && device->installing != NOBODY)
        story_broken(w, one_outcome, "job %u says %s of h%u, which installs", job,
                     host_state_names[result], host);
    if ((result == HOST_UNCHANGED || result == HOST_SKIPPED) && device->done[job] > 0)
        story_broken(w, one_outcome, "job %u says %s of h%u, and has changed it", job,
                     host_state_names[result], host);
    if (result == HOST_CHANGED && device->sent[job] == 0)
        story_broken(w, one_outcome, "job %u has changed h%u, it says, and sent nothing", job,
                     host);
    if (result == HOST_FAILED && asked->host_timeout_ms == 0 && is_sound(w, host) &&
        !referee_may_be_elsewhere(w, host, job))
        story_broken(w, one_outcome, "job %u says failed of h%u, which nothing has happened to",
                     job, host);
}

static void check_epoch(struct world *w, unsigned host, unsigned job,
                        const struct store_event *event) {
    const uint16_t shard = nodes_shard(w, job, host);
    if (event->epoch < w->epochs[shard])
        story_broken(w, in_order, "an event of h%u of job %u under epoch %llu, behind %llu", host,
                     job, (unsigned long long)event->epoch, (unsigned long long)w->epochs[shard]);
    if (!is_holder(w, w->at, shard) || event->epoch != store_memory_epoch(w->db, shard))
        story_broken(w, in_order, "an event of h%u of job %u by who has not its shard", host, job);
    w->epochs[shard] = event->epoch;
}

static void keep_of_host(struct world *w, unsigned job, const struct store_event *event) {
    struct kept_job *kept = &w->jobs[job];
    const unsigned host = plan_host_at(kept->hosts, event->host);
    check_epoch(w, host, job, event);
    if (kept->result[host] != HOST_WAITING)
        story_broken(w, one_outcome, "job %u: an event of h%u behind its outcome", job, host);
    kept->last[host] = event->kind;
    if (event->kind == STORE_INTENT) {
        kept->attempt[host] = event->attempt;
        if (event->attempt > 2)
            story_broken(w, one_outcome, "a third intent of h%u by job %u", host, job);
        if (kept->is_told_paused)
            story_broken(w, paused_rests,
                         "an intent of h%u is kept, of job %u, which is paused, its client is told",
                         host, job);
    }
    if (event->kind != STORE_OUTCOME) return;
    kept->result[host] = event->result;
    check_outcome(w, host, job, event->result);
}

static bool is_at_work(const struct kept_job *kept) {
    for (unsigned h = 0; h < PLAN_HOSTS; h++)
        if (kept->last[h] == STORE_INTENT) return true;
    return kept->state == JOB_RUNNING && !referee_is_over(kept, kept->hosts);
}

// What is kept behind a pause or a cancel is no intent: whoever says that a job runs has heard of
// all that were kept before.
static void check_place(struct world *w, unsigned job) {
    unsigned at_work = 0;
    for (unsigned i = 0; i < w->plan->jobs_count; i++)
        at_work += i != job && w->jobs[i].number != 0 && w->jobs[i].state != JOB_DONE &&
                   !w->jobs[i].asked->reads && is_at_work(&w->jobs[i]);
    if (w->plan->max_jobs > 0 && !w->jobs[job].asked->reads && at_work >= w->plan->max_jobs)
        story_broken(w, in_order, "job %u runs, and %u others are at work", job, at_work);
}

static void keep_of_job(struct world *w, unsigned job, const struct store_event *event) {
    static const char *const names[] = {"", "waiting", "running", "paused", "cancelling", "done"};
    struct kept_job *kept = &w->jobs[job];
    const bool runs_on = event->state == JOB_RUNNING && kept->state != JOB_WAITING;
    const bool goes_back = kept->state == JOB_CANCELLING && event->state != JOB_DONE;
    const bool lifts =
        kept->state == JOB_PAUSED && event->state == JOB_WAITING && event->epoch != 0;
    if (runs_on || goes_back || lifts || kept->state == JOB_DONE)
        story_broken(w, stays_stopped, "job %u is %s, and then it is %s", job, names[kept->state],
                     names[event->state]);
    kept->state = event->state;
    if (event->state == JOB_RUNNING) check_place(w, job);
    if (event->state == JOB_WAITING && event->epoch == 0)
        kept->is_told_paused = false; // a client had asked for that, maybe long ago
    if (event->state == JOB_PAUSED) kept->n_paused = kept->n;
    if (event->state == JOB_CANCELLING) {
        kept->stop = event->outcome;
        kept->is_told_paused = false;
    }
    if (event->state != JOB_DONE) return;
    if (!referee_is_over(kept, kept->hosts))
        story_broken(w, one_outcome, "job %u is done, and hosts of it are not", job);
    clients_done(w, job);
}

static void keep_event(struct world *w, const struct store_op *op) {
    const struct store_event *event = &op->event;
    struct kept_job *kept = referee_numbered(w, event->job);
    if (kept == NULL) {
        story_broken(w, one_outcome, "an event of job %llu, which is not there",
                     (unsigned long long)event->job);
        return;
    }
    if (op->status == STORE_HELD) return;
    if (op->n != ++kept->n)
        story_broken(w, one_outcome, "event %llu of job %d comes as number %llu",
                     (unsigned long long)kept->n, (int)(kept - w->jobs), (unsigned long long)op->n);
    if (event->kind == STORE_JOB)
        keep_of_job(w, (unsigned)(kept - w->jobs), event);
    else
        keep_of_host(w, (unsigned)(kept - w->jobs), event);
}

void referee_nodes_kept(struct world *w, const struct store_batch *batch) {
    for (size_t i = 0; i < batch->count; i++) {
        const struct store_op *op = &batch->ops[i];
        if (op->kind == STORE_CREATE && op->status == STORE_OK) {
            struct kept_job *kept = &w->jobs[op->job.id[0] - '0'];
            kept->number = op->n;
            kept->state = JOB_WAITING;
        }
        if (op->kind == STORE_APPEND) keep_event(w, op);
    }
}

// Another client may have let it go on meanwhile. Where the answer of its batch was lost, the
// number is that of a later event of another node's, or its own.
void referee_nodes_paused(struct world *w, unsigned job, uint64_t n) {
    struct kept_job *kept = &w->jobs[job];
    if (kept->n_paused == 0 || n == 0)
        story_broken(w, paused_rests, "the client of job %u is told what the store has not kept",
                     job);
    if (kept->state == JOB_PAUSED && kept->rests) kept->is_told_paused = true;
}

void referee_nodes_seen(struct world *w, unsigned job, bool is_same) {
    if (is_same != referee_is_same(w, job))
        story_broken(w, paused_rests,
                     is_same ? "job %u is the same, it is found, and has changed"
                             : "job %u has changed, it is found, and is the same",
                     job);
}

// --- all have the same picture

// One that had begun, and is nobody's, is as good as one that waits.
static enum host_state picture_of(const struct job_host *host) {
    return host->state == HOST_IN_HAND && !host->has_intent ? HOST_WAITING
                                                            : (enum host_state)host->state;
}

static void compare(struct world *w, const struct job *live, const struct job *kept) {
    if (live->state != kept->state)
        story_broken(w, one_outcome, "job %s is in state %d here, and in %d in the store", live->id,
                     (int)live->state, (int)kept->state);
    for (size_t i = 0; i < live->selection.count; i++) {
        const struct job_host *a = &live->hosts[i], *b = &kept->hosts[i];
        const bool is_held = w->at->held.epochs[live->shards[i]] != 0;
        if (picture_of(a) != picture_of(b) && !is_held)
            story_broken(w, one_outcome, "host %zu of job %s is %s here, and %s in the store", i,
                         live->id, host_state_names[a->state], host_state_names[b->state]);
        if (a->attempt != b->attempt && !is_held)
            story_broken(w, one_outcome, "host %zu of job %s has %u attempts here, and %u", i,
                         live->id, a->attempt, b->attempt);
    }
}

void referee_nodes_picture(struct world *w) {
    const struct process *p = w->at;
    if (!node_hears(p->node) || gate_in_hand(p->gate) > 0 || !store_queue_is_empty(&p->queue))
        return;
    if (world_draw(w, "picture", w->now_ms, p->life, 0, 7) != 0) return;
    for (size_t i = 0; i < jobs_count(p->live); i++) {
        const struct job *live = jobs_at(p->live, i);
        const unsigned number = (unsigned)(live->id[0] - '0');
        uint64_t n;
        if (p->looked_n[number] != w->jobs[number].n) continue; // it has not asked for all of it
        struct job *kept = recovery_read(w, number, &n);
        if (kept != NULL) compare(w, live, kept);
        job_free(kept);
    }
}

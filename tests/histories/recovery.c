// What a process takes up of those before it, as the orchestrator's recover.c does.
#include "common/mem.h"
#include "common/policy_hash.h"
#include "orchestrator/job_image.h"
#include "orchestrator/job_look_up.h"
#include "orchestrator/job_stored.h"
#include "orchestrator/resume.h"
#include "tests/histories/world_internal.h"

#include <string.h>

// --- reading

struct reading {
    struct world *w;
    struct job *job; // the one that is being read
    struct job *list[PLAN_JOBS];
    unsigned count;
    uint64_t n; // of its last event
};

static bool on_row(void *arg, const struct store_job *row, const struct store_event *event) {
    struct reading *reading = arg;
    struct error err;
    (void)event;
    reading->job = job_from_store(row, &err);
    if (reading->job == NULL) {
        story_broken(reading->w, one_outcome, "a job cannot be read again: %s", err.text);
        return false;
    }
    struct buf *image = &reading->w->images[row->id[0] - '0'];
    buf_clear(image);
    buf_add(image, row->image, row->image_len);
    if (row->shards == NULL) return true;
    uint16_t *shards = mem_array(row->hosts, sizeof *shards);
    memcpy(shards, row->shards, row->hosts * sizeof *shards);
    job_share_out(reading->job, shards);
    return true;
}

static bool on_event(void *arg, const struct store_job *row, const struct store_event *event) {
    struct reading *reading = arg;
    struct error err;
    (void)row;
    reading->n = event->n;
    if (job_apply(reading->job, event, &err) == 0) return true;
    story_broken(reading->w, one_outcome, "job %s cannot be read again: %s", reading->job->id,
                 err.text);
    return false;
}

static struct job *read_job(struct reading *reading, unsigned number) {
    struct world *w = reading->w;
    const char id[2] = {(char)('0' + number), 0};
    struct store_query query = {.kind = STORE_READ_JOB, .id = id};
    struct error err;
    reading->job = NULL;
    world_back(w)->read(w->db, &query, on_row, reading, &err);
    if (reading->job == NULL) return NULL;
    query = (struct store_query){.kind = STORE_READ_EVENTS, .job = reading->job->number};
    if (world_back(w)->read(w->db, &query, on_event, reading, &err) != 0)
        story_broken(w, one_outcome, "the events of job %s: %s", id, err.text);
    if (!w->verdict->is_broken) return reading->job;
    job_free(reading->job);
    return NULL;
}

struct job *recovery_read(struct world *w, unsigned number, uint64_t *n) {
    struct reading reading = {.w = w};
    struct job *job = read_job(&reading, number);
    *n = reading.n;
    return job;
}

// By their numbers.
static void read_jobs(struct world *w, struct reading *reading) {
    for (unsigned i = 0; i < w->plan->jobs_count; i++) {
        struct job *job = read_job(reading, i);
        if (job == NULL) continue;
        if (job->state == JOB_DONE) {
            job_free(job);
            continue;
        }
        job_settle(job);
        unsigned at = reading->count++;
        for (; at > 0 && reading->list[at - 1]->number > job->number; at--)
            reading->list[at] = reading->list[at - 1];
        reading->list[at] = job;
    }
}

// --- taking up

void recovery_see_in(const struct world *w, struct job *job, const struct buf *image,
                     struct buf *differs) {
    if (w->is_inventory_away)
        buf_adds(differs, "the inventory is away");
    else
        job_look_up(job, world_policy(w), world_inventory(w), image->data, image->len, differs);
}

// One that was not paused when it was taken up has its image no more.
void recovery_look_up(struct world *w, struct job *job, struct buf *differs) {
    const struct buf *left = &w->images[job->id[0] - '0'];
    struct buf own = {0};
    if (left->len == 0)
        job_image_write(&own, job->inventory, &job->selection, &job->grouping,
                        policy_hash(world_policy(w)));
    recovery_see_in(w, job, left->len == 0 ? &own : left, differs);
    buf_deinit(&own);
}

static void take_up(struct world *w, struct job *job, const struct resume_facts *facts) {
    struct buf *image = &w->images[job->id[0] - '0'];
    struct buf differs = {0}, why = {0};
    recovery_see_in(w, job, image, &differs);
    jobs_add(w->at->live, job);
    const bool is_paused =
        resume_is_paused(job, facts, differs.len == 0 ? NULL : differs.data, &why);
    story_tell(w, "job %s is taken up%s%s", job->id, is_paused ? ", and paused: " : "",
               is_paused ? why.data : "");
    referee_taken_up(w, (unsigned)(job->id[0] - '0'), is_paused);
    if (!is_paused) buf_clear(image);
    gate_resume(w->at->gate, job, is_paused ? why.data : NULL);
    if (is_paused) world_at(w, w->now_ms + RESUMED_AFTER_MS, EVENT_RESUME, w->at->life);
    buf_deinit(&differs);
    buf_deinit(&why);
}

unsigned recovery_begin(struct world *w, long long alive_ms) {
    const struct resume_facts facts = {
        .now_ms = world_wall_ms(w), .alive_ms = alive_ms, .within_ms = RESUME_WITHIN_MS};
    struct reading reading = {.w = w};
    read_jobs(w, &reading);
    for (unsigned i = 0; i < reading.count; i++)
        take_up(w, reading.list[i], &facts);
    return reading.count;
}

// An orchestrator that is told to end reads it no more: the next one does.
void recovery_read_inventory(struct world *w) {
    story_tell(w, "the inventory can be read");
    w->is_inventory_away = false;
    if (w->at->is_ending) return;
    for (unsigned i = 0; i < w->plan->jobs_count; i++) {
        struct job *job = clients_job(w, i);
        if (job != NULL && job_awaits_credentials(job))
            job_take_credentials(job, world_inventory(w));
    }
    gate_ask_doubts(w->at->gate);
}

// In order of arrival; one may have ended meanwhile, or end another.
void recovery_go_on(struct world *w) {
    uint64_t last = 0;
    for (unsigned round = 0; round < w->plan->jobs_count; round++) {
        uint64_t next = UINT64_MAX;
        for (unsigned i = 0; i < w->plan->jobs_count; i++)
            if (w->jobs[i].number > last && w->jobs[i].number < next) next = w->jobs[i].number;
        struct job *job = next == UINT64_MAX ? NULL : jobs_numbered(w->at->live, next);
        last = next;
        if (job != NULL && !w->jobs[job->id[0] - '0'].rests) gate_unpause(w->at->gate, job);
    }
}

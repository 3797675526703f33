#include "orchestrator/store_queue.h"

#include "common/mem.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

// --- lists of batches

static void put_last(struct store_batches *list, struct store_batch *batch) {
    batch->next = NULL;
    if (list->first == NULL) {
        list->first = batch;
    } else {
        assert(list->last != NULL);
        list->last->next = batch;
    }
    list->last = batch;
}

static struct store_batch *take_first(struct store_batches *list) {
    struct store_batch *batch = list->first;
    list->first = batch->next;
    if (list->first == NULL) list->last = NULL;
    return batch;
}

// --- ops, and what they own

static void free_const(const void *p) {
    free((void *)(uintptr_t)p); // a copy of ours
}

static const char *copy(const char *text) {
    return text == NULL ? NULL : mem_strdup(text);
}

static void free_job(struct store_job *job) {
    free_const(job->id);
    free_const(job->key);
    free_const(job->task);
    free_const(job->request);
    free_const(job->image);
    free_const(job->shards);
    free_const(job->text);
}

static void free_audit(struct store_audit *audit) {
    free_const(audit->who);
    free_const(audit->from);
    free_const(audit->method);
    free_const(audit->path);
    free_const(audit->job);
}

static void free_op(struct store_op *op) {
    if (op->kind == STORE_CREATE || op->kind == STORE_FORGET) free_job(&op->job);
    if (op->kind == STORE_AUDIT) free_audit(&op->audit);
    if (op->kind != STORE_APPEND) return;
    free_const(op->event.version);
    free_const(op->event.text);
}

static void free_batch(struct store_batch *batch) {
    if (batch == NULL) return;
    for (size_t i = 0; i < batch->count; i++)
        free_op(&batch->ops[i]);
    free(batch->ops);
    free(batch->waiters);
    free(batch);
}

// --- batches

static struct store_batch *new_batch(struct store_queue *q, struct store_batches *list) {
    struct store_batch *batch = q->spare;
    q->spare = NULL;
    if (batch == NULL) batch = mem_zalloc(sizeof *batch);
    put_last(list, batch);
    return batch;
}

// One is kept, arrays and all, for the next.
static void end_batch(struct store_queue *q, struct store_batch *batch) {
    if (q->spare != NULL) {
        free_batch(batch);
        return;
    }
    for (size_t i = 0; i < batch->count; i++)
        free_op(&batch->ops[i]);
    batch->count = batch->told = 0;
    batch->is_shut = false;
    q->spare = batch;
}

static struct store_op *add_op(struct store_batch *batch, enum store_op_kind kind, store_done done,
                               void *arg) {
    const size_t need = batch->count + 1;
    batch->ops = mem_grow(batch->ops, &batch->cap, need, sizeof *batch->ops);
    batch->waiters = mem_grow(batch->waiters, &batch->waiters_cap, need, sizeof *batch->waiters);
    batch->waiters[batch->count] = (struct store_waiter){.done = done, .arg = arg};
    struct store_op *op = &batch->ops[batch->count++];
    op->kind = kind;
    op->status = STORE_UNREACHABLE;
    op->n = 0;
    return op;
}

static struct store_op *add_alone(struct store_queue *q, struct store_batches *list,
                                  enum store_op_kind kind, struct store_waiter waiter) {
    struct store_batch *batch = new_batch(q, list);
    batch->is_shut = true;
    return add_op(batch, kind, waiter.done, waiter.arg);
}

// --- what is asked

static struct store_op *add_to_last(struct store_queue *q, enum store_op_kind kind,
                                    struct store_waiter waiter) {
    struct store_batch *batch = q->asked.last;
    if (batch == NULL || batch->is_shut) batch = new_batch(q, &q->asked);
    struct store_op *op = add_op(batch, kind, waiter.done, waiter.arg);
    if (batch->count == STORE_BATCH_MAX) batch->is_shut = true;
    return op;
}

void store_queue_append(struct store_queue *q, const struct store_event *event, store_done done,
                        void *arg) {
    struct error err;
    assert(!q->is_closing && store_event_check(event, &err) == 0);
    const struct store_waiter waiter = {.done = done, .arg = arg};
    struct store_op *op = add_to_last(q, STORE_APPEND, waiter);
    op->event = *event;
    op->event.version = copy(event->version);
    op->event.text = copy(event->text);
}

void store_queue_audit(struct store_queue *q, const struct store_audit *audit) {
    assert(!q->is_closing);
    struct store_op *op = add_to_last(q, STORE_AUDIT, (struct store_waiter){0});
    op->audit = *audit;
    op->audit.who = copy(audit->who);
    op->audit.from = copy(audit->from);
    op->audit.method = copy(audit->method);
    op->audit.path = copy(audit->path);
    op->audit.job = copy(audit->job);
}

static const uint16_t *copy_shards(const struct store_job *job) {
    if (job->shards == NULL) return NULL;
    uint16_t *shards = mem_array(job->hosts, sizeof *shards);
    memcpy(shards, job->shards, job->hosts * sizeof *shards);
    return shards;
}

static void copy_job(struct store_job *to, const struct store_job *job) {
    *to = *job;
    to->id = copy(job->id);
    to->key = copy(job->key);
    to->task = copy(job->task);
    to->request = copy(job->request);
    to->text = copy(job->text);
    to->shards = copy_shards(job);
}

// Who is refused is told in his turn, behind what is to be told already.
void store_queue_create(struct store_queue *q, const struct store_job *job, store_done done,
                        void *arg) {
    struct error err;
    assert(!q->is_closing && store_job_check(job, &err) == 0);
    struct store_batches *list = store_queue_is_well(q) ? &q->asked : &q->told;
    const struct store_waiter waiter = {.done = done, .arg = arg};
    copy_job(&add_alone(q, list, STORE_CREATE, waiter)->job, job);
}

void store_queue_lease(struct store_queue *q, struct store_lease *lease, store_done done,
                       void *arg) {
    assert(!q->is_closing);
    const struct store_waiter waiter = {.done = done, .arg = arg};
    add_alone(q, &q->asked, STORE_LEASE, waiter)->lease = lease;
}

static bool is_creating(const struct store_batches *list, const char *id) {
    for (const struct store_batch *batch = list->first; batch != NULL; batch = batch->next) {
        const struct store_op *op = &batch->ops[0];
        const bool is_create = op->kind == STORE_CREATE || op->kind == STORE_FORGET;
        if (is_create && batch->told == 0 && op->job.id != NULL && strcmp(op->job.id, id) == 0)
            return true;
    }
    return false;
}

bool store_queue_is_creating(const struct store_queue *q, const char *id) {
    return is_creating(&q->asked, id) || is_creating(&q->told, id);
}

void store_queue_retain(struct store_queue *q) {
    if (q->retains || q->is_closing) return;
    q->retains = true;
    add_alone(q, &q->asked, STORE_RETAIN, (struct store_waiter){0})->keep = q->config.keep_jobs;
}

static void give_up(struct store_queue *q) {
    while (q->asked.first != NULL) {
        struct store_batch *batch = take_first(&q->asked);
        for (size_t i = 0; i < batch->count; i++)
            batch->ops[i].status = STORE_UNREACHABLE;
        put_last(&q->told, batch);
    }
}

void store_queue_close(struct store_queue *q) {
    q->is_closing = true;
    q->last_tries = q->failures > 0;
    q->retry_us = 0;
    if (q->is_fenced) give_up(q);
}

// --- what is written

static struct store_turn wait_until(const struct store_queue *q, uint64_t now_us, uint64_t due_us) {
    return (struct store_turn){.wait_us = due_us - now_us, .has_more = q->asked.first != NULL};
}

// Nothing is queued. The time is kept while a job is open (one node knows not of all), but it says
// only that this process is at work once it has written anything else; a beat keeps no time.
static bool has_alive(struct store_queue *q, uint64_t now_us, struct store_turn *wait) {
    const bool keeps_time =
        q->config.alive_us > 0 && q->has_kept && (q->config.open_jobs > 0 || q->config.is_shared);
    const uint64_t alive_us = keeps_time ? q->timed_us + q->config.alive_us : UINT64_MAX;
    const uint64_t beat_us = q->config.beat_us > 0 ? q->kept_us + q->config.beat_us : UINT64_MAX;
    const uint64_t due_us = alive_us < beat_us ? alive_us : beat_us;
    *wait = (struct store_turn){0};
    if (due_us == UINT64_MAX || q->is_closing) return false;
    if (now_us < due_us)
        *wait = wait_until(q, now_us, due_us);
    else
        add_op(new_batch(q, &q->asked), now_us >= alive_us ? STORE_ALIVE : STORE_BEAT, NULL, NULL);
    return now_us >= due_us;
}

// A store that takes long is asked less often, so that it is not at work all the time.
static uint64_t gather_us(const struct store_queue *q) {
    uint64_t us = STORE_GATHER_TIMES * q->took_us;
    if (us > STORE_GATHER_MAX_US) us = STORE_GATHER_MAX_US;
    return us > q->config.gather_us ? us : q->config.gather_us;
}

struct store_turn store_queue_next(struct store_queue *q, uint64_t now_us) {
    struct store_turn wait;
    if (q->is_under_way) return (struct store_turn){.has_more = true};
    if (q->is_fenced) return (struct store_turn){0};
    if (q->asked.first == NULL && !has_alive(q, now_us, &wait)) return wait;
    uint64_t due_us = q->has_begun ? q->began_us + gather_us(q) : 0;
    if (q->failures > 0) due_us = q->retry_us;
    if (due_us > now_us && !q->is_closing) return wait_until(q, now_us, due_us);
    struct store_batch *batch = q->asked.first;
    batch->number = q->config.beat + 1;
    batch->is_shut = true;
    q->is_under_way = q->has_begun = true;
    q->began_us = now_us;
    return (struct store_turn){.batch = batch};
}

// --- what came of it

// Which jobs are open, and that one more is done.
static void learn(struct store_queue *q, const struct store_op *op) {
    if (op->kind == STORE_CREATE && op->status == STORE_OK) q->config.open_jobs++;
    if (op->kind == STORE_APPEND && op->event.kind == STORE_JOB && op->event.state == JOB_DONE) {
        if (q->config.open_jobs > 0) q->config.open_jobs--;
        store_queue_retain(q);
    }
    if (op->kind == STORE_RETAIN) {
        q->retains = false;
        if (op->n > 0) store_queue_retain(q);
    }
}

static void on_kept(struct store_queue *q, uint64_t now_us) {
    struct store_batch *batch = take_first(&q->asked);
    put_last(&q->told, batch);
    q->config.beat = batch->number;
    q->failures = q->last_tries = 0;
    q->kept_us = now_us;
    if (batch->count > 1 || batch->ops[0].kind != STORE_BEAT) {
        q->has_kept = true;
        q->timed_us = now_us;
    }
    q->took_us = now_us - q->began_us;
    for (size_t i = 0; i < batch->count; i++)
        learn(q, &batch->ops[i]);
}

static bool is_create(const struct store_batch *batch) {
    return batch->ops[0].kind == STORE_CREATE;
}

// All that are queued, but the first, which is under way.
static void refuse_creates(struct store_queue *q) {
    struct store_batch *left = q->asked.first;
    struct store_batch *next = left->next;
    q->asked.last = left;
    left->next = NULL;
    while (next != NULL) {
        struct store_batch *batch = next;
        next = batch->next;
        put_last(is_create(batch) ? &q->told : &q->asked, batch);
    }
}

// Who waits for the create is told, and what may be there of it is to be dropped.
static void turn_to_forget(struct store_queue *q, struct store_batch *batch) {
    add_alone(q, &q->told, STORE_CREATE, batch->waiters[0])->job = (struct store_job){0};
    batch->waiters[0].done = NULL;
    struct store_op *op = &batch->ops[0];
    op->kind = STORE_FORGET;
    free_const(op->job.image);
    op->job.image = NULL;
    op->job.image_len = 0;
}

static void on_not_kept(struct store_queue *q, const struct error *err, uint64_t now_us) {
    const unsigned doublings = q->failures < 8 ? q->failures : 8;
    uint64_t wait_ms = (uint64_t)STORE_RETRY_MS << doublings;
    if (wait_ms > STORE_RETRY_MAX_MS) wait_ms = STORE_RETRY_MAX_MS;
    q->failures++;
    q->retry_us = now_us + wait_ms * 1000;
    q->why = *err;
    if (is_create(q->asked.first) && !q->config.is_shared) turn_to_forget(q, q->asked.first);
    refuse_creates(q);
    if (q->is_closing && ++q->last_tries >= STORE_LAST_TRIES) give_up(q);
}

void store_queue_written(struct store_queue *q, enum store_status status, const struct error *err,
                         uint64_t now_us) {
    assert(q->is_under_way);
    q->is_under_way = false;
    if (status == STORE_FENCED) q->is_fenced = true;
    if (status == STORE_OK)
        on_kept(q, now_us);
    else
        on_not_kept(q, err, now_us);
    if (q->is_fenced && q->is_closing) give_up(q);
}

// --- who is told

bool store_queue_answer(struct store_queue *q, struct store_answer *answer) {
    while (q->told.first != NULL) {
        struct store_batch *batch = q->told.first;
        while (batch->told < batch->count) {
            const size_t i = batch->told++;
            const struct store_op *op = &batch->ops[i];
            const struct store_waiter *waiter = &batch->waiters[i];
            const bool is_event = op->kind == STORE_APPEND && op->status == STORE_OK;
            if (waiter->done == NULL && !(q->config.tells_all && is_event)) continue;
            *answer = (struct store_answer){waiter->done, waiter->arg, op->status, op->n,
                                            is_event ? &op->event : NULL};
            return true;
        }
        end_batch(q, take_first(&q->told));
    }
    return false;
}

bool store_queue_is_empty(const struct store_queue *q) {
    return q->asked.first == NULL && q->told.first == NULL;
}

bool store_queue_is_well(const struct store_queue *q) {
    return q->failures == 0;
}

// --- life

void store_queue_init(struct store_queue *q, const struct store_queue_config *config) {
    *q = (struct store_queue){.config = *config};
}

void store_queue_deinit(struct store_queue *q) {
    give_up(q);
    while (q->told.first != NULL)
        free_batch(take_first(&q->told));
    free_batch(q->spare);
    *q = (struct store_queue){0};
}

// Reads the jobs at the start, looks all of them up in one inventory, and tells the gate; a job
// that is resumed later is looked up once more.
#include "orchestrator/recover.h"

#include "common/clock.h"
#include "common/mem.h"
#include "common/program.h"
#include "orchestrator/gate_nodes.h"
#include "orchestrator/job_stored.h"
#include "orchestrator/recover_internal.h"
#include "orchestrator/resume.h"

#include <stdlib.h>
#include <string.h>

// --- reading

struct reading {
    struct recovery *recovery;
    const struct store_reader *reader;
    struct job *job; // the one that is being read
    struct left *left;
    struct error *err;
    int rc;
};

static bool on_open_job(void *arg, const struct store_job *row, const struct store_event *event) {
    struct reading *reading = arg;
    struct recovery *r = reading->recovery;
    (void)event;
    struct left *left = mem_zalloc(sizeof *left);
    left->number = row->number;
    left->next = r->jobs; // they come newest first
    r->jobs = left;
    return true;
}

static bool on_job(void *arg, const struct store_job *row, const struct store_event *event) {
    struct reading *reading = arg;
    (void)event;
    reading->job = job_from_store(row, reading->err);
    if (reading->job == NULL) {
        reading->rc = ERROR_INPUT;
        return false;
    }
    reading->left->image = mem_alloc(row->image_len);
    memcpy(reading->left->image, row->image, row->image_len);
    reading->left->image_len = row->image_len;
    return true;
}

static bool on_event(void *arg, const struct store_job *row, const struct store_event *event) {
    struct reading *reading = arg;
    (void)row;
    reading->rc = job_apply(reading->job, event, reading->err);
    return reading->rc == 0;
}

static int read_job(struct reading *reading) {
    struct store_query query = {.kind = STORE_READ_JOB, .job = reading->left->number};
    int rc = store_rows(reading->reader, &query, on_job, reading, reading->err);
    if (rc == 0) rc = reading->rc;
    if (rc == 0 && reading->job == NULL) rc = error_set(reading->err, "its row is gone");
    query.kind = STORE_READ_EVENTS;
    if (rc == 0) rc = store_rows(reading->reader, &query, on_event, reading, reading->err);
    if (rc == 0) rc = reading->rc;
    if (rc == 0) {
        job_settle(reading->job);
        jobs_add(reading->recovery->config.jobs, reading->job);
    } else {
        job_free(reading->job);
        error_from(reading->err, "job %llu of the store",
                   (unsigned long long)reading->left->number);
    }
    reading->job = NULL;
    return rc;
}

static void read_jobs(void *arg, const struct store_reader *reader) {
    struct reading *reading = arg;
    const struct store_query query = {.kind = STORE_READ_JOBS, .is_open = true};
    reading->reader = reader;
    reading->rc = store_rows(reader, &query, on_open_job, reading, reading->err);
    for (struct left *left = reading->recovery->jobs; left != NULL && reading->rc == 0;
         left = left->next) {
        reading->left = left;
        reading->rc = read_job(reading);
    }
}

int recovery_new(struct recovery **recovery, const struct recovery_config *config,
                 struct error *err) {
    struct recovery *r = mem_zalloc(sizeof *r);
    struct reading reading = {.recovery = r, .err = err};
    r->config = *config;
    if (!store_is_shared(config->store)) store_read_now(config->store, read_jobs, &reading);
    if (reading.rc == 0)
        *recovery = r;
    else
        recovery_free(r);
    return reading.rc;
}

void recovery_free(struct recovery *r) {
    if (r == NULL) return;
    recovery_joins_free(r);
    for (struct left *left = r->jobs, *next; left != NULL; left = next) {
        next = left->next;
        recovery_free_left(left);
    }
    free(r->look_ups.jobs);
    for (struct resuming *one = r->resuming, *next; one != NULL; one = next) {
        next = one->next;
        free(one);
    }
    free(r);
}

// --- hosts in doubt that wait for the inventory

static void read_again(uv_timer_t *timer);

static size_t jobs_that_wait(const struct recovery *r) {
    size_t count = 0;
    for (const struct left *left = r->jobs; left != NULL; left = left->next) {
        const struct job *job = jobs_numbered(r->config.jobs, left->number);
        count += job != NULL && job_awaits_credentials(job);
    }
    return count;
}

static void wait_for_inventory(struct recovery *r) {
    uv_timer_start(&r->retry, read_again, r->pause_ms, 0);
    r->pause_ms = r->pause_ms * 2 < PAUSE_MAX_MS ? r->pause_ms * 2 : PAUSE_MAX_MS;
}

// Those that nobody waits for have been asked with what was known of them.
static void give_credentials(const struct recovery *r, const struct inventory *inventory) {
    for (const struct left *left = r->jobs; left != NULL; left = left->next) {
        struct job *job = jobs_numbered(r->config.jobs, left->number);
        if (job != NULL && job_awaits_credentials(job)) job_take_credentials(job, inventory);
    }
    gate_ask_doubts(r->config.gate);
}

static void on_read_again(void *arg, struct inventory *inventory, const struct error *why) {
    struct recovery *r = arg;
    (void)why;
    r->runs = false;
    if (inventory != NULL)
        give_credentials(r, inventory);
    else
        wait_for_inventory(r);
    inventory_unref(inventory);
}

static void read_again(uv_timer_t *timer) {
    struct recovery *r = timer->data;
    if (jobs_that_wait(r) == 0) return; // somebody else has read it
    r->runs = true;
    fetcher_ask(r->config.fetcher, on_read_again, r);
}

static void begin_waiting(struct recovery *r, const struct error *why) {
    const size_t count = jobs_that_wait(r);
    if (count == 0) return;
    program_say("orchestrator: hosts in doubt of %zu jobs wait for the inventory, which has their "
                "credentials: %s",
                count, why->text);
    wait_for_inventory(r);
}

// --- all of them, at the start

static void take_up(const struct recovery *r, struct left *left, struct inventory *inventory,
                    const struct error *fetching) {
    struct job *job = jobs_numbered(r->config.jobs, left->number);
    const struct resume_facts facts = {.now_ms = clock_wall_ms(),
                                       .alive_ms = store_found(r->config.store)->alive_ms,
                                       .within_ms = r->config.resume_within_ms};
    struct buf differs = {0}, why = {0};
    recovery_look_up_in(r, left, job, inventory, fetching, &differs);
    if (resume_is_paused(job, &facts, differs.len == 0 ? NULL : differs.data, &why)) {
        left->is_paused = true;
        recovery_say_paused(job, why.data);
        gate_resume(r->config.gate, job, why.data);
    } else {
        free(left->image); // it will not be looked up again
        left->image = NULL;
        gate_resume(r->config.gate, job, NULL);
    }
    buf_deinit(&differs);
    buf_deinit(&why);
}

static void on_inventory(void *arg, struct inventory *inventory, const struct error *why) {
    struct recovery *r = arg;
    for (struct left *left = r->jobs; left != NULL; left = left->next)
        take_up(r, left, inventory, why);
    for (struct left *left = r->jobs; left != NULL; left = left->next) {
        struct job *job = jobs_numbered(r->config.jobs, left->number);
        if (!left->is_paused && job != NULL) gate_unpause(r->config.gate, job);
    }
    r->runs = false;
    if (inventory == NULL) begin_waiting(r, why);
    inventory_unref(inventory);
    r->done(r->done_arg);
}

void recovery_begin(struct recovery *r, void (*done)(void *arg), void *arg) {
    r->done = done;
    r->done_arg = arg;
    r->pause_ms = PAUSE_FIRST_MS;
    uv_timer_init(r->config.loop, &r->retry);
    r->retry.data = r;
    recovery_joins_begin(r);
    recovery_look_ups_begin(r);
    if (r->jobs == NULL) {
        done(arg);
        return;
    }
    r->runs = true;
    fetcher_ask(r->config.fetcher, on_inventory, r);
}

void recovery_stop(struct recovery *r) {
    if (r->runs) fetcher_forget(r->config.fetcher, r);
    r->runs = false;
    recovery_joins_stop(r);
    recovery_look_ups_stop(r);
    uv_close((uv_handle_t *)&r->retry, NULL);
}

// --- one of them, when it is asked for

static void unlink_resuming(struct resuming *one) {
    struct resuming **link = &one->recovery->resuming;
    while (*link != one)
        link = &(*link)->next;
    *link = one->next;
}

// All nodes have been told, or the job is not paused any more.
static void on_asked(void *arg, enum store_status status, uint64_t n) {
    struct resuming *one = arg;
    struct error err;
    const struct job *job = jobs_numbered(one->recovery->config.jobs, one->number);
    const bool is_paused = job != NULL && job->state == JOB_PAUSED;
    (void)n;
    unlink_resuming(one);
    if (is_paused) error_set(&err, "the store did not keep that it goes on");
    if (one->told != NULL) one->told(one->arg, job, status != STORE_OK && is_paused ? &err : NULL);
    free(one);
}

static bool asks_to_go_on(struct resuming *one, struct job *job) {
    const struct recovery_config *config = &one->recovery->config;
    one->is_asked = store_is_shared(config->store) && job != NULL && job->state == JOB_PAUSED &&
                    gate_ask_to_go_on(config->gate, job, on_asked, one);
    return one->is_asked;
}

static void on_inventory_again(void *arg, struct inventory *inventory, const struct error *why) {
    struct resuming *one = arg;
    const struct recovery *r = one->recovery;
    struct buf differs = {0};
    struct error err;
    if (inventory != NULL) give_credentials(r, inventory);
    struct job *job = jobs_numbered(r->config.jobs, one->number);
    if (job != NULL && job->state == JOB_PAUSED) {
        recovery_look_up_again(r, job, inventory, why, &differs);
        if (differs.len == 0 && asks_to_go_on(one, job)) {
            inventory_unref(inventory);
            return;
        }
        if (differs.len == 0) gate_unpause(r->config.gate, job);
        job = jobs_numbered(r->config.jobs, one->number); // it may have ended
    }
    if (differs.len > 0) error_set(&err, "%s", differs.data);
    unlink_resuming(one);
    one->told(one->arg, job, differs.len > 0 ? &err : NULL);
    inventory_unref(inventory);
    buf_deinit(&differs);
    free(one);
}

void recovery_resume(struct recovery *r, const struct job *job, recovery_told told, void *arg) {
    struct resuming *one = mem_alloc(sizeof *one);
    *one = (struct resuming){
        .next = r->resuming, .recovery = r, .number = job->number, .told = told, .arg = arg};
    r->resuming = one;
    fetcher_ask(r->config.fetcher, on_inventory_again, one);
}

void recovery_forget(struct recovery *r, const void *arg) {
    for (struct resuming *one = r->resuming; one != NULL; one = one->next) {
        if (one->arg != arg) continue;
        if (one->is_asked) {
            one->told = NULL;
            return;
        }
        fetcher_forget(r->config.fetcher, one);
        unlink_resuming(one);
        free(one);
        return;
    }
}

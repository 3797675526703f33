// Whether a job is the same in today's inventory, under today's policy, is seen by its image: it is
// made anew from its request, and must be what the store has.
#include "orchestrator/recover.h"

#include "common/clock.h"
#include "common/mem.h"
#include "common/policy_hash.h"
#include "common/program.h"
#include "orchestrator/gate_nodes.h"
#include "orchestrator/job_difference.h"
#include "orchestrator/job_stored.h"
#include "orchestrator/request.h"
#include "orchestrator/resume.h"
#include "orchestrator/select.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

enum { PAUSE_FIRST_MS = 1000, PAUSE_MAX_MS = 10 * 1000 };

struct left { // a job that an earlier process has left
    struct left *next;
    uint64_t number;
    void *image;
    size_t image_len;
    bool is_paused;
};

struct resuming { // who wants a paused job to go on
    struct resuming *next;
    struct recovery *recovery;
    uint64_t number;
    bool is_asked;      // the store has been told that it is to go on
    recovery_told told; // NULL: nobody wants to know any more
    void *arg;
};

struct joining { // a job of the store that is new here
    struct joining *next;
    struct recovery *recovery;
    struct left left;
    struct job *job; // NULL: it is done, or gone
    uint64_t n;
    int rc;
    struct error err;
    bool is_first, reads;
    recovery_joined told;
    void *arg;
};

struct recovery {
    struct recovery_config config;
    struct joining *joining;
    uv_timer_t join_again;
    bool fetches; // for those that join
    bool is_stopped;
    struct error why; // those that join wait; "": nothing is wrong
    uv_timer_t retry; // of the inventory, while hosts in doubt wait for their credentials
    uint64_t pause_ms;
    struct left *jobs; // in order of arrival
    struct resuming *resuming;
    bool runs;
    void (*done)(void *arg);
    void *done_arg;
};

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

static void free_left(struct left *left) {
    free(left->image);
    free(left);
}

static void free_joining(struct joining *one) {
    job_free(one->job);
    free(one->left.image);
    free(one);
}

void recovery_free(struct recovery *r) {
    if (r == NULL) return;
    for (struct joining *one = r->joining, *next; one != NULL; one = next) {
        next = one->next;
        free_joining(one);
    }
    for (struct left *left = r->jobs, *next; left != NULL; left = next) {
        next = left->next;
        free_left(left);
    }
    for (struct resuming *one = r->resuming, *next; one != NULL; one = next) {
        next = one->next;
        free(one);
    }
    free(r);
}

// --- looking a job up

static int make_image(const struct recovery *r, const struct job *job, struct inventory *inventory,
                      struct selection *selection, struct buf *image, struct error *err) {
    struct grouping grouping;
    int rc = select_from_text(job->task, job->request, r->config.policy, inventory, selection,
                              &grouping, err);
    if (rc != 0) return rc;
    job_image_write(image, inventory, selection, &grouping, policy_hash(r->config.policy));
    grouping_deinit(&grouping);
    return 0;
}

// How the job differs in the inventory; nothing where it does not: then it is seen in it from now
// on.
static void look_up(const struct recovery *r, const struct left *left, struct job *job,
                    struct inventory *inventory, struct buf *differs) {
    struct selection selection = {0};
    struct buf image = {0};
    struct error err;
    int rc = make_image(r, job, inventory, &selection, &image, &err);
    if (rc == 0)
        rc = job_difference(left->image, left->image_len, image.data, image.len, inventory, differs,
                            &err);
    if (rc != 0) buf_adds(differs, err.text);
    if (differs->len == 0)
        job_see_in(job, inventory, &selection);
    else
        selection_deinit(&selection);
    if (job->whole == NULL) job_take_credentials(job, inventory);
    buf_deinit(&image);
}

static void look_up_in(const struct recovery *r, const struct left *left, struct job *job,
                       struct inventory *inventory, const struct error *why, struct buf *differs) {
    if (inventory == NULL)
        buf_addf(differs, "the inventory: %s", why->text);
    else
        look_up(r, left, job, inventory, differs);
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

static void say_paused(const struct job *job, const char *why) {
    program_say("orchestrator: job %s is paused: %s; POST /jobs/%s/resume/ lets it go on", job->id,
                why, job->id);
}

static void take_up(const struct recovery *r, struct left *left, struct inventory *inventory,
                    const struct error *fetching) {
    struct job *job = jobs_numbered(r->config.jobs, left->number);
    const struct resume_facts facts = {.now_ms = clock_wall_ms(),
                                       .alive_ms = store_found(r->config.store)->alive_ms,
                                       .within_ms = r->config.resume_within_ms};
    struct buf differs = {0}, why = {0};
    look_up_in(r, left, job, inventory, fetching, &differs);
    if (resume_is_paused(job, &facts, differs.len == 0 ? NULL : differs.data, &why)) {
        left->is_paused = true;
        say_paused(job, why.data);
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
    uv_timer_init(r->config.loop, &r->join_again);
    r->retry.data = r->join_again.data = r;
    if (r->jobs == NULL) {
        done(arg);
        return;
    }
    r->runs = true;
    fetcher_ask(r->config.fetcher, on_inventory, r);
}

void recovery_stop(struct recovery *r) {
    if (r->runs) fetcher_forget(r->config.fetcher, r);
    if (r->fetches) fetcher_forget(r->config.fetcher, &r->joining);
    r->runs = r->fetches = false;
    r->is_stopped = true;
    uv_close((uv_handle_t *)&r->join_again, NULL);
    uv_close((uv_handle_t *)&r->retry, NULL);
}

// --- jobs of a store that several nodes share

static void join_all(struct recovery *r);

static void on_join_again(uv_timer_t *timer) {
    join_all(timer->data);
}

// Whether the job is to be paused, and why: as for all jobs that an earlier process has left.
static bool is_to_pause(const struct joining *one, const struct buf *differs, struct buf *why) {
    const struct recovery_config *config = &one->recovery->config;
    const struct resume_facts facts = {.now_ms = clock_wall_ms(),
                                       .alive_ms = store_found(config->store)->alive_ms,
                                       .within_ms = config->resume_within_ms};
    const char *text = differs->len == 0 ? NULL : differs->data;
    if (one->is_first) return resume_is_paused(one->job, &facts, text, why);
    if (text != NULL) buf_adds(why, text);
    return text != NULL;
}

static void give_to_gate(const struct joining *one, struct inventory *inventory) {
    const struct recovery *r = one->recovery;
    struct job *job = one->job;
    struct buf differs = {0}, why = {0};
    look_up(r, &one->left, job, inventory, &differs);
    const bool is_paused = is_to_pause(one, &differs, &why);
    if (is_paused && job->state != JOB_PAUSED) say_paused(job, why.data);
    jobs_add(r->config.jobs, job);
    gate_join(r->config.gate, job, is_paused ? why.data : NULL);
    buf_deinit(&differs);
    buf_deinit(&why);
}

// The gate may end the job at once.
static void join(struct joining *one, struct inventory *inventory) {
    if (one->job != NULL) give_to_gate(one, inventory);
    one->told(one->arg, one->left.number, one->job, one->n);
    one->job = NULL;
    free_joining(one);
}

static void on_inventory_for_joins(void *arg, struct inventory *inventory,
                                   const struct error *why) {
    struct recovery *r = (struct recovery *)((char *)arg - offsetof(struct recovery, joining));
    r->fetches = false;
    if (inventory == NULL) {
        r->why = *why;
        uv_timer_start(&r->join_again, on_join_again, PAUSE_FIRST_MS, 0);
        return;
    }
    r->why.text[0] = '\0';
    for (struct joining **link = &r->joining; *link != NULL;) {
        struct joining *one = *link;
        if (one->reads) { // it has come meanwhile
            link = &one->next;
            continue;
        }
        *link = one->next;
        join(one, inventory);
    }
    inventory_unref(inventory);
    join_all(r);
}

// Those that are read, in order of arrival.
static void join_all(struct recovery *r) {
    const struct joining *one = r->joining;
    while (one != NULL && one->reads)
        one = one->next;
    if (one == NULL || r->fetches || r->is_stopped) return;
    r->fetches = true;
    fetcher_ask(r->config.fetcher, on_inventory_for_joins, &r->joining);
}

static bool on_joined_row(void *arg, const struct store_job *row, const struct store_event *event) {
    struct joining *one = arg;
    (void)event;
    if (row->state == JOB_DONE) return false;
    one->job = job_from_store(row, &one->err);
    if (one->job == NULL) one->rc = ERROR_INPUT;
    if (one->job == NULL) return false;
    one->job->n = 0;
    one->left.image = mem_alloc(row->image_len);
    memcpy(one->left.image, row->image, row->image_len);
    one->left.image_len = row->image_len;
    if (row->shards == NULL) return true;
    one->job->shards = mem_array(row->hosts, sizeof *one->job->shards);
    memcpy(one->job->shards, row->shards, row->hosts * sizeof *one->job->shards);
    return true;
}

static bool on_joined_event(void *arg, const struct store_job *row,
                            const struct store_event *event) {
    struct joining *one = arg;
    (void)row;
    one->rc = job_apply(one->job, event, &one->err);
    one->n = event->n;
    one->job->n = event->n;
    return one->rc == 0;
}

static void read_to_join(void *arg, const struct store_reader *reader) {
    struct joining *one = arg;
    struct store_query query = {.kind = STORE_READ_JOB, .job = one->left.number};
    int rc = store_rows(reader, &query, on_joined_row, one, &one->err);
    if (rc == 0) rc = one->rc;
    query.kind = STORE_READ_EVENTS;
    if (rc == 0 && one->job != NULL)
        rc = store_rows(reader, &query, on_joined_event, one, &one->err);
    if (rc == 0) rc = one->rc;
    one->rc = rc;
    const bool is_over = one->job != NULL && one->job->state == JOB_DONE;
    if (rc == 0 && !is_over) return;
    job_free(one->job);
    one->job = NULL;
}

static void on_read_to_join(void *arg) {
    struct joining *one = arg;
    struct recovery *r = one->recovery;
    one->reads = false;
    if (r->is_stopped) return;
    if (one->rc == 0) {
        join_all(r);
        return;
    }
    // It is looked for again with the next look.
    struct joining **link = &r->joining;
    while (*link != one)
        link = &(*link)->next;
    *link = one->next;
    r->why = one->err;
    one->told(one->arg, one->left.number, NULL, 0);
    free_joining(one);
}

void recovery_join(struct recovery *r, uint64_t number, bool is_first, recovery_joined told,
                   void *arg) {
    struct joining **end = &r->joining;
    struct joining *one = mem_alloc(sizeof *one);
    *one = (struct joining){.recovery = r,
                            .left = {.number = number},
                            .is_first = is_first,
                            .reads = true,
                            .told = told,
                            .arg = arg};
    while (*end != NULL)
        end = &(*end)->next;
    *end = one;
    store_read(r->config.store, read_to_join, on_read_to_join, one);
}

bool recovery_is_idle(const struct recovery *r) {
    const struct joining *one = r->joining;
    while (one != NULL && !one->reads)
        one = one->next;
    return one == NULL;
}

const char *recovery_joins_wait(const struct recovery *r) {
    return r->joining != NULL && r->why.text[0] != '\0' ? r->why.text : NULL;
}

// --- one of them, when it is asked for

static const struct left *left_of(const struct recovery *r, uint64_t number) {
    const struct left *left = r->jobs;
    while (left != NULL && left->number != number)
        left = left->next;
    return left != NULL && left->image != NULL ? left : NULL;
}

// The job goes on in the inventory that it was paused in, or not at all; one that was paused by
// this process has that still.
static void look_up_again(const struct recovery *r, struct job *job, struct inventory *inventory,
                          const struct error *why, struct buf *differs) {
    const struct left *left = left_of(r, job->number);
    struct buf image = {0};
    struct left own = {0};
    if (left == NULL) {
        job_image_write(&image, job->inventory, &job->selection, &job->grouping,
                        policy_hash(r->config.policy));
        own = (struct left){.number = job->number, .image = image.data, .image_len = image.len};
        left = &own;
    }
    look_up_in(r, left, job, inventory, why, differs);
    buf_deinit(&image);
}

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
        look_up_again(r, job, inventory, why, &differs);
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

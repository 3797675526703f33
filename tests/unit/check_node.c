// A node, by what it tells those who changed a job, whatever the order in which the store's answer
// and the look that shows the change come; and by what it asks of the store.
#include "orchestrator/node.h"

#include "common/mem.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

Suite *check_node(void);

enum { JOB = 7, BEFORE = 4, CHANGE, SHARD = 3 }; // BEFORE, CHANGE: two events of the job

struct fixture {
    struct jobs *jobs;
    struct gate *gate;
    struct shards_held held;
    struct node *node;
    struct look *look;  // that is awaited
    store_done on_kept; // of what the store was asked to keep
    void *arg;
    unsigned told;
    uint64_t told_n;
    uint64_t now_ms;
    struct store_lease *lease; // that was asked for
    store_done on_leased;
    void *leased_arg;
    bool joins;
};

static uint64_t now_ms(void *self) {
    return ((const struct fixture *)self)->now_ms;
}

static void take_look(void *self, struct look *look) {
    ((struct fixture *)self)->look = look;
}

static void take_lease(void *self, struct store_lease *lease, store_done told, void *arg) {
    struct fixture *f = self;
    f->lease = lease;
    f->on_leased = told;
    f->leased_arg = arg;
}

static void join(void *self, uint64_t number, bool is_first) {
    (void)number;
    (void)is_first;
    ((struct fixture *)self)->joins = true;
}

static void take_event(void *self, const struct store_event *event, store_done kept, void *arg) {
    struct fixture *f = self;
    ck_assert_int_eq((int)event->kind, STORE_JOB);
    f->on_kept = kept;
    f->arg = arg;
}

static bool is_creating(void *self, const char *id) {
    (void)self;
    (void)id;
    return false;
}

static void on_heard(void *self, const struct store_event *event) {
    (void)self;
    (void)event;
}

static void at_time(void *self, uint64_t at_ms) {
    (void)self;
    (void)at_ms;
}

static void start_soon(void *self, bool soon) {
    (void)self;
    (void)soon;
}

static void on_ready(void *self) {
    (void)self;
}

static void on_told(void *arg, enum store_status status, uint64_t n) {
    struct fixture *f = arg;
    ck_assert_int_eq((int)status, STORE_OK);
    f->told++;
    f->told_n = n;
}

static const struct processors no_processors;

static void setup(struct fixture *f) {
    *f = (struct fixture){.jobs = jobs_new(), .now_ms = 1000};
    const struct gate_shell gate_shell = {
        .self = f, .now_ms = now_ms, .start_soon = start_soon, .retry_at = at_time};
    const struct gate_config gate = {.workers = 1,
                                     .peers = {.asks = 1},
                                     .jobs = f->jobs,
                                     .processors = &no_processors,
                                     .held = &f->held};
    const struct node_shell shell = {.self = f,
                                     .now_ms = now_ms,
                                     .look = take_look,
                                     .lease = take_lease,
                                     .join = join,
                                     .append = take_event,
                                     .is_creating = is_creating,
                                     .heard = on_heard,
                                     .kill_at = at_time,
                                     .ready = on_ready};
    f->gate = gate_new(&gate, &gate_shell);
    const struct node_config config = {
        .id = "a", .jobs = f->jobs, .gate = f->gate, .held = &f->held, .workers = 1};
    f->node = node_new(&config, &shell);
}

static void change_job(struct fixture *f) {
    node_joined(f->node, JOB, true, BEFORE);
    const struct store_event change = {.kind = STORE_JOB, .job = JOB};
    node_append(f->node, &change, on_told, f);
}

static void teardown(struct fixture *f) {
    node_free(f->node);
    gate_free(f->gate);
    jobs_free(f->jobs);
}

// The look shows all events up to that number; is_open: that the job is not done.
static void look(struct fixture *f, uint64_t last, bool is_open) {
    node_pass(f->node);
    struct look *look = f->look;
    ck_assert_uint_eq(look->asked_count, 1);
    look->events = mem_zalloc(sizeof *look->events);
    look->events_count = 1;
    look->events[0] = (struct look_events){.number = JOB};
    if (last > BEFORE) {
        look->events[0].list = mem_zalloc(sizeof *look->events[0].list);
        look->events[0].list[0] = (struct store_event){.kind = STORE_JOB, .job = JOB, .n = last};
        look->events[0].count = look->events[0].cap = 1;
    }
    if (is_open) {
        look->open = mem_zalloc(sizeof *look->open);
        look->open_count = look->open_cap = 1;
        look->open[0].number = JOB;
    }
    look->view.owners = mem_zalloc(SHARDS * sizeof *look->view.owners);
    node_looked(f->node, look);
}

START_TEST(a_change_is_told_once_the_look_behind_its_answer_shows_it) {
    struct fixture f;
    setup(&f);
    change_job(&f);
    f.on_kept(f.arg, STORE_OK, CHANGE);
    ck_assert_uint_eq(f.told, 0);
    look(&f, CHANGE, true);
    ck_assert_uint_eq(f.told, 1);
    ck_assert_uint_eq(f.told_n, CHANGE);
    teardown(&f);
}
END_TEST

// It may have been the last of its job, which is over then.
START_TEST(a_change_that_a_look_shows_before_its_answer_is_told_with_the_answer) {
    struct fixture f;
    setup(&f);
    change_job(&f);
    look(&f, CHANGE, _i == 0);
    ck_assert_uint_eq(f.told, 0);
    f.on_kept(f.arg, STORE_OK, CHANGE);
    ck_assert_uint_eq(f.told, 1);
    ck_assert_uint_eq(f.told_n, CHANGE);
    teardown(&f);
}
END_TEST

// It writes to the store, and sees that so many shards are free, and whether the job is open.
static void begin_look(struct fixture *f) {
    f->now_ms += NODE_LOOK_MS;
    node_acknowledged(f->node, f->now_ms);
    node_pass(f->node);
}

static void end_look(struct fixture *f, uint32_t free_shards, bool is_open) {
    struct look *look = f->look;
    look->view = (struct store_view){.free_shards = free_shards, .age_ms = UINT64_MAX};
    look->view.owners = mem_zalloc(SHARDS * sizeof *look->view.owners);
    if (is_open) {
        look->open = mem_zalloc(sizeof *look->open);
        look->open_count = look->open_cap = 1;
        look->open[0].number = JOB;
    }
    node_looked(f->node, look);
}

static void look_around(struct fixture *f, uint32_t free_shards, bool is_open) {
    begin_look(f);
    end_look(f, free_shards, is_open);
}

static void answer_lease(struct fixture *f, uint64_t epoch) {
    ck_assert_ptr_nonnull(f->lease);
    f->lease->result.epochs[SHARD] = epoch;
    f->lease = NULL;
    f->on_leased(f->leased_arg, STORE_OK, 0);
}

// Its inventory is away, so the job is not joined, nor the shard taken on.
START_TEST(a_shard_that_is_granted_goes_to_the_others_while_a_job_cannot_be_known) {
    struct fixture f;
    setup(&f);
    look_around(&f, 0, false);
    if (f.lease != NULL) answer_lease(&f, 0); // that it is ready
    look_around(&f, 1, false);
    ck_assert_uint_eq(f.lease->claim, 1);
    answer_lease(&f, 9);
    look_around(&f, 0, true);
    ck_assert(f.joins);
    ck_assert_uint_eq(f.held.epochs[SHARD], 0);
    f.now_ms += NODE_JOIN_MS;
    look_around(&f, 0, true);
    ck_assert(f.lease->gives[SHARD]);
    answer_lease(&f, 0);
    teardown(&f);
}
END_TEST

// The job is joined as it was while a look was under way, which has not asked for what came since:
// an intent may be among it.
START_TEST(a_shard_is_taken_on_with_a_look_that_asked_for_all_jobs) {
    struct fixture f;
    setup(&f);
    look_around(&f, 0, false);
    if (f.lease != NULL) answer_lease(&f, 0); // that it is ready
    look_around(&f, 1, false);
    answer_lease(&f, 9);
    look_around(&f, 0, true);
    ck_assert(f.joins);
    begin_look(&f);
    ck_assert_uint_eq(f.look->asked_count, 0);
    node_joined(f.node, JOB, true, BEFORE);
    end_look(&f, 0, true);
    ck_assert_uint_eq(f.held.epochs[SHARD], 0);
    look_around(&f, 0, true);
    ck_assert_uint_eq(f.held.epochs[SHARD], 9);
    teardown(&f);
}
END_TEST

Suite *check_node(void) {
    Suite *suite = suite_create("node");
    TCase *tc = tcase_create("node");
    suite_add_tcase(suite, tc);
    tcase_add_test(tc, a_change_is_told_once_the_look_behind_its_answer_shows_it);
    tcase_add_loop_test(tc, a_change_that_a_look_shows_before_its_answer_is_told_with_the_answer, 0,
                        2);
    tcase_add_test(tc, a_shard_that_is_granted_goes_to_the_others_while_a_job_cannot_be_known);
    tcase_add_test(tc, a_shard_is_taken_on_with_a_look_that_asked_for_all_jobs);
    return suite;
}

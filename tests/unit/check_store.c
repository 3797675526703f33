// What every back of a store keeps to: each test runs over all of them.
#include "orchestrator/store_memory_shared.h"
#include "tests/lab/postgres.h"
#include "tests/unit/stores.h"

Suite *check_store(void);

static const struct store_back *const backs[] = {&store_memory, &store_sqlite, &store_postgres,
                                                 &store_memory_shared};

// --- a store under test

static const struct store_back *back;
static struct store_place place;
static char where[LAB_URI_MAX];
static void *db;
static struct store_found found;
static struct error err;

enum { WALL_MS = 1000000 };

// Where several nodes share it each start is a node of its own, whose batches begin anew.
static bool is_shared(void) {
    return back->look != NULL;
}

static bool is_postgres(void) {
    return back == &store_postgres;
}

static void reopen_at(long long wall_ms) {
    void *before = db;
    if (back == &store_memory) { // it lives as long as somebody has it
        store_memory_reopen(db, wall_ms, &found);
        return;
    }
    if (back == &store_memory_shared) {
        store_memory_join(before, &db, wall_ms, &found);
        back->close(before);
        return;
    }
    back->close(db);
    int rc = back->open(&db, where, wall_ms, &found, &err);
    ck_assert_msg(rc == 0, "%s", err.text);
}

static void begin(int which) {
    back = backs[which];
    place = store_place_make();
    if (back == &store_postgres)
        lab_database(where);
    else
        snprintf(where, sizeof where, "%s", place.file);
    int rc = back->open(&db, where, WALL_MS, &found, &err);
    ck_assert_msg(rc == 0, "%s", err.text);
}

static void end(void) {
    back->close(db);
    store_place_remove(&place);
}

static enum store_status write_under(uint64_t beat, struct store_op *ops, size_t count) {
    const enum store_status status = back->write(db, beat, WALL_MS + 5, ops, count, &err);
    if (status == STORE_OK) found.beat = beat;
    return status;
}

static void write_all(struct store_op *ops, size_t count) {
    const enum store_status status = write_under(found.beat + 1, ops, count);
    ck_assert_msg(status == STORE_OK, "%s", err.text);
}

#define WRITE(...)                                                                                 \
    do {                                                                                           \
        struct store_op ops_of[] = {__VA_ARGS__};                                                  \
        write_all(ops_of, COUNT(ops_of));                                                          \
    } while (0)

static uint64_t create(const char *id, const char *key) {
    struct store_op op = store_create_op(id, key);
    write_all(&op, 1);
    ck_assert_int_eq(op.status, STORE_OK);
    return op.n;
}

static void assert_reads(struct store_query query, const char *expected) {
    char *text = store_read_text(back, db, &query);
    ck_assert_str_eq(text, expected);
    free(text);
}

#define READS(expected, ...) assert_reads((struct store_query){__VA_ARGS__}, expected)

static bool add_number(void *arg, const struct store_job *job, const struct store_event *event) {
    buf_addf(arg, "%llu ", (unsigned long long)(job != NULL ? job->number : event->n));
    return true;
}

static void assert_numbers(struct store_query query, const char *expected) {
    struct buf out = {0};
    int rc = back->read(db, &query, add_number, &out, &err);
    ck_assert_msg(rc == 0, "%s", err.text);
    ck_assert_str_eq(out.data == NULL ? "" : out.data, expected);
    buf_deinit(&out);
}

#define NUMBERS(expected, ...) assert_numbers((struct store_query){__VA_ARGS__}, expected)

#define JOB_1(rest)                                                                                \
    "job 1 id one key k task upgrade_os request {\"version\": \"5.3.1\"} hosts 100 " rest "\n"
#define TIMES " times 1600000000123 "

// --- what was written is there

START_TEST(a_new_store_is_empty_and_says_so) {
    begin(_i);
    ck_assert(found.is_new);
    ck_assert_int_eq(found.alive_ms, 0);
    ck_assert_uint_eq(found.beat, 0);
    ck_assert_uint_eq(found.epoch, WALL_MS / 1000); // the Unix time
    NUMBERS("", .kind = STORE_READ_JOBS);
    READS("", .kind = STORE_READ_JOB, .job = 1);
    READS("", .kind = STORE_READ_EVENTS, .job = 1);
    end();
}
END_TEST

START_TEST(each_start_has_an_epoch_of_its_own_and_finds_what_was_kept) {
    begin(_i);
    create("one", NULL);
    reopen_at(WALL_MS);
    ck_assert(!found.is_new);
    const long long alive_ms = found.alive_ms;
    if (is_postgres()) // by its own clock: nodes' clocks differ
        ck_assert(found.now_ms >= alive_ms && found.now_ms - alive_ms < 3600000LL);
    else
        ck_assert(alive_ms == WALL_MS + 5 && found.now_ms == WALL_MS);
    ck_assert_uint_eq(found.beat, is_shared() ? 0 : 1);
    ck_assert_uint_eq(found.epoch, WALL_MS / 1000 + 1); // the same second
    reopen_at(WALL_MS / 2);                             // a clock that went back
    ck_assert_uint_eq(found.epoch, WALL_MS / 1000 + 2);
    reopen_at(50LL * WALL_MS);
    ck_assert_uint_eq(found.epoch, 50LL * WALL_MS / 1000);
    ck_assert_int_eq(found.alive_ms, alive_ms); // to open it is not to write
    ck_assert_uint_eq(create("two", NULL), 2);
    end();
}
END_TEST

START_TEST(a_job_is_read_back_as_it_was_written) {
    begin(_i);
    struct store_op op = store_create_op("one", "k");
    static const char bytes[] = {'a', 'b', '\0', 'c', '\xff', '\n'};
    char *image = mem_alloc(sizeof bytes);
    memcpy(image, bytes, sizeof bytes);
    op.job.image = image;
    op.job.image_len = sizeof bytes;
    op.job.text = "after another";
    write_all(&op, 1);
    free((void *)(uintptr_t)op.job.image); // unless it was taken over
    ck_assert_uint_eq(op.n, 1);
    for (int again = 0; again < 2; again++) {
        struct buf out = {0};
        const struct store_query query = {.kind = STORE_READ_JOB, .job = 1};
        ck_assert_int_eq(back->read(db, &query, store_add_job, &out, &err), 0);
        static const char expected[] =
            JOB_1("n 0 state 1.0 text after another 0 0 0 0 0 0" TIMES "0 0 image 6:ab\0c\xff\n");
        ck_assert_uint_eq(out.len, sizeof expected - 1);
        ck_assert_mem_eq(out.data, expected, out.len);
        buf_deinit(&out);
        // Lists come without it.
        READS(JOB_1("n 0 state 1.0 text after another 0 0 0 0 0 0" TIMES "0 0 image 0:"),
              .kind = STORE_READ_JOBS);
        reopen_at(WALL_MS);
    }
    end();
}
END_TEST

START_TEST(an_event_is_read_back_as_it_was_written) {
    begin(_i);
    create("one", "k");
    struct store_op failed = store_event_op(1, STORE_OUTCOME, 4000000000);
    failed.event.attempt = 2;
    failed.event.result = HOST_FAILED;
    failed.event.ms = 5000000000;
    failed.event.version = "";
    failed.event.text = "it's \xc3\xa4 \"text\"\n";
    struct store_op paused = store_state_op(1, JOB_PAUSED, JOB_NO_OUTCOME);
    paused.event.text = "the service was away";
    WRITE(store_state_op(1, JOB_RUNNING, JOB_NO_OUTCOME), store_event_op(1, STORE_STARTED, 0),
          store_event_op(1, STORE_INTENT, 0), store_event_op(1, STORE_WITHDRAWN, 0), failed,
          paused);
    for (int again = 0; again < 2; again++) {
        READS("  1.1 kind 5 host -1 attempt 0 result 0 state 2.0 ms 0 at 1600000002002 - -\n"
              "  1.2 kind 1 host 0 attempt 0 result 0 state 0.0 ms 0 at 1600000001000 - -\n"
              "  1.3 kind 2 host 0 attempt 1 result 0 state 0.0 ms 0 at 1600000001000 5.2.1 -\n"
              "  1.4 kind 3 host 0 attempt 0 result 0 state 0.0 ms 0 at 1600000001000 - -\n"
              "  1.5 kind 4 host -294967296 attempt 2 result 4 state 0.0 ms 5000000000"
              " at 1604000001000  it's \xc3\xa4 \"text\"\n\n"
              "  1.6 kind 5 host -1 attempt 0 result 0 state 3.0 ms 0 at 1600000002003 -"
              " the service was away\n",
              .kind = STORE_READ_EVENTS, .job = 1);
        reopen_at(WALL_MS);
    }
    end();
}
END_TEST

START_TEST(events_are_numbered_densely_in_each_job) {
    begin(_i);
    create("one", NULL);
    create("two", NULL);
    struct store_op ops[] = {
        store_event_op(1, STORE_STARTED, 0), store_event_op(2, STORE_STARTED, 0),
        store_event_op(2, STORE_STARTED, 1), store_event_op(1, STORE_STARTED, 1)};
    for (uint64_t round = 0; round < 3; round++) {
        static const uint64_t numbers[] = {1, 1, 2, 2};
        write_all(ops, COUNT(ops));
        for (size_t i = 0; i < COUNT(ops); i++) {
            ck_assert_int_eq(ops[i].status, STORE_OK);
            ck_assert_uint_eq(ops[i].n, numbers[i] + 2 * round);
            ck_assert_uint_eq(ops[i].event.n, ops[i].n);
        }
        reopen_at(WALL_MS);
    }
    NUMBERS("1 2 3 4 5 6 ", .kind = STORE_READ_EVENTS, .job = 2);
    end();
}
END_TEST

START_TEST(the_row_of_a_job_counts_what_its_events_say) {
    begin(_i);
    create("one", "k");
    static const enum host_state results[] = {HOST_CHANGED,   HOST_CHANGED, HOST_UNCHANGED,
                                              HOST_UNCHANGED, HOST_FAILED,  HOST_SKIPPED,
                                              HOST_UNCHANGED};
    struct store_op waiting = store_state_op(1, JOB_WAITING, JOB_NO_OUTCOME);
    waiting.event.text = "for another";
    WRITE(waiting);
    READS(JOB_1("n 1 state 1.0 text for another 0 0 0 0 0 0" TIMES "0 0 image 0:"),
          .kind = STORE_READ_JOBS);
    WRITE(store_state_op(1, JOB_RUNNING, JOB_NO_OUTCOME));
    for (uint32_t i = 0; i < COUNT(results); i++) {
        struct store_op op = store_event_op(1, STORE_OUTCOME, i);
        op.event.result = results[i];
        WRITE(store_event_op(1, STORE_STARTED, i), op);
    }
    READS(JOB_1("n 16 state 2.0 text - 0 0 2 3 1 1" TIMES "1600000002002 0 image 0:"),
          .kind = STORE_READ_JOBS);
    struct store_op again = store_state_op(1, JOB_RUNNING, JOB_NO_OUTCOME);
    again.event.wall_ms += 1000; // it started before
    WRITE(store_state_op(1, JOB_PAUSED, JOB_NO_OUTCOME),
          store_state_op(1, JOB_WAITING, JOB_NO_OUTCOME), again,
          store_state_op(1, JOB_DONE, JOB_FAILED));
    for (int reopened = 0; reopened < 2; reopened++) {
        READS(
            JOB_1("n 20 state 5.2 text - 0 0 2 3 1 1" TIMES "1600000002002 1600000002005 image 0:"),
            .kind = STORE_READ_JOBS);
        reopen_at(WALL_MS);
    }
    end();
}
END_TEST

// --- what is not kept

START_TEST(an_intent_of_a_job_that_does_not_run_is_held_and_the_rest_is_kept) {
    begin(_i);
    create("one", "k");
    struct store_op ops[] = {
        store_event_op(1, STORE_INTENT, 0), // held: it waits, and another may run instead
        store_state_op(1, JOB_RUNNING, JOB_NO_OUTCOME),
        store_event_op(1, STORE_INTENT, 1),
        store_state_op(1, JOB_PAUSED, JOB_NO_OUTCOME),
        store_event_op(1, STORE_INTENT, 2), // held
        store_event_op(1, STORE_OUTCOME, 1),
        store_state_op(1, JOB_WAITING, JOB_NO_OUTCOME),
        store_event_op(1, STORE_INTENT, 2), // held
        store_state_op(1, JOB_RUNNING, JOB_NO_OUTCOME),
        store_event_op(1, STORE_INTENT, 3),
        store_state_op(1, JOB_CANCELLING, JOB_NO_OUTCOME),
        store_event_op(1, STORE_INTENT, 4), // held
        store_state_op(1, JOB_DONE, JOB_CANCELLED),
        store_event_op(1, STORE_INTENT, 5), // held
    };
    static const uint64_t numbers[] = {0, 1, 2, 3, 0, 4, 5, 0, 6, 7, 8, 0, 9, 0};
    for (int again = 0; again < 3; again++) { // its answer was lost; it was, over a restart
        for (size_t i = 0; i < COUNT(ops); i++)
            ops[i].status = STORE_UNREACHABLE;
        ck_assert_int_eq(write_under(2, ops, COUNT(ops)), STORE_OK);
        for (size_t i = 0; i < COUNT(ops); i++) {
            ck_assert_int_eq(ops[i].status, numbers[i] == 0 ? STORE_HELD : STORE_OK);
            ck_assert_uint_eq(ops[i].n, numbers[i]);
        }
        NUMBERS("1 2 3 4 5 6 7 8 9 ", .kind = STORE_READ_EVENTS, .job = 1);
        if (again == 1 && !is_shared()) reopen_at(WALL_MS);
    }
    struct store_op later = store_event_op(1, STORE_INTENT, 6);
    write_all(&later, 1);
    ck_assert_int_eq(later.status, STORE_HELD);
    end();
}
END_TEST

// What another node has changed meanwhile stays as it is.
START_TEST(where_nodes_share_it_a_job_comes_into_no_state_that_was_overtaken) {
    static const struct {
        enum job_state state;
        enum job_outcome outcome;
        uint64_t epoch; // of who leads; 0: of a client
        enum store_status status;
    } steps[] = {
        {JOB_RUNNING, JOB_NO_OUTCOME, 1, STORE_OK},
        {JOB_WAITING, JOB_NO_OUTCOME, 0, STORE_HELD}, // it is not paused
        {JOB_PAUSED, JOB_NO_OUTCOME, 0, STORE_OK},
        {JOB_RUNNING, JOB_NO_OUTCOME, 1, STORE_HELD},
        {JOB_WAITING, JOB_NO_OUTCOME, 1, STORE_HELD}, // for what, says who has not heard
        {JOB_PAUSED, JOB_NO_OUTCOME, 0, STORE_HELD},
        {JOB_WAITING, JOB_NO_OUTCOME, 0, STORE_OK}, // a client lets it go on
        {JOB_WAITING, JOB_NO_OUTCOME, 1, STORE_OK},
        {JOB_DONE, JOB_CANCELLED, 1, STORE_HELD}, // nobody has
        {JOB_CANCELLING, JOB_CANCELLED, 0, STORE_OK},
        {JOB_CANCELLING, JOB_STOPPED, 0, STORE_HELD},
        {JOB_PAUSED, JOB_NO_OUTCOME, 0, STORE_HELD},
        {JOB_DONE, JOB_COMPLETED, 1, STORE_HELD},
        {JOB_DONE, JOB_CANCELLED, 1, STORE_OK},
        {JOB_DONE, JOB_CANCELLED, 1, STORE_HELD},
    };
    begin(_i);
    create("one", "k");
    for (size_t i = 0; i < COUNT(steps) && is_shared(); i++) {
        struct store_op op = store_state_op(1, steps[i].state, steps[i].outcome);
        op.event.epoch = steps[i].epoch;
        write_all(&op, 1);
        ck_assert_msg(op.status == steps[i].status, "step %zu: %d", i, (int)op.status);
    }
    end();
}
END_TEST

START_TEST(a_key_is_of_one_job) {
    begin(_i);
    ck_assert_uint_eq(create("one", "k"), 1);
    ck_assert_uint_eq(create("two", "K"), 2);
    ck_assert_uint_eq(create("three", NULL), 3);
    ck_assert_uint_eq(create("four", NULL), 4);
    struct store_op op = store_create_op("five", "k");
    for (int again = 0; again < 2; again++) {
        ck_assert_int_eq(write_under(5, &op, 1), STORE_OK);
        ck_assert_int_eq(op.status, STORE_CONFLICT);
        ck_assert_uint_eq(op.n, 1);
    }
    NUMBERS("4 3 2 1 ", .kind = STORE_READ_JOBS);
    WRITE(store_state_op(1, JOB_DONE, JOB_COMPLETED));
    WRITE((struct store_op){.kind = STORE_RETAIN, .keep = 0});
    ck_assert_uint_eq(create("six", "k"), 5); // it is free again
    end();
}
END_TEST

START_TEST(a_batch_that_comes_again_is_answered_as_it_was_and_changes_nothing) {
    begin(_i);
    struct store_op op = store_create_op("one", "k");
    for (int again = 0; again < 3; again++) {
        op.status = STORE_UNREACHABLE;
        op.n = 0;
        ck_assert_int_eq(write_under(1, &op, 1), STORE_OK);
        ck_assert_int_eq(op.status, STORE_OK);
        ck_assert_uint_eq(op.n, 1);
    }
    create("two", NULL);
    WRITE(store_event_op(1, STORE_STARTED, 0));
    struct store_op ops[] = {store_event_op(2, STORE_STARTED, 0),
                             store_event_op(1, STORE_STARTED, 1),
                             {.kind = STORE_ALIVE},
                             store_event_op(2, STORE_STARTED, 1)};
    static const uint64_t numbers[] = {1, 2, 0, 2};
    for (int again = 0; again < 3; again++) {
        for (size_t i = 0; i < COUNT(ops); i++)
            ops[i].n = 77;
        ck_assert_int_eq(write_under(4, ops, COUNT(ops)), STORE_OK);
        for (size_t i = 0; i < COUNT(ops); i++)
            ck_assert_uint_eq(ops[i].n, numbers[i]);
        if (!is_shared()) reopen_at(WALL_MS);
    }
    NUMBERS("1 2 ", .kind = STORE_READ_EVENTS, .job = 1);
    NUMBERS("1 2 ", .kind = STORE_READ_EVENTS, .job = 2);
    end();
}
END_TEST

START_TEST(a_batch_of_another_number_is_refused_and_nothing_is_kept) {
    begin(_i);
    create("one", NULL);
    create("two", NULL);
    static const uint64_t wrong[] = {0, 1, 4, 100};
    for (size_t i = 0; i < COUNT(wrong); i++) {
        struct store_op op = store_event_op(1, STORE_STARTED, 0);
        ck_assert_int_eq(write_under(wrong[i], &op, 1), STORE_UNREACHABLE);
        ck_assert_msg(strstr(err.text, "somebody else writes there") != NULL, "%s", err.text);
    }
    NUMBERS("", .kind = STORE_READ_EVENTS, .job = 1);
    WRITE(store_event_op(1, STORE_STARTED, 0)); // the right one is taken
    end();
}
END_TEST

START_TEST(a_batch_with_an_event_of_no_job_is_not_kept_at_all) {
    begin(_i);
    create("one", NULL);
    struct store_op ops[] = {store_event_op(1, STORE_STARTED, 0),
                             store_event_op(2, STORE_STARTED, 0)};
    ck_assert_int_eq(write_under(2, ops, 2), STORE_UNREACHABLE);
    ck_assert_msg(strstr(err.text, "job 2 is not") != NULL, "%s", err.text);
    NUMBERS("", .kind = STORE_READ_EVENTS, .job = 1);
    ops[0].n = 0;
    write_all(ops, 1);
    ck_assert_uint_eq(ops[0].n, 1);
    end();
}
END_TEST

// --- what is dropped

START_TEST(a_job_that_nobody_was_told_of_is_forgotten_under_its_own_number) {
    begin(_i);
    create("one", NULL);
    struct store_op forget = {.kind = STORE_FORGET, .job = {.id = "two"}};
    ck_assert_int_eq(write_under(2, &forget, 1), STORE_OK); // it was not kept
    ck_assert_uint_eq(create("two", "k"), 2);
    reopen_at(WALL_MS);
    const uint64_t number = is_shared() ? 1 : 3;
    for (int again = 0; again < 2; again++) {
        ck_assert_int_eq(write_under(number, &forget, 1), STORE_OK); // it was
        NUMBERS("1 ", .kind = STORE_READ_JOBS);
    }
    READS("", .kind = STORE_READ_JOB, .id = "two");
    ck_assert_uint_eq(create("two", "k"), 3); // id and key are free, the number is not
    end();
}
END_TEST

START_TEST(the_oldest_jobs_that_are_done_are_dropped_and_no_other) {
    begin(_i);
    static const char *const ids[] = {"a", "b", "c", "d", "e", "f"};
    for (size_t i = 0; i < COUNT(ids); i++)
        create(ids[i], NULL);
    for (uint64_t job = 2; job <= 5; job++)
        WRITE(store_event_op(job, STORE_STARTED, 0), store_state_op(job, JOB_DONE, JOB_COMPLETED));
    struct store_op retain = {.kind = STORE_RETAIN, .keep = 4};
    write_all(&retain, 1);
    ck_assert_uint_eq(retain.n, 0);
    NUMBERS("6 5 4 3 2 1 ", .kind = STORE_READ_JOBS);
    retain.keep = 1;
    const uint64_t number = found.beat + 1;
    for (int again = 0; again < 2; again++) {
        ck_assert_int_eq(write_under(number, &retain, 1), STORE_OK);
        ck_assert_uint_eq(retain.n, 0);
        NUMBERS("6 5 1 ", .kind = STORE_READ_JOBS);
    }
    NUMBERS("", .kind = STORE_READ_EVENTS, .job = 2);
    NUMBERS("1 2 ", .kind = STORE_READ_EVENTS, .job = 5);
    retain.keep = 0;
    write_all(&retain, 1);
    NUMBERS("6 1 ", .kind = STORE_READ_JOBS);
    WRITE(store_state_op(6, JOB_DONE, JOB_COMPLETED));
    write_all(&retain, 1);
    reopen_at(WALL_MS);
    ck_assert_uint_eq(create("g", NULL), 7); // no number is given twice
    end();
}
END_TEST

START_TEST(a_large_job_is_dropped_piece_by_piece) {
    enum { HOSTS = 25000 };
    begin(_i);
    create("one", NULL);
    create("two", NULL);
    struct store_op *ops = mem_array(HOSTS, sizeof *ops);
    for (uint32_t host = 0; host < HOSTS; host++)
        ops[host] = store_event_op(1, STORE_STARTED, host);
    write_all(ops, HOSTS);
    free(ops);
    WRITE(store_state_op(1, JOB_DONE, JOB_COMPLETED), store_state_op(2, JOB_DONE, JOB_COMPLETED));
    struct store_op retain = {.kind = STORE_RETAIN, .keep = 0};
    write_all(&retain, 1);
    READS("", .kind = STORE_READ_JOB, .job = 1); // it is gone at once
    ck_assert_uint_gt(retain.n, 0);
    for (int pieces = 0; retain.n > 0; pieces++) {
        ck_assert_int_lt(pieces, 4);
        reopen_at(WALL_MS); // what is left of it is found again
        write_all(&retain, 1);
    }
    NUMBERS("", .kind = STORE_READ_JOBS);
    NUMBERS("", .kind = STORE_READ_EVENTS, .job = 1);
    end();
}
END_TEST

// --- what is asked for

START_TEST(jobs_are_listed_newest_first_as_asked_for) {
    begin(_i);
    static const char *const ids[] = {"a", "b", "c", "d", "e"};
    for (size_t i = 0; i < COUNT(ids); i++)
        create(ids[i], NULL);
    WRITE(store_state_op(2, JOB_RUNNING, JOB_NO_OUTCOME), store_state_op(3, JOB_DONE, JOB_FAILED),
          store_state_op(4, JOB_RUNNING, JOB_NO_OUTCOME), store_state_op(5, JOB_DONE, JOB_FAILED));
    NUMBERS("5 4 3 2 1 ", .kind = STORE_READ_JOBS);
    NUMBERS("5 4 ", .kind = STORE_READ_JOBS, .limit = 2);
    NUMBERS("3 2 1 ", .kind = STORE_READ_JOBS, .job = 4);
    NUMBERS("5 4 3 2 1 ", .kind = STORE_READ_JOBS, .job = UINT64_MAX);
    NUMBERS("3 ", .kind = STORE_READ_JOBS, .job = 4, .limit = 1);
    NUMBERS("4 2 ", .kind = STORE_READ_JOBS, .state = JOB_RUNNING);
    NUMBERS("2 ", .kind = STORE_READ_JOBS, .state = JOB_RUNNING, .job = 4);
    NUMBERS("4 2 1 ", .kind = STORE_READ_JOBS, .is_open = true);
    NUMBERS("", .kind = STORE_READ_JOBS, .is_open = true, .state = JOB_DONE);
    NUMBERS("4 ", .kind = STORE_READ_JOBS, .id = "d");
    NUMBERS("", .kind = STORE_READ_JOBS, .id = "d", .job = 4);
    create("f", "k");
    NUMBERS("6 ", .kind = STORE_READ_JOBS, .key = "k");
    NUMBERS("", .kind = STORE_READ_JOBS, .key = "k", .state = JOB_RUNNING);
    NUMBERS("", .kind = STORE_READ_JOBS, .key = "l");
    end();
}
END_TEST

START_TEST(a_job_is_found_by_number_id_or_key) {
    begin(_i);
    create("one", "k");
    create("two", "l");
    create("three", NULL);
    NUMBERS("2 ", .kind = STORE_READ_JOB, .job = 2);
    NUMBERS("2 ", .kind = STORE_READ_JOB, .id = "two");
    NUMBERS("2 ", .kind = STORE_READ_JOB, .key = "l");
    NUMBERS("3 ", .kind = STORE_READ_JOB, .id = "three");
    NUMBERS("", .kind = STORE_READ_JOB, .job = 4);
    NUMBERS("", .kind = STORE_READ_JOB, .job = UINT64_MAX);
    NUMBERS("", .kind = STORE_READ_JOB, .id = "k");
    NUMBERS("", .kind = STORE_READ_JOB, .key = "two");
    NUMBERS("", .kind = STORE_READ_JOB);
    end();
}
END_TEST

static bool stop_at_second(void *arg, const struct store_job *job,
                           const struct store_event *event) {
    add_number(arg, job, event);
    return ((struct buf *)arg)->len < 4;
}

START_TEST(events_are_read_after_a_number_as_many_as_asked_for) {
    begin(_i);
    create("one", NULL);
    create("two", NULL);
    for (uint32_t host = 0; host < 600; host++)
        WRITE(store_event_op(1, STORE_STARTED, host));
    WRITE(store_event_op(2, STORE_STARTED, 0));
    NUMBERS("599 600 ", .kind = STORE_READ_EVENTS, .job = 1, .after = 598);
    NUMBERS("256 257 258 ", .kind = STORE_READ_EVENTS, .job = 1, .after = 255, .limit = 3);
    NUMBERS("257 ", .kind = STORE_READ_EVENTS, .job = 1, .after = 256, .limit = 1);
    NUMBERS("1 2 ", .kind = STORE_READ_EVENTS, .job = 1, .limit = 2);
    NUMBERS("", .kind = STORE_READ_EVENTS, .job = 1, .after = 600);
    NUMBERS("", .kind = STORE_READ_EVENTS, .job = 1, .after = UINT64_MAX);
    NUMBERS("", .kind = STORE_READ_EVENTS, .job = 3);
    struct buf out = {0};
    const struct store_query all = {.kind = STORE_READ_EVENTS, .job = 1};
    ck_assert_int_eq(back->read(db, &all, stop_at_second, &out, &err), 0);
    ck_assert_str_eq(out.data, "1 2 ");
    buf_deinit(&out);
    NUMBERS("1 2 ", .kind = STORE_READ_EVENTS, .job = 1, .limit = 2); // and begins anew
    end();
}
END_TEST

// --- the audit

static struct store_op audit_op(const char *who, bool is_refused, int status) {
    return (struct store_op){.kind = STORE_AUDIT,
                             .audit = {.wall_ms = WALL_MS,
                                       .who = who,
                                       .is_refused = is_refused,
                                       .status = status,
                                       .from = "192.0.2.7",
                                       .method = "POST",
                                       .path = "/upgrade-os/",
                                       .job = status == 202 ? "one" : NULL}};
}

static bool add_line(void *arg, const struct store_audit *line) {
    ck_assert_int_eq(line->wall_ms, WALL_MS);
    ck_assert_str_eq(line->from, "192.0.2.7");
    ck_assert_str_eq(line->method, "POST");
    ck_assert_str_eq(line->path, "/upgrade-os/");
    ck_assert_pstr_eq(line->job, line->status == 202 ? "one" : NULL);
    buf_addf(arg, "%llu%s:%s:%d ", (unsigned long long)line->n, line->is_refused ? "?" : "",
             line->who == NULL ? "" : line->who, line->status);
    return true;
}

static void assert_lines(struct store_query query, const char *expected) {
    struct buf out = {0};
    query.kind = STORE_READ_AUDIT;
    query.audit = add_line;
    int rc = back->read(db, &query, NULL, &out, &err);
    ck_assert_msg(rc == 0, "%s", err.text);
    ck_assert_str_eq(out.data == NULL ? "" : out.data, expected);
    buf_deinit(&out);
}

#define LINES(expected, ...) assert_lines((struct store_query){__VA_ARGS__}, expected)

START_TEST(the_audit_is_read_from_either_end) {
    begin(_i);
    LINES("", .limit = 10);
    create("one", NULL);
    WRITE(audit_op("noc", false, 202), store_event_op(1, STORE_STARTED, 0),
          audit_op(NULL, true, 401), audit_op("noc", false, 400));
    WRITE(audit_op(NULL, false, 202));
    LINES("4::202 3:noc:400 2?::401 1:noc:202 ", .limit = 0);
    LINES("4::202 3:noc:400 ", .limit = 2);
    LINES("2?::401 1:noc:202 ", .after = 3);
    LINES("1:noc:202 2?::401 3:noc:400 4::202 ", .oldest_first = true);
    LINES("3:noc:400 ", .oldest_first = true, .after = 2, .limit = 1);
    LINES("", .after = 1);
    LINES("", .oldest_first = true, .after = UINT64_MAX);
    reopen_at(WALL_MS);
    LINES("4::202 3:noc:400 2?::401 1:noc:202 ", .limit = 0);
    NUMBERS("1 ", .kind = STORE_READ_EVENTS, .job = 1);
    end();
}
END_TEST

START_TEST(what_is_refused_pushes_nothing_else_out_of_the_audit) {
    begin(_i);
    struct store_op ops[STORE_REFUSED_MAX + 1];
    for (size_t i = 0; i < COUNT(ops); i++)
        ops[i] = audit_op(NULL, true, 401);
    WRITE(audit_op("noc", false, 200));
    write_all(ops, COUNT(ops));
    LINES("1:noc:200 3?::401 ", .oldest_first = true, .limit = 2); // the first has gone
    LINES("1002?::401 ", .limit = 1);
    end();
}
END_TEST

START_TEST(a_batch_with_the_audit_that_comes_again_is_kept_once) {
    begin(_i);
    create("one", NULL);
    struct store_op ops[] = {audit_op("noc", false, 202), store_event_op(1, STORE_STARTED, 0)};
    write_all(ops, COUNT(ops));
    ck_assert_int_eq(write_under(found.beat, ops, COUNT(ops)), STORE_OK);
    ck_assert_uint_eq(ops[1].n, 1);
    LINES("1:noc:202 ", .limit = 0);
    end();
}
END_TEST

Suite *check_store(void) {
    Suite *suite = suite_create("store");
    TCase *tcase = tcase_create("store");
    const int count = COUNT(backs);
    suite_add_tcase(suite, tcase);
    tcase_add_loop_test(tcase, a_new_store_is_empty_and_says_so, 0, count);
    tcase_add_loop_test(tcase, each_start_has_an_epoch_of_its_own_and_finds_what_was_kept, 0,
                        count);
    tcase_add_loop_test(tcase, a_job_is_read_back_as_it_was_written, 0, count);
    tcase_add_loop_test(tcase, the_audit_is_read_from_either_end, 0, count);
    tcase_add_loop_test(tcase, what_is_refused_pushes_nothing_else_out_of_the_audit, 0, count);
    tcase_add_loop_test(tcase, a_batch_with_the_audit_that_comes_again_is_kept_once, 0, count);
    tcase_add_loop_test(tcase, an_event_is_read_back_as_it_was_written, 0, count);
    tcase_add_loop_test(tcase, events_are_numbered_densely_in_each_job, 0, count);
    tcase_add_loop_test(tcase, the_row_of_a_job_counts_what_its_events_say, 0, count);
    tcase_add_loop_test(tcase, an_intent_of_a_job_that_does_not_run_is_held_and_the_rest_is_kept, 0,
                        count);
    tcase_add_loop_test(tcase, where_nodes_share_it_a_job_comes_into_no_state_that_was_overtaken, 0,
                        count);
    tcase_add_loop_test(tcase, a_key_is_of_one_job, 0, count);
    tcase_add_loop_test(tcase, a_batch_that_comes_again_is_answered_as_it_was_and_changes_nothing,
                        0, count);
    tcase_add_loop_test(tcase, a_batch_of_another_number_is_refused_and_nothing_is_kept, 0, count);
    tcase_add_loop_test(tcase, a_batch_with_an_event_of_no_job_is_not_kept_at_all, 0, count);
    tcase_add_loop_test(tcase, a_job_that_nobody_was_told_of_is_forgotten_under_its_own_number, 0,
                        count);
    tcase_add_loop_test(tcase, the_oldest_jobs_that_are_done_are_dropped_and_no_other, 0, count);
    tcase_add_loop_test(tcase, a_large_job_is_dropped_piece_by_piece, 0, count);
    tcase_add_loop_test(tcase, jobs_are_listed_newest_first_as_asked_for, 0, count);
    tcase_add_loop_test(tcase, a_job_is_found_by_number_id_or_key, 0, count);
    tcase_add_loop_test(tcase, events_are_read_after_a_number_as_many_as_asked_for, 0, count);
    return suite;
}

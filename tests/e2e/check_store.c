// The front of a store with its threads, over a file and over memory. What is batched when is
// tests/unit/check_store_queue.c's; what is kept, check_store.c's there.
#include "orchestrator/store.h"
#include "tests/unit/stores.h"

#include <errno.h>
#include <stdatomic.h>
#include <sys/syscall.h>

Suite *check_store(void);

// --- the disk, on the store's threads

static atomic_int write_error; // errno; 0: none
static atomic_bool writes_wait;

// NOLINTNEXTLINE(readability-inconsistent-declaration-parameter-name): glibc's names are reserved
ssize_t pwrite64(int fd, const void *data, size_t len, off64_t at) {
    while (writes_wait)
        usleep(1000);
    if (write_error == 0) return syscall(SYS_pwrite64, fd, data, len, at);
    errno = write_error;
    return -1;
}

// --- a store under test

static uv_loop_t loop;
static struct store *store;
static struct store_place place;
static struct error err;
static struct buf told;
static size_t commits, awaited;
static bool is_closed;

static void on_commit(void *arg, double seconds) {
    ck_assert_ptr_eq(arg, &commits);
    ck_assert(seconds >= 0);
    commits++;
}

static struct buf troubles;

static void on_trouble(void *arg, const char *why) {
    ck_assert_ptr_eq(arg, &troubles);
    buf_addf(&troubles, "%s;", why == NULL ? "well" : strstr(why, ": ") + 2);
}

static void open_with(const struct store_config *config) {
    int rc = store_open(&store, &loop, config, &err);
    ck_assert_msg(rc == 0, "%s", err.text);
    store_on_commit(store, on_commit, &commits);
    store_on_trouble(store, on_trouble, &troubles);
    commits = 0;
    is_closed = false;
}

static void begin_with(struct store_config config) {
    write_error = 0;
    writes_wait = false;
    place = store_place_make();
    ck_assert_int_eq(uv_loop_init(&loop), 0);
    config.where = place.file;
    open_with(&config);
}

static void begin(void) {
    begin_with((struct store_config){.keep_jobs = 100});
}

static void on_closed(void *arg) {
    ck_assert_ptr_eq(arg, &is_closed);
    is_closed = true;
}

static void close_store(void) {
    store_close(store, on_closed, &is_closed);
    ck_assert(!is_closed);
    uv_run(&loop, UV_RUN_DEFAULT);
    ck_assert(is_closed);
}

static void end(void) {
    close_store();
    ck_assert_int_eq(uv_loop_close(&loop), 0); // nothing is left open
    store_place_remove(&place);
    buf_deinit(&told);
    buf_deinit(&troubles);
}

static void turn_until_all_are_told(void) {
    while (awaited > 0)
        uv_run(&loop, UV_RUN_ONCE);
}

// "a=3 ", or "a! " where it is not kept.
static void note(void *arg, enum store_status status, uint64_t n) {
    static const char *const signs[] = {"=", "?", "~", "!"};
    buf_addf(&told, "%s%s", (const char *)arg, signs[status]);
    if (status == STORE_OK || status == STORE_CONFLICT)
        buf_addf(&told, "%llu", (unsigned long long)n);
    buf_adds(&told, " ");
    awaited--;
}

static void ask(const char *name, struct store_op op) {
    awaited++;
    if (op.kind == STORE_CREATE)
        store_create(store, &op.job, note, (void *)(uintptr_t)name);
    else
        store_append(store, &op.event, note, (void *)(uintptr_t)name);
}

static void assert_told(const char *expected) {
    ck_assert_str_eq(told.data == NULL ? "" : told.data, expected);
    buf_clear(&told);
}

static void create_one(void) {
    struct store_op op = store_create_op("one", NULL);
    op.job.image = mem_strdup("image");
    op.job.image_len = 5;
    ask("one", op);
    turn_until_all_are_told();
    assert_told("one=1 ");
}

START_TEST(all_are_told_in_order_after_the_commit_and_never_from_within) {
    begin();
    ck_assert(store_is_persistent(store) && store_found(store)->is_new);
    struct store_op held = store_event_op(1, STORE_INTENT, 2);
    create_one();
    ask("a", store_event_op(1, STORE_STARTED, 0));
    ask("b", store_event_op(1, STORE_STARTED, 1));
    ask("c", store_create_op("two", "k"));
    ask("d", store_create_op("three", "k"));
    ask("e", store_state_op(1, JOB_PAUSED, JOB_NO_OUTCOME));
    ask("f", held);
    store_append(store, &held.event, NULL, NULL);
    ask("g", store_event_op(2, STORE_STARTED, 0));
    assert_told("");
    turn_until_all_are_told();
    assert_told("a=1 b=2 c=2 d~2 e=3 f? g=1 ");
    end();
}
END_TEST

START_TEST(memory_answers_at_once) {
    begin();
    close_store();
    open_with(&(struct store_config){.where = "none", .keep_jobs = 1});
    ck_assert(!store_is_persistent(store));
    for (uint64_t job = 1; job <= 3; job++) {
        static const char *const ids[] = {"a", "b", "c"};
        struct store_op op = store_create_op(ids[job - 1], NULL);
        op.job.image = mem_strdup("image");
        op.job.image_len = 5;
        ask("job", op);
        ask("x", store_event_op(job, STORE_STARTED, 0));
        ask("y", store_state_op(job, JOB_DONE, JOB_COMPLETED));
        ck_assert_uint_eq(awaited, 0);
    }
    assert_told("job=1 x=1 y=2 job=2 x=1 y=2 job=3 x=1 y=2 ");
    ck_assert(store_is_well(store, NULL));
    end();
}
END_TEST

// Who is answered asks for more, which is answered behind him.
static void note_and_ask(void *arg, enum store_status status, uint64_t n) {
    awaited++;
    note(arg, status, n);
    ask("second", store_event_op(1, STORE_STARTED, 1));
    buf_adds(&told, "| ");
}

START_TEST(who_is_answered_may_ask_for_more) {
    begin();
    static const char *const wheres[] = {"none", NULL};
    close_store();
    for (size_t i = 0; i < COUNT(wheres); i++) {
        open_with(&(struct store_config){.where = wheres[i] == NULL ? place.file : wheres[i]});
        create_one();
        const struct store_op op = store_event_op(1, STORE_STARTED, 0);
        char first[] = "first";
        store_append(store, &op.event, note_and_ask, first);
        while (told.data == NULL || strstr(told.data, "second") == NULL)
            uv_run(&loop, UV_RUN_ONCE);
        assert_told("first=1 | second=2 ");
        if (i + 1 < COUNT(wheres)) close_store();
    }
    end();
}
END_TEST

START_TEST(what_is_asked_during_a_commit_is_one_batch) {
    begin_with((struct store_config){.keep_jobs = 100, .commit_delay_ms = 5});
    create_one();
    commits = 0;
    for (uint32_t host = 0; host < 1000; host++)
        ask("", store_event_op(1, STORE_STARTED, host % 100));
    turn_until_all_are_told();
    buf_clear(&told);
    ck_assert(commits == 1 || commits == 2); // the first at once where that is due; all the others
    end();
}
END_TEST

static size_t turns, told_before, most_told;

static void on_turn(uv_prepare_t *prepare) {
    (void)prepare;
    turns++;
    const size_t now = told.len / 3; // "=1 " at least
    if (now - told_before > most_told) most_told = now - told_before;
    told_before = now;
}

static void note_only(void *arg, enum store_status status, uint64_t n) {
    (void)arg;
    (void)n;
    ck_assert_int_eq(status, STORE_OK);
    buf_adds(&told, "...");
    awaited--;
}

START_TEST(answers_leave_turns_of_the_loop_to_others) {
    begin();
    create_one();
    uv_prepare_t prepare;
    uv_prepare_init(&loop, &prepare);
    uv_prepare_start(&prepare, on_turn);
    turns = told_before = most_told = 0;
    for (uint32_t host = 0; host < 3000; host++) {
        const struct store_op op = store_event_op(1, STORE_STARTED, host % 100);
        awaited++;
        store_append(store, &op.event, note_only, NULL);
    }
    turn_until_all_are_told();
    uv_run(&loop, UV_RUN_NOWAIT);
    ck_assert_uint_gt(most_told, 0);
    ck_assert_uint_lt(most_told, 1000);
    ck_assert_uint_gt(turns, 10);
    uv_close((uv_handle_t *)&prepare, NULL);
    end();
}
END_TEST

// --- a disk that fails

START_TEST(events_wait_for_a_disk_that_is_full_and_jobs_are_refused) {
    begin();
    const char *why = NULL;
    create_one();
    write_error = ENOSPC;
    ask("two", store_create_op("two", NULL));
    turn_until_all_are_told();
    assert_told("two! ");
    ck_assert(!store_is_well(store, &why));
    ck_assert_msg(strstr(why, "a.db: database or disk is full") != NULL, "%s", why);
    ask("a", store_event_op(1, STORE_STARTED, 0));
    ask("three", store_create_op("three", NULL));
    while (told.len == 0)
        uv_run(&loop, UV_RUN_ONCE);
    assert_told("three! ");
    write_error = 0;
    turn_until_all_are_told();
    assert_told("a=1 ");
    ck_assert(store_is_well(store, &why));
    ask("four", store_create_op("four", NULL));
    turn_until_all_are_told();
    assert_told("four=2 "); // there is no other
    ck_assert_str_eq(troubles.data,
                     "database or disk is full: make room on its disk;well;"); // once
    end();
}
END_TEST

START_TEST(a_write_that_does_not_come_back_is_told) {
    begin();
    const char *why = NULL;
    create_one();
    writes_wait = true;
    ask("a", store_event_op(1, STORE_STARTED, 0));
    while (store_is_well(store, &why))
        uv_run(&loop, UV_RUN_ONCE);
    ck_assert_msg(strstr(why, "a.db: a write has not come back for 5 s: look at") != NULL, "%s",
                  why);
    ck_assert_uint_eq(told.len, 0);
    writes_wait = false;
    turn_until_all_are_told();
    assert_told("a=1 ");
    ck_assert(store_is_well(store, &why));
    ck_assert_str_eq(troubles.data, "a write has not come back for 5 s: look at the kernel's "
                                    "messages (dmesg);well;");
    end();
}
END_TEST

START_TEST(a_store_that_closes_writes_what_is_queued) {
    begin();
    create_one();
    for (uint32_t host = 0; host < 10; host++)
        ask("", store_event_op(1, STORE_STARTED, host));
    close_store();
    ck_assert_uint_eq(awaited, 0);
    assert_told("=1 =2 =3 =4 =5 =6 =7 =8 =9 =10 ");
    open_with(&(struct store_config){.where = place.file});
    ck_assert(!store_found(store)->is_new);
    ask("", store_event_op(1, STORE_STARTED, 10));
    turn_until_all_are_told();
    assert_told("=11 ");
    end();
}
END_TEST

START_TEST(a_store_that_closes_on_a_full_disk_tells_that_it_could_not) {
    begin();
    create_one();
    write_error = ENOSPC;
    ask("a", store_event_op(1, STORE_STARTED, 0));
    ask("b", store_create_op("two", NULL));
    ask("c", store_event_op(1, STORE_STARTED, 1));
    close_store();
    assert_told("b! a! c! ");
    write_error = 0;
    open_with(&(struct store_config){.where = place.file});
    end();
}
END_TEST

START_TEST(a_store_that_cannot_be_opened_leaves_nothing) {
    begin();
    struct store *other = NULL;
    const struct store_config folder = {.where = place.folder};
    ck_assert_int_ne(store_open(&other, &loop, &folder, &err), 0);
    ck_assert_msg(strstr(err.text, "Is a directory") != NULL, "%s", err.text);
    ck_assert_ptr_null(other);
    end();
}
END_TEST

// --- its size

static void create_large(const char *id) {
    enum { IMAGE = 400 << 10 };
    struct store_op op = store_create_op(id, NULL);
    op.job.image = mem_zalloc(IMAGE);
    op.job.image_len = IMAGE;
    ask(id, op);
    turn_until_all_are_told();
}

static void end_job(uint64_t number) {
    struct store_op op = store_event_op(number, STORE_JOB, STORE_NO_HOST);
    op.event.state = JOB_DONE;
    op.event.outcome = JOB_COMPLETED;
    ask("done", op);
    turn_until_all_are_told();
}

// It says so and no more: what is asked is kept. What is dropped makes room, and is dropped when it
// is asked for.
START_TEST(a_store_says_that_it_is_as_large_as_it_may_be) {
    const struct store_config config = {.keep_jobs = 100, .size_max = 1 << 20};
    begin_with(config);
    ck_assert(store_has_room(store, &err));
    create_large("one");
    create_large("two");
    ck_assert(store_has_room(store, &err));
    create_large("three");
    ck_assert(!store_has_room(store, &err));
    ck_assert_msg(
        strncmp(err.text, "it holds 1.2MiB, and no new job is taken from 1MiB on: ", 55) == 0, "%s",
        err.text);
    ask("event", store_event_op(1, STORE_STARTED, 0));
    create_large("four");
    for (uint64_t job = 1; job <= 4; job++)
        end_job(job);
    assert_told("one=1 two=2 three=3 event=1 four=4 done=2 done=1 done=1 done=1 ");
    close_store();
    open_with(&(struct store_config){.where = place.file, .keep_jobs = 1, .size_max = 1 << 20});
    ck_assert(!store_has_room(store, &err)); // as it was found
    store_retain(store);
    while (!store_has_room(store, &err))
        uv_run(&loop, UV_RUN_ONCE);
    create_large("five");
    assert_told("five=5 ");
    end();
}
END_TEST

START_TEST(a_store_in_memory_has_room) {
    begin_with((struct store_config){.keep_jobs = 100});
    close_store();
    open_with(&(struct store_config){.where = "none", .keep_jobs = 100, .size_max = 1});
    create_large("one");
    ck_assert(store_has_room(store, &err));
    buf_clear(&told);
    end();
}
END_TEST

// --- readings

struct reading {
    const char *name;
    struct store_query query;
    uint64_t count, last;
};

static bool count_row(void *arg, const struct store_job *job, const struct store_event *event) {
    struct reading *reading = arg;
    reading->count++;
    reading->last = job != NULL ? job->number : event->n;
    return true;
}

static void read_rows(void *arg, const struct store_reader *reader) {
    struct reading *reading = arg;
    struct error error;
    ck_assert_int_eq(store_rows(reader, &reading->query, count_row, reading, &error), 0);
}

static void on_read(void *arg) {
    const struct reading *reading = arg;
    buf_addf(&told, "%s:%llu ", reading->name, (unsigned long long)reading->count);
    writes_wait = false;
    awaited--;
}

static void ask_to_read(struct reading *reading) {
    awaited++;
    store_read(store, read_rows, on_read, reading);
}

START_TEST(a_reading_does_not_wait_for_a_commit_and_sees_what_was_kept_before) {
    begin();
    create_one();
    ask("a", store_event_op(1, STORE_STARTED, 0));
    turn_until_all_are_told();
    writes_wait = true; // until it has been read
    struct reading events = {"events", {.kind = STORE_READ_EVENTS, .job = 1}, 0, 0};
    struct reading jobs = {"jobs", {.kind = STORE_READ_JOBS}, 0, 0};
    ask("b", store_event_op(1, STORE_STARTED, 1));
    ask_to_read(&events);
    ask_to_read(&jobs);
    turn_until_all_are_told();
    ck_assert_msg(strncmp(told.data, "a=1 events:1 ", 13) == 0, "%s", told.data);
    buf_clear(&told);
    events.count = 0;
    ask_to_read(&events);
    turn_until_all_are_told();
    assert_told("events:2 ");
    end();
}
END_TEST

START_TEST(memory_is_read_a_turn_later) {
    begin();
    close_store();
    open_with(&(struct store_config){.where = "none"});
    create_one();
    struct reading jobs = {"jobs", {.kind = STORE_READ_JOBS}, 0, 0};
    ask_to_read(&jobs);
    ck_assert_uint_eq(jobs.count, 0);
    turn_until_all_are_told();
    assert_told("jobs:1 ");
    end();
}
END_TEST

START_TEST(old_jobs_are_dropped_as_others_are_done) {
    begin_with((struct store_config){.keep_jobs = 2});
    static const char *const ids[] = {"a", "b", "c", "d", "e"};
    for (uint64_t job = 1; job <= COUNT(ids); job++) {
        ask("", store_create_op(ids[job - 1], NULL));
        turn_until_all_are_told();
        if (job > 1) ask("", store_state_op(job, JOB_DONE, JOB_COMPLETED));
    }
    turn_until_all_are_told();
    buf_clear(&told);
    struct reading jobs = {"jobs", {.kind = STORE_READ_JOBS}, 0, 0};
    do {
        jobs.count = 0;
        ask_to_read(&jobs);
        turn_until_all_are_told();
    } while (jobs.count > 3); // it is done beside
    ck_assert_uint_eq(jobs.count, 3);
    ck_assert_uint_eq(jobs.last, 1); // it is open
    end();
}
END_TEST

// For ThreadSanitizer: writings and readings beside one another.
START_TEST(many_write_and_read_at_the_same_time) {
    begin();
    create_one();
    struct reading readings[100];
    for (uint32_t i = 0; i < COUNT(readings); i++) {
        for (uint32_t host = 0; host < 20; host++)
            ask("", store_event_op(1, STORE_STARTED, host));
        readings[i] = (struct reading){"", {.kind = STORE_READ_EVENTS, .job = 1}, 0, 0};
        ask_to_read(&readings[i]);
        uv_run(&loop, i % 3 == 0 ? UV_RUN_ONCE : UV_RUN_NOWAIT);
    }
    turn_until_all_are_told();
    for (size_t i = 0; i < COUNT(readings); i++) {
        ck_assert_uint_eq(readings[i].count, readings[i].last);
        if (i > 0) ck_assert_uint_ge(readings[i].count, readings[i - 1].count);
    }
    end();
}
END_TEST

Suite *check_store(void) {
    Suite *suite = suite_create("store");
    TCase *tcase = tcase_create("store");
    suite_add_tcase(suite, tcase);
    tcase_set_timeout(tcase, 30);
    tcase_add_test(tcase, all_are_told_in_order_after_the_commit_and_never_from_within);
    tcase_add_test(tcase, memory_answers_at_once);
    tcase_add_test(tcase, who_is_answered_may_ask_for_more);
    tcase_add_test(tcase, what_is_asked_during_a_commit_is_one_batch);
    tcase_add_test(tcase, answers_leave_turns_of_the_loop_to_others);
    tcase_add_test(tcase, events_wait_for_a_disk_that_is_full_and_jobs_are_refused);
    tcase_add_test(tcase, a_write_that_does_not_come_back_is_told);
    tcase_add_test(tcase, a_store_that_closes_writes_what_is_queued);
    tcase_add_test(tcase, a_store_that_closes_on_a_full_disk_tells_that_it_could_not);
    tcase_add_test(tcase, a_store_that_cannot_be_opened_leaves_nothing);
    tcase_add_test(tcase, a_store_says_that_it_is_as_large_as_it_may_be);
    tcase_add_test(tcase, a_store_in_memory_has_room);
    tcase_add_test(tcase, a_reading_does_not_wait_for_a_commit_and_sees_what_was_kept_before);
    tcase_add_test(tcase, memory_is_read_a_turn_later);
    tcase_add_test(tcase, old_jobs_are_dropped_as_others_are_done);
    tcase_add_test(tcase, many_write_and_read_at_the_same_time);
    return suite;
}

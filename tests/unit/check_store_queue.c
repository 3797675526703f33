#include "orchestrator/store_queue.h"
#include "tests/unit/seeds.h"
#include "tests/unit/support.h"

#include <stdio.h>

Suite *check_store_queue(void);

enum { KEEP = 7 };

#define GATHER_US UINT64_C(2000)
#define ALIVE_US  UINT64_C(5000000)
#define BEAT_US   UINT64_C(2000000)

static struct store_queue queue;
static struct buf told;

static void begin(uint64_t open_jobs) {
    const struct store_queue_config config = {.gather_us = GATHER_US,
                                              .alive_us = ALIVE_US,
                                              .keep_jobs = KEEP,
                                              .beat = 40,
                                              .open_jobs = open_jobs};
    store_queue_init(&queue, &config);
    buf_clear(&told);
}

static void end(void) {
    store_queue_deinit(&queue);
    buf_deinit(&told);
}

// Who is told is a word: "a=3 ", or "a! " where it is not kept, "a? " where it is held.
static void note(void *arg, enum store_status status, uint64_t n) {
    static const char *const signs[] = {"=", "?", "~", "!"};
    buf_addf(&told, "%s%s", (const char *)arg, signs[status]);
    if (status != STORE_UNREACHABLE && status != STORE_HELD)
        buf_addf(&told, "%llu", (unsigned long long)n);
    buf_adds(&told, " ");
}

static void *word(const char *text) {
    return (void *)(uintptr_t)text;
}

static void ask_create(const char *name) {
    char *image = mem_strdup(name);
    const struct store_job job = {.id = name,
                                  .key = "key",
                                  .task = "task",
                                  .request = "{}",
                                  .image = image,
                                  .image_len = strlen(image),
                                  .hosts = 3,
                                  .state = JOB_WAITING};
    store_queue_create(&queue, &job, note, word(name));
}

static void ask_event(const char *name) {
    const struct store_event event = {
        .kind = STORE_OUTCOME, .job = 1, .result = HOST_FAILED, .text = name};
    store_queue_append(&queue, &event, name == NULL ? NULL : note, word(name));
}

static void ask_done(uint64_t job) {
    const struct store_event event = {.kind = STORE_JOB,
                                      .job = job,
                                      .host = STORE_NO_HOST,
                                      .state = JOB_DONE,
                                      .outcome = JOB_COMPLETED};
    store_queue_append(&queue, &event, NULL, NULL);
}

// What is to be written: "41: a b", "41: create a", "41: alive"; or when to ask again: "in 1500".
static const char *next_at(uint64_t now_us) {
    static char text[1000];
    static const char *const kinds[] = {"create", "", "alive", "retain", "forget", "audit", "beat"};
    const struct store_turn turn = store_queue_next(&queue, now_us);
    if (turn.batch == NULL) {
        snprintf(text, sizeof text, "in %llu%s", (unsigned long long)turn.wait_us,
                 turn.has_more ? "" : ", idle");
        return text;
    }
    ck_assert_uint_eq(turn.wait_us, 0);
    int len = snprintf(text, sizeof text, "%llu:", (unsigned long long)turn.batch->number);
    for (size_t i = 0; i < turn.batch->count; i++) {
        const struct store_op *op = &turn.batch->ops[i];
        const char *name = op->kind == STORE_APPEND   ? op->event.text
                           : op->kind == STORE_CREATE ? op->job.id
                           : op->kind == STORE_FORGET ? op->job.id
                                                      : NULL;
        len += snprintf(text + len, sizeof text - (size_t)len, "%s%s%s%s",
                        *kinds[op->kind] == '\0' ? "" : " ", kinds[op->kind],
                        name == NULL ? "" : " ", name == NULL ? "" : name);
    }
    return text;
}

#define NEXT(now_us, expected) ck_assert_str_eq(next_at(now_us), expected)

static void tell(void) {
    struct store_answer answer;
    while (store_queue_answer(&queue, &answer))
        answer.done(answer.arg, answer.status, answer.n);
}

static uint64_t last_n;

static void kept_at(uint64_t now_us) {
    const struct error none = {0};
    const struct store_batch *batch = queue.asked.first;
    for (size_t i = 0; i < batch->count; i++) {
        batch->ops[i].status = STORE_OK;
        batch->ops[i].n = batch->ops[i].kind == STORE_RETAIN ? 0 : ++last_n;
    }
    store_queue_written(&queue, STORE_OK, &none, now_us);
}

static void lost_at(uint64_t now_us) {
    struct error err;
    error_set(&err, "the disk is full");
    store_queue_written(&queue, STORE_UNREACHABLE, &err, now_us);
}

static void fenced_at(uint64_t now_us) {
    struct error err;
    error_set(&err, "taken for dead");
    store_queue_written(&queue, STORE_FENCED, &err, now_us);
}

static void assert_told(const char *expected) {
    tell();
    ck_assert_str_eq(told.data == NULL ? "" : told.data, expected);
    buf_clear(&told);
}

START_TEST(an_idle_store_writes_at_once_and_what_comes_meanwhile_gathers) {
    begin(0);
    last_n = 0;
    NEXT(1000, "in 0, idle");
    ask_event("a");
    NEXT(1000, "41: a");
    ask_event("b");
    ask_event("c");
    NEXT(1100, "in 0"); // it is told when that is written
    assert_told("");
    kept_at(1300);
    assert_told("a=1 ");
    NEXT(1300, "in 1700"); // 2 ms from when the last one began
    ask_event("d");
    NEXT(2999, "in 1");
    NEXT(3000, "42: b c d");
    kept_at(3500);
    assert_told("b=2 c=3 d=4 ");
    NEXT(3500, "in 0, idle");
    ask_event("e");
    NEXT(3600, "in 1400");
    NEXT(9000, "43: e");
    kept_at(20000); // it took 11 ms
    ask_event("f");
    NEXT(20000, "in 33000"); // four times as long from when it began
    NEXT(53000, "44: f");
    kept_at(113000); // it took 60 ms
    ask_event("g");
    NEXT(113000, "45: g"); // 50 ms at most
    kept_at(113100);
    assert_told("e=5 f=6 g=7 ");
    ask_event("h");
    NEXT(113100, "in 1900"); // it took 0.1 ms
    NEXT(115000, "46: h");
    kept_at(115100);
    assert_told("h=8 ");
    end();
}
END_TEST

START_TEST(a_create_is_a_batch_of_its_own_and_all_is_told_in_the_order_of_asking) {
    begin(0);
    last_n = 0;
    ask_event("a");
    ask_create("b");
    ask_event("c");
    ask_event(NULL); // nobody waits for it
    ask_event("d");
    ask_create("e");
    NEXT(0, "41: a");
    kept_at(0);
    NEXT(2000, "42: create b");
    kept_at(2000);
    NEXT(4000, "43: c d");
    kept_at(4000);
    NEXT(6000, "44: create e");
    kept_at(6000);
    assert_told("a=1 b=2 c=3 d=5 e=6 ");
    ck_assert(store_queue_is_empty(&queue));
    end();
}
END_TEST

START_TEST(what_could_not_be_kept_comes_again_under_its_number_until_it_is_kept) {
    begin(0);
    last_n = 0;
    ask_event("a");
    ask_event("b");
    NEXT(0, "41: a b");
    ck_assert(store_queue_is_well(&queue));
    lost_at(500);
    ck_assert(!store_queue_is_well(&queue));
    ck_assert_str_eq(queue.why.text, "the disk is full");
    ask_event("c");
    uint64_t now_us = 500;
    static const unsigned waits_ms[] = {100, 200, 400, 800, 1000, 1000, 1000};
    for (size_t i = 0; i < COUNT(waits_ms); i++) {
        char wait[20];
        snprintf(wait, sizeof wait, "in %u", waits_ms[i] * 1000);
        NEXT(now_us, wait);
        now_us += waits_ms[i] * UINT64_C(1000);
        NEXT(now_us, "41: a b");
        lost_at(now_us);
        assert_told("");
    }
    now_us += 1000000;
    NEXT(now_us, "41: a b");
    kept_at(now_us);
    ck_assert(store_queue_is_well(&queue));
    assert_told("a=1 b=2 ");
    NEXT(now_us + GATHER_US, "42: c");
    lost_at(now_us + GATHER_US);
    NEXT(now_us + GATHER_US, "in 100000"); // from the start
    end();
}
END_TEST

START_TEST(a_create_that_could_not_be_kept_is_refused_at_once_and_forgotten) {
    begin(0);
    last_n = 0;
    ask_create("a");
    ask_event("b");
    ask_create("c");
    ask_event("d");
    NEXT(0, "41: create a");
    lost_at(0);
    assert_told("a! c! "); // those behind it, too; events are not
    ask_create("e");
    assert_told("e! ");
    ask_event("f");
    NEXT(100000, "41: forget a"); // it may be there
    lost_at(100000);
    NEXT(300000, "41: forget a");
    kept_at(300000);
    assert_told("");
    NEXT(302000, "42: b");
    kept_at(302000);
    NEXT(304000, "43: d f"); // what was behind the other create
    kept_at(304000);
    ask_create("g");
    NEXT(306000, "44: create g");
    kept_at(306000);
    assert_told("b=2 d=3 f=4 g=5 ");
    end();
}
END_TEST

START_TEST(a_create_behind_events_that_could_not_be_kept_is_refused_before_them) {
    begin(0);
    last_n = 0;
    ask_event("a");
    ask_create("b");
    NEXT(0, "41: a");
    lost_at(0);
    assert_told("b! ");
    NEXT(100000, "41: a");
    kept_at(100000);
    assert_told("a=1 ");
    ck_assert(store_queue_is_empty(&queue));
    end();
}
END_TEST

START_TEST(the_time_is_kept_while_a_job_is_open_and_nothing_else_is) {
    begin(1);
    NEXT(ALIVE_US, "in 0, idle"); // not before this process has written anything
    ask_event("a");
    NEXT(ALIVE_US, "41: a");
    kept_at(ALIVE_US);
    NEXT(ALIVE_US + 1000, "in 4999000, idle");
    ask_event("b");
    NEXT(ALIVE_US + 2000, "42: b");
    kept_at(ALIVE_US + 3000);
    NEXT(2 * ALIVE_US, "in 3000, idle");
    NEXT(2 * ALIVE_US + 3000, "43: alive");
    kept_at(2 * ALIVE_US + 4000);
    NEXT(3 * ALIVE_US + 4000, "44: alive");
    kept_at(3 * ALIVE_US + 4000);
    ask_done(1);
    NEXT(3 * ALIVE_US + 6000, "45:");
    kept_at(3 * ALIVE_US + 6000);
    NEXT(3 * ALIVE_US + 8000, "46: retain");
    kept_at(3 * ALIVE_US + 8000);
    NEXT(9 * ALIVE_US, "in 0, idle");
    ask_create("c"); // one more is open
    NEXT(9 * ALIVE_US, "47: create c");
    kept_at(9 * ALIVE_US);
    NEXT(10 * ALIVE_US, "48: alive");
    end();
}
END_TEST

START_TEST(a_back_that_wants_a_beat_has_one_whatever_else_there_is) {
    begin(0);
    queue.config.beat_us = BEAT_US;
    NEXT(ALIVE_US, "41: beat"); // at once: the process has just begun
    kept_at(ALIVE_US + 1000);
    NEXT(ALIVE_US + 2000, "in 1999000, idle");
    ask_event("a");
    NEXT(ALIVE_US + 4000, "42: a"); // which is one
    kept_at(ALIVE_US + 4000);
    NEXT(ALIVE_US + BEAT_US, "in 4000, idle");
    NEXT(ALIVE_US + BEAT_US + 4000, "43: beat");
    lost_at(ALIVE_US + BEAT_US + 4000);
    NEXT(ALIVE_US + BEAT_US + 104000, "43: beat"); // until it is kept
    store_queue_close(&queue);
    kept_at(ALIVE_US + BEAT_US + 105000);
    NEXT(3 * ALIVE_US, "in 0, idle");
    end();
}
END_TEST

START_TEST(a_beat_keeps_no_time_and_puts_off_none) {
    begin(1);
    queue.config.beat_us = BEAT_US;
    NEXT(10 * ALIVE_US, "41: beat"); // what was found is not decided yet
    kept_at(10 * ALIVE_US);
    NEXT(10 * ALIVE_US + 5 * BEAT_US, "42: beat");
    kept_at(10 * ALIVE_US + 5 * BEAT_US);
    ask_event("a");
    NEXT(20 * ALIVE_US, "43: a");
    kept_at(20 * ALIVE_US);
    for (uint64_t i = 1; i <= 2; i++) {
        NEXT(20 * ALIVE_US + i * BEAT_US, i == 1 ? "44: beat" : "45: beat");
        kept_at(20 * ALIVE_US + i * BEAT_US);
    }
    NEXT(21 * ALIVE_US - 1000, "in 1000, idle");
    NEXT(21 * ALIVE_US, "46: alive");
    kept_at(21 * ALIVE_US);
    NEXT(21 * ALIVE_US + BEAT_US, "47: beat");
    end();
}
END_TEST

START_TEST(a_store_that_is_fenced_off_writes_nothing_more_and_gives_up_when_it_closes) {
    begin(1);
    queue.config.beat_us = BEAT_US;
    ask_event("a");
    NEXT(0, "41: a");
    fenced_at(1);
    ck_assert(!store_queue_is_well(&queue));
    ask_event("b");
    ask_create("c");
    NEXT(10 * ALIVE_US, "in 0, idle");
    assert_told("c! "); // a client waits for it
    store_queue_close(&queue);
    assert_told("a! b! ");
    ck_assert(store_queue_is_empty(&queue));
    end();
}
END_TEST

START_TEST(a_store_that_is_fenced_off_while_it_closes_gives_up) {
    begin(0);
    ask_event("a");
    ask_event("b");
    store_queue_close(&queue);
    NEXT(0, "41: a b");
    fenced_at(1);
    assert_told("a! b! ");
    ck_assert(store_queue_is_empty(&queue));
    end();
}
END_TEST

START_TEST(whenever_a_job_is_done_old_ones_are_dropped_piece_by_piece) {
    begin(3);
    ask_done(1);
    ask_done(2);
    NEXT(0, "41:");
    kept_at(0);
    ask_event("a");
    NEXT(2000, "42: retain");
    ck_assert_uint_eq(queue.asked.first->ops[0].keep, KEEP);
    ask_done(3);
    queue.asked.first->ops[0].n = 5; // are left over
    queue.asked.first->ops[0].status = STORE_OK;
    store_queue_written(&queue, STORE_OK, &queue.why, 2000);
    NEXT(4000, "43: a");
    kept_at(4000);
    NEXT(6000, "44: retain"); // one for both
    kept_at(6000);
    NEXT(8000, "in 0, idle");
    end();
}
END_TEST

START_TEST(a_store_that_closes_writes_all_that_is_left_without_waiting) {
    begin(1);
    last_n = 0;
    ask_event("a");
    NEXT(0, "41: a");
    ask_event("b");
    ask_create("c");
    store_queue_close(&queue);
    kept_at(10);
    NEXT(10, "42: b");
    lost_at(20);
    assert_told("a=1 c! ");
    NEXT(20, "42: b"); // once more
    kept_at(30);
    assert_told("b=2 ");
    ck_assert(store_queue_is_empty(&queue));
    NEXT(10 * ALIVE_US, "in 0, idle");
    end();
}
END_TEST

START_TEST(what_a_store_that_closes_cannot_write_is_given_up_and_told) {
    begin(1);
    ask_event("a");
    ask_event("b");
    NEXT(0, "41: a b");
    ask_event("c");
    lost_at(0);
    store_queue_close(&queue);
    NEXT(1, "41: a b");                          // it had failed before, so this was once more
    queue.asked.first->ops[0].status = STORE_OK; // the back had come so far
    lost_at(2);
    assert_told("a! b! c! ");
    ck_assert(store_queue_is_empty(&queue));
    end();
}
END_TEST

START_TEST(a_batch_has_so_many_ops_at_most) {
    begin(0);
    for (size_t i = 0; i < 2 * STORE_BATCH_MAX + 3; i++)
        ask_event(NULL);
    static const size_t counts[] = {STORE_BATCH_MAX, STORE_BATCH_MAX, 3};
    for (size_t i = 0; i < COUNT(counts); i++) {
        const struct store_turn turn = store_queue_next(&queue, i * GATHER_US);
        ck_assert_uint_eq(turn.batch->count, counts[i]);
        kept_at(i * GATHER_US);
    }
    tell();
    ck_assert(store_queue_is_empty(&queue));
    end();
}
END_TEST

// --- any history

#define HOLDS(h, condition)                                                                        \
    do {                                                                                           \
        if (!(condition))                                                                          \
            ck_abort_msg("%s; replay with SEED=%llu", #condition, (unsigned long long)(h)->seed);  \
    } while (0)

enum { ASKED_MAX = 200 };

struct history {
    uint64_t seed, draws, now_us;
    struct asked {
        struct history *of;
        bool is_create, is_told, is_kept;
        char id[12];
    } asked[ASKED_MAX];
    size_t count;
    size_t events_told, events_kept; // in order: those before have been
    uint64_t beat;                   // kept
    char under_way[12];              // the first of the last number that was tried
    uint64_t tried;
};

static uint64_t draw(struct history *h, uint64_t max) {
    return rng_range(rng_mix(h->seed, ++h->draws), 0, max);
}

static void on_told(void *arg, enum store_status status, uint64_t n) {
    struct asked *asked = arg;
    struct history *h = asked->of;
    HOLDS(h, !asked->is_told);
    asked->is_told = true;
    (void)n;
    HOLDS(h, asked->is_kept == (status == STORE_OK));
    if (asked->is_create) return;
    while (h->asked[h->events_told].is_create)
        h->events_told++;
    HOLDS(h, asked == &h->asked[h->events_told]);
    h->events_told++;
}

static void ask_any(struct history *h) {
    struct asked *asked = &h->asked[h->count];
    *asked = (struct asked){.of = h, .is_create = draw(h, 5) == 0};
    snprintf(asked->id, sizeof asked->id, "%zu", h->count++);
    const struct store_job job = {
        .id = asked->id, .task = "t", .request = "{}", .state = JOB_WAITING};
    const struct store_event event = {.kind = STORE_STARTED, .text = asked->id};
    if (asked->is_create)
        store_queue_create(&queue, &job, on_told, asked);
    else
        store_queue_append(&queue, &event, on_told, asked);
}

static bool was_asked(const struct store_op *op) {
    return op->kind == STORE_APPEND || op->kind == STORE_CREATE;
}

// The time, which is kept while a job is open, has none.
static const char *id_of(const struct store_op *op) {
    if (op->kind == STORE_APPEND) return op->event.text;
    return op->kind == STORE_CREATE || op->kind == STORE_FORGET ? op->job.id : "";
}

// A back that keeps a batch, or does not, or does and cannot say so.
static void write_any(struct history *h, const struct store_batch *batch) {
    struct error err = {.text = "no"};
    const bool is_kept = draw(h, 2) > 0, is_said = is_kept && draw(h, 3) > 0;
    const char *id = id_of(&batch->ops[0]);
    HOLDS(h, batch->number == h->beat + 1);
    // The same comes again.
    HOLDS(h, h->tried != batch->number || strcmp(h->under_way, id) == 0);
    h->tried = batch->number;
    snprintf(h->under_way, sizeof h->under_way, "%s", id);
    for (size_t i = 0; i < batch->count; i++) {
        struct store_op *op = &batch->ops[i];
        op->status = STORE_OK;
        if (!was_asked(op) || !is_said) continue;
        h->asked[strtoul(id_of(op), NULL, 10)].is_kept = true;
        if (op->kind != STORE_APPEND) continue;
        while (h->asked[h->events_kept].is_create)
            h->events_kept++;
        HOLDS(h, strcmp(op->event.text, h->asked[h->events_kept].id) == 0);
        h->events_kept++;
    }
    if (is_said) h->beat = batch->number;
    store_queue_written(&queue, is_said ? STORE_OK : STORE_UNREACHABLE, &err, h->now_us);
}

static void run_history(uint64_t seed) {
    struct history *h = mem_zalloc(sizeof *h);
    struct store_answer answer;
    h->seed = seed;
    h->beat = 40;
    begin(0);
    while (h->count < ASKED_MAX) {
        for (uint64_t more = draw(h, 4); more > 0 && h->count < ASKED_MAX; more--)
            ask_any(h);
        const struct store_turn turn = store_queue_next(&queue, h->now_us);
        for (uint64_t more = draw(h, 2); more > 0 && h->count < ASKED_MAX; more--)
            ask_any(h);
        if (turn.batch != NULL) write_any(h, turn.batch);
        h->now_us += turn.batch == NULL && draw(h, 1) == 0 ? turn.wait_us : 300;
        for (uint64_t some = draw(h, 6); some > 0 && store_queue_answer(&queue, &answer); some--)
            answer.done(answer.arg, answer.status, answer.n);
    }
    store_queue_close(&queue);
    struct store_turn turn;
    while ((turn = store_queue_next(&queue, h->now_us)).batch != NULL)
        write_any(h, turn.batch);
    tell();
    HOLDS(h, store_queue_is_empty(&queue));
    for (size_t i = 0; i < ASKED_MAX; i++)
        HOLDS(h, h->asked[i].is_told);
    end();
    free(h);
}

START_TEST(whatever_happens_each_is_told_once_and_events_are_kept_in_order) {
    run_seeds(50, run_history);
}
END_TEST

Suite *check_store_queue(void) {
    Suite *suite = suite_create("store_queue");
    TCase *tcase = tcase_create("store_queue");
    suite_add_tcase(suite, tcase);
    tcase_add_test(tcase, an_idle_store_writes_at_once_and_what_comes_meanwhile_gathers);
    tcase_add_test(tcase, a_create_is_a_batch_of_its_own_and_all_is_told_in_the_order_of_asking);
    tcase_add_test(tcase, what_could_not_be_kept_comes_again_under_its_number_until_it_is_kept);
    tcase_add_test(tcase, a_create_that_could_not_be_kept_is_refused_at_once_and_forgotten);
    tcase_add_test(tcase, a_create_behind_events_that_could_not_be_kept_is_refused_before_them);
    tcase_add_test(tcase, the_time_is_kept_while_a_job_is_open_and_nothing_else_is);
    tcase_add_test(tcase, whenever_a_job_is_done_old_ones_are_dropped_piece_by_piece);
    tcase_add_test(tcase, a_store_that_closes_writes_all_that_is_left_without_waiting);
    tcase_add_test(tcase, what_a_store_that_closes_cannot_write_is_given_up_and_told);
    tcase_add_test(tcase, a_back_that_wants_a_beat_has_one_whatever_else_there_is);
    tcase_add_test(tcase, a_beat_keeps_no_time_and_puts_off_none);
    tcase_add_test(tcase,
                   a_store_that_is_fenced_off_writes_nothing_more_and_gives_up_when_it_closes);
    tcase_add_test(tcase, a_store_that_is_fenced_off_while_it_closes_gives_up);
    tcase_add_test(tcase, a_batch_has_so_many_ops_at_most);
    tcase_add_test(tcase, whatever_happens_each_is_told_once_and_events_are_kept_in_order);
    return suite;
}

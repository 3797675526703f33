// turnstile.c in a loop: work that takes more than a turn's share each time.
#include "common/turnstile.h"

#include <check.h>
#include <string.h>

Suite *check_turnstile(void);

enum { WORKERS = 6 };

static uv_loop_t loop;
static struct turnstile turnstile;
static struct worker {
    struct turnstile_entry entry;
    char name;
} workers[WORKERS];
static char done[3 * WORKERS + 1]; // who has worked, in order
static unsigned turn, worked_in;   // the last turn in which somebody has

static void note(char name) {
    const size_t len = strlen(done);
    ck_assert_uint_lt(len, sizeof done - 1);
    done[len] = name;
}

// Longer than what a turn has for all.
static void work(struct turnstile_entry *entry) {
    const uint64_t begun_ns = uv_hrtime();
    while (uv_hrtime() - begun_ns <= TURNSTILE_NS)
        ;
    ck_assert(!entry->waits);
    ck_assert(done[0] == '\0' || worked_in < turn); // one a turn
    worked_in = turn;
    note(((struct worker *)entry)->name);
}

static void work_twice(struct turnstile_entry *entry) {
    work(entry);
    entry->go = work;
    turnstile_pass(&turnstile, entry); // behind the others
}

static void on_turn(uv_prepare_t *handle) {
    turn++;
    if (turnstile.first == NULL) uv_close((uv_handle_t *)handle, NULL);
}

static void start(void) {
    ck_assert_int_eq(uv_loop_init(&loop), 0);
    turnstile_init(&turnstile, &loop);
    for (int i = 0; i < WORKERS; i++)
        workers[i] = (struct worker){.entry.go = work, .name = (char)('a' + i)};
}

static void run(void) {
    uv_prepare_t prepare;
    turn++; // what worked before did so in none of the loop
    uv_prepare_init(&loop, &prepare);
    uv_prepare_start(&prepare, on_turn);
    uv_run(&loop, UV_RUN_DEFAULT);
    turnstile_close(&turnstile);
    uv_run(&loop, UV_RUN_DEFAULT);
    ck_assert_int_eq(uv_loop_close(&loop), 0);
}

START_TEST(the_first_works_at_once_and_the_others_one_a_turn_in_their_order) {
    start();
    for (int i = 0; i < WORKERS; i++)
        turnstile_pass(&turnstile, &workers[i].entry);
    ck_assert_str_eq(done, "a");
    ck_assert(!workers[0].entry.waits && workers[1].entry.waits);
    turnstile_pass(&turnstile, &workers[2].entry); // it waits already
    run();
    ck_assert_str_eq(done, "abcdef");
}
END_TEST

START_TEST(who_leaves_the_line_does_not_work) {
    start();
    for (int i = 0; i < WORKERS; i++)
        turnstile_pass(&turnstile, &workers[i].entry);
    ck_assert(turnstile_leave(&turnstile, &workers[1].entry)); // the first in line
    ck_assert(turnstile_leave(&turnstile, &workers[3].entry)); // one within
    ck_assert(turnstile_leave(&turnstile, &workers[5].entry)); // the last
    ck_assert(!turnstile_leave(&turnstile, &workers[0].entry));
    ck_assert(!turnstile_leave(&turnstile, &workers[5].entry));
    run();
    ck_assert_str_eq(done, "ace");
}
END_TEST

START_TEST(who_has_more_to_do_is_behind_the_others) {
    start();
    for (int i = 0; i < 3; i++)
        turnstile_pass(&turnstile, &workers[i].entry);
    workers[1].entry.go = work_twice;
    run();
    ck_assert_str_eq(done, "abcb");
}
END_TEST

Suite *check_turnstile(void) {
    Suite *suite = suite_create("turnstile");
    TCase *tcase = tcase_create("turnstile");
    suite_add_tcase(suite, tcase);
    tcase_add_test(tcase, the_first_works_at_once_and_the_others_one_a_turn_in_their_order);
    tcase_add_test(tcase, who_leaves_the_line_does_not_work);
    tcase_add_test(tcase, who_has_more_to_do_is_behind_the_others);
    return suite;
}

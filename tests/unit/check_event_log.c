#include "orchestrator/event_log.h"

#include "tests/unit/support.h"

#include <stdio.h>

Suite *check_event_log(void);

static void add(struct event_log *log, uint64_t job, uint64_t n, const char *words) {
    struct buf text = {0};
    buf_adds(&text, words);
    event_log_add(log, job, n, &text);
    buf_deinit(&text);
}

// "JOB.N=TEXT " of each entry from the place on.
static void assert_read(const struct event_log *log, struct log_place place, const char *expected) {
    struct buf all = {0};
    const struct event_entry *entry;
    const char *text;
    buf_adds(&all, "");
    while ((entry = event_log_next(log, &place, &text)) != NULL)
        buf_addf(&all, "%d.%d=%.*s ", (int)entry->job, (int)entry->n, (int)entry->len, text);
    ck_assert_str_eq(all.data, expected);
    ck_assert_uint_eq(event_log_behind(log, &place), 0);
    buf_deinit(&all);
}

START_TEST(each_reads_from_where_he_is) {
    struct event_log log = {0};
    const struct log_place start = event_log_end(&log);
    add(&log, 7, 1, "one");
    add(&log, 7, 0, "step");
    const struct log_place later = event_log_end(&log);
    ck_assert_uint_eq(event_log_behind(&log, &start), 7);
    ck_assert_uint_eq(event_log_behind(&log, &later), 0);
    add(&log, 8, 1, "other");
    assert_read(&log, start, "7.1=one 7.0=step 8.1=other ");
    assert_read(&log, later, "8.1=other ");
    assert_read(&log, event_log_end(&log), "");
    event_log_deinit(&log);
}
END_TEST

START_TEST(what_is_dropped_is_gone_and_places_behind_it_hold) {
    struct event_log log = {0};
    const struct log_place start = event_log_end(&log);
    add(&log, 7, 1, "one");
    add(&log, 7, 2, "two");
    const struct log_place later = event_log_end(&log);
    add(&log, 7, 3, "three");
    event_log_drop(&log, &start); // nothing stands before it
    ck_assert(event_log_has(&log, &start));
    event_log_drop(&log, &later);
    ck_assert(!event_log_has(&log, &start));
    ck_assert(event_log_has(&log, &later));
    ck_assert_uint_eq(log.text.len, strlen("three"));
    ck_assert_uint_eq(event_log_behind(&log, &start), strlen("onetwothree"));
    event_log_drop(&log, &start); // it is gone already
    assert_read(&log, later, "7.3=three ");
    const struct log_place end = event_log_end(&log);
    event_log_drop(&log, &end);
    ck_assert_uint_eq(log.text.len, 0);
    add(&log, 7, 4, "four");
    assert_read(&log, end, "7.4=four ");
    event_log_deinit(&log);
}
END_TEST

Suite *check_event_log(void) {
    Suite *suite = suite_create("event_log");
    TCase *tcase = tcase_create("event_log");
    tcase_add_test(tcase, each_reads_from_where_he_is);
    tcase_add_test(tcase, what_is_dropped_is_gone_and_places_behind_it_hold);
    suite_add_tcase(suite, tcase);
    return suite;
}

#include "orchestrator/event_cursor.h"

#include "common/count.h"
#include "tests/unit/support.h"

#include <string.h>

Suite *check_event_cursor(void);

#define ID "8e03978e-40d5-43dd-bc93-6894a57f9324"

static void assert_written(const struct event_cursor *cursor, const char *expected) {
    struct buf text = {0};
    ck_assert(event_cursor_write(&text, cursor));
    ck_assert_str_eq(text.data, expected);
    buf_deinit(&text);
}

START_TEST(open_jobs_stand_with_their_numbers_and_alike_ones_together) {
    struct event_cursor cursor = {0};
    assert_written(&cursor, ";");
    event_cursor_set_newest(&cursor, ID);
    assert_written(&cursor, ID ";");
    event_cursor_add(&cursor, 7, 340);
    event_cursor_add(&cursor, 9, 12);
    event_cursor_add(&cursor, 10, 0);
    event_cursor_add(&cursor, 11, 0);
    event_cursor_add(&cursor, 12, 0);
    event_cursor_add(&cursor, 14, 0);
    assert_written(&cursor, ID ";7:340,9:12,10-12:0,14:0");
    event_cursor_clear(&cursor);
    assert_written(&cursor, ";");
    event_cursor_deinit(&cursor);
}
END_TEST

static const char *const well[] = {
    ";", ID ";", ";1:0", ID ";7:340", ID ";7:340,9:12,10-12:0,14:0", ID ";1-1000:4294967295",
};

START_TEST(what_is_read_is_what_was_written) {
    struct event_cursor cursor = {0};
    struct error err;
    ck_assert_msg(event_cursor_parse(&cursor, well[_i], &err) == 0, "%s", err.text);
    assert_written(&cursor, well[_i]);
    event_cursor_deinit(&cursor);
}
END_TEST

static const char *const bad[] = {
    "",
    "7",
    ID,
    ID ":7:1",
    ID ";7",
    ID ";7:",
    ID ";:7",
    ID ";7:1,",
    ID ";,7:1",
    ID ";7:1;",
    ID ";7:1 ",
    ID "; 7:1",
    ID ";-7:1",
    ID ";0:1", // no job has it
    ID ";9:1,9:2",
    ID ";9:1,8:2",
    ID ";9-8:1",
    ID ";1-3:1,3:1",
    ID ";1-2000000:1",
    ID ";1-999999:0,1000000-1999999:0",
    ID ";12345678901:1",
    ID ";1:12345678901",
    "8e03978e-40d5-43dd-bc93-6894a57f932;7:1",
    "8E03978E-40D5-43DD-BC93-6894A57F9324;7:1",
};

START_TEST(a_text_that_was_never_written_is_refused_and_leaves_nothing) {
    struct event_cursor cursor = {0};
    struct error err;
    ck_assert_int_eq(event_cursor_parse(&cursor, bad[_i], &err), ERROR_INPUT);
    ck_assert_ptr_nonnull(strstr(err.text, "was never sent as an id"));
    assert_written(&cursor, ";");
    event_cursor_deinit(&cursor);
}
END_TEST

START_TEST(one_that_no_request_could_bring_back_is_not_written) {
    struct event_cursor cursor = {0};
    struct buf text = {0};
    size_t jobs = 0, len = 0;
    while (true) {
        ck_assert_uint_lt(jobs, EVENT_CURSOR_MAX);
        event_cursor_add(&cursor, 2 * ++jobs, 0);
        buf_clear(&text);
        buf_adds(&text, "before");
        if (!event_cursor_write(&text, &cursor)) break;
        len = text.len - strlen("before");
    }
    ck_assert_uint_eq(text.len, strlen("before"));
    ck_assert_uint_le(len, EVENT_CURSOR_MAX);
    ck_assert_uint_gt(len, EVENT_CURSOR_MAX - 8);
    event_cursor_deinit(&cursor);
    buf_deinit(&text);
}
END_TEST

START_TEST(a_number_is_digits_alone) {
    static const char *const none[] = {"", "x", "1x", " 1", "-1", "+1", "0x1", "12345678901"};
    struct error err;
    uint64_t n;
    ck_assert_int_eq(event_number_parse("0", &n, &err), 0);
    ck_assert_uint_eq(n, 0);
    ck_assert_int_eq(event_number_parse("4294967295", &n, &err), 0);
    ck_assert_uint_eq(n, UINT32_MAX);
    for (size_t i = 0; i < COUNT(none); i++)
        ck_assert_int_eq(event_number_parse(none[i], &n, &err), ERROR_INPUT);
}
END_TEST

Suite *check_event_cursor(void) {
    Suite *suite = suite_create("event_cursor");
    TCase *tcase = tcase_create("event_cursor");
    tcase_add_test(tcase, open_jobs_stand_with_their_numbers_and_alike_ones_together);
    tcase_add_loop_test(tcase, what_is_read_is_what_was_written, 0, COUNT(well));
    tcase_add_loop_test(tcase, a_text_that_was_never_written_is_refused_and_leaves_nothing, 0,
                        COUNT(bad));
    tcase_add_test(tcase, one_that_no_request_could_bring_back_is_not_written);
    tcase_add_test(tcase, a_number_is_digits_alone);
    suite_add_tcase(suite, tcase);
    return suite;
}

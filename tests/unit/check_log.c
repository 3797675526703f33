#include "common/file.h"
#include "common/log.h"
#include "tests/unit/support.h"

#include <errno.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

Suite *check_log(void);

static char folder[32], path[48], moved[48];

static void setup(void) {
    strcpy(folder, "/tmp/check_log_XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/a.log", folder);
    snprintf(moved, sizeof moved, "%s/b.log", folder);
    setenv("TZ", "UTC0", 1);
    tzset();
}

static void teardown(void) {
    unlink(path);
    unlink(moved);
    rmdir(folder);
}

static void holds(const char *file, const char *expected) {
    struct buf text = {0};
    struct error err;
    ck_assert_int_eq(file_read(file, &text, &err), 0);
    ck_assert_str_eq(text.data, expected);
    buf_deinit(&text);
}

static struct log opened(enum log_level level) {
    struct log l;
    struct error err;
    ck_assert_int_eq(log_open(&l, path, level, &err), 0);
    return l;
}

START_TEST(lines_are_as_the_original_acme_orchestrator_wrote_them) {
    struct log l = opened(LOG_DEBUG);
    log_line(&l, LOG_INFO, 1591734190331, "id-1", "starting  host:%s", "leaf00.earth");
    log_line(&l, LOG_ERROR, 1591734190007, "id-2", "%s", "why");
    log_line(&l, LOG_WARNING, 1591734191000, "", "100%%");
    log_line(&l, LOG_DEBUG, 0, "x", "y");
    log_close(&l);
    holds(path, "INFO:2020-06-09 20:23:10,331:id-1:starting  host:leaf00.earth\n"
                "ERROR:2020-06-09 20:23:10,007:id-2:why\n"
                "WARNING:2020-06-09 20:23:11,000::100%\n"
                "DEBUG:1970-01-01 00:00:00,000:x:y\n");
}
END_TEST

START_TEST(lines_below_the_level_are_not_written) {
    struct log l = opened(LOG_WARNING);
    log_line(&l, LOG_DEBUG, 0, "i", "a");
    log_line(&l, LOG_INFO, 0, "i", "b");
    log_line(&l, LOG_WARNING, 0, "i", "c");
    log_line(&l, LOG_ERROR, 0, "i", "d");
    log_close(&l);
    holds(path, "WARNING:1970-01-01 00:00:00,000:i:c\nERROR:1970-01-01 00:00:00,000:i:d\n");
}
END_TEST

START_TEST(a_text_cannot_forge_a_line) {
    struct log l = opened(LOG_DEBUG);
    log_line(&l, LOG_INFO, 0, "i", "a\nINFO:b\r\x1b[31m\x7f\xc3\xa9");
    log_close(&l);
    holds(path, "INFO:1970-01-01 00:00:00,000:i:a?INFO:b??[31m?\xc3\xa9\n");
}
END_TEST

START_TEST(a_text_too_long_is_cut_and_the_line_still_ends) {
    struct log l = opened(LOG_DEBUG);
    char text[5000];
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    log_line(&l, LOG_INFO, 0, "i", "%s", text);
    log_line(&l, LOG_INFO, 0, "i", "next");
    const char *lf = strchr(l.pending.data, '\n');
    ck_assert_ptr_nonnull(lf);
    ck_assert_str_eq(lf + 1, "INFO:1970-01-01 00:00:00,000:i:next\n");
    log_close(&l);
}
END_TEST

START_TEST(a_file_that_exists_is_appended_to_and_a_rotated_one_is_left) {
    struct error err;
    struct log l = opened(LOG_INFO);
    log_line(&l, LOG_INFO, 0, "i", "1");
    log_close(&l);
    l = opened(LOG_INFO);
    log_line(&l, LOG_INFO, 0, "i", "2");
    ck_assert_int_eq(rename(path, moved), 0);
    ck_assert_int_eq(log_reopen(&l, &err), 0); // what was pending belongs to the old file
    log_line(&l, LOG_INFO, 0, "i", "3");
    log_close(&l);
    holds(moved, "INFO:1970-01-01 00:00:00,000:i:1\nINFO:1970-01-01 00:00:00,000:i:2\n");
    holds(path, "INFO:1970-01-01 00:00:00,000:i:3\n");
}
END_TEST

START_TEST(a_file_that_cannot_be_opened_anew_leaves_the_old_in_use) {
    struct error err;
    struct log l = opened(LOG_INFO);
    ck_assert_int_eq(rename(path, moved), 0);
    strcpy(l.path, "/x/y"); // as if its folder were gone; shorter than what was there
    ck_assert_int_eq(log_reopen(&l, &err), -ENOENT);
    log_line(&l, LOG_INFO, 0, "i", "still");
    log_close(&l);
    holds(moved, "INFO:1970-01-01 00:00:00,000:i:still\n");
}
END_TEST

START_TEST(a_log_that_cannot_be_opened_is_named) {
    struct log l;
    struct error err;
    ck_assert_int_eq(log_open(&l, "/nonexistent/a.log", LOG_INFO, &err), -ENOENT);
    ck_assert_str_eq(err.text, "/nonexistent/a.log: No such file or directory");
}
END_TEST

START_TEST(a_full_disk_drops_lines_and_stops_nothing) {
    struct log l;
    struct error err;
    ck_assert_int_eq(log_open(&l, "/dev/full", LOG_INFO, &err), 0);
    for (int i = 0; i < 3; i++) {
        log_line(&l, LOG_INFO, 0, "i", "x");
        log_flush(&l);
        ck_assert_uint_eq(l.pending.len, 0);
        ck_assert(l.failed);
    }
    log_close(&l);
}
END_TEST

START_TEST(levels_are_named_in_any_case) {
    static const char *const names[] = {"debug", "INFO", "Warning", "error"};
    struct error err;
    enum log_level level = LOG_DEBUG;
    for (size_t i = 0; i < COUNT(names); i++) {
        ck_assert_int_eq(log_level_parse(names[i], &level, &err), 0);
        ck_assert_int_eq((int)level, (int)i);
    }
    ck_assert_int_eq(log_level_parse("warn", &level, &err), ERROR_INPUT);
    ck_assert_int_eq(log_level_parse("", &level, &err), ERROR_INPUT);
    ck_assert_int_eq(level, LOG_ERROR);
}
END_TEST

Suite *check_log(void) {
    Suite *suite = suite_create("log");
    TCase *tcase = tcase_create("log");
    suite_add_tcase(suite, tcase);
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, lines_are_as_the_original_acme_orchestrator_wrote_them);
    tcase_add_test(tcase, lines_below_the_level_are_not_written);
    tcase_add_test(tcase, a_text_cannot_forge_a_line);
    tcase_add_test(tcase, a_text_too_long_is_cut_and_the_line_still_ends);
    tcase_add_test(tcase, a_file_that_exists_is_appended_to_and_a_rotated_one_is_left);
    tcase_add_test(tcase, a_file_that_cannot_be_opened_anew_leaves_the_old_in_use);
    tcase_add_test(tcase, a_log_that_cannot_be_opened_is_named);
    tcase_add_test(tcase, a_full_disk_drops_lines_and_stops_nothing);
    tcase_add_test(tcase, levels_are_named_in_any_case);
    return suite;
}

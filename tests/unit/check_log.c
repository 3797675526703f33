#include "common/file.h"
#include "common/log.h"
#include "tests/unit/support.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/stat.h>
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

static char *file_text(const char *file) {
    struct buf text = {0};
    struct error err;
    ck_assert_int_eq(file_read(file, &text, &err), 0);
    return buf_take(&text);
}

static void holds(const char *file, const char *expected) {
    char *text = file_text(file);
    ck_assert_str_eq(text, expected);
    free(text);
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

START_TEST(a_line_is_one_line_of_utf8_for_every_reader) {
    struct log l = opened(LOG_DEBUG);
    char text[3000] = "";
    for (size_t i = 0; i < sizeof text - 2; i += 2)
        memcpy(text + i, "\xc3\xa9", 3);
    log_line(&l, LOG_INFO, 0, "i", "x%s", text);
    const char *line = l.pending.data + strlen("INFO:1970-01-01 00:00:00,000:i:x");
    ck_assert_uint_eq(strspn(line, "\xc3\xa9") % 2, 0);
    ck_assert_str_eq(line + strspn(line, "\xc3\xa9"), "\n");
    buf_clear(&l.pending);
    log_line(&l, LOG_INFO, 0, "i",
             "a\xc2\x85"
             "b\xe2\x80\xa8"
             "c\xe2\x80\xa9"
             "d\xc2\x9b"
             "e\xff");
    log_close(&l);
    holds(path, "INFO:1970-01-01 00:00:00,000:i:a?b?c?d?e?\n");
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
        ck_assert(l.losing && log_behind(&l));
        ck_assert_uint_eq(l.lost, (unsigned)i + 1);
    }
    log_close(&l);
}
END_TEST

// The file takes so many bytes from here on, as if the disk were full then; -1: all.
static void limit_file(long bytes) {
    struct stat status;
    struct rlimit limit = {RLIM_INFINITY, RLIM_INFINITY};
    ck_assert_int_eq(stat(path, &status), 0);
    signal(SIGXFSZ, SIG_IGN);
    if (bytes >= 0) limit.rlim_cur = (rlim_t)status.st_size + (rlim_t)bytes;
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

#define STAMP "1970-01-01 00:00:00,000:i:"

START_TEST(a_line_torn_by_a_full_disk_is_finished_and_the_lost_ones_are_told) {
    struct log l = opened(LOG_INFO);
    log_line(&l, LOG_INFO, 0, "i", "1");
    log_flush(&l);
    limit_file(10);
    for (int i = 2; i <= 4; i++)
        log_line(&l, LOG_INFO, 0, "i", "%d", i);
    log_flush(&l);
    log_line(&l, LOG_INFO, 0, "i", "5");
    ck_assert_uint_eq(l.lost, 3); // 3, 4, 5: of 2 the beginning is there
    holds(path, "INFO:" STAMP "1\nINFO:1970-");
    limit_file(-1);
    log_flush(&l);
    ck_assert(!log_behind(&l));
    log_line(&l, LOG_INFO, 0, "i", "6");
    log_close(&l);
    char *text = file_text(path), *told = strstr(text, "\nWARNING:");
    ck_assert_ptr_nonnull(told);
    static const char before[] = "INFO:" STAMP "1\nINFO:" STAMP "2";
    ck_assert_int_eq(strncmp(text, before, sizeof before - 1), 0);
    ck_assert_ptr_eq(told, text + sizeof before - 1);
    ck_assert_ptr_nonnull(strstr(told, ":-:3 lines of the log were lost\nINFO:" STAMP "6\n"));
    free(text);
}
END_TEST

START_TEST(a_line_torn_before_we_came_is_not_continued) {
    struct log l = opened(LOG_INFO);
    log_line(&l, LOG_INFO, 0, "i", "1");
    log_close(&l);
    ck_assert_int_eq(truncate(path, 10), 0);
    l = opened(LOG_INFO);
    log_line(&l, LOG_INFO, 0, "i", "2");
    log_close(&l);
    holds(path, "INFO:1970-\nINFO:" STAMP "2\n");
}
END_TEST

START_TEST(a_torn_line_does_not_go_on_in_another_file) {
    struct error err;
    struct log l = opened(LOG_INFO);
    limit_file(10);
    log_line(&l, LOG_INFO, 0, "i", "1");
    log_flush(&l);
    ck_assert_int_eq(rename(path, moved), 0);
    ck_assert_int_eq(log_reopen(&l, &err), 0);
    ck_assert_uint_eq(l.lost, 1);
    limit_file(-1);
    log_line(&l, LOG_INFO, 0, "i", "2");
    log_close(&l);
    char *text = file_text(path);
    ck_assert_int_eq(strncmp(text, "WARNING:", 8), 0);
    ck_assert_ptr_nonnull(strstr(text, ":-:1 lines of the log were lost\nINFO:" STAMP "2\n"));
    free(text);
}
END_TEST

// What the FIFO holds, as text.
static void read_all(int fd, struct buf *out) {
    char part[65536];
    ssize_t n;
    while ((n = read(fd, part, sizeof part)) > 0)
        buf_add(out, part, (size_t)n);
    ck_assert_int_eq(errno, EAGAIN);
}

START_TEST(a_reader_that_stalls_stops_nothing_and_gets_what_was_kept) {
    enum { MANY = 100 * 1000 };
    struct error err;
    struct log l;
    struct buf text = {0};
    unlink(path);
    ck_assert_int_eq(mkfifo(path, 0600), 0);
    ck_assert_int_eq(log_open(&l, path, LOG_INFO, &err), 0); // with no reader at all
    for (int i = 0; i < MANY; i++) {
        log_line(&l, LOG_INFO, 0, "i", "line %d, which is as long as one of a job's lines is", i);
        if (i % 1000 == 0) log_flush(&l);
    }
    uint64_t lost = l.lost;
    ck_assert(lost > 0 && lost < MANY && log_behind(&l));
    ck_assert_uint_le(l.pending.len, LOG_BACKLOG_MAX + 1024);

    int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    while (log_behind(&l)) {
        log_flush(&l);
        read_all(fd, &text);
    }
    log_line(&l, LOG_INFO, 0, "i", "the last");
    log_flush(&l);
    read_all(fd, &text);
    ck_assert_uint_eq(l.lost, lost);
    const char *at = text.data;
    for (int i = 0; i < MANY - (int)lost; i++) {
        char expected[100];
        int len = snprintf(expected, sizeof expected, "INFO:" STAMP "line %d, which", i);
        ck_assert_int_eq(strncmp(at, expected, (size_t)len), 0);
        at = strchr(at, '\n') + 1;
    }
    char told[100];
    snprintf(told, sizeof told, ":-:%d lines of the log were lost\nINFO:" STAMP "the last\n",
             (int)lost);
    ck_assert_int_eq(strncmp(at, "WARNING:", 8), 0);
    ck_assert_str_eq(strstr(at, ":-:"), told);
    close(fd);
    log_close(&l);
    buf_deinit(&text);
}
END_TEST

START_TEST(in_json_a_line_is_one_object) {
    struct log l = opened(LOG_INFO);
    l.format = LOG_JSON;
    const struct log_field fields[] = {{.name = "text", .text = "\"a\\\n\xe2\x80\xa8\xc3\xa9\xff"},
                                       {.name = "ms", .number = UINT64_MAX}};
    log_object(&l, LOG_DEBUG, 0, fields, COUNT(fields));
    log_object(&l, LOG_ERROR, 1591734190007, fields, COUNT(fields));
    log_object(&l, LOG_INFO, 0, fields, 0);
    log_close(&l);
    holds(path, "{\"time\": \"2020-06-09T20:23:10.007Z\", \"level\": \"error\", "
                "\"text\": \"\\\"a\\\\??\xc3\xa9?\", \"ms\": 18446744073709551615}\n"
                "{\"time\": \"1970-01-01T00:00:00.000Z\", \"level\": \"info\"}\n");
}
END_TEST

START_TEST(what_is_said_of_no_job_has_the_format_of_the_log) {
    struct log l = opened(LOG_INFO);
    l.format = LOG_JSON;
    log_note(&l, LOG_WARNING, 1591734190007, "events", "100 %s");
    log_note(&l, LOG_DEBUG, 0, "events", "it is below the level");
    l.format = LOG_TEXT;
    log_note(&l, LOG_WARNING, 1591734190007, "events", "100 %s");
    log_close(&l);
    char *text = file_text(path);
    ck_assert_ptr_eq(strstr(text,
                            "{\"time\": \"2020-06-09T20:23:10.007Z\", \"level\": \"warning\", "
                            "\"event\": \"events\", \"text\": \"100 %s\"}\nWARNING:"),
                     text);
    ck_assert_ptr_nonnull(strstr(text, ",007:events:100 %s\n"));
    free(text);
}
END_TEST

START_TEST(in_json_lost_lines_are_told_as_an_object) {
    struct log l = opened(LOG_INFO);
    l.format = LOG_JSON;
    limit_file(0);
    for (int i = 0; i < 3; i++)
        log_object(&l, LOG_INFO, 0, NULL, 0);
    log_flush(&l);
    ck_assert_uint_eq(l.lost, 3);
    limit_file(-1);
    log_close(&l);
    char *text = file_text(path);
    ck_assert_ptr_nonnull(
        strstr(text, "\"level\": \"warning\", \"event\": \"log_lines_lost\", \"lines\": 3}\n"));
    free(text);
}
END_TEST

START_TEST(a_line_says_no_more_than_it_may) {
    struct log l = opened(LOG_INFO);
    l.line_max = 10;
    log_line(&l, LOG_INFO, 0, "i", "%s", "0123456789");
    log_line(&l, LOG_INFO, 0, "i", "%s", "0123456789x");
    log_line(&l, LOG_INFO, 0, "i", "%s", "012345678\xc3\xa9"); // of a character no part is left
    l.format = LOG_JSON;
    log_note(&l, LOG_INFO, 0, "events", "0123456789");
    log_note(&l, LOG_INFO, 0, "events", "0123456789x");
    log_note(&l, LOG_INFO, 0, "events", "012345678\xc3\xa9");
    log_close(&l);
#define OBJECT                                                                                     \
    "{\"time\": \"1970-01-01T00:00:00.000Z\", \"level\": \"info\", \"event\": \"events\", "        \
    "\"text\": "
    holds(path,
          "INFO:" STAMP "0123456789\nINFO:" STAMP "0123456789\nINFO:" STAMP "012345678\n" OBJECT
          "\"0123456789\"}\n" OBJECT "\"0123456789\"}\n" OBJECT "\"012345678\"}\n");
}
END_TEST

START_TEST(a_format_is_text_or_json) {
    struct error err;
    enum log_format format = LOG_TEXT;
    ck_assert_int_eq(log_format_parse("json", &format, &err), 0);
    ck_assert_int_eq(format, LOG_JSON);
    ck_assert_int_eq(log_format_parse("xml", &format, &err), ERROR_INPUT);
    ck_assert_str_eq(err.text, "'xml' is not a format: text or json");
    ck_assert_int_eq(format, LOG_JSON);
    ck_assert_int_eq(log_format_parse("text", &format, &err), 0);
    ck_assert_int_eq(format, LOG_TEXT);
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
    tcase_add_test(tcase, a_line_is_one_line_of_utf8_for_every_reader);
    tcase_add_test(tcase, a_text_too_long_is_cut_and_the_line_still_ends);
    tcase_add_test(tcase, a_line_says_no_more_than_it_may);
    tcase_add_test(tcase, a_file_that_exists_is_appended_to_and_a_rotated_one_is_left);
    tcase_add_test(tcase, a_file_that_cannot_be_opened_anew_leaves_the_old_in_use);
    tcase_add_test(tcase, a_log_that_cannot_be_opened_is_named);
    tcase_add_test(tcase, a_full_disk_drops_lines_and_stops_nothing);
    tcase_add_test(tcase, a_line_torn_by_a_full_disk_is_finished_and_the_lost_ones_are_told);
    tcase_add_test(tcase, a_line_torn_before_we_came_is_not_continued);
    tcase_add_test(tcase, a_torn_line_does_not_go_on_in_another_file);
    tcase_add_test(tcase, a_reader_that_stalls_stops_nothing_and_gets_what_was_kept);
    tcase_add_test(tcase, in_json_a_line_is_one_object);
    tcase_add_test(tcase, what_is_said_of_no_job_has_the_format_of_the_log);
    tcase_add_test(tcase, in_json_lost_lines_are_told_as_an_object);
    tcase_add_test(tcase, a_format_is_text_or_json);
    tcase_add_test(tcase, levels_are_named_in_any_case);
    return suite;
}

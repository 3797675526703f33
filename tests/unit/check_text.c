#include "common/text.h"
#include "tests/unit/support.h"

Suite *check_text(void);

static const struct {
    const char *text, *line;
} lines[] = {
    {"", ""},
    {"plain", "plain"},
    {"caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80", "caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80"},
    {"a\nINFO:b\r\x1b[31m\x7f\t", "a?INFO:b??[31m??"},
    {"\x01\x1f", "??"},
    {"next\xc2\x85line", "next?line"}, // U+0085
    {"csi\xc2\x9b"
     "31m",
     "csi?31m"},                                // U+009B
    {"\xc2\x80\xc2\x9f\xc2\xa0", "??\xc2\xa0"}, // C1 ends before U+00A0
    {"a\xe2\x80\xa8"
     "b\xe2\x80\xa9"
     "c",
     "a?b?c"}, // U+2028, U+2029
    {"a\xe2\x80\xa7"
     "b\xe2\x80\xaf",
     "a\xe2\x80\xa7"
     "b\xe2\x80\xaf"}, // their neighbours
    {"latin1 \xe9t\xe9 x", "latin1 ?t? x"},
    {"\xff\xfe", "??"},
    {"\x80\xbf", "??"},
    {"\xc0\xaf", "??"},
    {"\xed\xa0\x80", "???"},
    {"cut \xc3", "cut "},
    {"cut \xe2\x82", "cut "},
    {"cut \xf0\x9f\x98", "cut "},
    {"cut \xe2\x82: and on", "cut ?: and on"},
    {"\xe2\x82\xc3\xa9", "?\xc3\xa9"},
};

START_TEST(a_text_becomes_one_line_of_utf8) {
    char *copy = mem_strdup(lines[_i].text);
    text_line(copy);
    ck_assert_str_eq(copy, lines[_i].line);
    free(copy);
}
END_TEST

START_TEST(lines_may_stay) {
    char text[] = "a\n\tb\x1b\r\n\xc2\x85";
    text_lines(text);
    ck_assert_str_eq(text, "a\n\tb??\n?");
}
END_TEST

START_TEST(all_controls_may_stay) {
    char text[] = "a\n\tb\x1b\r\xc2\x85 d\xe9"
                  "f \xc3";
    text_utf8(text);
    ck_assert_str_eq(text, "a\n\tb\x1b\r\xc2\x85 d?f ");
}
END_TEST

START_TEST(a_cut_falls_between_characters) {
    static const char text[] = "a\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80";
    static const size_t cuts[] = {0, 1, 1, 3, 3, 3, 6, 6, 6, 6, 10, 10};
    for (size_t max = 0; max < COUNT(cuts); max++)
        ck_assert_uint_eq(text_cut(text, sizeof text - 1, max), cuts[max]);
}
END_TEST

Suite *check_text(void) {
    Suite *suite = suite_create("text");
    TCase *tc = tcase_create("text");
    tcase_add_loop_test(tc, a_text_becomes_one_line_of_utf8, 0, COUNT(lines));
    tcase_add_test(tc, lines_may_stay);
    tcase_add_test(tc, all_controls_may_stay);
    tcase_add_test(tc, a_cut_falls_between_characters);
    suite_add_tcase(suite, tc);
    return suite;
}

#include "common/buf.h"
#include "tests/unit/support.h"

Suite *check_buf(void);

START_TEST(a_buffer_grows_and_stays_terminated) {
    struct buf b = {0};
    for (size_t i = 0; i < 1000; i++) {
        buf_add(&b, "x", 1);
        ck_assert_uint_eq(b.len, i + 1);
        ck_assert_uint_eq(strlen(b.data), i + 1);
        ck_assert_uint_lt(b.len, b.cap);
    }
    buf_deinit(&b);
    ck_assert_ptr_null(b.data);
}
END_TEST

START_TEST(formatted_text_is_whole_at_every_length) {
    char text[300];
    for (size_t len = 0; len < sizeof text - 1; len++) {
        memset(text, 'y', len);
        text[len] = '\0';
        struct buf b = {0};
        buf_addf(&b, "%s", text);
        buf_addf(&b, "%s|", text);
        ck_assert_uint_eq(b.len, 2 * len + 1);
        ck_assert_int_eq(b.data[2 * len], '|');
        ck_assert_int_eq(b.data[2 * len + 1], '\0');
        buf_deinit(&b);
    }
}
END_TEST

START_TEST(an_empty_buffer_taken_is_an_empty_string) {
    struct buf b = {0};
    char *s = buf_take(&b);
    ck_assert_str_eq(s, "");
    free(s);
    buf_addf(&b, "%s", "");
    ck_assert_str_eq(b.data, "");
    buf_deinit(&b);
}
END_TEST

START_TEST(a_taken_string_leaves_an_empty_buffer) {
    struct buf b = {0};
    buf_adds(&b, "one");
    char *s = buf_take(&b);
    ck_assert_str_eq(s, "one");
    ck_assert_uint_eq(b.len, 0);
    buf_adds(&b, "two");
    ck_assert_str_eq(s, "one");
    ck_assert_str_eq(b.data, "two");
    free(s);
    buf_deinit(&b);
}
END_TEST

START_TEST(dropping_removes_from_the_front) {
    struct buf b = {0};
    buf_drop(&b, 0);
    buf_adds(&b, "abcdef");
    buf_drop(&b, 2);
    ck_assert_str_eq(b.data, "cdef");
    buf_drop(&b, 4);
    ck_assert_str_eq(b.data, "");
    ck_assert_uint_eq(b.len, 0);
    buf_deinit(&b);
}
END_TEST

START_TEST(clearing_keeps_the_memory) {
    struct buf b = {0};
    buf_clear(&b);
    buf_adds(&b, "abc");
    size_t cap = b.cap;
    buf_clear(&b);
    ck_assert_str_eq(b.data, "");
    ck_assert_uint_eq(b.len, 0);
    ck_assert_uint_eq(b.cap, cap);
    buf_deinit(&b);
}
END_TEST

START_TEST(bytes_with_zeros_are_kept) {
    struct buf b = {0};
    buf_add(&b, "a\0b", 3);
    ck_assert_uint_eq(b.len, 3);
    ck_assert_mem_eq(b.data, "a\0b", 4);
    buf_deinit(&b);
}
END_TEST

START_TEST(numbers_are_written_in_decimal) {
    static const struct {
        uint64_t n;
        const char *text;
    } cases[] = {{0, "0"},
                 {7, "7"},
                 {10, "10"},
                 {4294967295, "4294967295"},
                 {UINT64_MAX, "18446744073709551615"}};
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct buf b = {0};
        buf_add_uint(&b, cases[i].n);
        ck_assert_str_eq(b.data, cases[i].text);
        buf_deinit(&b);
    }
}
END_TEST

START_TEST(a_json_string_is_escaped_and_reads_back) {
    static const struct {
        const char *plain, *json;
    } cases[] = {
        {"", "\"\""},
        {"leaf00.earth", "\"leaf00.earth\""},
        {"a\"b\\c", "\"a\\\"b\\\\c\""},
        {"a\nb", "\"a\\nb\""},
        {"\x01\x1f\r\t", "\"\\u0001\\u001f\\u000d\\u0009\""},
        {"\x7f/", "\"\\u007f/\""},
        {"\xc2\x80\xc2\x85\xc2\x9f\xc2\xa0", "\"\\u0080\\u0085\\u009f\xc2\xa0\""},
        {"\xe2\x80\xa7\xe2\x80\xa8\xe2\x80\xa9\xe2\x80\xaf",
         "\"\xe2\x80\xa7\\u2028\\u2029\xe2\x80\xaf\""},
        {"\xf0\x9f\x98\x80", "\"\xf0\x9f\x98\x80\""},
        {"gr\xc3\xbc\xc3\x9f", "\"gr\xc3\xbc\xc3\x9f\""},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct buf b = {0};
        buf_add_json(&b, cases[i].plain);
        ck_assert_str_eq(b.data, cases[i].json);
        cJSON *json = cJSON_Parse(b.data);
        ck_assert_str_eq(json->valuestring, cases[i].plain);
        cJSON_Delete(json);
        buf_deinit(&b);
    }
}
END_TEST

START_TEST(what_is_not_utf8_is_replaced) {
    struct buf b = {0};
    buf_add_json(&b, "a\xff"
                     "b\xe2\x82");
    ck_assert_str_eq(b.data, "\"a\\ufffdb\\ufffd\\ufffd\"");
    buf_deinit(&b);
}
END_TEST

START_TEST(every_control_character_is_escaped) {
    for (char c = 1; c < 0x20; c++) {
        struct buf b = {0};
        buf_add_json(&b, (char[]){c, '\0'});
        for (size_t i = 0; i < b.len; i++)
            ck_assert_int_ge(b.data[i], 0x20);
        buf_deinit(&b);
    }
}
END_TEST

Suite *check_buf(void) {
    Suite *suite = suite_create("buf");
    TCase *tcase = tcase_create("buf");
    suite_add_tcase(suite, tcase);
    tcase_add_test(tcase, a_buffer_grows_and_stays_terminated);
    tcase_add_test(tcase, formatted_text_is_whole_at_every_length);
    tcase_add_test(tcase, an_empty_buffer_taken_is_an_empty_string);
    tcase_add_test(tcase, a_taken_string_leaves_an_empty_buffer);
    tcase_add_test(tcase, dropping_removes_from_the_front);
    tcase_add_test(tcase, clearing_keeps_the_memory);
    tcase_add_test(tcase, bytes_with_zeros_are_kept);
    tcase_add_test(tcase, numbers_are_written_in_decimal);
    tcase_add_test(tcase, a_json_string_is_escaped_and_reads_back);
    tcase_add_test(tcase, what_is_not_utf8_is_replaced);
    tcase_add_test(tcase, every_control_character_is_escaped);
    return suite;
}

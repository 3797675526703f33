#include "common/bytes.h"
#include "tests/unit/support.h"

Suite *check_bytes(void);

static const struct {
    const char *text;
    uint64_t bytes;
    const char *formatted;
} sizes[] = {
    {"0", 0, "0"},
    {"8000", 8000, "8000"},
    {"64KiB", 65536, "64KiB"},
    {"65536", 65536, "64KiB"},
    {"1025KiB", 1025 << 10, "1025KiB"},
    {"1MiB", 1 << 20, "1MiB"},
    {"1.5MiB", 3 << 19, "1536KiB"},
    {"10GiB", 10ULL << 30, "10GiB"},
    {"1024TiB", BYTES_MAX, "1024TiB"},
};

START_TEST(sizes_are_read_and_written) {
    struct error err;
    uint64_t bytes = 1;
    char text[BYTES_TEXT_MAX];
    ck_assert_msg(bytes_parse(sizes[_i].text, &bytes, &err) == 0, "%s: %s", sizes[_i].text,
                  err.text);
    ck_assert_uint_eq(bytes, sizes[_i].bytes);
    bytes_format(bytes, text);
    ck_assert_str_eq(text, sizes[_i].formatted);
}
END_TEST

static const char *const wrong[] = {"",
                                    "KiB",
                                    "1 KiB",
                                    "1kb",
                                    "1MB",
                                    "-1",
                                    "+1",
                                    ".5K",
                                    "1e3",
                                    "1.1",
                                    "0.3KiB",
                                    "nan",
                                    "1.2.3KiB",
                                    "0x10",
                                    "1KiBs",
                                    "1025TiB",
                                    "99999999999999999999"};

START_TEST(what_is_no_size_is_refused) {
    struct error err;
    uint64_t bytes = 7;
    ck_assert_msg(bytes_parse(wrong[_i], &bytes, &err) == ERROR_INPUT, "%s", wrong[_i]);
    ck_assert_uint_eq(bytes, 7);
    ck_assert_str_ne(err.text, "");
}
END_TEST

START_TEST(sizes_for_people_are_rounded) {
    char text[BYTES_TEXT_MAX];
    bytes_format_near(1023, text);
    ck_assert_str_eq(text, "1023");
    bytes_format_near((10ULL << 30) + (200 << 20), text);
    ck_assert_str_eq(text, "10.2GiB");
}
END_TEST

Suite *check_bytes(void) {
    Suite *suite = suite_create("bytes");
    TCase *tcase = tcase_create("bytes");
    suite_add_tcase(suite, tcase);
    tcase_add_loop_test(tcase, sizes_are_read_and_written, 0, COUNT(sizes));
    tcase_add_loop_test(tcase, what_is_no_size_is_refused, 0, COUNT(wrong));
    tcase_add_test(tcase, sizes_for_people_are_rounded);
    return suite;
}

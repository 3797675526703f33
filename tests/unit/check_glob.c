#include "common/glob.h"
#include "common/rng.h"
#include "tests/unit/support.h"

#include <fnmatch.h>

Suite *check_glob(void);

static const struct {
    const char *pattern, *text;
    bool matches;
} cases[] = {
    {"", "", true},
    {"", "a", false},
    {"*", "", true},
    {"?", "", false},
    {"leaf*.earth", "leaf00.earth", true},
    {"leaf*.earth", "leaf00.mars", false},
    {"*.earth", "a.earth.earth", true},
    {"leaf0[0-4].*", "leaf04.mars", true},
    {"leaf0[!0-4].*", "leaf04.mars", false},
    {"leaf0[[:digit:]]", "leaf07", true},
    {"[]a]", "]", true},
    {"[a", "[a", true},
    {"a\\*", "a*", true},
    {"a\\*", "ab", false},
    {"**a**b**", "xaxbx", true},
};

START_TEST(a_glob_matches_as_the_table_says) {
    for (size_t i = 0; i < COUNT(cases); i++)
        ck_assert_msg(glob_matches(cases[i].pattern, cases[i].text) == cases[i].matches, "%s on %s",
                      cases[i].pattern, cases[i].text);
}
END_TEST

// Over a small alphabet, so that matches are frequent. A lone backslash at the end and what is not
// closed is where implementations differ; the alphabet makes both.
START_TEST(it_says_what_fnmatch_says) {
    enum { TRIES = 200000 };
    static const char alphabet[] = "aab*?[]!-\\a";
    size_t matched = 0;
    for (uint64_t i = 0; i < TRIES; i++) {
        char pattern[10] = "", text[8] = "";
        uint64_t draw = rng_mix(1, i);
        size_t pattern_len = rng_range(draw, 0, 9), text_len = rng_range(rng_mix(draw, 1), 0, 7);
        for (size_t c = 0; c < pattern_len; c++)
            pattern[c] = alphabet[rng_range(rng_mix(draw, 100 + c), 0, sizeof alphabet - 2)];
        for (size_t c = 0; c < text_len; c++)
            text[c] = alphabet[rng_range(rng_mix(draw, 200 + c), 0, sizeof alphabet - 2)];
        bool expected = fnmatch(pattern, text, 0) == 0;
        matched += expected;
        ck_assert_msg(glob_matches(pattern, text) == expected, "'%s' on '%s': not %d", pattern,
                      text, expected);
    }
    ck_assert_uint_gt(matched, TRIES / 100);
}
END_TEST

// It would take fnmatch() years.
START_TEST(many_stars_take_no_time) {
    struct buf pattern = {0}, text = {0};
    for (int i = 0; i < 100; i++)
        buf_adds(&pattern, "*a");
    buf_adds(&pattern, "b");
    for (int i = 0; i < 255; i++)
        buf_adds(&text, "a");
    ck_assert(!glob_matches(pattern.data, text.data));
    buf_deinit(&pattern);
    buf_deinit(&text);
}
END_TEST

START_TEST(a_name_is_no_glob) {
    ck_assert(!glob_is("leaf00.earth-{1}"));
    ck_assert(glob_is("leaf*") && glob_is("leaf?") && glob_is("[l]eaf") && glob_is("le\\af"));
}
END_TEST

Suite *check_glob(void) {
    Suite *suite = suite_create("glob");
    TCase *tcase = tcase_create("glob");
    suite_add_tcase(suite, tcase);
    tcase_add_test(tcase, a_glob_matches_as_the_table_says);
    tcase_add_test(tcase, it_says_what_fnmatch_says);
    tcase_add_test(tcase, many_stars_take_no_time);
    tcase_add_test(tcase, a_name_is_no_glob);
    return suite;
}

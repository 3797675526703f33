#include "common/suggest.h"
#include "tests/unit/support.h"

Suite *check_suggest(void);

START_TEST(the_nearest_word_is_suggested_or_none) {
    static const char *const known[] = {"version", "filter_sites", "filter_dev_types"};
    static const struct {
        const char *word, *nearest;
    } cases[] = {
        {"verison", "version"},
        {"Version", "version"},
        {"versio", "version"},
        {"versions", "version"},
        {"version", "version"},
        {"filter_site", "filter_sites"},
        {"filter_types", "filter_sites"}, // nearer by a letter than filter_dev_types
        {"filter_dev_type", "filter_dev_types"},
        {"x", NULL},
        {"", NULL},
        {"workers", NULL},
        {"filter_sitesfilter_sitesfilter_sitesfilter_sitesfilter_sitesfilter_sites", NULL},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        const char *nearest = suggest(cases[i].word, known, COUNT(known));
        ck_assert_msg(nearest == cases[i].nearest || (nearest != NULL && cases[i].nearest != NULL &&
                                                      strcmp(nearest, cases[i].nearest) == 0),
                      "%s: %s", cases[i].word, nearest == NULL ? "none" : nearest);
    }
}
END_TEST

START_TEST(known_words_too_long_to_compare_are_passed_over) {
    char longest[65];
    memset(longest, 'a', 64);
    longest[64] = '\0';
    const char *const known[] = {longest, longest + 1};
    ck_assert_ptr_eq(suggest(longest + 1, known, 1), NULL);
    ck_assert_ptr_eq(suggest(longest + 2, known, 2), longest + 1);
    ck_assert_ptr_null(suggest("a", known, 0));
}
END_TEST

START_TEST(a_slip_is_one_letter_away_or_two_in_long_words) {
    static const struct {
        const char *word, *known;
        bool slip;
    } cases[] = {
        {"mlga", "mlag", true},
        {"mla", "mlag", false}, // too short to tell
        {"mlagg", "mlag", true},
        {"MLAG", "mlag", true},
        {"vlan", "mlag", false},
        {"pop", "pod", false},
        {"POD", "pod", true},
        {"stak", "stack", true},
        {"stacks", "stack", true},
        {"stakcs", "stack", false},
        {"redundancy group", "redundancy_groups", true},
        {"redundncy_grups", "redundancy_groups", true},
        {"redundant_group", "redundancy_groups", false},
        {"site", "dev_type", false},
    };
    for (size_t i = 0; i < COUNT(cases); i++)
        ck_assert_msg(suggest_slip(cases[i].word, cases[i].known) == cases[i].slip, "%s for %s",
                      cases[i].word, cases[i].known);
}
END_TEST

Suite *check_suggest(void) {
    Suite *suite = suite_create("suggest");
    TCase *tcase = tcase_create("suggest");
    suite_add_tcase(suite, tcase);
    tcase_add_test(tcase, a_slip_is_one_letter_away_or_two_in_long_words);
    tcase_add_test(tcase, the_nearest_word_is_suggested_or_none);
    tcase_add_test(tcase, known_words_too_long_to_compare_are_passed_over);
    return suite;
}

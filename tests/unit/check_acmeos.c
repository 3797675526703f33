#include "common/acmeos.h"
#include "tests/unit/support.h"

Suite *check_acmeos(void);

static const struct {
    const char *version;
    bool valid;
} versions[] = {
    {"5.3.1", true},
    {"0.0.0", true},
    {"05.30.001", true}, // compared as text, so leading zeros are another version and no error
    {"999999999.999999999.999999999", true},
    {"1234567890.1.1", false},
    {"1.1234567890.1", false},
    {"1.1.1234567890", false},
    {"", false},
    {".", false},
    {"5", false},
    {"5.3", false},
    {"5.3.", false},
    {"5.3.1.", false},
    {"5.3.1.0", false},
    {".5.3.1", false},
    {"5..3.1", false},
    {" 5.3.1", false},
    {"5.3.1 ", false},
    {"5.3.1\n", false},
    {"+5.3.1", false},
    {"-5.3.1", false},
    {"5.3.1-rc1", false},
    {"v5.3.1", false},
    {"5,3,1", false},
    {"5.3.\xd9\xa1", false}, // an Arabic digit one
};

START_TEST(a_version_is_three_numbers_of_one_to_nine_digits) {
    for (size_t i = 0; i < COUNT(versions); i++)
        ck_assert_msg(acmeos_version_valid(versions[i].version) == versions[i].valid, "'%s'",
                      versions[i].version);
}
END_TEST

START_TEST(the_longest_version_fits_its_buffer) {
    const char *longest = "999999999.999999999.999999999";
    ck_assert(acmeos_version_valid(longest));
    ck_assert_uint_eq(strlen(longest), ACMEOS_VERSION_MAX);
}
END_TEST

START_TEST(a_version_is_newer_by_its_numbers_the_first_before_all) {
    ck_assert(acmeos_version_newer("5.10.0", "5.9.9"));
    ck_assert(!acmeos_version_newer("5.9.9", "5.10.0"));
    ck_assert(acmeos_version_newer("6.0.0", "5.9.9"));
    ck_assert(acmeos_version_newer("5.3.2", "5.3.1"));
    ck_assert(!acmeos_version_newer("5.3.1", "5.3.1"));
    ck_assert(!acmeos_version_newer("5.03.1", "5.3.1"));
}
END_TEST

Suite *check_acmeos(void) {
    Suite *suite = suite_create("acmeos");
    TCase *tcase = tcase_create("version");
    suite_add_tcase(suite, tcase);
    tcase_add_test(tcase, a_version_is_three_numbers_of_one_to_nine_digits);
    tcase_add_test(tcase, the_longest_version_fits_its_buffer);
    tcase_add_test(tcase, a_version_is_newer_by_its_numbers_the_first_before_all);
    return suite;
}

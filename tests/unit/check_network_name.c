#include "common/count.h"
#include "simulator/network_name.h"

#include <check.h>
#include <string.h>

Suite *check_network_name(void);

static const struct {
    const char *pattern, *text; // of number 1234 of leaf in ams
} written[] = {
    {"{site}-leaf{n:03}", "ams-leaf1234"},
    {"{n:09}", "000001234"},
    {"{n}", "1234"},
    {"{dev_type}.{site}", "leaf.ams"},
    {"pair{n/2:04}", "pair0617"},
    {"{n%8}", "2"},
    {"{n/1000}{n%100:03}", "1034"},
    {"x", "x"},
};

START_TEST(a_pattern_names_each_device) {
    struct network_name name;
    struct error err;
    char text[64], cut[4];
    ck_assert_int_eq(network_name_parse(&name, written[_i].pattern, false, &err), 0);
    size_t len = network_name_write(&name, "ams", "leaf", 1234, text, sizeof text);
    ck_assert_str_eq(text, written[_i].text);
    ck_assert_uint_eq(len, strlen(text));
    ck_assert_uint_eq(network_name_write(&name, "ams", "leaf", 1234, cut, sizeof cut), len);
    ck_assert_int_eq(strncmp(cut, text, 3), 0);
    ck_assert_uint_lt(strlen(cut), sizeof cut);
    network_name_deinit(&name);
}
END_TEST

static const struct {
    const char *pattern, *error;
} wrong[] = {
    {"", "expected a text of 1 to 100 bytes"},
    {"{site", "'{site': a { without its }"},
    {"a}", "'a}': a } without its {"},
    {"{a{n}", "'{a{n}': a { without its }"},
    {"{rack}", "'{rack}': {rack} is none of {site}, {dev_type}, {n}, {n:03}, {n/2} and {n%8}"},
    {"{n:3}", "'{n:3}': {n:3} is none of {site}, {dev_type}, {n}, {n:03}, {n/2} and {n%8}"},
    {"{n/0}", "'{n/0}': {n/0} is none of {site}, {dev_type}, {n}, {n:03}, {n/2} and {n%8}"},
    {"{n%1234567}",
     "'{n%1234567}': {n%1234567} is none of {site}, {dev_type}, {n}, {n:03}, {n/2} and {n%8}"},
    {"a b", "'a b': a name is made of letters, digits, -, _ and ."},
    {"a\"", "'a\"': a name is made of letters, digits, -, _ and ."},
    {"{n}{n}{n}{n}{n}{n}{n}{n}{n}{n}{n}{n}{n}{n}{n}{n}{n}",
     "'{n}{n}{n}{n}{n}{n}{n}{n}{n}{n}{n}{n}{n}{n}{n}{n}{n}': it has more than 16 pieces"},
};

START_TEST(a_wrong_pattern_is_refused) {
    struct network_name name;
    struct error err;
    ck_assert_int_eq(network_name_parse(&name, wrong[_i].pattern, true, &err), ERROR_INPUT);
    ck_assert_str_eq(err.text, wrong[_i].error);
}
END_TEST

START_TEST(an_attribute_may_hold_any_text) {
    struct network_name name;
    struct error err;
    char text[32];
    ck_assert_int_eq(network_name_parse(&name, "row {n/4} \"b\"", false, &err), 0);
    network_name_write(&name, "a", "b", 9, text, sizeof text);
    ck_assert_str_eq(text, "row 2 \"b\"");
    network_name_deinit(&name);
}
END_TEST

Suite *check_network_name(void) {
    Suite *suite = suite_create("network_name");
    TCase *tc = tcase_create("network_name");
    tcase_add_loop_test(tc, a_pattern_names_each_device, 0, COUNT(written));
    tcase_add_loop_test(tc, a_wrong_pattern_is_refused, 0, COUNT(wrong));
    tcase_add_test(tc, an_attribute_may_hold_any_text);
    suite_add_tcase(suite, tc);
    return suite;
}

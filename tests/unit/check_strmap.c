#include "common/strmap.h"
#include "tests/unit/support.h"

#include <stdio.h>

Suite *check_strmap(void);

START_TEST(an_empty_map_has_nothing) {
    struct strmap m = {0};
    ck_assert_ptr_null(strmap_get(&m, "a"));
    strmap_deinit(&m);
}
END_TEST

START_TEST(the_first_value_stays) {
    struct strmap m = {0};
    int one, two;
    ck_assert_ptr_null(strmap_put(&m, "a", &one));
    ck_assert_ptr_eq(strmap_put(&m, "a", &two), &one);
    ck_assert_ptr_eq(strmap_get(&m, "a"), &one);
    ck_assert_uint_eq(m.count, 1);
    ck_assert_ptr_null(strmap_get(&m, "A"));
    ck_assert_ptr_null(strmap_put(&m, "", &two));
    ck_assert_ptr_eq(strmap_get(&m, ""), &two);
    strmap_deinit(&m);
}
END_TEST

START_TEST(room_that_was_reserved_is_not_made_again) {
    static char keys[1000][8];
    struct strmap m = {0};
    ck_assert_ptr_null(strmap_put(&m, "a", keys));
    strmap_reserve(&m, 1000);
    const size_t cap = m.cap;
    ck_assert_ptr_eq(strmap_get(&m, "a"), keys);
    for (size_t i = 1; i < 1000; i++) {
        snprintf(keys[i], sizeof keys[i], "%zu", i);
        ck_assert_ptr_null(strmap_put(&m, keys[i], keys[i]));
    }
    ck_assert_uint_eq(m.cap, cap);
    strmap_reserve(&m, 10); // less than there is
    ck_assert_uint_eq(m.cap, cap);
    strmap_deinit(&m);
}
END_TEST

START_TEST(many_keys_are_all_found_and_no_others) {
    enum { KEYS = 5000 };
    static char keys[KEYS][16];
    struct strmap m = {0};
    size_t wrong = 0;
    for (int i = 0; i < KEYS; i++) {
        snprintf(keys[i], sizeof keys[i], "key%d", i);
        if (strmap_put(&m, keys[i], keys[i]) != NULL) wrong++;
    }
    for (int i = 0; i < KEYS; i++) {
        char other[24];
        snprintf(other, sizeof other, "key%d", i); // equal, and not the same pointer
        if (strmap_get(&m, other) != keys[i]) wrong++;
        snprintf(other, sizeof other, "other%d", i);
        if (strmap_get(&m, other) != NULL) wrong++;
    }
    ck_assert_uint_eq(wrong, 0);
    ck_assert_uint_eq(m.count, KEYS);
    ck_assert_uint_gt(m.cap, m.count); // a search must find a free slot
    strmap_deinit(&m);
}
END_TEST

Suite *check_strmap(void) {
    Suite *suite = suite_create("strmap");
    TCase *tcase = tcase_create("strmap");
    suite_add_tcase(suite, tcase);
    tcase_add_test(tcase, an_empty_map_has_nothing);
    tcase_add_test(tcase, the_first_value_stays);
    tcase_add_test(tcase, room_that_was_reserved_is_not_made_again);
    tcase_add_test(tcase, many_keys_are_all_found_and_no_others);
    return suite;
}

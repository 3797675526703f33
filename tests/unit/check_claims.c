#include "orchestrator/claims.h"
#include "tests/unit/support.h"

Suite *check_claims(void);

static const struct host leaf = {.name = "leaf00.earth", .address = "127.0.0.1", .port = 8300};
static const struct host same = {.name = "leaf00.earth", .address = "127.0.0.1", .port = 8300};
static const struct host others[] = {
    {.name = "leaf01.earth", .address = "127.0.0.1", .port = 8300},
    {.name = "leaf00.earth", .address = "127.0.0.2", .port = 8300},
    {.name = "leaf00.earth", .address = "127.0.0.1", .port = 8301},
};

static char released[32];

static void note(void *arg, const char *group) {
    ck_assert_ptr_eq(arg, released);
    strcat(released, group);
}

START_TEST(a_device_has_one_claim_until_it_is_released) {
    struct claims claims;
    struct claim first, second, more[COUNT(others)];
    claims_init(&claims, 1); // all in one bucket
    ck_assert_ptr_null(claims_take(&claims, &first, &leaf));
    ck_assert_ptr_eq(claims_take(&claims, &second, &same), &first);
    for (size_t i = 0; i < COUNT(others); i++)
        ck_assert_ptr_null(claims_take(&claims, &more[i], &others[i]));
    ck_assert_ptr_eq(claims_take(&claims, &second, &same), &first);
    claims_release(&claims, &first, note, released);
    ck_assert_ptr_null(claims_take(&claims, &second, &same));
    ck_assert_ptr_eq(claims_take(&claims, &first, &leaf), &second);
    claims_release(&claims, &second, note, released);
    for (size_t i = 0; i < COUNT(others); i++)
        claims_release(&claims, &more[i], note, released);
    ck_assert_str_eq(released, "");
    claims_deinit(&claims);
}
END_TEST

START_TEST(groups_that_wait_are_told_in_order_and_once) {
    struct claims claims;
    struct claim claim;
    claims_init(&claims, 100);
    ck_assert_ptr_null(claims_take(&claims, &claim, &leaf));
    claims_wait(&claim, "a");
    claims_wait(&claim, "b");
    claims_wait(&claim, "a"); // another job's turn
    claims_release(&claims, &claim, note, released);
    ck_assert_str_eq(released, "aba");
    ck_assert_ptr_null(claims_take(&claims, &claim, &leaf));
    claims_release(&claims, &claim, note, released);
    ck_assert_str_eq(released, "aba");
    claims_deinit(&claims);
}
END_TEST

Suite *check_claims(void) {
    Suite *suite = suite_create("claims");
    TCase *tcase = tcase_create("claims");
    suite_add_tcase(suite, tcase);
    tcase_add_test(tcase, a_device_has_one_claim_until_it_is_released);
    tcase_add_test(tcase, groups_that_wait_are_told_in_order_and_once);
    return suite;
}

#include "bench/knee.h"
#include "tests/unit/support.h"

Suite *check_knee(void);

START_TEST(both_sides_of_the_knee_say_what_limits) {
    struct buf out = {0};
    knee_write(&out, &(struct knee){181, "the workers", "the group o'hare_`x` $y", 0.25});
    ck_assert_str_eq(
        out.data,
        "set arrow from 181, graph 0 to 181, graph 1 nohead dashtype 3\n"
        "set label 'the workers' at 181, graph 0.25 right offset -0.7,0 noenhanced\n"
        "set label 'the group o''hare_`x` $y' at 181, graph 0.25 left offset 0.7,0 noenhanced\n");
    buf_deinit(&out);
}
END_TEST

Suite *check_knee(void) {
    Suite *suite = suite_create("knee");
    TCase *tcase = tcase_create("knee");
    suite_add_tcase(suite, tcase);
    tcase_add_test(tcase, both_sides_of_the_knee_say_what_limits);
    return suite;
}

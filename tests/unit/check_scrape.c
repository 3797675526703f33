#include "common/scrape.h"

#include "common/count.h"

#include <check.h>

Suite *check_scrape(void);

static const char scrape[] = "# HELP tasks_total how many\n"
                             "# TYPE tasks_total counter\n"
                             "tasks_total 3.0\n"
                             "tasks_total_x 9\n"
                             "hosts{site=\"earth\",type=\"leaf\"} 1\n"
                             "hosts{site=\"earth\",type=\"edge\"} 2\n"
                             "hosts{site=\"mars\",type=\"leaf\"} 4\n"
                             "odd{a=\"x,type=\\\"leaf\\\"} 7\",b=\"1\"} 8\n"
                             "empty{} 6\n"
                             "torn{a=\"\\\n"
                             "5 5\n"
                             "bare \n"
                             "7 7\n"
                             "last{le=\"+Inf\"} 1e3";

static const struct {
    const char *selector;
    bool found;
    double sum;
} series[] = {
    {"tasks_total", true, 3},
    {"tasks", false, 0},
    {"#", false, 0},
    {"torn", true, 0},
    {"bare", true, 0},
    {"hosts", true, 7},
    {"hosts{}", true, 7},
    {"hosts{site=\"earth\"}", true, 3},
    {"hosts{type=\"leaf\"}", true, 5},
    {"hosts{type=\"leaf\",site=\"mars\"}", true, 4},
    {"hosts{site=\"eart\"}", false, 0},
    {"hosts{site=\"earth\",type=\"spine\"}", false, 0},
    {"hosts{te=\"earth\"}", false, 0},
    {"tasks_total{site=\"earth\"}", false, 0},
    {"odd{b=\"1\"}", true, 8},
    {"odd{type=\"leaf\"}", false, 0},
    {"odd{a=\"x,type=\\\"leaf\\\"} 7\"}", true, 8},
    {"empty", true, 6},
    {"empty{}", true, 6},
    {"last{le=\"+Inf\"}", true, 1000},
    {"# TYPE tasks_total counter", false, 0},
    {"absent", false, 0},
};

START_TEST(what_a_selector_matches_is_added_up) {
    double sum = -1;
    bool found = scrape_sum(scrape, series[_i].selector, &sum);
    ck_assert_msg(found == series[_i].found && sum == series[_i].sum, "%s: %d, %g",
                  series[_i].selector, found, sum);
}
END_TEST

Suite *check_scrape(void) {
    Suite *suite = suite_create("scrape");
    TCase *tc = tcase_create("scrape");
    tcase_add_loop_test(tc, what_a_selector_matches_is_added_up, 0, COUNT(series));
    suite_add_tcase(suite, tc);
    return suite;
}

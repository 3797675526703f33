#include "orchestrator/brakes.h"
#include "tests/unit/support.h"

Suite *check_brakes(void);

static struct brakes brakes_of(const char *body) {
    struct brakes brakes = {0};
    struct error err;
    cJSON *json = json_of(body);
    int rc = brakes_parse(json, &brakes, &err);
    ck_assert_msg(rc == 0, "%s: %s", body, err.text);
    cJSON_Delete(json);
    return brakes;
}

START_TEST(what_is_not_asked_for_is_no_brake) {
    const struct brakes brakes = brakes_of("{}");
    struct buf why = {0};
    ck_assert_uint_eq(brakes.workers, 0);
    ck_assert_uint_eq(brakes.host_timeout_ms, 0);
    ck_assert_uint_eq(brakes.job_timeout_ms, 0);
    ck_assert(!brakes_trip(&brakes, 848, 848, &why));
    ck_assert_uint_eq(why.len, 0);
}
END_TEST

START_TEST(every_field_is_read) {
    const struct brakes brakes = brakes_of("{'workers': 7, 'max_failures': 3, 'host_timeout': "
                                           "'10m', 'job_timeout': '1.5s'}");
    ck_assert_uint_eq(brakes.workers, 7);
    ck_assert_int_eq(brakes.max_failures.unit, FAILURES_COUNT);
    ck_assert_uint_eq(brakes.max_failures.value, 3);
    ck_assert_uint_eq(brakes.host_timeout_ms, 600000);
    ck_assert_uint_eq(brakes.job_timeout_ms, 1500);
}
END_TEST

START_TEST(a_job_stops_once_more_hosts_than_so_many_have_failed) {
    static const struct {
        const char *body;
        size_t failed, hosts;
        bool trips;
    } cases[] = {
        {"{'max_failures': 0}", 0, 10, false},
        {"{'max_failures': 0}", 1, 10, true},
        {"{'max_failures': 3}", 3, 10, false},
        {"{'max_failures': 3}", 4, 10, true},
        {"{'max_failures': '3'}", 3, 10, false},
        {"{'max_failures': '3'}", 4, 10, true},
        {"{'max_failures': '5%'}", 0, 10, false},
        {"{'max_failures': '5%'}", 1, 10, true},
        {"{'max_failures': '5%'}", 5, 100, false},
        {"{'max_failures': '5%'}", 6, 100, true},
        {"{'max_failures': '0%'}", 1, 4000000, true},
        {"{'max_failures': '100%'}", 4000000, 4000000, false},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        const struct brakes brakes = brakes_of(cases[i].body);
        struct buf why = {0};
        ck_assert_msg(brakes_trip(&brakes, cases[i].failed, cases[i].hosts, &why) == cases[i].trips,
                      "%s: %zu of %zu", cases[i].body, cases[i].failed, cases[i].hosts);
        ck_assert_msg((why.len > 0) == cases[i].trips, "%s", cases[i].body);
        buf_deinit(&why);
    }
}
END_TEST

START_TEST(why_a_job_stops_is_told_with_both_numbers) {
    const struct brakes brakes = brakes_of("{'max_failures': '5%'}");
    struct buf why = {0};
    brakes_trip(&brakes, 6, 100, &why);
    ck_assert_str_eq(why.data, "6 of 100 hosts failed, max_failures is 5%");
    buf_deinit(&why);
}
END_TEST

Suite *check_brakes(void) {
    Suite *suite = suite_create("brakes");
    TCase *tcase = tcase_create("brakes");
    tcase_add_test(tcase, what_is_not_asked_for_is_no_brake);
    tcase_add_test(tcase, every_field_is_read);
    tcase_add_test(tcase, a_job_stops_once_more_hosts_than_so_many_have_failed);
    tcase_add_test(tcase, why_a_job_stops_is_told_with_both_numbers);
    suite_add_tcase(suite, tcase);
    return suite;
}

#include "common/http_limits.h"
#include "tests/unit/support.h"

Suite *check_http_limits(void);

START_TEST(what_is_not_said_is_the_default) {
    const struct http_limits some = {.body = 5, .connections = 2000, .counts_loopback = true};
    struct http_limits l = http_limits_or_default(&some);
    ck_assert_uint_eq(l.body, 5);
    ck_assert_uint_eq(l.connections, 2000);
    ck_assert(l.counts_loopback);
    ck_assert_uint_eq(l.answering, HTTP_ANSWERING_MAX);
    ck_assert_uint_eq(l.idle_ms, HTTP_IDLE_TIMEOUT_S * 1000ULL);
    l = http_limits_or_default(NULL);
    ck_assert_uint_eq(l.connections, HTTP_CONNECTIONS_MAX);
    ck_assert_uint_eq(l.head, HTTP_HEAD_MAX);
    ck_assert(!l.counts_loopback);
}
END_TEST

// Whole requests are never closed: were every connection one, nobody else would be served.
START_TEST(some_connections_are_left_without_a_whole_request) {
    struct http_limits some = {.connections = 100, .answering = 76};
    ck_assert_uint_eq(http_limits_or_default(&some).answering, 76);
    some.answering = 77;
    ck_assert_uint_eq(http_limits_or_default(&some).answering, 76);
    some.answering = 0;
    ck_assert_uint_eq(http_limits_or_default(&some).answering, 76);
}
END_TEST

Suite *check_http_limits(void) {
    Suite *suite = suite_create("http_limits");
    TCase *tcase = tcase_create("http_limits");
    suite_add_tcase(suite, tcase);
    tcase_add_test(tcase, what_is_not_said_is_the_default);
    tcase_add_test(tcase, some_connections_are_left_without_a_whole_request);
    return suite;
}

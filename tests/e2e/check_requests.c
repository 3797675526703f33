// What a scenario cannot say of requests: it does not compare two answers. All else is in
// scenarios/requests/.
#include "tests/e2e/harness.h"

#include <stdlib.h>
#include <string.h>

Suite *check_requests(void);

START_TEST(head_tells_the_length_of_what_get_sends) {
    struct lab lab = lab_start(ARGS("--latency", "0"), NULL);
    const char *const gets[] = {"/swagger/", "/livez", "/readyz"};
    for (size_t i = 0; i < 3; i++) {
        struct answer get = http_get(lab.api, gets[i]);
        struct answer a = http_send("HEAD", lab.api, gets[i], NULL, NULL);
        ck_assert_int_eq(a.status, 200);
        ck_assert_uint_eq(strlen(a.body), 0);
        ck_assert_uint_eq(strtoul(answer_header(&a, "Content-Length"), NULL, 10), strlen(get.body));
        answer_free(&a);
        answer_free(&get);
    }
    assert_untouched(&lab);
    lab_stop(&lab);
}
END_TEST

Suite *check_requests(void) {
    Suite *suite = suite_create("requests");
    TCase *tc = tcase_create("requests");
    tcase_set_timeout(tc, 120);
    tcase_add_test(tc, head_tells_the_length_of_what_get_sends);
    suite_add_tcase(suite, tc);
    return suite;
}

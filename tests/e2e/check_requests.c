// The request table, row by row, over HTTP; and that no device is touched by what is refused.
#include "common/count.h"
#include "tests/e2e/harness.h"

#include "common/mem.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

Suite *check_requests(void);

static const struct {
    const char *body;
    const char *field; // NULL: none
    const char *detail;
} refused[] = {
    {"{\"version\": \"5.3.1\", \"filter_site\": [\"earth\"]}", "filter_site",
     "did you mean filter_sites?"},
    {"{\"version\": \"5.3.1\", \"sites\": [\"earth\"]}", "sites", "unknown field"},
    {"{\"version\": \"5.3.1\", \"filter_sites\": [\"earth\", \"erth\"]}", "filter_sites",
     "no site 'erth'; known are: mercury, venus, earth, mars, jupyter, uranus, saturn, neptune"},
    {"{\"version\": \"5.3.1\", \"filter_dev_types\": [\"leave\"]}", "filter_dev_types",
     "no device type 'leave'; known are: edge, spine, leaf"},
    {"{\"version\": \"5.3.1\", \"filter_dev_sites\": [\"x\"]}", "filter_sites", "no site 'x'"},
    {"{\"version\": \"5.3.1\", \"filter_sites\": \"earth\"}", "filter_sites",
     "expected an array of strings, not a string"},
    {"{\"version\": \"5.3.1\", \"filter_sites\": [1]}", "filter_sites", "expected a string"},
    {"{\"version\": \"5.3.1\", \"filter_sites\": [\"earth\"], \"filter_dev_sites\": [\"earth\"]}",
     "filter_dev_sites", "give one of the two"},
    {"{\"filter_sites\": [\"earth\"]}", "version", "missing"},
    {"{\"version\": 5.3}", "version", "expected a string"},
    {"{\"version\": null}", "version", "expected a string"},
    {"{\"version\": \"5.3\"}", "version", "X.Y.Z"},
    {"{\"version\": \"5.3.1 \"}", "version", "X.Y.Z"},
    {"{\"version\": \"5.3.1\\n\"}", "version", "X.Y.Z"},
    {"{\"version\": \"5.3.1234567890\"}", "version", "X.Y.Z"},
    {"{\"version\": \"5.3.1\\u0000\"}", NULL, "\\u0000"},
    {"{\"version\": \"5.3.1\", \"version\": \"5.3.1\"}", NULL, "version: given twice"},
    {"[\"5.3.1\"]", NULL, "expected a JSON object, not an array"},
    {"{\"version\": \"5.3.1\"", NULL, "not JSON"},
    {"{\"version\": \"5.3.1\"} {}", NULL, "more follows"},
    {"", NULL, "it is empty"},
};

START_TEST(every_bad_body_is_refused_and_touches_nothing) {
    struct lab lab = lab_start(ARGS("--latency", "0"), NULL);
    for (size_t i = 0; i < COUNT(refused); i++)
        assert_problem(http_post(lab.api, "/upgrade-os/", refused[i].body), 400, refused[i].field,
                       refused[i].detail);
    assert_untouched(&lab);
    lab_stop(&lab);
}
END_TEST

START_TEST(a_filter_of_nothing_selects_nothing_and_null_selects_all) {
    struct lab lab = lab_start(ARGS("--latency", "0"), NULL);
    const char *nothing = "{\"failed\": [], \"skipped\": [], \"completed\": []}";
    assert_answer(
        http_post(lab.api, "/upgrade-os/", "{\"version\": \"5.3.1\", \"filter_sites\": []}"), 200,
        nothing);
    assert_answer(
        http_post(lab.api, "/upgrade-os/", "{\"version\": \"5.3.1\", \"filter_dev_types\": []}"),
        200, nothing);
    assert_untouched(&lab);
    struct answer a = http_post(lab.api, "/upgrade-os/",
                                "{\"version\": \"5.3.1\", \"filter_sites\": null, "
                                "\"filter_dev_types\": [\"edge\", \"edge\"]}");
    cJSON *report = answer_json(&a);
    ck_assert_uint_eq(json_strings(cJSON_GetObjectItem(report, "completed")), 16);
    cJSON_Delete(report);
    answer_free(&a);
    lab_stop(&lab);
}
END_TEST

START_TEST(the_report_has_its_keys_in_order_and_its_hosts_in_inventory_order) {
    struct lab lab = lab_start(ARGS("--latency", "0"), NULL);
    struct answer a =
        http_post(lab.api, "/upgrade-os/",
                  "{\"version\": \"5.3.1\", \"filter_dev_sites\": [\"venus\", \"mercury\"], "
                  "\"filter_dev_types\": [\"spine\", \"edge\"]}");
    ck_assert_int_eq(a.status, 200);
    ck_assert_str_eq(answer_header(&a, "Content-Type"), "application/json");
    ck_assert_str_eq(
        a.body, "{\"failed\": [], \"skipped\": [], \"completed\": [\"edge00.mercury\", "
                "\"edge01.mercury\", \"spine00.mercury\", \"spine01.mercury\", "
                "\"spine02.mercury\", \"spine03.mercury\", \"edge00.venus\", \"edge01.venus\", "
                "\"spine00.venus\", \"spine01.venus\", \"spine02.venus\", \"spine03.venus\"]}\n");
    answer_free(&a);
    lab_stop(&lab);
}
END_TEST

START_TEST(a_body_that_is_not_json_by_its_type_or_too_long_is_refused) {
    struct lab lab = lab_start(ARGS("--latency", "0"), NULL);
    const char *body = "{\"version\": \"5.3.1\"}";
    assert_problem(http_send("POST", lab.api, "/upgrade-os/", NULL, body), 415, NULL,
                   "application/x-www-form-urlencoded");
    assert_problem(
        http_send("POST", lab.api, "/upgrade-os/", ARGS("Content-Type: text/plain"), body), 415,
        NULL, "text/plain");
    assert_problem(http_send("POST", lab.api, "/upgrade-os/", ARGS("Content-Type:"), body), 415,
                   NULL, "without one");
    assert_untouched(&lab);

    size_t len = 3 << 20; // more than the socket buffers hold
    char *long_body = mem_alloc(len + 1);
    memset(long_body, ' ', len);
    long_body[len] = '\0';
    for (int i = 0; i < 5; i++)
        assert_problem(http_post(lab.api, "/upgrade-os/", long_body), 413, NULL, "1048576 bytes");
    long_body[1 << 20] = '\0';
    memcpy(long_body, body, strlen(body)); // exactly the limit, and JSON with blanks behind
    long_body[1] = '}';
    assert_problem(http_post(lab.api, "/upgrade-os/", long_body), 400, NULL, "more follows");
    free(long_body);
    assert_untouched(&lab);

    struct answer a = http_send("POST", lab.api, "/upgrade-os/",
                                ARGS("Content-Type: Application/JSON; charset=utf-8"),
                                "{\"version\": \"5.3.1\", \"filter_sites\": []}");
    ck_assert_int_eq(a.status, 200);
    answer_free(&a);
    lab_stop(&lab);
}
END_TEST

START_TEST(methods_slashes_and_unknown_paths_are_answered_by_the_book) {
    struct lab lab = lab_start(ARGS("--latency", "0"), NULL);
    struct answer a = http_get(lab.api, "/upgrade-os/");
    ck_assert_str_eq(answer_header(&a, "Allow"), "POST, OPTIONS");
    assert_problem(a, 405, NULL, "GET is not allowed at /upgrade-os/; allowed: POST, OPTIONS");
    a = http_send("DELETE", lab.api, "/metrics/", NULL, NULL);
    ck_assert_str_eq(answer_header(&a, "Allow"), "GET, HEAD, OPTIONS");
    assert_problem(a, 405, NULL, "DELETE");
    assert_problem(http_get(lab.api, "/upgrades/"), 404, NULL, "did you mean /upgrade-os/?");

    a = http_send("POST", lab.api, "/upgrade-os?a=b", ARGS("Content-Type: application/json"),
                  "{\"version\": \"5.3.1\"}");
    ck_assert_int_eq(a.status, 308);
    ck_assert_str_eq(answer_header(&a, "Location"), "/upgrade-os/?a=b");
    answer_free(&a);
    a = http_get(lab.api, "/metrics");
    ck_assert_int_eq(a.status, 308);
    ck_assert_str_eq(answer_header(&a, "Location"), "/metrics/");
    answer_free(&a);
    assert_problem(http_get(lab.api, "/livez/"), 404, NULL, "/livez");

    const char *const gets[] = {"/swagger/", "/livez", "/readyz"};
    for (size_t i = 0; i < 3; i++) {
        struct answer get = http_get(lab.api, gets[i]);
        a = http_send("HEAD", lab.api, gets[i], NULL, NULL);
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

static const struct {
    const char *origin;
    bool may_post;
} origins[] = {
    {"http://localhost", true},
    {"http://localhost:8080", true},
    {"http://127.0.0.1:3000", true},
    {"https://localhost:8443", true},
    {"https://noc.example", true},
    {"https://noc.example:1", false},
    {"http://evil.example", false},
    {"http://localhost.evil.example", false},
    {"http://127.0.0.1.evil", false},
    {"http://localhost:80.evil", false},
    {"null", false},
    {"http://localhost:", false},
};

START_TEST(only_pages_of_allowed_origins_may_drive_the_network) {
    struct lab lab =
        lab_start(ARGS("--latency", "0"), ARGS("--cors-origin", "https://noc.example"));
    for (size_t i = 0; i < COUNT(origins); i++) {
        char origin[128];
        snprintf(origin, sizeof origin, "Origin: %s", origins[i].origin);
        struct answer a = http_send("OPTIONS", lab.api, "/upgrade-os/",
                                    ARGS(origin, "Access-Control-Request-Method: POST"), NULL);
        ck_assert_int_eq(a.status, 204);
        const char *allowed = answer_header(&a, "Access-Control-Allow-Origin");
        ck_assert_msg((allowed != NULL) == origins[i].may_post, "%s", origins[i].origin);
        if (allowed != NULL) {
            ck_assert_str_eq(allowed, origins[i].origin);
            ck_assert_str_eq(answer_header(&a, "Access-Control-Allow-Methods"), "POST, OPTIONS");
            ck_assert_str_eq(answer_header(&a, "Access-Control-Allow-Headers"), "Content-Type");
            ck_assert_str_eq(answer_header(&a, "Vary"), "Origin");
        }
        answer_free(&a);

        a = http_send("POST", lab.api, "/upgrade-os/",
                      ARGS(origin, "Content-Type: application/json"), "{\"version\": \"no\"}");
        allowed = answer_header(&a, "Access-Control-Allow-Origin");
        ck_assert_msg((allowed != NULL) == origins[i].may_post, "%s", origins[i].origin);
        if (origins[i].may_post)
            assert_problem(a, 400, "version", "X.Y.Z");
        else
            assert_problem(a, 403, NULL, origins[i].origin);

        a = http_send("GET", lab.api, "/swagger/", ARGS(origin), NULL);
        ck_assert_int_eq(a.status, 200);
        ck_assert_str_eq(answer_header(&a, "Access-Control-Allow-Origin"), origins[i].origin);
        answer_free(&a);
    }
    assert_untouched(&lab);
    lab_stop(&lab);
}
END_TEST

START_TEST(the_openapi_document_is_served_as_json) {
    struct lab lab = lab_start(ARGS("--latency", "0"), NULL);
    cJSON *document = get_json(lab.api, "/swagger/");
    ck_assert_str_eq(cJSON_GetObjectItem(document, "openapi")->valuestring, "3.0.3");
    const cJSON *paths = cJSON_GetObjectItem(document, "paths");
    static const char *const known[] = {"/upgrade-os/", "/swagger/", "/metrics/", "/livez",
                                        "/readyz"};
    ck_assert_int_eq(cJSON_GetArraySize(paths), 5);
    for (size_t i = 0; i < 5; i++)
        ck_assert(cJSON_HasObjectItem(paths, known[i]));
    cJSON_Delete(document);
    lab_stop(&lab);
}
END_TEST

Suite *check_requests(void) {
    Suite *suite = suite_create("requests");
    TCase *tc = tcase_create("requests");
    tcase_set_timeout(tc, 120);
    tcase_add_test(tc, every_bad_body_is_refused_and_touches_nothing);
    tcase_add_test(tc, a_filter_of_nothing_selects_nothing_and_null_selects_all);
    tcase_add_test(tc, the_report_has_its_keys_in_order_and_its_hosts_in_inventory_order);
    tcase_add_test(tc, a_body_that_is_not_json_by_its_type_or_too_long_is_refused);
    tcase_add_test(tc, methods_slashes_and_unknown_paths_are_answered_by_the_book);
    tcase_add_test(tc, only_pages_of_allowed_origins_may_drive_the_network);
    tcase_add_test(tc, the_openapi_document_is_served_as_json);
    suite_add_tcase(suite, tc);
    return suite;
}

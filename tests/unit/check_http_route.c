#include "common/http_route.h"
#include "tests/unit/support.h"

Suite *check_http_route(void);

static void handler(void *app, struct http_request *request) {
    (void)app;
    (void)request;
}

static const struct http_route list[] = {
    {HTTP_POST, "/upgrade-os/", handler, .any_origin = false},
    {HTTP_GET, "/metrics/", handler, .any_origin = true},
    {HTTP_GET, "/livez", handler, .any_origin = false},
    {HTTP_GET, "/faults/", handler, .any_origin = true},
    {HTTP_POST, "/faults/", handler, .any_origin = false},
    {HTTP_DELETE, "/faults/{id}/", handler, .any_origin = false},
    {HTTP_GET, "/jobs/", handler, .any_origin = false},
    {HTTP_GET, "/jobs/{id}/", handler, .any_origin = false},
    {HTTP_GET, "/jobs/{id}/hosts/", handler, .any_origin = false},
    {HTTP_POST, "/jobs/{id}/resume/", handler, .any_origin = false},
};
static const char *const origins[] = {"https://noc.example"};
static const struct http_routes routes = {
    .list = list, .count = COUNT(list), .origins = origins, .origins_count = COUNT(origins)};

static void match_of(const char *method, const char *path, const char *origin,
                     const char *fetch_site, struct http_match *match) {
    const struct http_ask ask = {method, path, origin, fetch_site};
    http_match(&routes, &ask, match);
}

START_TEST(a_request_finds_its_route_or_the_reason_why_not) {
    static const struct {
        const char *method, *path, *origin;
        enum http_verdict verdict;
        int route; // -1: none
        bool origin_allowed;
        const char *allow, *param;
    } cases[] = {
        {"POST", "/upgrade-os/", NULL, HTTP_ROUTED, 0, false, "POST, OPTIONS", ""},
        {"GET", "/upgrade-os/", NULL, HTTP_WRONG_METHOD, -1, false, "POST, OPTIONS", ""},
        {"post", "/upgrade-os/", NULL, HTTP_WRONG_METHOD, -1, false, "POST, OPTIONS", ""},
        {"PATCH", "/metrics/", NULL, HTTP_WRONG_METHOD, -1, false, "GET, HEAD, OPTIONS", ""},
        {"HEAD", "/metrics/", NULL, HTTP_ROUTED, 1, false, "GET, HEAD, OPTIONS", ""},
        {"POST", "/upgrade-os", NULL, HTTP_ADD_SLASH, -1, false, "OPTIONS", ""},
        {"DELETE", "/faults/7", NULL, HTTP_ADD_SLASH, -1, false, "OPTIONS", ""},
        {"GET", "/livez/", NULL, HTTP_NOT_FOUND, -1, false, "OPTIONS", ""},
        {"GET", "/", NULL, HTTP_NOT_FOUND, -1, false, "OPTIONS", ""},
        {"GET", "", NULL, HTTP_NOT_FOUND, -1, false, "OPTIONS", ""},
        {"GET", "/metrics/x/", NULL, HTTP_NOT_FOUND, -1, false, "OPTIONS", ""},
        {"DELETE", "/faults/7/", NULL, HTTP_ROUTED, 5, false, "DELETE, OPTIONS", "7"},
        {"DELETE", "/faults/a b/", NULL, HTTP_ROUTED, 5, false, "DELETE, OPTIONS", "a b"},
        {"DELETE", "/faults/7/8/", NULL, HTTP_NOT_FOUND, -1, false, "OPTIONS", ""},
        {"DELETE", "/faults//", NULL, HTTP_NOT_FOUND, -1, false, "OPTIONS", ""},
        {"POST", "/faults/", NULL, HTTP_ROUTED, 4, false, "GET, HEAD, POST, OPTIONS", ""},
        // a parameter with more behind it
        {"GET", "/jobs/", NULL, HTTP_ROUTED, 6, false, "GET, HEAD, OPTIONS", ""},
        {"GET", "/jobs/8e03/", NULL, HTTP_ROUTED, 7, false, "GET, HEAD, OPTIONS", "8e03"},
        {"HEAD", "/jobs/8e03/hosts/", NULL, HTTP_ROUTED, 8, false, "GET, HEAD, OPTIONS", "8e03"},
        {"POST", "/jobs/8e03/resume/", NULL, HTTP_ROUTED, 9, false, "POST, OPTIONS", "8e03"},
        {"GET", "/jobs/8e03/resume/", NULL, HTTP_WRONG_METHOD, -1, false, "POST, OPTIONS", ""},
        {"POST", "/jobs/8e03/hosts/", NULL, HTTP_WRONG_METHOD, -1, false, "GET, HEAD, OPTIONS", ""},
        {"GET", "/jobs/8e03/hosts", NULL, HTTP_ADD_SLASH, -1, false, "OPTIONS", ""},
        {"GET", "/jobs/8e03", NULL, HTTP_ADD_SLASH, -1, false, "OPTIONS", ""},
        {"GET", "/jobs/hosts/", NULL, HTTP_ROUTED, 7, false, "GET, HEAD, OPTIONS", "hosts"},
        {"GET", "/jobs//hosts/", NULL, HTTP_NOT_FOUND, -1, false, "OPTIONS", ""},
        {"GET", "/jobs/8e03/x/hosts/", NULL, HTTP_NOT_FOUND, -1, false, "OPTIONS", ""},
        {"GET", "/jobs/8e03/hosts/x/", NULL, HTTP_NOT_FOUND, -1, false, "OPTIONS", ""},
        // which pages may do what
        {"POST", "/upgrade-os/", "http://localhost:8000", HTTP_ROUTED, 0, true, "POST, OPTIONS",
         ""},
        {"POST", "/upgrade-os/", "https://noc.example", HTTP_ROUTED, 0, true, "POST, OPTIONS", ""},
        {"POST", "/upgrade-os/", "http://noc.example", HTTP_FOREIGN_ORIGIN, -1, false,
         "POST, OPTIONS", ""},
        {"POST", "/upgrade-os/", "null", HTTP_FOREIGN_ORIGIN, -1, false, "POST, OPTIONS", ""},
        {"POST", "/upgrade-os/", "", HTTP_FOREIGN_ORIGIN, -1, false, "POST, OPTIONS", ""},
        {"DELETE", "/faults/7/", "http://evil.example", HTTP_FOREIGN_ORIGIN, -1, false,
         "DELETE, OPTIONS", ""},
        {"GET", "/metrics/", "http://evil.example", HTTP_ROUTED, 1, true, "GET, HEAD, OPTIONS", ""},
        {"GET", "/livez", "http://evil.example", HTTP_ROUTED, 2, false, "GET, HEAD, OPTIONS", ""},
        {"OPTIONS", "/upgrade-os/", "http://127.0.0.1", HTTP_PREFLIGHT, -1, true, "POST, OPTIONS",
         ""},
        {"OPTIONS", "/upgrade-os/", "http://evil.example", HTTP_PREFLIGHT, -1, false,
         "POST, OPTIONS", ""},
        {"OPTIONS", "/nothing/", "http://localhost", HTTP_NOT_FOUND, -1, true, "OPTIONS", ""},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct http_match match;
        match_of(cases[i].method, cases[i].path, cases[i].origin, NULL, &match);
        ck_assert_msg(match.verdict == cases[i].verdict, "case %zu: %s %s gave %d", i,
                      cases[i].method, cases[i].path, (int)match.verdict);
        ck_assert_ptr_eq(match.route, cases[i].route < 0 ? NULL : &list[cases[i].route]);
        ck_assert_msg(match.origin_allowed == cases[i].origin_allowed, "case %zu: origin", i);
        ck_assert_str_eq(match.allow, cases[i].allow);
        ck_assert_str_eq(match.param, cases[i].param);
    }
}
END_TEST

START_TEST(what_any_page_may_read_none_may_change) {
    struct http_match match;
    match_of("GET", "/faults/", "http://evil.example", NULL, &match);
    ck_assert_int_eq(match.verdict, HTTP_ROUTED);
    match_of("POST", "/faults/", "http://evil.example", NULL, &match);
    ck_assert_int_eq(match.verdict, HTTP_FOREIGN_ORIGIN);
}
END_TEST

START_TEST(a_page_of_another_site_changes_nothing) {
    static const struct {
        const char *method, *origin, *fetch_site;
        enum http_verdict verdict;
    } cases[] = {
        {"POST", NULL, NULL, HTTP_ROUTED}, // no browser
        {"POST", NULL, "same-origin", HTTP_ROUTED},
        {"POST", NULL, "none", HTTP_ROUTED},
        {"POST", NULL, "cross-site", HTTP_FOREIGN_SITE},
        {"POST", NULL, "same-site", HTTP_FOREIGN_SITE}, // another port of this machine
        {"POST", NULL, "", HTTP_FOREIGN_SITE},
        {"POST", "http://evil.example", "same-origin", HTTP_FOREIGN_ORIGIN},
        {"POST", "http://localhost:8000", "same-site", HTTP_ROUTED}, // one that is allowed
        {"GET", NULL, "cross-site", HTTP_WRONG_METHOD},
        {"OPTIONS", NULL, "cross-site", HTTP_PREFLIGHT},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct http_match match;
        match_of(cases[i].method, "/upgrade-os/", cases[i].origin, cases[i].fetch_site, &match);
        ck_assert_msg(match.verdict == cases[i].verdict, "case %zu gave %d", i, (int)match.verdict);
    }
}
END_TEST

START_TEST(a_parameter_or_path_too_long_is_not_found) {
    struct buf path = {0};
    struct http_match match;
    buf_adds(&path, "/faults/");
    for (int i = 0; i < 5000; i++) {
        if (i == HTTP_PARAM_MAX - 1) {
            struct buf whole = {0};
            buf_addf(&whole, "%s/", path.data);
            match_of("DELETE", whole.data, NULL, NULL, &match);
            ck_assert_int_eq(match.verdict, HTTP_ROUTED);
            buf_deinit(&whole);
        }
        buf_adds(&path, "x");
    }
    match_of("DELETE", path.data, NULL, NULL, &match);
    ck_assert_int_eq(match.verdict, HTTP_NOT_FOUND);
    buf_adds(&path, "/");
    match_of("DELETE", path.data, NULL, NULL, &match);
    ck_assert_int_eq(match.verdict, HTTP_NOT_FOUND);
    buf_deinit(&path);
}
END_TEST

START_TEST(only_this_machine_is_local) {
    static const struct {
        const char *origin;
        bool local;
    } cases[] = {
        {"http://localhost", true},
        {"https://localhost", true},
        {"http://localhost:3000", true},
        {"http://127.0.0.1:80", true},
        {"http://localhost:", false},
        {"http://localhost:80x", false},
        {"http://localhost.evil.com", false},
        {"http://localhostevil.com", false},
        {"http://127.0.0.1.evil.com", false},
        {"http://127.0.0.12", false},
        {"http://evil.com", false},
        {"http://evil.com#localhost", false},
        {"ftp://localhost", false},
        {"localhost", false},
        {"http://", false},
        {"null", false},
        {"http://localhost:80/x", false},
        {"http://user@localhost", false},
    };
    for (size_t i = 0; i < COUNT(cases); i++)
        ck_assert_msg(http_origin_is_local(cases[i].origin) == cases[i].local, "%s",
                      cases[i].origin);
}
END_TEST

START_TEST(json_is_told_by_its_content_type) {
    static const struct {
        const char *type;
        bool json;
    } cases[] = {
        {"application/json", true},
        {"application/json; charset=utf-8", true},
        {"Application/JSON;charset=utf-8", true},
        {"application/json ; x=y", true},
        {"application/jsonp", false},
        {"application/problem+json", false},
        {"text/plain", false},
        {"text/plain; application/json", false},
        {"application/x-www-form-urlencoded", false},
        {"", false},
    };
    for (size_t i = 0; i < COUNT(cases); i++)
        ck_assert_msg(http_is_json(cases[i].type) == cases[i].json, "%s", cases[i].type);
}
END_TEST

START_TEST(a_mistyped_path_gets_the_nearest) {
    ck_assert_str_eq(http_nearest_path(&routes, "/upgrade_os/"), "/upgrade-os/");
    ck_assert_str_eq(http_nearest_path(&routes, "/metric"), "/metrics/");
    ck_assert_ptr_null(http_nearest_path(&routes, "/favicon.ico"));
}
END_TEST

START_TEST(a_problem_is_json_with_the_field_at_fault) {
    char *text = http_problem_json(400, "version", "'5\"3' is\nwrong");
    ck_assert_str_eq(text, "{\"type\":\"about:blank\",\"title\":\"Bad Request\",\"status\":400,"
                           "\"detail\":\"'5\\\"3' is\\nwrong\",\"field\":\"version\"}\n");
    free(text);
    text = http_problem_json(503, "", "shutting down");
    ck_assert_ptr_null(strstr(text, "field"));
    ck_assert_ptr_nonnull(strstr(text, "Service Unavailable"));
    free(text);
}
END_TEST

START_TEST(a_problem_is_json_even_where_its_text_was_cut_in_mid_character) {
    static const char *const cut[] = {"caf\xc3", "\xe2\x82 \xac", "\xf0\x9f\x98", "\xff"};
    for (size_t i = 0; i < COUNT(cut); i++) {
        char *text = http_problem_json(400, cut[i], cut[i]);
        cJSON *json = NULL;
        struct error err = {0};
        int rc = json_parse(text, strlen(text), &json, &err);
        ck_assert_msg(rc == 0, "%s: %s", text, err.text);
        cJSON_Delete(json);
        free(text);
    }
}
END_TEST

START_TEST(every_status_that_is_sent_has_its_text) {
    static const int statuses[] = {400, 401, 403, 404, 405, 409, 413, 415, 422, 429, 502, 503};
    for (size_t i = 0; i < COUNT(statuses); i++)
        ck_assert_str_ne(http_status_text(statuses[i]), http_status_text(500));
}
END_TEST

static const char *const filters[] = {"filter_sites", "filter_dev_types", NULL};
static const struct {
    const char *const *takes;
    const char *name, *detail; // NULL: it is taken
} queries[] = {
    {filters, "filter_sites", NULL},
    {filters, "filter_dev_types", NULL},
    {filters, "filter_site", "/x/ takes no query parameter filter_site; did you mean filter_sites"},
    {filters, "id", "/x/ takes no query parameter id; known are filter_sites, filter_dev_types"},
    {NULL, "id", "/x/ takes no query parameter, not id"},
    {http_any_query, "id", NULL},
};

START_TEST(a_query_parameter_that_a_route_does_not_take_is_named) {
    const struct http_route route = {HTTP_GET, "/x/", handler, .query = queries[_i].takes};
    char detail[HTTP_QUERY_DETAIL_MAX] = "";
    ck_assert_int_eq(http_takes_query(&route, queries[_i].name, detail),
                     queries[_i].detail == NULL);
    ck_assert_str_eq(detail, queries[_i].detail == NULL ? "" : queries[_i].detail);
}
END_TEST

Suite *check_http_route(void) {
    Suite *suite = suite_create("http_route");
    TCase *tcase = tcase_create("http_route");
    suite_add_tcase(suite, tcase);
    tcase_add_loop_test(tcase, a_query_parameter_that_a_route_does_not_take_is_named, 0,
                        (int)COUNT(queries));
    tcase_add_test(tcase, a_request_finds_its_route_or_the_reason_why_not);
    tcase_add_test(tcase, what_any_page_may_read_none_may_change);
    tcase_add_test(tcase, a_page_of_another_site_changes_nothing);
    tcase_add_test(tcase, a_parameter_or_path_too_long_is_not_found);
    tcase_add_test(tcase, only_this_machine_is_local);
    tcase_add_test(tcase, json_is_told_by_its_content_type);
    tcase_add_test(tcase, a_mistyped_path_gets_the_nearest);
    tcase_add_test(tcase, a_problem_is_json_with_the_field_at_fault);
    tcase_add_test(tcase, a_problem_is_json_even_where_its_text_was_cut_in_mid_character);
    tcase_add_test(tcase, every_status_that_is_sent_has_its_text);
    return suite;
}
